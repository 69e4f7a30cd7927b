import Foundation
import VPEngine

extension State {
    /// Returns the first effects: everything is requested once, concurrently, while the cache is
    /// already on screen.
    public mutating func begin() -> [Effect] {
        self.polls.jobs.ask(at: self.now)
        let cached: [Effect] = self.offers.fetchedAt == nil ? [.ask(.loadCachedOffers)] : []
        guard !self.settings.platforms.isEmpty else { return cached + [self.loadJobs] }
        self.polls.instances.ask(at: self.now)
        self.polls.balances.ask(at: self.now)
        // Opening the dashboard often must not cause frequent searches.
        return cached + [.ask(.loadInstances), .ask(.loadBalances), self.loadJobs]
            + self.pollOffers(maximumAge: Self.offersInterval - Self.pollSlack)
    }

    /// Shows the data from disk, before any network traffic, with its age.
    public mutating func showCached(
        instances: PlatformAnswers<Instance>?, offers: PlatformAnswers<Offer>?,
        balances: PlatformAnswers<Balance>?, jobs: [Job], money: MoneyReport? = nil
    ) {
        if let instances {
            self.instances.take(instances.values, failures: [], at: instances.fetchedAt)
            if instances.values.isEmpty { self.instances.fetchedAt = instances.fetchedAt }
        }
        if let offers { self.offers.take(offers.values, failures: [], at: offers.fetchedAt) }
        if let balances { self.money.balances = balances.values }
        if let money { self.money.showCached(money) }
        self.takeJobs(jobs)
        if self.instances.shownCount == 0 { self.focus(.offers) }
        self.settle()
    }
}

/// Applies a message and returns the effects to perform. It only decides: no clock, no file, no randomness.
public func update(_ state: inout State, _ message: Message) -> [Effect] {
    var effects = state.apply(message)
    state.settle()
    state.log.revealHit(state.logSize)
    effects += state.readLogAsNeeded()
    effects += state.readOthersAsNeeded()
    effects += state.readMoreJobs()
    effects += state.watchVisible()
    return effects
}

extension State {
    mutating func apply(_ message: Message) -> [Effect] {
        switch message {
        case .key(let key, let date):
            self.now = max(self.now, date)
            self.typedAt = self.now
            return self.keyPressed(key, at: date)
        case .mouse(let event, let date):
            self.now = max(self.now, date)
            self.typedAt = self.now
            return self.mouseUsed(event, at: date)
        case .pasted(let text, _): return self.textPasted(text)
        case .resized(let size): self.size = size
        case .tick(let date): return self.ticked(date)
        case .historyChanged:
            // An answer in transit may be older than the change.
            self.polls.jobs.ask(at: self.now)
            // Another program may be renting, and the next regular request may be minutes away.
            // If instances are listed, the list's own record of their costs is a change as well.
            guard !self.settings.platforms.isEmpty,
                self.hasNothingRented || self.polls.instances.isDue(Self.quietInstancesInterval, self.now)
            else { return [self.loadJobs] }
            self.polls.instances.ask(at: self.now)
            return [self.loadJobs, .ask(.loadInstances)]
        case .engine(let event, let date): return self.happened(event, at: date)
        case .failed(let error, let date):
            self.now = max(self.now, date)
            self.showError(ErrorWords(error))
        case .called(let call): self.history.add(call)
        case .answered(let answer): return self.take(answer)
        case .log(let answer): self.take(answer)
        case .telemetry(let id, let sample, let date):
            self.now = max(self.now, date)
            self.telemetry.take(sample, of: id, at: date)
        case .telemetryEnded(let id, let error): self.telemetry.failed(error, of: id)
        case .destroysHandedOver(let ids):
            self.pendingDestroys.removeAll { ids.contains($0.instance) }
            self.actions.removeAll { record in
                if case .destroy(let id, _) = record.action { ids.contains(id) } else { false }
            }
            let names = ids.map(\.rawValue).joined(separator: ", ")
            self.toast("`vp` destroys \(names) in the background", .warning, for: 8)
        case .shellEnded(let id, let status):
            self.toast(
                status == 0
                    ? "The shell on \(id) ended" : "The shell on \(id) ended with exit status \(status)",
                status == 0 ? .muted : .warning)
        }
        return []
    }

