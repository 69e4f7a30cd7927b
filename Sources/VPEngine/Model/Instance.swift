import Foundation

/// Names one instance on one platform.
public struct InstanceID: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The platform that rents it out.
    public var platform: Platform
    /// The id as the platform writes it. It is unique on that platform alone.
    public var rawValue: String

    /// Takes an id that is known to be valid; text from outside goes through `init(_:fromOutside:)`.
    public init(platform: Platform, rawValue: String) {
        self.platform = platform
        self.rawValue = rawValue
    }

    /// The id without its platform, as users type and read it.
    public var description: String { self.rawValue }
}

/// The state of an instance, in one vocabulary for both platforms.
public enum InstanceStatus: String, CaseIterable, Codable, Hashable, Sendable {
    /// The instance is rented, and nothing of it can be seen yet.
    case pending
    /// The image is being fetched or the container is starting.
    case loading
    /// The container runs; sshd in it may not answer yet.
    case running
    /// A stop was requested, and the container still runs.
    case stopping
    /// The container does not run; its disk is still billed.
    case stopped
    /// The platform said why the instance will not start.
    case failed
    /// The host does not answer the platform.
    case lost
    /// A destroy was requested, and the platform still shows the instance.
    case destroying
    /// The platform's word for the state is missing or not known here. The instance may be billed.
    case unknown

    /// True while the GPU is held, or about to be.
    public var holdsGPU: Bool {
        switch self {
        case .pending, .loading, .running, .stopping, .destroying, .unknown: true
        case .stopped, .failed, .lost: false
        }
    }
}

/// The address of an sshd.
public struct SSHAddress: Hashable, Codable, Sendable {
    /// A name or an IP address.
    public var host: String
    /// A TCP port.
    public var port: Int
    /// The user to log in as.
    public var user: String

    /// An address to log in at as `root`, unless another user is named.
    public init(host: String, port: Int, user: String = "root") {
        self.host = host
        self.port = port
        self.user = user
    }
}

/// A rented instance.
public struct Instance: Identifiable, Hashable, Codable, Sendable {
    /// Unique over both platforms.
    public var id: InstanceID
    /// The label it was given at creation, if any.
    public var name: String?
    /// The state when the platform was last asked.
    public var status: InstanceStatus
    /// The platform's own words about the status, one line.
    public var statusMessage: String?
    /// The model of its GPUs; `unknown GPU` if the platform names none.
    public var gpuName: String
    /// The number of its GPUs; 0 if it has none, or if the platform's figure cannot be right.
    public var gpuCount: Int
    /// Memory of one GPU, in bytes.
    public var gpuMemoryBytes: Int64?
    /// The current price: GPU and disk while running, disk alone when stopped.
    public var price: HourlyPrice
    /// The price of its disk alone, while it is stopped; nil if the platform does not state it.
    public var stoppedPrice: HourlyPrice?
    /// When it was rented, as the platform reports it; nil if it does not.
    public var createdAt: Date?
    /// The image of its container, as the platform reports it; nil if it does not.
    public var image: String?
    /// Addresses for ssh, the best first; empty until the platform has published one.
    public var addresses: [SSHAddress]
    /// The disk's size in bytes. On RunPod, the size of the volume, which survives a stop, if there is one.
    public var diskBytes: Int64?
    /// The location, such as `Quebec, CA` on vast.ai and the data center `US-KS-2` on RunPod.
    public var location: String?
    /// The physical machine, by vast.ai's id; nil on RunPod.
    public var machineID: String?
    /// True for an interruptible (spot) instance: cheaper, but the platform may reclaim it at any time. On
    /// RunPod this is known only for instances rented by `vp`.
    public var isInterruptible: Bool
    /// The lease; nil if the instance was not rented from here.
    public var lease: Lease?
    /// The reason why its end was refused, if that waits for the user.
    public var refusedEnd: String?

    /// An instance with one GPU, no address and no lease, unless given; nil stands for what is not known.
    public init(
        id: InstanceID, name: String? = nil, status: InstanceStatus, statusMessage: String? = nil,
        gpuName: String, gpuCount: Int = 1, gpuMemoryBytes: Int64? = nil, price: HourlyPrice,
        createdAt: Date? = nil, image: String? = nil, addresses: [SSHAddress] = [],
        diskBytes: Int64? = nil, location: String? = nil, machineID: String? = nil,
        isInterruptible: Bool = false, lease: Lease? = nil
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.statusMessage = statusMessage
        self.gpuName = gpuName
        self.gpuCount = gpuCount
        self.gpuMemoryBytes = gpuMemoryBytes
        self.price = price
        self.createdAt = createdAt
        self.image = image
        self.addresses = addresses
        self.diskBytes = diskBytes
        self.location = location
        self.machineID = machineID
        self.isInterruptible = isInterruptible
        self.lease = lease
    }

    /// The best address to log in at; nil until the platform has published one.
    public var ssh: SSHAddress? { self.addresses.first }

    /// When its lease runs out, as last heard; nil without a lease, and for a lease without end.
    public var leaseEndsAt: Date? { self.lease?.endsAt }
}

extension Instance {
    /// The name shown for a GPU that the platform does not name.
    static let unknownGPU = "unknown GPU"
}
