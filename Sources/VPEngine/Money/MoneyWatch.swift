import Foundation
import VPScripts

/// The current spending and its alarms, computed from local data.
package struct MoneyWatch: Sendable {
    let context: EngineContext

    package init(context: EngineContext) { self.context = context }

    /// Credit that lasts less than this many hours raises an alarm.
    private static let lowHours = 3.0
    /// A lease that ends within this many seconds raises an alarm.
    private static let leaseNotice = 1800.0
    /// The time in seconds from the rental within which an instance may not have its watchdog yet.
    private static let bootTime = 900.0
    /// The time in seconds within which a new lease may not have reached its watchdog yet.
    private static let tellingTime = 60.0
    /// Idling for this many seconds, on an instance that costs money, raises an alarm.
    private static let idleNotice = 900.0

    /// Computes figures and alarms from what was last seen, without asking a platform.
    package func report() throws(EngineError) -> MoneyReport {
        let seen = self.context.cachedInstances()
        let balances = self.context.cachedBalances()?.values ?? []
        let now = self.context.now()
        let book = try CostBook(self.context, since: UTCDay.midnight(now))
        let spent = book.total(from: UTCDay.midnight(now), to: now).dollars
        let instances = seen?.values ?? []
        return MoneyReport(
            instances: instances, balances: balances, spentToday: spent,
            dollarsPerDay: self.context.configuration.dayLimit?.dollars,
            alarms: try self.alarms(instances, balances, spentToday: spent, now),
            asOf: seen?.fetchedAt ?? .distantPast)
    }

    private func alarms(
        _ instances: [Instance], _ balances: [Balance], spentToday: Double, _ now: Date
    ) throws(EngineError) -> [Alarm] {
        let ledger = try self.context.store.openLedgerEntries()
        var alarms: [Alarm] = []
        for id in try self.context.store.recentlyLost(since: now.addingTimeInterval(-UTCDay.seconds)) {
            alarms.append(Alarm(.instanceLost, id, "\(id) is lost: \(LedgerEntry.EndReason.lost.words)"))
        }
        for instance in instances where instance.status == .failed || instance.status == .lost {
            let price = Figures.dollars(instance.price.dollarsPerHour)
            alarms.append(
                Alarm(
                    .instanceLost, instance.id,
                    "\(instance.id) has \(instance.status == .failed ? "failed" : "been lost") and may still cost "
                        + "\(price) an hour"))
        }
        for entry in ledger where entry.state == .destroying && entry.instance != nil {
            let id = entry.instance!
            alarms.append(
                Alarm(
                    .destroyUnconfirmed, id,
                    "the destroy of \(id) was ordered, but the platform has not confirmed it"))
        }
        alarms += Self.waitingAlarms(instances, ledger)
        if let hours = MoneyReport.firstToEmpty(instances, balances)?.hours, hours < Self.lowHours {
            alarms.append(Alarm(.lowBalance, nil, "the credit lasts only \(TimeSpan.rough(hours * 3600))"))
        }
        if let limit = self.context.configuration.dayLimit?.dollars, spentToday >= limit * 0.8 {
            alarms.append(
                Alarm(
                    .budget, nil,
                    "\(Figures.dollars(spentToday)) of today's \(Figures.dollars(limit)) is spent"))
        }
        for platform in self.context.untrusted.all.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            alarms.append(
                Alarm(
                    .untrusted, nil,
                    "\(platform.key.displayName) sent a list of instances that cannot be trusted: \(platform.value)"
                ))
        }
        for leftover in Leftover.among(instances, ledger: ledger)
        where leftover.kind == .orphan || leftover.kind == .duplicate {
            let id = InstanceID(platform: leftover.platform, rawValue: leftover.id)
            alarms.append(
                Alarm(.unknownInstance, id, "\(id) was named by vp, but this machine has no record of it"))
        }
        for instance in instances where instance.status.holdsGPU {
            guard let lease = ledger.last(where: { $0.instance == instance.id })?.lease else { continue }
            alarms += Self.alarms(of: lease, on: instance, now)
        }
        alarms += self.parkedAlarms(instances, ledger, now)
        alarms += self.behindLinkAlarms(instances)
        alarms += try self.trainingAlarms(instances, now)
        let order = Dictionary(uniqueKeysWithValues: Alarm.Kind.allCases.enumerated().map { ($1, $0) })
        return alarms.sorted { (order[$0.kind]!, $0.key) < (order[$1.kind]!, $1.key) }
    }

    /// Alarms for stopped instances whose disks have cost money for longer than intended, each with the
    /// command that ends it.
    private func parkedAlarms(_ instances: [Instance], _ ledger: [LedgerEntry], _ now: Date) -> [Alarm] {
        guard let limit = self.context.configuration.money.parkedSeconds else { return [] }
        return instances.compactMap { instance in
            let id = instance.id
            guard instance.status == .stopped,
                let since = ledger.last(where: { $0.instance == id && $0.state == .rented })?.lease?.parkedAt
            else { return nil }
            let parked = now.timeIntervalSince(since)
            guard parked >= limit else { return nil }
            return Alarm(
                .parked, id,
                "\(id) has been stopped for \(TimeSpan.rough(parked)), and its disk costs "
                    + "\(Figures.dollars(instance.price.dollarsPerDay)) a day: "
                    + "`vp destroy-instance \(id)` ends the cost")
        }
    }

    /// Alarms for destroys that were ordered and refused, each with the cost of waiting.
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
                .waiting, id,
                "\(id) was not destroyed and costs \(price)\(reason); decide whether to download its results or to "
                    + "discard them")
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
                    "\(id) has been idle for \(TimeSpan.rough(seconds)): you are paying "
                        + "\(Figures.dollars(instance.price.dollarsPerHour))/h for nothing"))
        }
        if lease.use == .unknown, lease.terms.idleSeconds != nil {
            alarms.append(
                Alarm(.idle, id, "vp cannot tell whether \(id) is idle, so its idle limit does not apply"))
        }
        if let end = lease.endsAt,
            end.timeIntervalSince(now) < min(Self.leaseNotice, (lease.terms.seconds ?? 0) / 4)
        {
            let left = end.timeIntervalSince(now)
            alarms.append(
                Alarm(
                    .leaseEnding, id,
                    left > 0
                        ? "the lease of \(id) ends in \(TimeSpan.rough(left))"
                        : "the lease of \(id) has run out")
            )
        }
        switch lease.guardian {
        case .instance: break
        case .local:
            guard instance.status == .running else { break }
            // The watchdog is started as soon as ssh answers, which takes a moment after each boot.
            if lease.weakness == Lease.notUpYet, let created = instance.createdAt,
                now.timeIntervalSince(created) < Self.bootTime
            {
                break
            }
            if lease.weakness == Lease.notToldYet, let end = lease.endsAt, let seconds = lease.terms.seconds,
                now.timeIntervalSince(end) < Self.tellingTime - seconds
            {
                break
            }
            alarms.append(
                Alarm(.weakLease, id, "\(id) cannot end itself\(lease.weakness.map { ": \($0)" } ?? "")"))
        case .none: alarms.append(Alarm(.noLease, id, "\(id) has no lease and runs until you destroy it"))
        }
        return alarms
    }

    /// Saves figures and alarms for `vp status`, and runs the user's own command for each new alarm.
    package func note() async {
        // A list and the balances may be noted at once; the report that was computed first must not be saved
        // last.
        let report = self.context.reports.withLock { () -> MoneyReport? in
            guard let report = try? self.report() else { return nil }
            self.context.cache.save(report)
            return report
        }
        guard let report else { return }
        guard let new = try? self.context.store.ring(Set(report.alarms.map(\.key)), at: self.context.now()),
            !new.isEmpty,
            let command = self.context.configuration.money.notifyCommand
        else { return }
        for alarm in report.alarms where new.contains(alarm.key) {
            var environment = self.context.configuration.environment
            environment["VP_ALARM"] = alarm.words
            environment["VP_ALARM_KIND"] = alarm.kind.rawValue
            environment["VP_ALARM_INSTANCE"] = alarm.instance?.rawValue ?? ""
            environment["VP_ALARM_JOB"] = alarm.job?.rawValue ?? ""
            _ = try? await self.context.runner.run(
                ProcessCommand(
                    "sh", ["-c", ScriptFile.notify.text, "notify", command], environment: environment))
        }
    }
}
