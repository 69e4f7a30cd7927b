import Foundation

/// A key that may log in.
struct PublicKey: Hashable, Sendable {
    let id: Int
    let text: String
    let createdAt: Double
}

/// What somebody asks for when renting.
struct RentalTerms: Sendable {
    var image: String
    /// GB.
    var disk: Double
    var label: String?
    /// As given, in order, for a dialect to show again.
    var options: [(name: String, value: String)] = []
    /// Variables of the container.
    var environment: [String: String] = [:]
    var onStart: String?
    var runtype: String
    /// Dollars an hour that are bid; nil rents on demand.
    var bid: Double?
    var startsStopped = false
    /// Whether the platform shall refuse rather than keep a stopped instance when the GPU is gone.
    var cancelsWhenUnavailable = true
}

/// One rented instance as the platform sees it.
struct Rental: Sendable {
    /// What the container does, in the platform's steps.
    enum Phase: String, Sendable {
        case provisioning, created, loading, running, exited, rebooting, recycling
    }

    let id: Int
    let offer: Offer
    let apiKey: String
    let createdAt: Double
    let proxyPort: Int
    let instance: LoopbackInstance
    /// Set for what is rented on RunPod.
    var pod: Pod?
    var terms: RentalTerms
    var keys: [PublicKey]
    var phase = Phase.provisioning
    /// What the owner asked for last.
    var wantsToRun: Bool
    /// Whether the contract holds the GPU.
    var holdsGPU: Bool
    var message: String?
    /// Whether it is other hardware than was rented.
    var isOther = false
    /// Whether its host has lost the network.
    var isOffline = false
    /// Nil until the container runs.
    var directPort: Int?
    var platformLog: [String] = []
    var lastCharge: Double
    /// Changes whenever a new sequence of phases begins, so an older one knows that it is overtaken.
    var sequence = 0
    var isEnding = false
    var steps: Task<Void, Never>?

    /// Whether sshd can be reached without the proxy. The direct run types ask for it,
    /// some clients spell them `direc`.
    var isPublished: Bool { self.terms.runtype.contains("direc") && self.offer.machine.directPorts > 0 }

    var market: Market { self.pod == nil ? .vast : .runPod }

    /// Dollars an hour.
    var storagePrice: Double {
        self.pod.map { $0.storagePrice(isStopped: !self.wantsToRun) }
            ?? self.offer.storagePrice(gigabytes: self.terms.disk)
    }
    var gpuPrice: Double { self.isOther ? 0.9 : self.terms.bid ?? self.offer.gpuPrice }
    /// What is charged now: disk as long as the contract exists, the GPU while the container runs.
    var currentPrice: Double { self.storagePrice + (self.isChargedForGPU ? self.gpuPrice : 0) }
    var isChargedForGPU: Bool {
        // A pod is billed from the first moment, also while its image loads.
        if self.pod != nil { return self.holdsGPU && self.wantsToRun }
        return self.holdsGPU && (self.phase == .running || self.phase == .rebooting)
    }
}

/// A platform whose dialect the cloud speaks. Each has an account of its own.
public enum Market: String, Hashable, Sendable, CaseIterable {
    case vast
    case runPod = "runpod"
}
