import Foundation
import VPEngine

/// The effects of keys on jobs and offers.
extension State {
    mutating func askToRunAgain() {
        let jobs = self.jobs.targets.filter { job in
            guard let instance = self.instances.row(job.instance) else {
                self.toast(
                    "\(job.instance) is gone: rent another, then press r and ↑ to run the command again",
                    .warning)
                return false
            }
            guard instance.status == .running else {
                self.toast("\(instance.id) is \(instance.status.rawValue)", .warning)
                return false
            }
            return true
        }
        guard !jobs.isEmpty else { return }
        self.overlay = .dialog(Dialog(.runAgain(jobs), openedAt: self.now))
    }

    /// `true` if a job is over and its results are still only on its instance.
    func awaitsResults(of job: Job) -> Bool {
        job.state.isOver && job.startedAt != nil && job.record?.syncsDown == true
            && job.record?.results == nil
            && self.instances.row(job.instance) != nil && self.action(following: job.id) == nil
    }

    /// The job whose log a key in the focused pane refers to.
    private var jobInFocus: Job? {
        switch self.focus {
        case .jobs: return self.jobs.selectedRow
        case .main: return self.log.job.flatMap { self.jobs.row($0) }
        case .instances, .offers:
            let instance = self.instances.selection
            return self.jobs.rows.filter { $0.instance == instance }.max { $0.createdAt < $1.createdAt }
        }
    }

    mutating func openSelectedLog() -> [Effect] {
        guard let job = self.jobInFocus else {
            self.toast(
                "No job has run on this instance yet: \(self.way(to: .run, word: "run COMMAND")) runs one",
                .warning)
            return []
        }
        let effects = self.openLog(job.id)
        self.focus(.main)
        return effects
    }

    mutating func toggleMetrics() -> [Effect] {
        if self.focus == .main, self.mainContent == .metrics {
            self.mainContent = .log
            return []
        }
        guard let job = self.jobInFocus else {
            self.toast(
                "No job has run on this instance yet: \(self.way(to: .run, word: "run COMMAND")) runs one",
                .warning)
            return []
        }
        let effects = self.log.job == job.id ? [] : self.openLog(job.id)
        self.mainContent = .metrics
        self.metrics.selectLoss()
        self.focus(.main)
        return effects
    }

    /// Asks whether to cancel: in the instances pane, the selected instance's action or a create
    /// that has no row yet.
    mutating func askToCancel() {
        if self.focus == .instances, self.instances.marks.isEmpty {
            let row = self.instances.selectedRow
            let selected = row.flatMap { self.activeAction(on: $0.id) }
            // A create has no instance of its own; one that is ready is not what it makes.
            let mayBeNew = row.map { $0.status == .pending || $0.status == .loading } ?? true
            let creating = mayBeNew ? self.activeActions.last { $0.action.instance == nil } : nil
            guard let action = selected ?? creating else {
                let place = row.map { " on \($0.id)" } ?? ""
                self.toast("No action is running\(place) that could be cancelled")
                return
            }
            self.askToCancel(action)
            return
        }
        let wanted: [Job] =
            switch self.focus {
            case .jobs: self.jobs.targets
            case .instances:
                self.instances.targets.flatMap { instance in
                    self.jobs.rows.filter { $0.instance == instance.id && !$0.state.isOver }
                }
            case .offers, .main: self.log.job.flatMap { self.jobs.row($0) }.map { [$0] } ?? []
            }
        let targets = wanted.compactMap { job -> Dialog.JobTarget? in
            guard !job.state.isOver else {
                self.toast("\(job.id) is over: \(StatusWords.ending(of: job))", .warning)
                return nil
            }
            guard self.instances.row(job.instance) != nil else {
                self.toast("\(job.instance) is gone, so its jobs have ended", .warning)
                return nil
            }
            return Dialog.JobTarget(job.id, on: job.instance)
        }
        guard !targets.isEmpty else { return }
        self.overlay = .dialog(Dialog(.cancelJobs(targets), openedAt: self.now))
    }

    mutating func askToCancel(_ action: ActionRecord) {
        if let job = action.job, let instance = action.action.instance {
            self.overlay = .dialog(
                Dialog(.cancelJobs([Dialog.JobTarget(job, on: instance)]), openedAt: self.now))
        } else {
            self.overlay = .dialog(Dialog(.cancelAction(action.id), openedAt: self.now))
        }
    }

    mutating func askToRent() {
        guard let offer = self.offers.selectedRow else {
            self.toast(
                "No offer is selected: \(self.way(to: .editQuery, word: "offers QUERY")) edits the query",
                .warning)
            return
        }
        let request = CreateRequest(offer: offer.id, query: self.market.query, platform: offer.platform)
        if let objection = self.money.limits.objection(to: offer) {
            self.toast("Not rented: \(objection)", .warning, for: 8)
            return
        }
        if let limit = self.priceLimit(request.query)?.price, offer.price > limit {
            let form = self.way(to: .rent, word: "create")
            self.toast(
                "It costs \(Format.hourly(offer.price)), and the limit is \(Format.limit(limit))/h; "
                    + "in the form (\(form)), “at most $/h” raises it", .warning, for: 8)
            return
        }
        self.overlay = .dialog(Dialog(.create(offer, request), openedAt: self.now))
    }

    mutating func askOffers() -> [Effect] {
        self.market.generation += 1
        self.polls.offers.ask(at: self.now)
        return [.ask(.loadOffers(self.market.query, generation: self.market.generation))]
    }

    /// Reloads the offers, or takes another program's answer that is recent enough.
    mutating func pollOffers(maximumAge: Double) -> [Effect] {
        self.market.generation += 1
        self.polls.offers.ask(at: self.now)
        return [
            .ask(.pollOffers(self.market.query, generation: self.market.generation, maximumAge: maximumAge))
        ]
    }

    /// Asks for the offers of a typed query. The name of a platform in it shows the offers of that one only.
    mutating func wantOffers(_ text: String) throws(OfferQueryText.Problem) -> [Effect] {
        let words = text.split(whereSeparator: \.isWhitespace)
        let named = Set(words.compactMap { OfferQueryText.platform($0) })
        let rest = words.filter { OfferQueryText.platform($0) == nil }.joined(separator: " ")
        self.market.want(try OfferQueryText.parse(rest, base: self.market.query))
        // The selected offer of the query before is not what was searched for.
        self.market.selectsFirst = true
        let word = "platform:"
        if let platform = named.first, named.count == 1 {
            self.change(.offers, .filter(word + platform.rawValue))
        } else if self.offers.filter.hasPrefix(word) {
            self.change(.offers, .filter(""))
        }
        return self.askOffers()
    }

    mutating func remember(command: String) {
        if self.commandHistory.first == command { return }
        self.commandHistory.removeAll { $0 == command }
        self.commandHistory.insert(command, at: 0)
        if self.commandHistory.count > 50 { self.commandHistory.removeLast() }
    }
}
