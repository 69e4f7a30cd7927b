import Foundation
import VPEngine

/// The answers and reports of the engine.
extension State {
    mutating func takeInstances(_ answers: PlatformAnswers<Instance>) {
        self.noteAnswers(answers)
        let alive = answers.values.filter { !self.goneInstances.contains($0.id) }
        self.instances.take(
            alive, failures: answers.failures.map { SourceFailure(platform: $0.platform, error: $0.error) },
            at: answers.fetchedAt)
    }

    mutating func takeBalances(_ answers: PlatformAnswers<Balance>) {
        self.noteAnswers(answers)
        let failing = Set(answers.failures.map(\.platform))
        let kept = self.money.balances.filter { failing.contains($0.platform) }
        self.money.balances = (answers.values + kept).sorted { $0.platform.rawValue < $1.platform.rawValue }
        self.money.failures = answers.failures.map {
            SourceFailure(platform: $0.platform, error: $0.error)
        }
    }

    mutating func takeJobs(_ jobs: [Job]) {
        // A report from a moment ago may be newer than the history's answer.
        let merged = jobs.map { job in
            if let known = self.jobs.row(job.id), known.state.isOver, !job.state.isOver { known } else { job }
        }
        self.jobs.fetchedAt = self.now
        self.jobs.setRows(merged)
        for job in jobs.reversed() { self.remember(command: job.command.shellText) }
    }

    mutating func offersArrived(
        _ result: Result<PlatformAnswers<Offer>, EngineError>, generation: Int
    ) -> [Effect] {
        guard generation == self.market.generation else { return [] }
        self.polls.offers.isAsking = false
        switch result {
        case .success(let answers):
            self.market.error = nil
            self.market.noteDearer(answers)
            let isEmptyAnswer = answers.values.isEmpty && answers.failures.isEmpty
            self.offers.take(
                answers.values,
                failures: answers.failures.map { SourceFailure(platform: $0.platform, error: $0.error) },
                at: answers.fetchedAt)
            if isEmptyAnswer { self.offers.setRows([]) }
            if self.market.selectsFirst { self.offers.select(index: 0) }
            self.market.selectsFirst = false
        case .failure(let error):
            self.market.error = error
        }
        return []
    }

    /// A current answer may already have arrived.
    private mutating func takeCached(_ offers: PlatformAnswers<Offer>?) {
        guard let offers, self.offers.fetchedAt == nil else { return }
        let failures = self.offers.failures
        self.offers.take(offers.values, failures: [], at: offers.fetchedAt)
        self.offers.failures = failures
    }

