/// A physical computer of some host, from which one or several offers are cut.
struct Machine: Hashable, Sendable {
    let id: Int
    let hostID: Int
    let gpu: GPUModel
    let gpuCount: Int
    /// GPUs that strangers rent at the moment.
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
    /// Mbit/s.
    let upload: Double
    let download: Double
    /// Dollars a GB.
    let uploadCost: Double
    let downloadCost: Double
    let cpuName: String
    let cpuThreads: Int
    let cpuGHz: Double
    /// MB.
    let memory: Int
    let boardName: String
    let diskName: String
    /// GB that can still be rented.
    let diskSpace: Double
    /// MB/s.
    let diskBandwidth: Double
    /// Dollars a GB and month.
    let storageCost: Double
    let osVersion: String
    let driverVersion: String
    let cudaVersion: Double
    let pcieGeneration: Double
    let pcieLanes: Int
    let pcieBandwidth: Double
    let nvlinkBandwidth: Double
    let drivesDisplay: Bool
    /// Dollars an hour for one GPU, on demand.
    let gpuPrice: Double
    let minimumBidFraction: Double
    /// How long it has been listed and will stay so, in seconds from the start of the cloud.
    let listedFor: Double
    let availableFor: Double
}

/// Hardware one can rent now: some GPUs of one machine.
struct Offer: Hashable, Sendable {
    let id: Int
    let bundleID: Int
    let machine: Machine
    let gpuCount: Int
    let gpuIDs: [Int]

    var gpu: GPUModel { self.machine.gpu }
    var gpuFraction: Double { Double(self.gpuCount) / Double(self.machine.gpuCount) }
    /// Dollars an hour without storage.
    var gpuPrice: Double { self.machine.gpuPrice * Double(self.gpuCount) }
    var minimumBid: Double { self.gpuPrice * self.machine.minimumBidFraction }

    /// Dollars an hour for `gigabytes` of disk; the platform counts months of 30 days.
    func storagePrice(gigabytes: Double) -> Double { gigabytes * self.machine.storageCost / 30 / 24 }
}
