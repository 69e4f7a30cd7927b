import VPScripts

/// RunPod's data about a rental, in addition to the fleet's.
struct Pod: Sendable {
    struct Volume: Hashable, Sendable {
        /// In GB.
        var size: Int
        var path: String
    }

    struct NetworkMount: Hashable, Sendable {
        let id: String
        let path: String
        /// The folder of its files on this machine.
        let folder: String
    }

    struct LogLine: Sendable {
        let time: Double
        /// `system` or `container`.
        let source: String
        let text: String
    }

    let id: String
    /// `podHostId` is the id followed by this.
    let hostSuffix: String
    let host: RunPodStock.Host
    let gpuCount: Int
    /// `true` if TCP ports get a public address: always on Secure Cloud.
    let hasPublicAddress: Bool
    var name: String
    var image: String
    /// The container's command; empty for the image's own.
    var arguments: String
    /// In GB; wiped whenever the container ends.
    var containerDisk: Int
    var volume: Volume?
    /// Attached when the pod was created, instead of a volume of its own.
    let networkVolume: NetworkMount?
    var ports: [String]
    var environment: [String: String]
    /// The id of the registry login for its image.
    var registry: String?
    var isLocked = false
    /// The start of the container that is running, or ran last.
    var startedAt: Double?
    var log: [LogLine] = []
    /// The number of lines of the container's own output that are already in `log`.
    var containerLines = 0

    var hostID: String { "\(self.id)-\(self.hostSuffix)" }
    var isSSHPublished: Bool { self.hasPublicAddress && self.ports.contains("22/tcp") }

    /// The price in dollars an hour. A stopped pod's volume costs twice as much, and its own disk is gone.
    func storagePrice(isStopped: Bool) -> Double {
        let volume = Double(self.volume?.size ?? 0)
        let gigabyteMonths = isStopped ? volume * 2 : volume + Double(self.containerDisk)
        return gigabyteMonths * 0.10 / 720
    }

    /// RunPod's own images start sshd with `/start.sh`; other images run `arguments`, or nothing.
    var manner: ContainerManner {
        let isOfficial = self.image.hasPrefix("runpod/")
        let official = isOfficial ? "exec /start.sh" : "exec sleep 2147483647"
        let hasKey = self.environment["PUBLIC_KEY"]?.isEmpty == false
        return ContainerManner(
            hostName: String(self.hostID.prefix(60)),
            files: isOfficial ? ["/start.sh": "#!/bin/sh\n" + ScriptFile.podStart.text] : [:],
            folders: [self.volume?.path ?? "/workspace"],
            mounts: self.networkVolume.map { [$0.path: $0.folder] } ?? [:],
            command: self.arguments.isEmpty ? official : "exec \(self.arguments)",
            startsDaemon: hasKey
                && (self.arguments.isEmpty
                    ? isOfficial : ["sshd", "/start.sh"].contains(where: self.arguments.contains))
        )
    }
}

/// A requested pod, with every field in its final form.
struct PodOrder: Sendable {
    var name: String
    var image: String
    var arguments = ""
    var kind: RunPodStock.Kind
    var gpuCount = 1
    /// The clouds to try, in this order.
    var clouds: [RunPodStock.Cloud] = [.secure]
    /// Empty for anywhere.
    var dataCenters: [String] = []
    var countries: [String] = []
    var minimumCUDA: Double?
    var allowedCUDA: [String] = []
    var containerDisk = 50
    var volume: Pod.Volume?
    /// The id of a network volume and its mount point.
    var networkVolume: (id: String, path: String)?
    var ports: [String] = []
    var environment: [String: String] = [:]
    var registry: String?
    /// The bid for all GPUs together, in dollars an hour; nil rents on demand.
    var bid: Double?
    /// Used on Community Cloud only.
    var wantsPublicAddress = false
}
