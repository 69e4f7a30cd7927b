import Foundation
import VPEngine

/// What the engine answers and reports.
extension State {
    mutating func takeInstances(_ answers: PlatformAnswers<Instance>) {
        let alive = answers.values.filter { !self.goneInstances.contains($0.id) }
        self.instances.take(
            alive, failures: answers.failures.map { SourceFailure(platform: $0.platform, error: $0.error) },
            at: answers.fetchedAt)
    }

    mutating func takeBalances(_ answers: PlatformAnswers<Balance>) {
        let failing = Set(answers.failures.map(\.platform))
        let kept = self.balances.filter { failing.contains($0.platform) }
        self.balances = (answers.values + kept).sorted { $0.platform.rawValue < $1.platform.rawValue }
        self.balanceFailures = answers.failures.map {
            SourceFailure(platform: $0.platform, error: $0.error)
        }
    }

    mutating func takeJobs(_ jobs: [Job]) {
        // What was reported a moment ago may be newer than what the history said when it was asked.
        let merged = jobs.map { job in
            if let known = self.jobs.row(job.id), known.state.isOver, !job.state.isOver { known } else { job }
        }
        self.jobs.fetchedAt = self.now
        self.jobs.setRows(merged)
        for job in jobs.reversed() { self.remember(command: job.command.shellText) }
    }

    mutating func remember(command: String) {
        if self.commandHistory.first == command { return }
        self.commandHistory.removeAll { $0 == command }
        self.commandHistory.insert(command, at: 0)
        if self.commandHistory.count > 50 { self.commandHistory.removeLast() }
    }

    mutating func offersArrived(
        _ result: Result<PlatformAnswers<Offer>, EngineError>, generation: Int
    ) -> [Effect] {
        guard generation == self.offerGeneration else { return [] }
        self.offersPoll.isAsking = false
        switch result {
        case .success(let answers):
            self.offersError = nil
            let isEmptyAnswer = answers.values.isEmpty && answers.failures.isEmpty
            self.offers.take(
                answers.values,
                failures: answers.failures.map { SourceFailure(platform: $0.platform, error: $0.error) },
                at: answers.fetchedAt)
            if isEmptyAnswer { self.offers.setRows([]) }
        case .failure(let error):
            self.offersError = error
        }
        return []
    }

    mutating func logArrived(_ job: JobID, offset: Int64, bytes: [UInt8]) -> [Effect] {
        guard self.log.job == job else { return [] }
        self.log.isLoading = false
        // Too much was missing to read it all: the pane starts over at the end of the file.
        if let next = self.log.nextOffset, offset > next { self.log.restart(at: offset) }
        let hasGap = self.log.append(bytes, at: offset)
        let missedSome = self.log.missedOutput
        self.log.missedOutput = false
        return hasGap || missedSome ? [self.loadLog(job)] : []
    }

    mutating func unsafeResultsArrived(_ id: InstanceID, _ result: Result<UnsafeResults, EngineError>) {
        guard case .dialog(var dialog) = self.overlay, case .destroy(id, _) = dialog.kind else { return }
        switch result {
        case .success(let results): dialog.kind = .destroy(id, .known(results))
        case .failure(let error): dialog.kind = .destroy(id, .unknown(error))
        }
        self.overlay = .dialog(dialog)
    }

    mutating func happened(_ event: EngineEvent, at date: Date) -> [Effect] {
        self.now = max(self.now, date)
        switch event {
        case .queued(let id, let action):
            if !self.actions.contains(where: { $0.id == id }) {
                self.actions.append(ActionRecord(id: id, action: action, phase: .queued, startedAt: self.now))
            }
        case .started(let id):
            self.change(id) {
                $0.phase = .running
                $0.startedAt = date
            }
        case .progress(let id, let progress):
            self.change(id) { $0.progress = progress }
        case .instanceChanged(let instance):
            if !self.goneInstances.contains(instance.id) { self.instances.upsert(instance) }
        case .instanceGone(let id):
            self.goneInstances.insert(id)
            self.instances.remove(id)
        case .jobChanged(let job):
            return self.jobChanged(job)
        case .jobOutput(let job, let offset, let bytes):
            guard self.log.job == job else { return [] }
            // Until the first part is here there is nothing that the new bytes could be joined to.
            if self.log.isLoading {
                self.log.missedOutput = true
                return []
            }
            if self.log.append(bytes, at: offset) { return [self.loadLog(job)] }
        case .finished(let id, let outcome):
            return self.finished(id, outcome)
        }
        return []
    }

    private mutating func change(_ id: ActionID, _ change: (inout ActionRecord) -> Void) {
        guard let index = self.actions.firstIndex(where: { $0.id == id }) else { return }
        change(&self.actions[index])
    }