    /// Applies the answer to a question.
    mutating func take(_ answer: Answer) -> [Effect] {
        switch answer {
        case .cachedOffersLoaded(let offers): self.takeCached(offers)
        case .instancesLoaded(let answers):
            self.polls.instances.isAsking = false
            self.takeInstances(answers)
            return self.askMoney()
        case .offersLoaded(let result, let generation):
            return self.offersArrived(result, generation: generation)
        case .quoted(let result, let job, let generation):
            self.quoteArrived(result, job, generation: generation)
        case .balancesLoaded(let answers):
            self.polls.balances.isAsking = false
            self.takeBalances(answers)
            return self.askMoney()
        case .jobsLoaded(let result):
            self.polls.jobs.isAsking = false
            switch result {
            case .success(let jobs): self.takeJobs(jobs)
            case .failure(let error): self.toast(ErrorWords(error).title, .bad)
            }
            return self.askMoney()
        case .moneyLoaded(let result, let limits): return self.moneyArrived(result, limits)
        case .leaseSet(let id, let lease):
            self.leaseSet(id, lease)
            return self.askMoney()
        case .workspaceCompared(let id, let result): self.files.take(result, of: id)
        case .providerLogLoaded(let id, let text):
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            self.overlay = .text(
                TextOverlay(
                    title: "\(id.platform.displayName) about \(id)",
                    lines: lines.allSatisfy(\.isEmpty) ? ["It says nothing."] : lines))
        case .unsafeResultsLoaded(let id, let result): self.unsafeResultsArrived(id, result)
        case .conflictsChecked(let ids, let paths):
            if paths.isEmpty { return ids.map { self.start(.sync($0)) } }
            self.overlay = .dialog(Dialog(.conflicts(ids, paths), openedAt: self.now))
        case .forwarded(let forward):
            self.forwards.removeAll { $0.localPort == forward.localPort }
            self.forwards.append(forward)
            self.toast(
                "127.0.0.1:\(forward.localPort) leads to port \(forward.remotePort) of \(forward.instance)",
                .good, for: 6)
        case .forwardEnded(let forward):
            self.forwards.removeAll { $0 == forward }
            self.toast("Port \(forward.localPort) is closed", .muted)
        case .renamed(let instance):
            self.instances.upsert(instance)
            self.toast("\(instance.id) is called \(instance.name ?? "nothing") now", .good)
        case .shellReady(let id, let argv): return [.terminal(.openShell(id, argv: argv))]
        case .verbsLoaded(let verbs): self.verbs = verbs
        case .folderListed(let listing):
            self.offerScripts(listing)
            guard case .palette(var palette) = self.overlay else { break }
            palette.listing = listing
            self.overlay = .palette(palette)
        case .lineEnded(let line, let output, let status, let seconds, let date):
            self.lineEnded(line, output, status, seconds, date)
        }
        return []
    }

    /// Applies an answer of the log reader.
    mutating func take(_ answer: LogAnswer) {
        switch answer {
        case .logRead(let request, let part): self.log.take(part, for: request)
        case .logUnavailable(let job, let error): self.logUnavailable(job, error)
        case .logFound(let generation, let hit, let hasWrapped):
            self.logFound(generation, hit, hasWrapped: hasWrapped)
        case .logCounted(let generation, let total, let position, let fraction):
            self.logCounted(generation, total: total, position: position, fraction: fraction)
        case .logWritten(let path, .success(let bytes)):
            self.toast("\(Format.bytes(bytes)) written to \(path)", .good)
        case .logWritten(_, .failure(let error)): self.showError(ErrorWords(error))
        case .timesRead(let job, let arrivals):
            self.timesArrived(job, arrivals)
        case .metricsRead(let job, let reading, let end): self.metricsArrived(job, reading, end: end)
        case .trainingsRead(let readings): self.trainings.take(readings)
        }
    }

    mutating func logUnavailable(_ job: JobID, _ error: EngineError) {
        guard self.log.job == job else { return }
        self.log.readFailed()
        if self.log.end == nil, error.code != .noSuchJob {
            self.toast("The log of \(job) cannot be read: \(ErrorWords(error).title)", .bad)
        }
    }

    mutating func unsafeResultsArrived(_ id: InstanceID, _ result: Result<UnsafeResults, EngineError>) {
        guard case .dialog(var dialog) = self.overlay, case .destroy(let ids, var reports) = dialog.kind,
            ids.contains(id)
        else { return }
        switch result {
        case .success(let results): reports[id] = .known(results)
        case .failure(let error): reports[id] = .unknown(error)
        }
        dialog.kind = .destroy(ids, reports)
        self.overlay = .dialog(dialog)
    }

    mutating func happened(_ event: EngineEvent, at date: Date) -> [Effect] {
        self.now = max(self.now, date)
        switch event {
        case .queued(let id, let action):
            if !self.actions.contains(where: { $0.id == id }) {
                self.actions.append(ActionRecord(id: id, action: action, phase: .queued, startedAt: self.now))
            }
            self.history.began(action, id, at: self.now)
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
            self.forget(id)
        case .jobChanged(let job):
            return self.jobChanged(job)
        case .alarm(let alarm): self.toastAlarms([alarm])
        case .notice(let text): self.toast(text, .warning, for: 8)
        case .jobOutput(let job, let offset, let bytes):
            return self.outputArrived(job, offset, bytes, date)
        // The pane shows the log; the job's separate error output is in its own file.
        case .jobErrors: break
        case .finished(let id, let outcome):
            return self.finished(id, outcome)
        }
        return []
    }

