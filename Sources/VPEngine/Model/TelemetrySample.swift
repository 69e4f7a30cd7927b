/// A snapshot of an instance's activity.
public struct TelemetrySample: Hashable, Sendable {
    /// One of the instance's GPUs.
    public struct GPU: Hashable, Sendable {
        /// The share of the time in which it worked, from 0 to 1; nil if the driver does not say.
        public var utilization: Double?
        /// Memory in use; nil if the driver does not say.
        public var usedBytes: Int64?
        /// The total memory; nil if the driver does not say.
        public var totalBytes: Int64?
        /// The temperature in degrees Celsius.
        public var temperature: Double?
        /// The power in watts.
        public var power: Double?

        /// A GPU of which nothing else is known.
        public init(
            utilization: Double? = nil, usedBytes: Int64? = nil, totalBytes: Int64? = nil,
            temperature: Double? = nil, power: Double? = nil
        ) {
            self.utilization = utilization
            self.usedBytes = usedBytes
            self.totalBytes = totalBytes
            self.temperature = temperature
            self.power = power
        }
    }

    /// The GPUs in the driver's order; empty if nvidia-smi reports none.
    public var gpus: [GPU]
    /// Ticks of busy processors since the host started; only differences mean something.
    public var busyTicks: Int64
    /// Ticks of all processors together, at work or not.
    public var totalTicks: Int64
    /// The mean number of processes that wanted to run in the last minute; nil if it could not be read.
    public var load: Double?
    /// Main memory that is not available to further programs, as `/proc/meminfo` reports it.
    public var usedMemoryBytes: Int64
    /// Total main memory; 0 if it could not be read.
    public var totalMemoryBytes: Int64
    /// Used space of the file system that holds the workspace.
    public var usedDiskBytes: Int64
    /// The size of that file system; 0 if it could not be read.
    public var totalDiskBytes: Int64
    /// Bytes received on all interfaces but the loopback one, since they came up.
    public var receivedBytes: Int64
    /// The same for bytes that the instance has sent.
    public var sentBytes: Int64

    /// A sample of which nothing else is known.
    public init(
        gpus: [GPU] = [], busyTicks: Int64 = 0, totalTicks: Int64 = 0, load: Double? = nil,
        usedMemoryBytes: Int64 = 0, totalMemoryBytes: Int64 = 0, usedDiskBytes: Int64 = 0,
        totalDiskBytes: Int64 = 0, receivedBytes: Int64 = 0, sentBytes: Int64 = 0
    ) {
        self.gpus = gpus
        self.busyTicks = busyTicks
        self.totalTicks = totalTicks
        self.load = load
        self.usedMemoryBytes = usedMemoryBytes
        self.totalMemoryBytes = totalMemoryBytes
        self.usedDiskBytes = usedDiskBytes
        self.totalDiskBytes = totalDiskBytes
        self.receivedBytes = receivedBytes
        self.sentBytes = sentBytes
    }

    /// The mean utilization of all GPUs.
    public var gpuShare: Double? { Self.mean(self.gpus.compactMap(\.utilization)) }

    /// The mean over all GPUs that report their memory, from 0 to 1; nil if none does.
    public var gpuMemoryShare: Double? {
        Self.mean(
            self.gpus.compactMap { gpu in
                guard let used = gpu.usedBytes, let total = gpu.totalBytes else { return nil }
                return Self.share(used, of: total)
            })
    }

    /// The used share of main memory, from 0 to 1; nil if the total is unknown.
    public var memoryShare: Double? { Self.share(self.usedMemoryBytes, of: self.totalMemoryBytes) }

    /// The used share of the disk, from 0 to 1; nil if the total is unknown.
    public var diskShare: Double? { Self.share(self.usedDiskBytes, of: self.totalDiskBytes) }

    /// Returns the share of all processors that worked between `earlier` and now.
    public func cpuShare(since earlier: TelemetrySample?) -> Double? {
        guard let earlier else { return nil }
        return Self.share(
            self.busyTicks.subtractingSaturated(earlier.busyTicks),
            of: self.totalTicks.subtractingSaturated(earlier.totalTicks))
    }

    /// Returns a share from 0 to 1; nil if the whole is 0.
    private static func share(_ part: Int64, of whole: Int64) -> Double? {
        whole > 0 ? NumberRange.share.clamp(Double(part) / Double(whole)) : nil
    }

    private static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
}