    private mutating func jobChanged(_ job: Job) -> [Effect] {
        let isNew = self.jobs.row(job.id) == nil
        self.jobs.upsert(job)
        guard !job.state.isOver else { return [] }
        if let index = self.actions.lastIndex(where: { record in
            guard record.phase == .running, record.job == nil, case .run(job.instance, _) = record.action
            else {
                return false
            }
            return true
        }) {
            self.actions[index].job = job.id
        }
        guard isNew, self.awaitsJobOn == job.instance else { return [] }
        self.awaitsJobOn = nil
        self.jobs.select(job.id)
        return self.openLog(job.id)
    }

    /// Shows `job`'s log without taking the focus.
    mutating func openLog(_ job: JobID) -> [Effect] {
        self.mainContent = .log
        var effects: [Effect] = []
        if self.log.job == job {
            self.log.follow()
        } else {
            self.log.open(job)
            effects.append(self.loadLog(job))
        }
        // A job of an earlier session, or of `vp`, is followed from here on.
        if let row = self.jobs.row(job), row.state == .running, self.action(following: job) == nil,
            !self.settings.isReadOnly, self.instances.row(row.instance)?.status == .running
        {
            effects.append(self.start(.attach(job, on: row.instance)))
            self.actions[self.actions.count - 1].job = job
        }
        return effects
    }

    private mutating func finished(_ id: ActionID, _ outcome: ActionOutcome) -> [Effect] {
        guard let record = self.actions.first(where: { $0.id == id }) else { return [] }
        let now = self.now
        self.change(id) { $0.phase = .ended(outcome, at: now) }
        if case .run(let instance, _) = record.action, self.awaitsJobOn == instance { self.awaitsJobOn = nil }
        switch outcome {
        case .succeeded(let result): self.succeeded(result)
        case .cancelled: self.toast("Cancelled: \(record.action.verb)", .warning)
        case .failed(let error):
            self.showError(ErrorWords(error))
        }
        var effects: [Effect] = []
        if !self.settings.platforms.isEmpty, !self.instancesPoll.isAsking {
            self.instancesPoll.ask(at: self.now)
            effects.append(.loadInstances)
        }
        // What was rented, by us or by somebody quicker, is no offer any more.
        if case .create = record.action, outcome != .cancelled { effects += self.askOffers() }
        // Reads what the last events may have missed, so that the pane ends where the file ends.
        if let job = self.log.job, job == record.job, !self.log.isLoading {
            effects.append(self.loadLog(job))
        }
        return effects
    }

    private mutating func succeeded(_ result: ActionResult) {
        switch result {
        case .created(let instance):
            self.goneInstances.remove(instance.id)
            self.instances.upsert(instance)
            self.instances.select(instance.id)
            self.focus(.instances)
            self.toast("\(instance.id) is ready: S sends the project, r runs a command", .good, for: 8)
        case .synced(let summary): self.toast(Self.words(summary), summary.missing.isEmpty ? .good : .warning)
        case .downloaded(let summary):
            self.toast(Self.words(summary), summary.missing.isEmpty ? .good : .bad, for: 6)
        case .ran(let summary):
            if let job = summary.job {
                self.jobs.upsert(job)
                let end = StatusWords.ending(of: job)
                let back = summary.download.map { " · " + Self.words($0) } ?? ""
                self.toast("\(job.id) \(end)\(back)", job.state == .succeeded ? .good : .bad, for: 8)
            }
            if let error = summary.downloadError { self.showError(ErrorWords(error)) }
        case .cancelled(let job):
            self.jobs.upsert(job)
            self.toast("\(job.id) was cancelled", .warning, for: 6)
        case .attached(let job):
            self.jobs.upsert(job)
            self.toast(
                "\(job.id) \(StatusWords.ending(of: job))", job.state == .succeeded ? .good : .bad, for: 8)
        case .started(let instance):
            self.instances.upsert(instance)
            self.toast("\(instance.id) started", .good)
        case .stopped(let instance):
            self.instances.upsert(instance)
            let day = Format.dollars(instance.price.dollarsPerDay)
            self.toast("\(instance.id) stopped; its disk goes on costing \(day) a day", .warning, for: 6)
        case .destroyed(let receipt):
            self.goneInstances.insert(receipt.instance)
            self.instances.remove(receipt.instance)
            let cost = receipt.dollars.map { " It cost about \(Format.dollars($0))." } ?? ""
            self.toast("\(receipt.instance) is gone, confirmed by the platform.\(cost)", .good, for: 8)
        }
    }

    static func words(_ summary: SyncSummary) -> String {
        let verb = summary.direction == .up ? "sent" : "brought back"
        var text =
            summary.transferredFiles == 0
            ? (summary.direction == .up ? "nothing to send" : "nothing new to bring back")
            : "\(Format.plural(summary.transferredFiles, "file")) \(verb), "
                + Format.bytes(summary.transferredBytes)
        if !summary.conflicts.isEmpty { text += " · \(Format.plural(summary.conflicts.count, "conflict"))" }
        if !summary.missing.isEmpty { text += " · \(Format.plural(summary.missing.count, "file")) missing" }
        return text
    }
}
