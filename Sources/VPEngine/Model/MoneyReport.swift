import Foundation

/// Something about money that wants to be known.
public struct Alarm: Hashable, Codable, Sendable {
    /// The worst first.
    public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
        case instanceLost, destroyUnconfirmed, waiting, lowBalance, budget, untrusted, unknownInstance, idle,
            parked,
            leaseEnding
        case weakLease, noLease
    }

    public var kind: Kind
    public var instance: InstanceID?
    /// One line.
    public var words: String

    public init(_ kind: Kind, _ instance: InstanceID? = nil, _ words: String) {
        self.kind = kind
        self.instance = instance
        self.words = words
    }

    /// The same for as long as it is the same alarm, whatever figures its words hold.
    package var key: String {
        "\(self.kind.rawValue) \(self.instance.map { "\($0.platform.rawValue) \($0)" } ?? "")"
    }
}

/// What is being spent, and what is wrong with it: the burn line and its alarms.
public struct MoneyReport: Hashable, Codable, Sendable {
    /// For instances that hold a GPU.
    public var runningDollarsPerHour: Double
    /// For disks whose instance does not run.
    public var parkedDollarsPerDay: Double
    public var runningCount: Int
    public var balanceDollars: Double?
    /// Until the money of the first account is gone.
    public var hoursLeft: Double?
    /// Since midnight UTC.
    public var spentToday: Double
    public var dollarsPerDay: Double?
    /// The worst first.
    public var alarms: [Alarm]
    /// When the instances were last seen.
    public var asOf: Date

    /// Figures of `instances`, which are all that the accounts show.
    package init(
        instances: [Instance], balances: [Balance], spentToday: Double, dollarsPerDay: Double?,
        alarms: [Alarm],
        asOf: Date
    ) {
        let running = instances.filter(\.status.holdsGPU)
        self.runningDollarsPerHour = running.sumOfDollars { $0.price.dollarsPerHour }
        self.parkedDollarsPerDay = instances.filter { !$0.status.holdsGPU }
            .sumOfDollars { $0.price.dollarsPerDay }
        self.runningCount = running.count
        self.balanceDollars = balances.isEmpty ? nil : balances.sumOfDollars(of: \.dollars)
        self.hoursLeft = Self.hoursLeft(instances, balances)
        self.spentToday = spentToday
        self.dollarsPerDay = dollarsPerDay
        self.alarms = alarms
        self.asOf = asOf
    }

    package static func hoursLeft(_ instances: [Instance], _ balances: [Balance]) -> Double? {
        balances.compactMap { balance in
            let hourly = instances.filter { $0.id.platform == balance.platform }
                .sumOfDollars { $0.price.dollarsPerHour }
            return hourly > 0 ? NumberRange.hours.clamp(max(0, balance.dollars) / hourly) : nil
        }.min()
    }
}
