import Foundation
import VPEngine

/// What the engine says of money. The dashboard computes no price and no alarm of its own:
/// `MoneyReport` does, for `vp status`, `notify.command` and the screen alike.
public struct MoneyState: Equatable, Sendable {
    public internal(set) var balances: [Balance] = []
    public internal(set) var failures: [SourceFailure] = []
    public internal(set) var report: MoneyReport?
    /// The alarms that a toast has named.
    var told: Set<String> = []
    var isAsking = false
    /// Something changed while the report was on its way.
    var isDue = false

    /// What an earlier session or `vp` has kept: shown, and no news.
    mutating func showCached(_ report: MoneyReport) {
        self.report = report
        self.told = Set(report.alarms.map(\.key))
    }
}

extension State {
    /// The engine's figures for the rows that are on screen, and its alarms about what is still there.
    public var moneyReport: MoneyReport {
        let report = self.money.report
        return MoneyReport(
            instances: self.instances.rows, balances: self.money.balances,
            spentToday: report?.spentToday ?? 0, dollarsPerDay: report?.dollarsPerDay, alarms: self.alarms,
            asOf: report?.asOf ?? .distantPast)
    }

    /// The worst first.
    public var alarms: [Alarm] {
        (self.money.report?.alarms ?? []).filter { alarm in
            // An end that was confirmed a moment ago is no news for the report that was made before.
            alarm.kind == .instanceLost || alarm.instance.map { !self.goneInstances.contains($0) } ?? true
        }
    }

    /// Platforms that do not answer, each once: no alarm about money, but why figures may be old.
    var platformTroubles: [SourceFailure] {
        var named: Set<Platform> = []
        return (self.instances.failures + self.offers.failures + self.money.failures).filter {
            named.insert($0.platform).inserted
        }
    }

    mutating func askMoney() -> [Effect] {
        guard !self.money.isAsking else {
            self.money.isDue = true
            return []
        }
        self.money.isAsking = true
        return [.ask(.loadMoney)]
    }

    mutating func moneyArrived(_ result: Result<MoneyReport, EngineError>) -> [Effect] {
        self.money.isAsking = false
        switch result {
        case .success(let report):
            self.money.report = report
            let new = self.alarms.filter { !self.money.told.contains($0.key) }
            // One that goes and comes back is news again.
            self.money.told = Set(report.alarms.map(\.key))
            self.toastAlarms(new)
        case .failure(let error): self.toast(ErrorWords(error).title, .bad)
        }
        guard self.money.isDue else { return [] }
        self.money.isDue = false
        return self.askMoney()
    }

    /// Two are named, more are counted: the list has them all.
    mutating func toastAlarms(_ alarms: [Alarm]) {
        let key = self.keyMap.bindings.first { $0.command == .alarms }?.keys.first?.name ?? ":alarms"
        if alarms.count > 2 {
            self.toast("⚠ \(alarms.count) new alarms · \(key) lists them", .bad, for: 10, isAlarm: true)
            return
        }
        for alarm in alarms {
            self.toast("⚠ \(alarm.words) · \(key)", StatusWords.mark(alarm.kind).role, for: 10, isAlarm: true)
        }
    }

    mutating func leaseSet(_ id: InstanceID, _ lease: Lease) {
        if var instance = self.instances.row(id) {
            instance.lease = lease
            self.instances.upsert(instance)
        }
        let end = lease.endsAt.map {
            "ends at \(Format.timeOfDay($0, offset: self.settings.secondsFromGMT)) unless it is used"
        }
        self.toast("The lease of \(id) \(end ?? "has no end")", .good, for: 6)
    }
}

/// How old what is on screen is.
extension State {
    /// Every platform that was asked and is not among those that failed has answered.
    mutating func noteAnswers<Value>(_ answers: PlatformAnswers<Value>) {
        let failed = Set(answers.failures.map(\.platform))
        for platform in self.settings.platforms where !failed.contains(platform) {
            let date = answers.seenAt[platform] ?? answers.fetchedAt
            self.answeredAt[platform] = max(date, self.answeredAt[platform] ?? date)
        }
    }

    /// Older than two intervals, or from a platform that does not answer.
    func isStale(_ platform: Platform, _ fetchedAt: Date?, _ interval: TimeInterval) -> Bool {
        guard let fetchedAt else { return true }
        return self.now.timeIntervalSince(fetchedAt) > 2 * interval + 1
    }

    /// The line above a list's rows: who failed, and how old the rows are.
    func banner(of pane: Pane) -> String? {
        switch pane {
        case .instances:
            return self.banner(
                self.instances.failures, self.instances.fetchedAt, State.quietInstancesInterval,
                hasRows: !self.instances.rows.isEmpty)
        case .offers:
            if let error = self.market.error {
                let words = ErrorWords(error)
                let rest = words.detail ?? words.advice
                return "\(words.title) — \(rest)"
            }
            return self.banner(
                self.offers.failures, self.offers.fetchedAt, State.quietOffersInterval,
                hasRows: !self.offers.rows.isEmpty)
        case .jobs, .main: return nil
        }
    }

    private func banner(
        _ failures: [SourceFailure], _ fetchedAt: Date?, _ interval: TimeInterval, hasRows: Bool
    ) -> String? {
        var age = ""
        if hasRows, let fetchedAt, self.now.timeIntervalSince(fetchedAt) > 2 * interval + 1 {
            age = "as of \(Format.timeOfDay(fetchedAt, offset: self.settings.secondsFromGMT))"
        }
        let names = failures.map { ErrorWords.brief($0) }.joined(separator: " · ")
        switch (names.isEmpty, age.isEmpty) {
        case (true, true): return nil
        case (true, false):
            // A cache of the last session is old for the moment that the first answer takes; that is no news.
            let waited = self.now.timeIntervalSince(self.polls.instances.askedAt ?? self.now)
            return waited > interval ? "no answer yet · \(age)" : nil
        case (false, true): return names
        case (false, false): return "\(names) · \(age)"
        }
    }
}
