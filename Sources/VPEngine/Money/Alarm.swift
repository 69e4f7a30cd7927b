import Foundation
import Synchronization

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

    /// What `noteMoney` kept last; nil where nothing usable is there. Reads one file and no configuration.
    public static func cached(environment: [String: String]) -> MoneyReport? {
        let path = PlatformCache.reportPath(EngineConfiguration.cacheFolder(environment))
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return (try? JSONDecoder().decode(MoneyReport.self, from: data))?.bounded()
    }

    package static func hoursLeft(_ instances: [Instance], _ balances: [Balance]) -> Double? {
        balances.compactMap { balance in
            let hourly = instances.filter { $0.id.platform == balance.platform }
                .sumOfDollars { $0.price.dollarsPerHour }
            return hourly > 0 ? NumberRange.hours.clamp(max(0, balance.dollars) / hourly) : nil
        }.min()
    }
}

extension Engine {
    /// Money that lasts less than this many hours is an alarm.
    private static let lowHours = 3.0
    /// A lease that ends within this many seconds is an alarm.
    private static let leaseNotice = 1800.0
    /// Rest of so many seconds, on an instance that is paid for, is an alarm.
    private static let idleNotice = 900.0

    /// Figures and alarms, from what was last seen; asks nobody.
    public func moneyReport() throws(EngineError) -> MoneyReport {
        let seen = self.cachedInstances()
        let balances = self.cachedBalances()?.values ?? []
        let now = self.now()
        let book = try self.costBook(since: CostBook.midnight(now))
        let spent = book.total(from: CostBook.midnight(now), to: now).dollars
        let instances = seen?.values ?? []
        return MoneyReport(
            instances: instances, balances: balances, spentToday: spent,
            dollarsPerDay: self.configuration.dayLimit?.dollars,
            alarms: try self.alarms(instances, balances, spentToday: spent, now),
            asOf: seen?.fetchedAt ?? .distantPast)
    }

