import Foundation

/// Something on the account that costs money, or will, and that nobody is using.
public struct Leftover: Hashable, Sendable {
    /// Why it counts as left over.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// Named as ours are, and not in this machine's ledger.
        case orphan
        /// Somebody else's: shown, never touched.
        case foreign
        /// Ours and stopped: its disk is paid for.
        case parked
        /// A second instance of one rental.
        case duplicate
        /// A volume that no instance uses.
        case volume
    }

    /// The platform that bills it.
    public var platform: Platform
    /// The platform's id of the instance or volume.
    public var id: String
    /// The label it was given, if any.
    public var name: String?
    /// Why it counts as left over, which decides whether it may be ended.
    public var kind: Kind
    /// What it costs while it stays as it is.
    public var dollarsPerDay: Double
    /// When it was rented; nil where the platform does not say.
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

    /// Sorts `instances`, a complete list, by the ledger. What is ours and in use is no leftover.
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

    /// How the names begin that `CreateInstance` makes.
    static let namePrefix = "vp-"
}
