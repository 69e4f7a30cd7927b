import Foundation
import Synchronization
import VPEngine
import VPTUICore

/// Performs effects outside the loop and posts their results.
///
/// One task takes the effects in order, so that a cancel never overtakes the start;
/// questions run concurrently.
final class EffectRunner: Sendable {
    private let engine: Engine
    private let queue: ActionQueue
    private let mailbox: Mailbox
    private let logs: LogReader
    private let telemetry: TelemetryWatch
    private let lines: LineRunner
    private let remembered: RememberedFile
    private let environment: [String: String]
    /// The folder in which `vp` runs, and the configuration file it gets.
    private let directory: String
    private let configurationFile: String?
    private let work: AsyncStream<@Sendable (EffectRunner) async -> Void>.Continuation
    private let isAskingAboutJobs = Mutex(false)

    /// - Parameter environment: the environment for `vp` itself, which finds its keys as this process did.
    init(
        engine: Engine, mailbox: Mailbox, environment: [String: String], directory: String,
        configurationFile: String? = nil
    ) {
        self.environment = environment
        self.directory = directory
        self.configurationFile = configurationFile
        self.engine = engine
        self.mailbox = mailbox
        self.queue = ActionQueue(engine: engine) { mailbox.post(.engine($0, at: Date())) }
        self.logs = LogReader(mailbox: mailbox, patterns: engine.configuration.metrics) {
            engine.logs.path($0)
        }
        self.telemetry = TelemetryWatch(engine: engine, mailbox: mailbox)
        self.lines = LineRunner(
            environment: environment, directory: directory, runner: engine.context.runner)
        self.remembered = RememberedFile(engine.configuration.paths)
        let (stream, continuation) = AsyncStream.makeStream(of: (@Sendable (EffectRunner) async -> Void).self)
        self.work = continuation
        Task.detached { [self] in
            for await work in stream { await work(self) }
        }
    }

    var historyStamp: HistoryStamp { self.engine.historyStamp }

    /// Ends transfers and connections; jobs on instances continue. Waits at most `limit`.
    func finish(cancelling actions: [ActionID], remembering: Remembered, limit: DispatchTimeInterval) {
        self.remembered.save(remembering)
        self.work.finish()
        let done = DispatchSemaphore(value: 0)
        Task.detached { [self] in
            self.telemetry.watch([:])
            for id in actions { await self.queue.cancel(id) }
            await self.engine.shutDown()
            done.signal()
        }
        _ = done.wait(timeout: .now() + limit)
    }

    // MARK: What was confirmed

    /// Records confirmed destroys, and returns once they are on disk. If they cannot be recorded, they still
    /// happen as long as the dashboard runs.
    private func confirm(_ destroys: [PendingDestroy]) {
        do throws(EngineError) {
            try self.engine.confirm(destroys.map(self.end))
        } catch {
            self.mailbox.post(.failed(error, at: Date()))
        }
    }

    private func takeBack(_ ids: [InstanceID]) {
        do throws(EngineError) {
            _ = try self.engine.takeBackEnds(of: ids)
        } catch {
            self.mailbox.post(.failed(error, at: Date()))
        }
    }

    /// Resumes the destroys that a killed dashboard left behind.
    func takeUpDestroys() {
        self.engine.takeUpConfirmedEnds(program: LineRunner.program(), environment: self.environment)
    }

    /// Hands confirmed destroys over to `vp`, because this program is about to stop or to end. Waits at most
    /// `limit` for actions in progress here to end.
    func handOverDestroys(of state: State, limit: DispatchTimeInterval) {
        let destroys = state.pendingDestroys + state.activeDestroys
        guard !destroys.isEmpty else { return }
        let actions = state.activeActionIDs { if case .destroy = $0 { true } else { false } }
        let ends = destroys.map(self.end)
        self.engine.release(ends)
        if !actions.isEmpty {
            let done = DispatchSemaphore(value: 0)
            Task.detached { [queue] in
                await queue.end(actions)
                done.signal()
            }
            _ = done.wait(timeout: .now() + limit)
        }
        self.engine.handOver(ends, to: LineRunner.program(), environment: self.environment)
    }