    /// Restores the invariants: selections on screen, dialogs only about things that exist.
    mutating func settle() {
        let layout = Layout(self)
        for (pane, _) in layout.lists {
            let height = layout.rows(of: pane, self)?.height ?? 0
            switch pane {
            case .instances: self.instances.scrollToSelection(height: height)
            case .offers: self.offers.scrollToSelection(height: height)
            case .jobs: self.jobs.scrollToSelection(height: height)
            case .main: break
            }
        }
        if self.mainScroll > 0 { self.mainScroll = min(self.mainScroll, layout.mainScrollLimit(self)) }
        self.closeDialogOfGoneInstances()
        self.keepSelectedAlarm()
        if self.overlay == nil, !self.waitingErrors.isEmpty {
            self.overlay = .dialog(Dialog(.error(self.waitingErrors.removeFirst()), openedAt: self.now))
        }
    }

    /// Keeps the selection on its alarm while others come and go: Enter must apply to the
    /// alarm that was read.
    private mutating func keepSelectedAlarm() {
        guard case .list(var list) = self.overlay, list.kind == .alarms else { return }
        let alarms = self.alarms
        if let anchor = list.anchor, let row = alarms.firstIndex(where: { $0.key == anchor }) {
            list.selected = row
        }
        list.keepSelection(count: alarms.count, page: Layout.page(of: list, self))
        list.anchor = alarms.indices.contains(list.selected) ? alarms[list.selected].key : nil
        self.overlay = .list(list)
    }

    private mutating func closeDialogOfGoneInstances() {
        guard case .dialog(var dialog) = self.overlay else { return }
        let gone = dialog.instances.filter { self.instances.row($0) == nil }
        guard let first = gone.first else { return }
        let isOver = gone.count == dialog.instances.count
        dialog.keep { self.instances.row($0) != nil }
        self.overlay = isOver ? nil : .dialog(dialog)
        self.toast("\(first) is gone; nothing was done", .warning)
    }

    /// The dashboard's own answer must be too old by the next request, even if a tick is late.
    private static let pollSlack: TimeInterval = 1

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
            if self.polls.instances.isDue(self.currentInstancesInterval, date) {
                self.polls.instances.ask(at: date)
                effects.append(
                    .ask(.pollInstances(maximumAge: self.currentInstancesInterval - Self.pollSlack)))
            }
            if self.isLookingAtOffers, self.polls.offers.isDue(Self.offersInterval, date) {
                effects += self.pollOffers(maximumAge: Self.offersInterval - Self.pollSlack)
            }
            if self.polls.balances.isDue(self.currentBalancesInterval, date) {
                self.polls.balances.ask(at: date)
                effects.append(.ask(.pollBalances(maximumAge: self.currentBalancesInterval - Self.pollSlack)))
            }
        }
        if self.polls.jobs.isDue(self.currentJobsInterval, date) {
            self.polls.jobs.ask(at: date)
            effects.append(self.loadJobs)
        }
        effects += self.pollLog()
        effects += self.readTrainings()
        effects += self.quoteWhenDue()
        effects += self.rememberWhatChanged()
        return effects
    }

    private mutating func rememberWhatChanged() -> [Effect] {
        let wanted = self.toRemember
        guard wanted != self.remembered else { return [] }
        let isFirst = self.remembered == nil
        self.remembered = wanted
        return isFirst ? [] : [.order(.remember(wanted))]
    }

    mutating func toast(
        _ text: String, _ role: Role = .plain, for seconds: TimeInterval = 4, isAlarm: Bool = false
    ) {
        self.toasts.removeAll { $0.text == text }
        self.toasts.append(
            Toast(text: text, role: role, until: self.now.addingTimeInterval(seconds), isAlarm: isAlarm))
        if self.toasts.count > 3 { self.toasts.removeFirst() }
    }

    /// Shows the error now, or once the open overlay is closed.
    mutating func showError(_ words: ErrorWords) {
        if self.overlay == nil {
            self.overlay = .dialog(Dialog(.error(words), openedAt: self.now))
        } else if !self.waitingErrors.contains(words) {
            self.waitingErrors.append(words)
        }
    }
}
