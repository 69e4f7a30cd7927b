/// The expected use of an instance by one job: hours, and the bytes that travel.
///
/// Machines' prices for traffic differ by more than a factor of ten, so that the cheapest hour is not always
/// the cheapest job.
public struct JobEstimate: Hashable, Codable, Sendable {
    /// The time for which the instance will exist, in hours.
    public var hours: Double
    /// The size of the files that go to the instance.
    public var sentBytes: Int64
    /// The size of the results that come back.
    public var receivedBytes: Int64

    /// An hour without any traffic, unless given.
    public init(hours: Double = 1, sentBytes: Int64 = 0, receivedBytes: Int64 = 0) {
        self.hours = hours
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
    }
}

extension Offer {
    /// Returns the cost of the traffic of `job`, in dollars. A machine that states no price charges nothing.
    public func trafficDollars(for job: JobEstimate) -> Double {
        // Our upload is the instance's download.
        Double(job.sentBytes) / 1e9 * (self.downloadDollarsPerGB ?? 0)
            + Double(job.receivedBytes) / 1e9 * (self.uploadDollarsPerGB ?? 0)
    }

    /// Returns the cost of GPU, disk and traffic of `job`, in dollars.
    public func dollars(for job: JobEstimate) -> Double {
        self.price.dollarsPerHour * job.hours + self.trafficDollars(for: job)
    }
}