    mutating func forget(_ id: InstanceID) {
        self.goneInstances.insert(id)
        self.instances.remove(id)
        self.telemetry.forget(id)
        self.forwards.removeAll { $0.instance == id }
    }

    private mutating func change(_ id: ActionID, _ change: (inout ActionRecord) -> Void) {
        guard let index = self.actions.firstIndex(where: { $0.id == id }) else { return }
        change(&self.actions[index])
    }

    private mutating func jobChanged(_ job: Job) -> [Effect] {
        self.jobs.upsert(job)
        guard !job.state.isOver else { return [] }
        // A run's job is newer than the run. The list of jobs may have shown it already.
        guard
            let index = self.actions.lastIndex(where: { record in
                guard record.phase == .running, record.job == nil, job.createdAt >= record.startedAt,
                    case .run(job.instance, _) = record.action
                else { return false }
                return true
            })
        else { return [] }
        self.actions[index].job = job.id
        guard self.awaitsJobOn == job.instance else { return [] }
        self.awaitsJobOn = nil
        self.jobs.select(job.id)
        return self.openLog(job.id)
    }

    private mutating func finished(_ id: ActionID, _ outcome: ActionOutcome) -> [Effect] {
        guard let record = self.actions.first(where: { $0.id == id }) else { return [] }
        let now = self.now
        self.change(id) { $0.phase = .ended(outcome, at: now) }
        self.history.ended(id, outcome, at: now)
        if case .run(let instance, _) = record.action, self.awaitsJobOn == instance { self.awaitsJobOn = nil }
        var effects: [Effect] = []
        switch outcome {
        case .succeeded(let result):
            self.succeeded(result, of: record)
            effects += self.runAfterCreate(id, result)
        case .cancelled:
            let subject = record.action.instance.map { " on \($0)" } ?? ""
            self.toast("Cancelled: \(record.action.verb)\(subject)", .warning)
        case .failed(let error):
            self.showError(ErrorWords(error))
            effects += self.followAgain(afterRefused: record.action)
            if let form = self.formsOfCreates[id] { self.refusedForm = form }
        }
        self.commandsAfterCreate[id] = nil
        self.formsOfCreates[id] = nil
        if !self.settings.platforms.isEmpty, !self.polls.instances.isAsking {
            self.polls.instances.ask(at: self.now)
            effects.append(.ask(.loadInstances))
        }
        // The offer has been rented, by this dashboard or by somebody faster.
        if case .create = record.action, outcome != .cancelled { effects += self.pollOffers(maximumAge: 0) }
        // Reads output that the last events may have missed, so that the pane ends where the file ends.
        if let job = self.log.job, job == record.job, let request = self.log.poll() {
            effects.append(.log(.readLog(request)))
        }
        // The transfer has changed the content of the Files pane.
        if self.mainContent == .files, let files = self.files.instance, files == record.action.instance,
            outcome != .cancelled, self.instances.row(files) != nil
        {
            self.files.ask(files)
            effects.append(.ask(.compareWorkspace(files)))
        }
        return effects
    }

    /// Runs the command from the launch form.
    private mutating func runAfterCreate(_ id: ActionID, _ result: ActionResult) -> [Effect] {
        guard let command = self.commandsAfterCreate[id], case .created(let instance) = result else {
            return []
        }
        // The rental's cost limit also applies to its command, as for `vp run --create`.
        var request = RunRequest(command: .shell(command))
        if case .create(let create)? = self.actions.first(where: { $0.id == id })?.action {
            request.maximumCost = create.maximumCost
        }
        self.awaitsJobOn = instance.id
        return [self.start(.run(instance.id, request))]
    }
}
