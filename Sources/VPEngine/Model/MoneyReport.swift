import Foundation

/// A warning about money.
public struct Alarm: Hashable, Codable, Sendable {
    /// The kinds of alarms, the most serious first.
    public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
        /// An instance that was rented from here disappeared in the last 24 hours.
        case instanceLost
        /// A destroy was asked for and the platform has not confirmed it, so that it may still be billed.
        case destroyUnconfirmed
        /// An end was refused and waits for the user, while the instance is billed.
        case waiting
        /// A training goes wrong, or was ended for it and its instance still runs.
        case training
        /// The credit of an account lasts for less than three hours.
        case lowBalance
        /// Four fifths of a limit are spent: the day's, or that of a run.
        case budget
        /// A platform does not report its instances, or not completely.
        case untrusted
        /// An instance has a name of `vp`'s form, and this machine has not rented it.
        case unknownInstance
        /// A running instance is not used, or its use cannot be seen.
        case idle
        /// An instance has been stopped for longer than `EngineConfiguration.Money.parkedSeconds`.
        case parked
        /// A lease ends within half an hour, or has run out.
        case leaseEnding
        /// A link that leads out of the workspace holds more data than an end of the instance would download.
        case behindLink
        /// An instance cannot end itself at the end of its lease, so that this depends on `vp` or `vp-tui`.
        case weakLease
        /// An instance has no lease.
        case noLease
    }

    /// The kind of problem.
    public var kind: Kind
    /// The instance concerned; nil if the alarm concerns an account.
    public var instance: InstanceID?
    /// The alarm as one line of text.
    public var words: String
    /// The job of a `.training` alarm.
    public var job: JobID?
    /// The kind of problem of that job: `nan`, `stall`.
    public var topic: String?

    /// An alarm with the one-line text `words`.
    public init(
        _ kind: Kind, _ instance: InstanceID? = nil, _ words: String, job: JobID? = nil, topic: String? = nil
    ) {
        self.kind = kind
        self.instance = instance
        self.words = words
        self.job = job
        self.topic = topic
    }

    /// A key that stays the same for the same alarm, whatever figures its words contain.
    package var key: String {
        let place = "\(self.kind.rawValue) \(self.instance.map { "\($0.platform.rawValue) \($0)" } ?? "")"
        guard let job = self.job else { return place }
        return "\(place) \(job) \(self.topic ?? "")"
    }
}

/// Current spending and its problems: the burn line and its alarms.
public struct MoneyReport: Hashable, Codable, Sendable {
    /// The price of all instances that hold a GPU.
    public var runningDollarsPerHour: Double
    /// The price of the disks of instances that do not run.
    public var parkedDollarsPerDay: Double
    /// The number of instances that hold a GPU.
    public var runningCount: Int
    /// The money that all accounts together can still spend; nil if no platform has reported its balance.
    public var balanceDollars: Double?
    /// Hours until the money of the first account is gone.
    public var hoursLeft: Double?
    /// The platform of that account if there are several.
    public var shortestPlatform: Platform?
    /// Dollars spent since midnight UTC.
    public var spentToday: Double
    /// The limit on spending from one midnight UTC to the next; nil for no limit.
    public var dollarsPerDay: Double?
    /// The alarms, the most serious first.
    public var alarms: [Alarm]
    /// When the instances were last seen.
    public var asOf: Date

    /// Computes the figures of `instances`, which are all that the accounts show.
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
        let shortest = Self.firstToEmpty(instances, balances)
        self.hoursLeft = shortest?.hours
        self.shortestPlatform = balances.count > 1 ? shortest?.platform : nil
        self.spentToday = spentToday
        self.dollarsPerDay = dollarsPerDay
        self.alarms = alarms
        self.asOf = asOf
    }

    /// The account whose money is gone first, and in how many hours; nil if nothing costs money.
    package static func firstToEmpty(
        _ instances: [Instance], _ balances: [Balance]
    ) -> (platform: Platform, hours: Double)? {
        balances.compactMap { balance in
            let hourly = instances.filter { $0.id.platform == balance.platform }
                .sumOfDollars { $0.price.dollarsPerHour }
            return Self.hours(balance, at: hourly).map { (balance.platform, $0) }
        }.min { ($0.1, $0.0.rawValue) < ($1.1, $1.0.rawValue) }
    }

    /// The time in hours for which `balance` pays `dollarsPerHour`; nil if that costs nothing.
    package static func hours(_ balance: Balance, at dollarsPerHour: Double) -> Double? {
        dollarsPerHour > 0 ? NumberRange.hours.clamp(max(0, balance.dollars) / dollarsPerHour) : nil
    }
}
