import Foundation
import VPEngine

/// The engine's report on money. The dashboard computes no price and no alarm of its own: `MoneyReport` does,
/// for `vp status`, `notify.command` and the screen alike.
public struct MoneyState: Equatable, Sendable {
    public internal(set) var balances: [Balance] = []
    public internal(set) var failures: [SourceFailure] = []
    public internal(set) var report: MoneyReport?
    /// The caps of `limits.yaml`.
    public internal(set) var limits = Limits()
    /// The alarms that a toast has already named.
    var told: Set<String> = []
    var isAsking = false
    /// Something changed while the report was being made.
    var isDue = false

    /// Shows the report that an earlier session or `vp` stored, without announcing its alarms.
    mutating func showCached(_ report: MoneyReport) {
        self.report = report
        self.told = Set(report.alarms.map(\.key))
    }
}

extension State {
    /// The engine's figures for the rows on screen, and its alarms about existing instances.
    public var moneyReport: MoneyReport {
        let report = self.money.report
        return MoneyReport(
            instances: self.instances.rows, balances: self.money.balances,
            spentToday: report?.spentToday ?? 0, dollarsPerDay: report?.dollarsPerDay, alarms: self.alarms,
            asOf: report?.asOf ?? .distantPast)
    }

    /// The alarms, worst first.
    public var alarms: [Alarm] {
        (self.money.report?.alarms ?? []).filter { alarm in
            // The report may be older than an end that was confirmed a moment ago.
            alarm.kind == .instanceLost || alarm.instance.map { !self.goneInstances.contains($0) } ?? true
        }
    }

    /// Platforms that do not answer, each once: not an alarm about money, but the reason for old figures.
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

    mutating func moneyArrived(_ result: Result<MoneyReport, EngineError>, _ limits: Limits) -> [Effect] {
        self.money.isAsking = false
        self.money.limits = limits
        switch result {
        case .success(let report):
            self.money.report = report
            let new = self.alarms.filter { !self.money.told.contains($0.key) }
            // An alarm that disappears and returns is announced again.
            self.money.told = Set(report.alarms.map(\.key))
            self.toastAlarms(new)
        case .failure(let error): self.toast(ErrorWords(error).title, .bad)
        }
        guard self.money.isDue else { return [] }
        self.money.isDue = false
        return self.askMoney()
    }

    /// Announces alarms: one or two by name, more by their number, since the list shows them all.
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

    /// Returns `date` as a local time of day, with the day unless that is today.
    func moment(_ date: Date) -> String {
        Format.moment(date, now: self.now, offset: self.settings.secondsFromGMT)
    }

    mutating func leaseSet(_ id: InstanceID, _ lease: Lease) {
        if var instance = self.instances.row(id) {
            instance.lease = lease
            self.instances.upsert(instance)
        }
        self.history.did(CommandTwin.lease(id, lease.terms), at: self.now)
        let end = lease.endsAt.map {
            "ends \(self.moment($0)) unless it is used"
        }
        self.toast("The lease of \(id) \(end ?? "has no end")", .good, for: 6)
    }
}

/// The bounds that a rental has to keep to.
extension State {
    /// The highest price that may be paid.
    struct PriceLimit {
        var price: HourlyPrice
        /// Where it comes from: `as the settings say`.
        var origin: String
    }

    /// Returns `request` as the engine will carry it out, cut to the caps of `limits.yaml`.
    func tightened(_ request: CreateRequest) -> CreateRequest {
        self.money.limits.tightened(request, self.settings.defaults)
    }

    /// Returns the price limit of a rental with `query`: the lowest of query, settings and caps.
    func priceLimit(_ query: OfferQuery) -> PriceLimit? {
        let settled = self.settings.defaults.maximumPrice
        let own = query.maximumPrice ?? settled
        if let cap = self.money.limits.maximumPrice, own.map({ $0.dollarsPerHour > cap.value }) ?? true {
            return PriceLimit(
                price: HourlyPrice(dollarsPerHour: cap.value), origin: "as limits.yaml says")
        }
        return own.map {
            PriceLimit(price: $0, origin: "as the \($0 == settled ? "settings say" : "query says")")
        }
    }
}

/// The age of the data on screen.
extension State {
    /// Notes the time for every platform that was asked and did not fail.
    mutating func noteAnswers<Value>(_ answers: PlatformAnswers<Value>) {
        let failed = Set(answers.failures.map(\.platform))
        for platform in self.settings.platforms where !failed.contains(platform) {
            let date = answers.seenAt[platform] ?? answers.fetchedAt
            self.answeredAt[platform] = max(date, self.answeredAt[platform] ?? date)
        }
    }

    /// `true` if the data is older than two intervals, or from a platform that does not answer.
    func isStale(_ platform: Platform, _ fetchedAt: Date?, _ interval: TimeInterval) -> Bool {
        guard let fetchedAt else { return true }
        return self.now.timeIntervalSince(fetchedAt) > 2 * interval + 1
    }

    /// The reason for each platform whose offers are all too dear.
    var reasonsForNoOffers: [String] {
        guard self.market.error == nil, let limit = self.market.query.maximumPrice else { return [] }
        return self.settings.platforms.compactMap { platform in
            self.market.dearer[platform].map {
                "\(platform.displayName): \(Format.count($0)), \($0 == 1 ? "" : "all ")dearer than "
                    + Format.limit(limit)
            }
        }
    }

    /// Returns the line above a list's rows: platforms that failed, the age of the rows, and platforms that
    /// are too dear.
    func banner(of pane: Pane) -> String? {
        switch pane {
        case .instances:
            return self.banner(
                self.instances.failures, self.instances.fetchedAt, self.unattendedInstancesInterval,
                hasRows: !self.instances.rows.isEmpty
            ).map { "⚠ \($0)" }
        case .offers:
            if let error = self.market.error {
                let words = ErrorWords(error)
                let rest = words.detail ?? words.advice
                return "⚠ \(words.title) — \(rest)"
            }
            let trouble = self.banner(
                self.offers.failures, self.offers.fetchedAt, State.quietOffersInterval,
                hasRows: !self.offers.rows.isEmpty)
            // Where no platform has an offer, the reasons stand in place of the rows.
            let reasons = self.offers.rows.isEmpty ? [] : self.reasonsForNoOffers
            let lines = [trouble].compactMap { $0.map { "⚠ \($0)" } } + reasons
            return lines.isEmpty ? nil : lines.joined(separator: " · ")
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
            // At the start, the last session's cache is old until the first answer arrives;
            // that needs no note.
            let waited = self.now.timeIntervalSince(self.polls.instances.askedAt ?? self.now)
            return waited > interval ? "no answer yet · \(age)" : nil
        case (false, true): return names
        case (false, false): return "\(names) · \(age)"
        }
    }
}
