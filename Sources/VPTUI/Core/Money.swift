import Foundation
import VPEngine

/// What follows from the state: money, ages, alarms.
extension State {
    /// Dollars an hour for instances that hold a GPU.
    var runningPrice: HourlyPrice {
        HourlyPrice(
            dollarsPerHour: self.instances.rows.filter { $0.status.holdsGPU }.sumOfDollars {
                $0.price.dollarsPerHour
            })
    }

    /// Dollars a day for disks whose instance does not run.
    var parkedDollarsPerDay: Double {
        self.instances.rows.filter { !$0.status.holdsGPU }.sumOfDollars { $0.price.dollarsPerDay }
    }

    /// How long the money lasts on the platform where it ends first.
    var hoursLeft: Double? {
        self.balances.compactMap { balance in
            let hourly = self.instances.rows.filter { $0.platform == balance.platform }
                .sumOfDollars { $0.price.dollarsPerHour }
            return hourly > 0 ? NumberRange.hours.clamp(max(0, balance.dollars) / hourly) : nil
        }.min()
    }

    /// What is wrong now, the worst first.
    var alarms: [String] {
        var alarms: [String] = []
        for instance in self.instances.rows where instance.refusedEnd != nil {
            let price =
                instance.status.holdsGPU
                ? Format.hourly(instance.price) : "\(Format.dollars(instance.price.dollarsPerDay))/day"
            alarms.append("\(instance.id) waits for you at \(price): its end was refused")
        }
        for instance in self.instances.rows where instance.status == .failed || instance.status == .lost {
            alarms.append("\(instance.id) is \(instance.status.rawValue)")
        }
        if let hours = self.hoursLeft, hours < 3 {
            alarms.append("credit for \(Format.age(hours * 3600)) only")
        }
        for id in self.idleInstances {
            alarms.append("\(id) is idle: you are paying for nothing")
        }
        var named: Set<Platform> = []
        for failure in self.instances.failures + self.offers.failures + self.balanceFailures
        where named.insert(failure.platform).inserted {
            alarms.append(ErrorWords.brief(failure))
        }
        return alarms
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
            if let error = self.offersError {
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
            let waited = self.now.timeIntervalSince(self.instancesPoll.askedAt ?? self.now)
            return waited > interval ? "no answer yet · \(age)" : nil
        case (false, true): return names
        case (false, false): return "\(names) · \(age)"
        }
    }
}
