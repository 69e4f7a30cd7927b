import Foundation

/// A rate in dollars for each hour.
public struct HourlyPrice: Hashable, Comparable, Codable, Sendable {
    public var dollarsPerHour: Double

    public init(dollarsPerHour: Double) {
        self.dollarsPerHour = dollarsPerHour
    }

    public var dollarsPerDay: Double { self.dollarsPerHour * 24 }

    /// What `duration` costs at this rate, in dollars.
    public func cost(of duration: TimeInterval) -> Double {
        self.dollarsPerHour * max(0, duration) / 3600
    }

    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.dollarsPerHour < rhs.dollarsPerHour }
}

/// Names one offer on one platform.
public struct OfferID: Hashable, Codable, Sendable, CustomStringConvertible {
    public var platform: Platform
    public var rawValue: String

    public init(platform: Platform, rawValue: String) {
        self.platform = platform
        self.rawValue = rawValue
    }

    public var description: String { self.rawValue }
}

/// Hardware that can be rented now.
public struct Offer: Identifiable, Hashable, Codable, Sendable {
    public var id: OfferID
    /// As the platform writes it, for example `RTX 4090`.
    public var gpuName: String
    public var gpuCount: Int
    /// Memory of one GPU, in bytes. Platforms state usable memory, a few per cent under the nominal figure.
    public var gpuMemoryBytes: Int64
    /// GPUs and the disk that the query asked for; traffic is extra.
    public var price: HourlyPrice
    public var cpuCores: Double?
    public var memoryBytes: Int64?
    /// Disk that can still be allocated, in bytes.
    public var diskBytes: Int64?
    public var storageDollarsPerGBMonth: Double?
    public var uploadDollarsPerGB: Double?
    public var downloadDollarsPerGB: Double?
    /// The instance's own link, in megabits a second.
    public var uploadMbps: Double?
    public var downloadMbps: Double?
    /// Share of the time the machine was up, from 0 to 1.
    public var reliability: Double?
    /// For example `Quebec, CA`.
    public var location: String?
    /// Highest CUDA version the driver supports.
    public var cudaVersion: Double?
    public var isInterruptible: Bool
    /// The physical machine, so that one that failed can be avoided.
    public var machineID: String?
    /// True where the platform has checked the machine itself.
    public var isVerified: Bool
    /// Where the platform can place it, when that can be chosen; empty for one machine.
    public var places: [String]

    public init(
        id: OfferID, gpuName: String, gpuCount: Int, gpuMemoryBytes: Int64, price: HourlyPrice,
        cpuCores: Double? = nil, memoryBytes: Int64? = nil, diskBytes: Int64? = nil,
        storageDollarsPerGBMonth: Double? = nil, uploadDollarsPerGB: Double? = nil,
        downloadDollarsPerGB: Double? = nil, uploadMbps: Double? = nil, downloadMbps: Double? = nil,
        reliability: Double? = nil, location: String? = nil, cudaVersion: Double? = nil,
        isInterruptible: Bool = false, machineID: String? = nil, isVerified: Bool = true,
        places: [String] = []
    ) {
        self.id = id
        self.gpuName = gpuName
        self.gpuCount = gpuCount
        self.gpuMemoryBytes = gpuMemoryBytes
        self.price = price
        self.cpuCores = cpuCores
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.storageDollarsPerGBMonth = storageDollarsPerGBMonth
        self.uploadDollarsPerGB = uploadDollarsPerGB
        self.downloadDollarsPerGB = downloadDollarsPerGB
        self.uploadMbps = uploadMbps
        self.downloadMbps = downloadMbps
        self.reliability = reliability
        self.location = location
        self.cudaVersion = cudaVersion
        self.isInterruptible = isInterruptible
        self.machineID = machineID
        self.isVerified = isVerified
        self.places = places
    }
}

/// What is wanted of an offer. A nil bound is no bound.
public struct OfferQuery: Hashable, Codable, Sendable {
    public enum Order: String, CaseIterable, Codable, Hashable, Sendable {
        /// `cost` is what `job` will cost, `price` an hour of it.
        case cost, price, memory, reliability, download
    }

    /// The GPU as the user typed it (`RTX_3090`, `rtx 3090`); see `GPUName`.
    public var gpu: String?
    public var gpuCount: Int
    public var maximumPrice: HourlyPrice?
    /// Memory of one GPU, in bytes.
    public var minimumGPUMemoryBytes: Int64?
    public var minimumReliability: Double?
    /// Two-letter country codes; empty means anywhere.
    public var countries: [String]
    public var minimumCUDA: Double?
    /// Disk the instance will have, in bytes; the price includes it.
    public var diskBytes: Int64
    public var isInterruptible: Bool
    public var order: Order
    /// Of each platform; `PlatformAnswers.rank(by:)` applies it to all together.
    public var limit: Int
    /// What it is to be used for, for the price of the whole.
    public var job: JobEstimate

    public init(
        gpu: String? = nil, gpuCount: Int = 1, maximumPrice: HourlyPrice? = nil,
        minimumGPUMemoryBytes: Int64? = nil, minimumReliability: Double? = nil, countries: [String] = [],
        minimumCUDA: Double? = nil, diskBytes: Int64 = 40_000_000_000, isInterruptible: Bool = false,
        order: Order = .price, limit: Int = 64, job: JobEstimate = JobEstimate()
    ) {
        self.gpu = gpu
        self.gpuCount = gpuCount
        self.maximumPrice = maximumPrice
        self.minimumGPUMemoryBytes = minimumGPUMemoryBytes
        self.minimumReliability = minimumReliability
        self.countries = countries
        self.minimumCUDA = minimumCUDA
        self.diskBytes = diskBytes
        self.isInterruptible = isInterruptible
        self.order = order
        self.limit = limit
        self.job = job
    }
}
