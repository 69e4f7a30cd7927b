import Foundation

/// An instance or volume on the account that costs money, or will, and that nobody is using.
public struct Leftover: Hashable, Sendable {
    /// The reason why it counts as a leftover.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The name has our form, but the instance is not in this machine's ledger.
        case orphan
        /// It is somebody else's: it is shown, but never touched.
        case foreign
        /// It is ours and stopped: its disk is still billed.
        case parked
        /// It is a second instance of one rental.
        case duplicate
        /// It is a volume that no instance uses.
        case volume
    }

    /// The platform that bills it.
    public var platform: Platform
    /// The platform's id of the instance or volume.
    public var id: String
    /// The label it was given, if any.
    public var name: String?
    /// The reason why it counts as a leftover, which decides whether it may be ended.
    public var kind: Kind
    /// The cost while it stays as it is.
    public var dollarsPerDay: Double
    /// When it was rented; nil if the platform does not say.
    public var createdAt: Date?

    /// Something left over, as its platform describes it.
    public init(
        platform: Platform, id: String, name: String?, kind: Kind, dollarsPerDay: Double,
        createdAt: Date? = nil
    ) {
        self.platform = platform
        self.id = id
        self.name = name
        self.kind = kind
        self.dollarsPerDay = dollarsPerDay
        self.createdAt = createdAt
    }

    /// Sorts `instances`, a complete list, by the ledger. Our own instances in use are no leftovers.
    package static func among(_ instances: [Instance], ledger: [LedgerEntry]) -> [Leftover] {
        let known = Set(ledger.compactMap(\.instance))
        var names = Set(ledger.map(\.name))
        let oldestFirst = instances.sorted {
            ($0.createdAt ?? .distantPast, $0.id.rawValue) < ($1.createdAt ?? .distantPast, $1.id.rawValue)
        }
        return oldestFirst.compactMap { instance in
            let kind: Kind
            if known.contains(instance.id) {
                guard !instance.status.holdsGPU else { return nil }
                kind = .parked
            } else if let name = instance.name, names.contains(name) {
                kind = .duplicate
            } else if let name = instance.name, name.hasPrefix(Self.namePrefix) {
                names.insert(name)
                kind = .orphan
            } else {
                kind = .foreign
            }
            return Leftover(
                platform: instance.id.platform, id: instance.id.rawValue, name: instance.name, kind: kind,
                dollarsPerDay: instance.price.dollarsPerDay, createdAt: instance.createdAt)
        }
    }

    /// The beginning of the names that `CreateInstance` makes.
    static let namePrefix = "vp-"
}