    /// Suspends this process. Returns when it is continued, with the instances that `vp` has begun to destroy
    /// meanwhile; destroys that are still counting down belong to the dashboard again.
    func suspend(with state: State) -> [InstanceID] {
        self.handOverDestroys(of: state, limit: .seconds(1))
        Signals.stop()
        let pending = state.pendingDestroys.map(\.instance)
        let reclaimed = self.engine.reclaimEnds(of: pending)
        return state.activeDestroys.map(\.instance) + pending.filter { !reclaimed.contains($0) }
    }

    private func end(_ destroy: PendingDestroy) -> ConfirmedEnd {
        let configuration = self.configurationFile.map { ["--config", $0] } ?? []
        return ConfirmedEnd(
            instance: destroy.instance, dueAt: destroy.due, words: destroy.words + configuration,
            directory: self.directory)
    }

    // MARK: What is asked and ordered

    /// Passes each effect to its recipient; `terminal` performs the loop's own.
    func perform(_ effects: [Effect], terminal: (TerminalEffect) -> Void) {
        for effect in effects {
            switch effect {
            case .terminal(let effect): terminal(effect)
            case .ask(let question): self.run(question)
            case .log(let question): self.run(question)
            case .order(let order): self.run(order)
            }
        }
    }

    func run(_ order: Order) {
        switch order {
        // The destroys are on record before the loop draws the first second of the countdown.
        case .confirmDestroys(let destroys): self.confirm(destroys)
        case .takeBackDestroys(let ids): self.takeBack(ids)
        case .start(let action, let id): self.inOrder { await $0.queue.start(action, as: id) }
        case .cancel(let id): self.inOrder { await $0.queue.cancel(id) }
        case .takeUpEnds: self.inOrder { $0.takeUpEnds() }
        case .watch(let intervals): self.inOrder { $0.telemetry.watch(intervals) }
        case .remember(let remembered): self.inOrder { $0.remembered.save(remembered) }
        case .setLease(let id, let seconds):
            self.answer { runner throws(EngineError) in
                .leaseSet(id, try await runner.engine.setLease(of: id, seconds: seconds))
            }
        case .forward(let forward):
            self.answer { runner throws(EngineError) in
                try await runner.engine.forward(
                    forward.instance, localPort: forward.localPort, remotePort: forward.remotePort)
                return .forwarded(forward)
            }
        case .endForward(let forward):
            self.answer { runner throws(EngineError) in
                try await runner.engine.endForward(
                    forward.instance, localPort: forward.localPort, remotePort: forward.remotePort)
                return .forwardEnded(forward)
            }
        case .rename(let id, let name):
            self.answer { runner throws(EngineError) in
                .renamed(try await runner.engine.rename(id, to: name))
            }
        }
    }

    func run(_ question: LogQuestion) {
        self.inOrder { runner in
            switch question {
            case .readLog(let request): runner.logs.read(request)
            case .searchLog(let request): runner.logs.find(request)
            case .writeLog(let job, let path, let filter): runner.logs.write(job, to: path, filter: filter)
            case .readTimes(let job): runner.logs.times(job)
            case .readMetrics(let job): runner.logs.measure(job)
            case .readTrainings(let jobs): runner.logs.measureEnds(of: jobs)
            }
        }
    }

    func run(_ question: Question) {
        self.answer { runner throws(EngineError) in try await runner.answer(question) }
        guard case .pollInstances = question else { return }
        self.inOrder { runner in
            // A user who leaves the dashboard open wants to keep the instances it shows.
            Task.detached { [engine = runner.engine] in await engine.renewLeases() }
            runner.takeUpEnds()
        }
    }

    private func takeUpEnds() {
        Task.detached { [engine = self.engine] in await engine.takeUpEnds() }
    }

    private func inOrder(_ work: @escaping @Sendable (EffectRunner) async -> Void) {
        self.work.yield(work)
    }

    /// Posts the answer to `question`, or the error. The question starts after all earlier orders, and delays
    /// nothing that comes later.
    private func answer(_ question: @escaping @Sendable (EffectRunner) async throws(EngineError) -> Answer) {
        self.inOrder { runner in
            Task.detached { [mailbox = runner.mailbox] in
                do throws(EngineError) {
                    mailbox.post(.answered(try await question(runner)))
                } catch {
                    mailbox.post(.failed(error, at: Date()))
                }
            }
        }
    }

