import Foundation

/// Something about money that wants to be known.
public struct Alarm: Hashable, Codable, Sendable {
    /// The worst first.
    public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
        /// An instance that was rented from here disappeared in the last 24 hours.
        case instanceLost
        /// A destroy was asked for and the platform has not confirmed it, so that it may still be billed.
        case destroyUnconfirmed
        /// An end was refused and waits for the user, while the instance is billed.
        case waiting
        /// The credit of an account lasts for less than three hours.
        case lowBalance
        /// Four fifths of a limit are spent: the day's, or that of a run.
        case budget
        /// A platform does not say, or not completely, what is rented there.
        case untrusted
        /// An instance is named as `vp` names them, and this machine has not rented it.
        case unknownInstance
        /// A running instance is not used, or whether it is cannot be seen.
        case idle
        /// An instance has been stopped for longer than `EngineConfiguration.Money.parkedSeconds`.
        case parked
        /// A lease ends within half an hour, or has run out.
        case leaseEnding
        /// More lies behind a link out of the workspace than an end would bring.
        case behindLink
        /// An instance cannot end itself at the end of its lease, so that this depends on `vp` or `vp-tui`.
        case weakLease
        /// An instance has no lease.
        case noLease
    }

    /// What is wrong.
    public var kind: Kind
    /// Nil where it concerns an account rather than one instance.
    public var instance: InstanceID?
    /// One line.
    public var words: String

    /// An alarm in `words`, which are one line.
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
    /// Instances that hold a GPU.
    public var runningCount: Int
    /// What all accounts together can still spend; nil where no platform has told its balance.
    public var balanceDollars: Double?
    /// Until the money of the first account is gone.
    public var hoursLeft: Double?
    /// Since midnight UTC.
    public var spentToday: Double
    /// What may be spent from one midnight UTC to the next; nil for no limit.
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
