import Foundation
import VPEngine

extension State {
    /// What to do first: everything is asked once, side by side, while the cache is already on screen.
    public mutating func begin() -> [Effect] {
        self.jobsPoll.ask(at: self.now)
        guard !self.settings.platforms.isEmpty else { return [.loadJobs] }
        self.instancesPoll.ask(at: self.now)
        self.balancesPoll.ask(at: self.now)
        return [.loadInstances, .loadBalances, .loadJobs] + self.askOffers()
    }

    /// Shows what was on disk: before any network, and with the age it has.
    public mutating func showCached(
        instances: PlatformAnswers<Instance>?, offers: PlatformAnswers<Offer>?,
        balances: PlatformAnswers<Balance>?, jobs: [Job]
    ) {
        if let instances {
            self.instances.take(instances.values, failures: [], at: instances.fetchedAt)
            if instances.values.isEmpty { self.instances.fetchedAt = instances.fetchedAt }
        }
        if let offers { self.offers.take(offers.values, failures: [], at: offers.fetchedAt) }
        if let balances { self.balances = balances.values }
        self.takeJobs(jobs)
        if self.instances.shown.isEmpty { self.focus(.offers) }
        self.settle()
    }
}

/// Applies one message and says what is to be done. It decides only: no clock, no file, no chance.
public func update(_ state: inout State, _ message: Message) -> [Effect] {
    let effects = state.apply(message)
    state.settle()
    return effects
}

extension State {
    mutating func apply(_ message: Message) -> [Effect] {
        switch message {
        case .key(let key, let date):
            self.now = max(self.now, date)
            self.typedAt = self.now
            return self.keyPressed(key, at: date)
        case .pasted(let text, let date):
            return self.textPasted(text, at: date)
        case .resized(let size):
            self.size = size
            return []
        case .tick(let date):
            return self.ticked(date)
        case .historyChanged:
            // An answer that is on its way may be older than the change.
            self.jobsPoll.ask(at: self.now)
            return [.loadJobs]
        case .engine(let event, let date):
            return self.happened(event, at: date)
        case .instancesLoaded(let answers):
            self.instancesPoll.isAsking = false
            self.takeInstances(answers)
            return []
        case .offersLoaded(let result, let generation):
            return self.offersArrived(result, generation: generation)
        case .balancesLoaded(let answers):
            self.balancesPoll.isAsking = false
            self.takeBalances(answers)
            return []
        case .jobsLoaded(let result):
            self.jobsPoll.isAsking = false
            switch result {
            case .success(let jobs): self.takeJobs(jobs)
            case .failure(let error): self.toast(ErrorWords(error).title, .bad)
            }
            return []
        case .logLoaded(let job, let offset, let bytes):
            return self.logArrived(job, offset: offset, bytes: bytes)
        case .logUnavailable(let job, let error):
            if self.log.job == job {
                self.log.isLoading = false
                if self.log.nextOffset == nil, error.code != .noSuchJob {
                    self.toast("The log of \(job) cannot be read: \(ErrorWords(error).title)", .bad)
                }
            }
            return []
        case .unsafeResultsLoaded(let id, let result):
            self.unsafeResultsArrived(id, result)
            return []
        case .shellReady(let id, let argv):
            return [.openShell(id, argv: argv)]
        case .shellEnded(let id, let status):
            self.toast(
                status == 0 ? "Shell on \(id) ended" : "Shell on \(id) ended with status \(status)",
                status == 0 ? .muted : .warning)
            return []
        case .failed(let error, let date):
            self.now = max(self.now, date)
            self.showError(ErrorWords(error))
            return []
        }
    }

    /// Keeps what must always hold: selections on screen, dialogs about things that exist.
    mutating func settle() {
        let layout = Layout(self)
        for (pane, area) in layout.lists {
            let height = ListFrame(area: area, hasBanner: self.banner(of: pane) != nil).rows.height
            switch pane {
            case .instances: self.instances.scrollToSelection(height: height)
            case .offers: self.offers.scrollToSelection(height: height)
            case .jobs: self.jobs.scrollToSelection(height: height)
            case .main: break
            }
        }
        if case .dialog(let dialog) = self.overlay, let id = dialog.instance, self.instances.row(id) == nil {
            self.overlay = nil
            self.toast("\(id) is gone; nothing was done", .warning)
        }
        if self.overlay == nil, !self.waitingErrors.isEmpty {
            self.overlay = .dialog(Dialog(.error(self.waitingErrors.removeFirst()), openedAt: self.now))
        }
    }

    static let offersInterval: TimeInterval = 60
    static let balancesInterval: TimeInterval = 60
    /// Only in case a change was missed: the loop tells when the history has changed.
    static let jobsInterval: TimeInterval = 60

    private mutating func ticked(_ date: Date) -> [Effect] {
        self.now = date
        self.toasts.removeAll { $0.until <= date }
        self.actions.removeAll { record in
            if case .ended(_, let end) = record.phase { date.timeIntervalSince(end) > 6 } else { false }
        }
        var effects: [Effect] = []
        for pending in self.pendingDestroys where pending.due <= date {
            effects.append(self.start(.destroy(pending.instance, pending.request)))
        }
        self.pendingDestroys.removeAll { $0.due <= date }
        if !self.settings.platforms.isEmpty {
            if self.instancesPoll.isDue(self.currentInstancesInterval, date) {
                self.instancesPoll.ask(at: date)
                effects.append(.loadInstances)
            }
            if self.offersPoll.isDue(Self.offersInterval, date) { effects += self.askOffers() }
            if self.balancesPoll.isDue(Self.balancesInterval, date) {
                self.balancesPoll.ask(at: date)
                effects.append(.loadBalances)
            }
        }
        if self.jobsPoll.isDue(Self.jobsInterval, date) {
            self.jobsPoll.ask(at: date)
            effects.append(.loadJobs)
        }
        // A job that another process follows writes to its log without telling us.
        if let job = self.log.job, !self.log.isLoading, self.action(following: job) == nil,
            let row = self.jobs.row(job), !row.state.isOver || self.log.nextOffset == nil
        {
            effects.append(self.loadLog(job))
        }
        return effects
    }

    mutating func askOffers() -> [Effect] {
        self.offerGeneration += 1
        self.offersPoll.ask(at: self.now)
        return [.loadOffers(self.offerQuery, generation: self.offerGeneration)]
    }

    mutating func start(_ action: EngineAction) -> Effect {
        let id = self.nextActionID()
        self.actions.append(ActionRecord(id: id, action: action, phase: .queued, startedAt: self.now))
        return .start(action, id)
    }

    mutating func loadLog(_ job: JobID) -> Effect {
        self.log.isLoading = true
        return .loadLog(job, from: self.log.nextOffset)
    }

    mutating func toast(_ text: String, _ role: Role = .plain, for seconds: TimeInterval = 4) {
        self.toasts.removeAll { $0.text == text }
        self.toasts.append(Toast(text: text, role: role, until: self.now.addingTimeInterval(seconds)))
        if self.toasts.count > 3 { self.toasts.removeFirst() }
    }

    /// Shows it now, or when what has the keys is done with them.
    mutating func showError(_ words: ErrorWords) {
        if self.overlay == nil {
            self.overlay = .dialog(Dialog(.error(words), openedAt: self.now))
        } else if !self.waitingErrors.contains(words) {
            self.waitingErrors.append(words)
        }
    }

    mutating func focus(_ pane: Pane) {
        if pane != .main { self.lastList = pane }
        self.focus = pane
        if self.zoom != .both { self.zoom = pane == .main ? .main : .lists }
    }
}
