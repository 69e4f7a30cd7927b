/// A physical computer of some host, from which one or several offers are cut.
struct Machine: Hashable, Sendable {
    let id: Int
    let hostID: Int
    let gpu: GPUModel
    let gpuCount: Int
    /// The number of GPUs that others are renting.
    let gpusTakenByOthers: Int
    let isDatacenter: Bool
    let isVerified: Bool
    let isDeverified: Bool
    let reliability: Double
    let location: String
    let geocode: Int
    let publicAddress: String
    let directPorts: Int
    let hasStaticAddress: Bool
    /// In Mbit/s.
    let upload: Double
    let download: Double
    /// In dollars a GB.
    let uploadCost: Double
    let downloadCost: Double
    let cpuName: String
    let cpuThreads: Int
    let cpuGHz: Double
    /// In MB.
    let memory: Int
    let boardName: String
    let diskName: String
    /// The disk space that can still be rented, in GB.
    let diskSpace: Double
    /// In MB/s.
    let diskBandwidth: Double
    /// In dollars a GB and month.
    let storageCost: Double
    let osVersion: String
    let driverVersion: String
    let cudaVersion: Double
    let pcieGeneration: Double
    let pcieLanes: Int
    let pcieBandwidth: Double
    let nvlinkBandwidth: Double
    let drivesDisplay: Bool
    /// The on-demand price of one GPU, in dollars an hour.
    let gpuPrice: Double
    let minimumBidFraction: Double
    /// How long it has been listed, and how long it will be, in seconds from the start of the cloud.
    let listedFor: Double
    let availableFor: Double
}

/// Hardware that can be rented now: some GPUs of one machine.
struct Offer: Hashable, Sendable {
    let id: Int
    let bundleID: Int
    let machine: Machine
    let gpuCount: Int
    let gpuIDs: [Int]

    var gpu: GPUModel { self.machine.gpu }
    var gpuFraction: Double { Double(self.gpuCount) / Double(self.machine.gpuCount) }
    /// The price without storage, in dollars an hour.
    var gpuPrice: Double { self.machine.gpuPrice * Double(self.gpuCount) }
    var minimumBid: Double { self.gpuPrice * self.machine.minimumBidFraction }

    /// The price of `gigabytes` of disk, in dollars an hour; the platform counts months of 30 days.
    func storagePrice(gigabytes: Double) -> Double { gigabytes * self.machine.storageCost / 30 / 24 }
}
