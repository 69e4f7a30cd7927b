import Foundation

/// A rate in dollars for each hour.
public struct HourlyPrice: Hashable, Comparable, Codable, Sendable {
    /// In US dollars.
    public var dollarsPerHour: Double

    /// A price that nothing checks; figures from outside go through `NumberRange.dollarsPerHour` first.
    public init(dollarsPerHour: Double) {
        self.dollarsPerHour = dollarsPerHour
    }

    /// The price of 24 hours, in dollars.
    public var dollarsPerDay: Double { self.dollarsPerHour * 24 }

    /// Returns the cost of `duration` at this rate, in dollars.
    public func cost(of duration: TimeInterval) -> Double {
        self.dollarsPerHour * max(0, duration) / 3600
    }

    /// True if the first is cheaper.
    public static func < (lhs: Self, rhs: Self) -> Bool { lhs.dollarsPerHour < rhs.dollarsPerHour }
}

/// Names one offer on one platform.
public struct OfferID: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The platform that makes the offer.
    public var platform: Platform
    /// A number on vast.ai; on RunPod the GPU's id, followed by data centers if some were chosen
    /// (`@US-KS-2`).
    public var rawValue: String

    /// Takes any text, as it was listed or typed; there need not be such an offer.
    public init(platform: Platform, rawValue: String) {
        self.platform = platform
        self.rawValue = rawValue
    }

    /// The id without its platform.
    public var description: String { self.rawValue }
}

/// Hardware that can be rented now.
public struct Offer: Identifiable, Hashable, Codable, Sendable {
    /// Unique over both platforms.
    public var id: OfferID
    /// The GPU's name as the platform writes it, for example `RTX 4090`.
    public var gpuName: String
    /// How many GPUs the instance would have.
    public var gpuCount: Int
    /// Memory of one GPU, in bytes. Platforms state usable memory, a few per cent under the nominal figure.
    public var gpuMemoryBytes: Int64
    /// The price of the GPUs and the disk that the query asked for; traffic is extra.
    public var price: HourlyPrice
    /// Processor cores, possibly with a part of one; nil on RunPod.
    public var cpuCores: Double?
    /// Main memory in bytes; nil on RunPod.
    public var memoryBytes: Int64?
    /// Disk that can still be allocated, in bytes.
    public var diskBytes: Int64?
    /// The price of a gigabyte of disk for a month, which `price` includes; nil if it is not stated.
    public var storageDollarsPerGBMonth: Double?
    /// The price of a gigabyte that leaves the instance, such as downloaded results. RunPod charges nothing.
    public var uploadDollarsPerGB: Double?
    /// The price of a gigabyte that reaches the instance, such as an upload of the project. RunPod charges
    /// nothing.
    public var downloadDollarsPerGB: Double?
    /// The speed at which the instance can send, in megabits a second.
    public var uploadMbps: Double?
    /// The speed at which the instance can receive, in megabits a second; nil on RunPod.
    public var downloadMbps: Double?
    /// The share of the time for which the machine was up, from 0 to 1.
    public var reliability: Double?
    /// The location, for example `Quebec, CA`.
    public var location: String?
    /// The highest CUDA version that the driver supports.
    public var cudaVersion: Double?
    /// True for an interruptible (spot) machine: cheaper, but the platform may reclaim it at any time.
    public var isInterruptible: Bool
    /// The physical machine, so that a machine that failed can be avoided.
    public var machineID: String?
    /// True if the platform has checked the machine itself.
    public var isVerified: Bool
    /// The places to choose from for the instance, if the platform offers any; empty for one machine.
    public var places: [String]

    /// An offer for one machine that its platform has checked; nil stands for what is not known.
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

/// The requirements for an offer. A nil bound is no bound.
public struct OfferQuery: Hashable, Codable, Sendable {
    /// The sort order of a list of offers.
    public enum Order: String, CaseIterable, Codable, Hashable, Sendable {
        /// By the total cost of `OfferQuery.job`, least first.
        case cost
        /// By the price of an hour, least first.
        case price
        /// By the memory of all GPUs together, most first.
        case memory
        /// By reliability, highest first; offers that state none come last.
        case reliability
        /// By the speed of the instance's downloads, fastest first; offers that state none come last.
        case download
    }

    /// The GPU as the user typed it (`RTX_3090`, `rtx 3090`); see `GPUName`.
    public var gpu: String?
    /// The exact number of GPUs.
    public var gpuCount: Int
    /// The highest price, for all GPUs and the disk.
    public var maximumPrice: HourlyPrice?
    /// The least memory of one GPU, in bytes.
    public var minimumGPUMemoryBytes: Int64?
    /// The least reliability, from 0 to 1. RunPod states none, so that this excludes none of its offers.
    public var minimumReliability: Double?
    /// Two-letter country codes; empty means anywhere.
    public var countries: [String]
    /// The CUDA version that the driver has to support; an offer that states none passes.
    public var minimumCUDA: Double?
    /// The disk that the instance will have, in bytes; the price includes it.
    public var diskBytes: Int64
    /// True finds only interruptible (spot) machines, false only others.
    public var isInterruptible: Bool
    /// The sort order; `limit` cuts off the end.
    public var order: Order
    /// The number of offers of each platform; `PlatformAnswers.rank(by:)` applies it to all together.
    public var limit: Int
    /// The planned use, for the total cost.
    public var job: JobEstimate

    /// A query for one GPU of any kind with a disk of 40 GB, sorted by the price of an hour, unless narrowed.
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