    private func answer(_ question: Question) async throws(EngineError) -> Answer {
        switch question {
        case .loadInstances: return .instancesLoaded(await self.engine.instances())
        case .loadBalances: return .balancesLoaded(await self.engine.balances())
        case .loadCachedOffers: return .cachedOffersLoaded(self.engine.cachedOffers())
        // Two dashboards, or a dashboard and `vp ls`, together ask no more often than one.
        case .pollInstances(let age):
            return .instancesLoaded(await self.engine.recentInstances(maximumAge: age))
        case .pollBalances(let age):
            return .balancesLoaded(await self.engine.recentBalances(maximumAge: age))
        case .loadOffers(let query, let generation):
            return .offersLoaded(
                await self.result { () throws(EngineError) in
                    try await self.engine.recentOffers(query, maximumAge: 0, for: .asked)
                }, generation: generation)
        case .pollOffers(let query, let generation, let age):
            return .offersLoaded(
                await self.result { () throws(EngineError) in
                    try await self.engine.recentOffers(query, maximumAge: age, for: .watching)
                }, generation: generation)
        case .quote(let request, let generation):
            do throws(EngineError) {
                // Each change of the form is another search; once the share of searches is used up, offers
                // that were seen before answer it.
                let plan = try await self.engine.rentalPlan(request, for: .watching)
                let answers = PlatformAnswers(values: plan.offers, failures: plan.failures, fetchedAt: Date())
                return .quoted(.success(answers), job: plan.job, generation: generation)
            } catch {
                return .quoted(.failure(error), job: request.query.job, generation: generation)
            }
        case .loadJobs:
            // Asks about jobs that may have ended unwatched; an instance that does not answer must
            // not delay the list.
            self.askAboutJobs()
            return .jobsLoaded(
                await self.result { () throws(EngineError) in try self.engine.jobs(limit: State.jobsPage) })
        case .loadJobHistory(let limit):
            return .jobsLoaded(
                await self.result { () throws(EngineError) in try self.engine.jobs(limit: limit) })
        case .loadMoney:
            return .moneyLoaded(
                await self.result { () throws(EngineError) in try self.engine.moneyReport() },
                limits: self.engine.configuration.limits)
        case .loadUnsafeResults(let id):
            return .unsafeResultsLoaded(
                id,
                await self.result { () throws(EngineError) in try await self.engine.unsafeResults(on: id) })
        case .compareWorkspace(let id):
            return .workspaceCompared(
                id,
                await self.result { () throws(EngineError) in try await self.engine.workspaceReport(of: id) })
        case .checkConflicts(let ids):
            var paths: [String] = []
            for id in ids {
                paths += try await self.engine.workspaceReport(of: id).conflicts.map(\.path)
            }
            return .conflictsChecked(ids, paths)
        case .prepareShell(let id): return .shellReady(id, argv: try await self.engine.shellCommand(for: id))
        case .loadProviderLog(let id):
            return .providerLogLoaded(id, try await self.engine.providerLog(of: id))
        case .listFolder(let folder): return .folderListed(self.listing(of: folder))
        case .loadVerbs: return .verbsLoaded(await self.lines.verbs())
        case .runLine(let words): return try await self.lines.run(words)
        }
    }

    /// Lists a folder's names in order, no more than anybody reads; folders end in a slash.
    private func listing(of folder: String) -> Palette.Listing {
        let expanded = folder.hasPrefix("~/") ? NSHomeDirectory() + folder.dropFirst() : folder
        let path = expanded.hasPrefix("/") ? expanded : "\(self.directory)/\(expanded)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let marked = names.sorted().prefix(1000).map { name in
            var isFolder = ObjCBool(false)
            let exists = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
            return exists && isFolder.boolValue ? "\(name)/" : name
        }
        return Palette.Listing(folder: folder, names: marked)
    }

    /// Returns the result of a question whose answer has a place of its own on screen, including its failure.
    private func result<Value>(
        _ question: () async throws(EngineError) -> Value
    ) async -> Result<Value, EngineError> {
        do throws(EngineError) {
            return .success(try await question())
        } catch {
            return .failure(error)
        }
    }

    /// Asks one question at a time: each waits as long as ssh does for an instance that cannot be reached.
    private func askAboutJobs() {
        let isAsked = self.isAskingAboutJobs.withLock { isAsking in
            defer { isAsking = true }
            return isAsking
        }
        guard !isAsked else { return }
        Task.detached { [self] in
            let mailbox = self.mailbox
            _ = try? await self.engine.lookAtJobs { mailbox.post(.engine($0, at: Date())) }
            self.isAskingAboutJobs.withLock { $0 = false }
        }
    }
}
