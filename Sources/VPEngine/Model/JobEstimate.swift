/// What one job will use of an instance, as far as it can be told before: hours, and the files that travel.
///
/// Machines differ by more than a factor of ten in what they charge for traffic, so that the cheapest hour is
/// not always the cheapest job.
public struct JobEstimate: Hashable, Codable, Sendable {
    /// How long the instance will be there.
    public var hours: Double
    /// Files that go to the instance.
    public var sentBytes: Int64
    /// Results that come back.
    public var receivedBytes: Int64

    /// An hour without any traffic, unless given.
    public init(hours: Double = 1, sentBytes: Int64 = 0, receivedBytes: Int64 = 0) {
        self.hours = hours
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
    }
}

extension Offer {
    /// What the traffic of `job` costs here, in dollars. A machine that names no price charges none.
    public func trafficDollars(for job: JobEstimate) -> Double {
        // What we send is what the instance downloads.
        Double(job.sentBytes) / 1e9 * (self.downloadDollarsPerGB ?? 0)
            + Double(job.receivedBytes) / 1e9 * (self.uploadDollarsPerGB ?? 0)
    }

    /// GPU, disk and traffic of `job`, in dollars.
    public func dollars(for job: JobEstimate) -> Double {
        self.price.dollarsPerHour * job.hours + self.trafficDollars(for: job)
    }
}