    private func alarms(
        _ instances: [Instance], _ balances: [Balance], spentToday: Double, _ now: Date
    ) throws(EngineError) -> [Alarm] {
        let ledger = try self.history.openLedgerEntries()
        var alarms: [Alarm] = []
        for (id, reason) in try self.history.recentlyLost(since: now.addingTimeInterval(-CostBook.day)) {
            alarms.append(Alarm(.instanceLost, id, "\(id) is lost: \(reason)"))
        }
        for entry in ledger where entry.state == .destroying && entry.instance != nil {
            let id = entry.instance!
            alarms.append(
                Alarm(
                    .destroyUnconfirmed, id,
                    "\(id) is to be destroyed, and the platform has not confirmed it"))
        }
        alarms += Self.waitingAlarms(instances, ledger)
        if let hours = MoneyReport.hoursLeft(instances, balances), hours < Self.lowHours {
            alarms.append(Alarm(.lowBalance, nil, "the credit lasts \(Self.words(hours * 3600)) only"))
        }
        if let limit = self.configuration.dayLimit?.dollars, spentToday >= limit * 0.8 {
            alarms.append(
                Alarm(
                    .budget, nil,
                    "\(Figures.dollars(spentToday)) of \(Figures.dollars(limit)) a day are spent"))
        }
        for platform in self.untrusted.withLock({ $0 }).sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            alarms.append(
                Alarm(
                    .untrusted, nil,
                    "\(platform.key.displayName) does not say what is rented: \(platform.value)"))
        }
        for leftover in Leftover.among(instances, ledger: ledger)
        where leftover.kind == .orphan || leftover.kind == .duplicate {
            let id = InstanceID(platform: leftover.platform, rawValue: leftover.id)
            alarms.append(
                Alarm(.unknownInstance, id, "\(id) is named as ours are, and this machine does not know it"))
        }
        for instance in instances where instance.status.holdsGPU {
            guard let lease = ledger.last(where: { $0.instance == instance.id })?.lease else { continue }
            alarms += Self.alarms(of: lease, on: instance, now)
        }
        alarms += self.parkedAlarms(instances, ledger, now)
        let order = Dictionary(uniqueKeysWithValues: Alarm.Kind.allCases.enumerated().map { ($1, $0) })
        return alarms.sorted { (order[$0.kind]!, $0.key) < (order[$1.kind]!, $1.key) }
    }

    /// Disks that are paid for longer than anybody meant to, each with what ends it.
    private func parkedAlarms(_ instances: [Instance], _ ledger: [LedgerEntry], _ now: Date) -> [Alarm] {
        guard let limit = self.configuration.money.parkedSeconds else { return [] }
        return instances.compactMap { instance in
            let id = instance.id
            guard instance.status == .stopped,
                let since = ledger.last(where: { $0.instance == id && $0.state == .rented })?.lease?.parkedAt
            else { return nil }
            let parked = now.timeIntervalSince(since)
            guard parked >= limit else { return nil }
            return Alarm(
                .parked, id,
                "\(id) is stopped since \(Self.words(parked)) and its disk costs "
                    + "\(Figures.dollars(instance.price.dollarsPerDay)) a day: "
                    + "`vp destroy-instance \(id)` ends it")
        }
    }

    /// Ends that were asked for and refused, each with what it costs to let it wait.
    private static func waitingAlarms(_ instances: [Instance], _ ledger: [LedgerEntry]) -> [Alarm] {
        ledger.compactMap { entry in
            guard entry.state == .rented, let id = entry.instance, let order = entry.order,
                order.stage == .waiting, let instance = instances.first(where: { $0.id == id })
            else { return nil }
            let price =
                instance.status.holdsGPU
                ? "\(Figures.dollars(instance.price.dollarsPerHour)) an hour"
                : "\(Figures.dollars(instance.price.dollarsPerDay)) a day"
            let reason = order.words.map { ": \($0)" } ?? ""
            return Alarm(
                .waiting, id, "\(id) waits for you and costs \(price); its end was refused\(reason)")
        }
    }

    static func alarms(of lease: Lease, on instance: Instance, _ now: Date) -> [Alarm] {
        var alarms: [Alarm] = []
        let id = instance.id
        if case .idle(let seconds)? = lease.use,
            seconds >= min(Self.idleNotice, lease.terms.idleSeconds ?? .infinity)
        {
            alarms.append(
                Alarm(
                    .idle, id,
                    "\(id) rests since \(Self.words(seconds)) and costs "
                        + "\(Figures.dollars(instance.price.dollarsPerHour))/h"))
        }
        if lease.use == .unknown, lease.terms.idleSeconds != nil {
            alarms.append(Alarm(.idle, id, "whether \(id) is used cannot be seen, so that it counts as used"))
        }
        if let end = lease.endsAt,
            end.timeIntervalSince(now) < min(Self.leaseNotice, (lease.terms.seconds ?? 0) / 4)
        {
            let left = end.timeIntervalSince(now)
            alarms.append(
                Alarm(
                    .leaseEnding, id,
                    left > 0
                        ? "the lease of \(id) ends in \(Self.words(left))" : "the lease of \(id) has run out")
            )
        }
        switch lease.guardian {
        case .instance: break
        case .local:
            guard instance.status == .running else { break }
            alarms.append(
                Alarm(.weakLease, id, "\(id) cannot end itself\(lease.weakness.map { ": \($0)" } ?? "")"))
        case .none: alarms.append(Alarm(.noLease, id, "\(id) has no lease and runs until you end it"))
        }
        return alarms
    }

    /// Keeps figures and alarms for `vp status`, and tells the user's own command of alarms that are new.
    func noteMoney() async {
        guard let report = try? self.moneyReport() else { return }
        self.cache.save(report)
        guard let new = try? self.history.ring(Set(report.alarms.map(\.key)), at: self.now()), !new.isEmpty,
            let command = self.configuration.money.notifyCommand
        else { return }
        for alarm in report.alarms where new.contains(alarm.key) {
            var environment = self.configuration.environment
            environment["VP_ALARM"] = alarm.words
            environment["VP_ALARM_KIND"] = alarm.kind.rawValue
            environment["VP_ALARM_INSTANCE"] = alarm.instance?.rawValue ?? ""
            // In the background of its own shell: a slow webhook holds up nobody.
            _ = try? await self.runner.run(
                ProcessCommand(
                    "sh", ["-c", "{ \(command)\n} </dev/null >/dev/null 2>&1 &"], environment: environment))
        }
    }

    /// `40 s`, `12 min`, `3 h`, `2 d`.
    static func words(_ seconds: Double) -> String {
        func whole(_ unit: Double) -> Int {
            Int(saturating: (NumberRange.seconds.clamp(seconds) / unit).rounded())
        }
        switch seconds {
        case ..<90: return "\(whole(1)) s"
        case ..<5400: return "\(whole(60)) min"
        case ..<172_800: return "\(whole(3600)) h"
        default: return "\(whole(86_400)) d"
        }
    }
}
