import Foundation

/// A key that may log in.
struct PublicKey: Hashable, Sendable {
    let id: Int
    let text: String
    let createdAt: Double
}

/// The terms of a rental request.
struct RentalTerms: Sendable {
    var image: String
    /// In GB.
    var disk: Double
    var label: String?
    /// The options as given, in order, so that an API can show them again.
    var options: [(name: String, value: String)] = []
    /// The container's environment variables.
    var environment: [String: String] = [:]
    var onStart: String?
    var runtype: String
    /// The bid, in dollars an hour; nil rents on demand.
    var bid: Double?
    var startsStopped = false
    /// `true` if the platform must refuse when the GPU is gone, instead of keeping a stopped instance.
    var cancelsWhenUnavailable = true
}

/// One rented instance as the platform sees it.
struct Rental: Sendable {
    /// The state of the container, in the platform's steps.
    enum Phase: String, Sendable {
        case provisioning, created, loading, running, exited, rebooting, recycling
    }

    let id: Int
    let offer: Offer
    let apiKey: String
    let createdAt: Double
    let proxyPort: Int
    let instance: LoopbackInstance
    /// Set for rentals on RunPod.
    var pod: Pod?
    var terms: RentalTerms
    var keys: [PublicKey]
    var phase = Phase.provisioning
    /// `true` if the owner's last order was to run it.
    var wantsToRun: Bool
    /// `true` if the contract holds the GPU.
    var holdsGPU: Bool
    var message: String?
    /// `true` if its hardware is not the one that was rented.
    var isOther = false
    /// `true` if its host has lost the network.
    var isOffline = false
    /// nil until the container runs.
    var directPort: Int?
    var platformLog: [String] = []
    var lastCharge: Double
    /// Changes with every new sequence of phases, so that an older one notices that it was replaced.
    var sequence = 0
    var isEnding = false
    var steps: Task<Void, Never>?

    /// `true` if sshd can be reached without the proxy. The direct run types request that; some clients spell
    /// them `direc`.
    var isPublished: Bool { self.terms.runtype.contains("direc") && self.offer.machine.directPorts > 0 }

    var market: Market { self.pod == nil ? .vast : .runPod }

    /// In dollars an hour.
    var storagePrice: Double {
        self.pod.map { $0.storagePrice(isStopped: !self.wantsToRun) }
            ?? self.offer.storagePrice(gigabytes: self.terms.disk)
    }
    var gpuPrice: Double { self.isOther ? 0.9 : self.terms.bid ?? self.offer.gpuPrice }
    /// The current price: the disk for as long as the contract exists, the GPU while the container runs.
    var currentPrice: Double { self.storagePrice + (self.isChargedForGPU ? self.gpuPrice : 0) }
    var isChargedForGPU: Bool {
        // A pod is billed from the first moment, including while its image loads.
        if self.pod != nil { return self.holdsGPU && self.wantsToRun }
        return self.holdsGPU && (self.phase == .running || self.phase == .rebooting)
    }
}

/// A platform whose API the cloud emulates. Each has an account of its own.
public enum Market: String, Hashable, Sendable, CaseIterable {
    case vast
    case runPod = "runpod"
}
