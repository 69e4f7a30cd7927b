import Foundation

/// Names one instance on one platform.
public struct InstanceID: Hashable, Codable, Sendable, CustomStringConvertible {
    public var platform: Platform
    public var rawValue: String

    public init(platform: Platform, rawValue: String) {
        self.platform = platform
        self.rawValue = rawValue
    }

    public var description: String { self.rawValue }
}

/// What an instance is doing, in one vocabulary for both platforms.
public enum InstanceStatus: String, CaseIterable, Codable, Hashable, Sendable {
    /// Rented, and nothing of it can be seen yet.
    case pending
    /// The image is being fetched or the container is starting.
    case loading
    case running
    case stopping
    /// Not running; its disk is still billed.
    case stopped
    /// The platform said why it will not start.
    case failed
    /// The host does not answer the platform.
    case lost
    /// A destroy was asked for and the platform still shows it.
    case destroying
    case unknown

    /// True while the GPU is held, or about to be.
    public var holdsGPU: Bool {
        switch self {
        case .pending, .loading, .running, .stopping, .destroying, .unknown: true
        case .stopped, .failed, .lost: false
        }
    }
}

/// Where an sshd listens.
public struct SSHAddress: Hashable, Codable, Sendable {
    public var host: String
    public var port: Int
    public var user: String

    public init(host: String, port: Int, user: String = "root") {
        self.host = host
        self.port = port
        self.user = user
    }
}

/// Something that has been rented.
public struct Instance: Identifiable, Hashable, Codable, Sendable {
    public var id: InstanceID
    /// The label it was given at creation, if any.
    public var name: String?
    public var status: InstanceStatus
    /// The platform's own words about the status, one line.
    public var statusMessage: String?
    public var gpuName: String
    public var gpuCount: Int
    /// Memory of one GPU, in bytes.
    public var gpuMemoryBytes: Int64?
    /// What is charged now: GPU and disk while running, disk alone when stopped.
    public var price: HourlyPrice
    public var createdAt: Date?
    public var image: String?
    /// Best address first; empty until the platform has published one.
    public var addresses: [SSHAddress]
    public var diskBytes: Int64?
    public var location: String?
    public var machineID: String?
    public var isInterruptible: Bool
    /// Nil for one that was not rented from here.
    public var lease: Lease?
    /// Why its end was refused, where that waits for the user.
    public var refusedEnd: String?

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

    public var ssh: SSHAddress? { self.addresses.first }

    public var leaseEndsAt: Date? { self.lease?.endsAt }
}

extension Instance {
    /// What stands for a GPU that the platform does not name.
    static let unknownGPU = "unknown GPU"
}
