import Foundation
import Synchronization
import VPEngine
import VPTUICore

/// Performs effects away from the loop and posts what comes of them.
///
/// One task takes the effects in order, so that a cancel never overtakes its start; questions run beside it.
final class EffectRunner: Sendable {
    private let engine: Engine
    private let queue: ActionQueue
    private let mailbox: Mailbox
    private let logs: LogReader
    private let telemetry: TelemetryWatch
    private let lines: LineRunner
    private let remembered: RememberedFile
    private let environment: [String: String]
    /// Where `vp` is called, and with which configuration.
    private let directory: String
    private let configurationFile: String?
    private let effects: AsyncStream<Effect>.Continuation
    private let isAskingAboutJobs = Mutex(false)

    /// - Parameter environment: for `vp` itself, which finds its keys as this process did.
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
        self.logs = LogReader(mailbox: mailbox) { engine.logs.path($0) }
        self.telemetry = TelemetryWatch(engine: engine, mailbox: mailbox)
        self.lines = LineRunner(
            environment: environment, directory: directory, runner: engine.context.runner)
        self.remembered = RememberedFile(engine.configuration.paths)
        let (stream, continuation) = AsyncStream.makeStream(of: Effect.self)
        self.effects = continuation
        Task.detached { [self] in
            for await effect in stream { await self.perform(effect) }
        }
    }

    var historyStamp: HistoryStamp { self.engine.historyStamp }

    func run(_ effect: Effect) {
        self.effects.yield(effect)
    }

    /// Ends transfers and connections; jobs on instances go on. Waits at most `limit`.
    func finish(cancelling actions: [ActionID], remembering: Remembered, limit: DispatchTimeInterval) {
        self.remembered.save(remembering)
        self.effects.finish()
        let done = DispatchSemaphore(value: 0)
        Task.detached { [self] in
            self.telemetry.watch([])
            for id in actions { await self.queue.cancel(id) }
            await self.engine.shutDown()
            done.signal()
        }
        _ = done.wait(timeout: .now() + limit)
    }

    // MARK: What was confirmed

    /// Returns once it is on record. Where it cannot be, it happens all the same, for as long as the dashboard runs.
    func confirm(_ destroys: [PendingDestroy]) {
        do throws(EngineError) {
            try self.engine.confirm(destroys.map(self.end))
        } catch {
            self.mailbox.post(.failed(error, at: Date()))
        }
    }

    func takeBack(_ ids: [InstanceID]) {
        do throws(EngineError) {
            _ = try self.engine.takeBackEnds(of: ids)
        } catch {
            self.mailbox.post(.failed(error, at: Date()))
        }
    }

    /// Goes on with what a dashboard left that was killed.
    func takeUpDestroys() {
        self.engine.takeUpConfirmedEnds(program: LineRunner.program(), environment: self.environment)
    }

    /// Leaves what was confirmed to `vp`: this program is about to stop or to end. Waits at most `limit` for what is
    /// under way here to end.
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

    /// Stops this process, and returns when it is continued, with what `vp` has begun to destroy meanwhile. What is
    /// still counting down is the dashboard's again.
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

    private func perform(_ effect: Effect) async {
        switch effect {
        case .start(let action, let id): await self.queue.start(action, as: id)
        case .cancel(let id): await self.queue.cancel(id)
        case .readLog(let request): self.logs.read(request)
        case .searchLog(let request): self.logs.find(request)
        case .writeLog(let job, let path, let filter): self.logs.write(job, to: path, filter: filter)
        case .readMetrics(let job): self.logs.measure(job)
        case .watch(let ids): self.telemetry.watch(ids)
        case .remember(let remembered): self.remembered.save(remembered)
        case .openShell, .copy, .suspend, .redraw, .toggleTheme, .quit, .confirmDestroys, .takeBackDestroys:
            preconditionFailure("the loop performs what concerns the terminal")
        case .pollInstances:
            self.ask { await self.answer(effect) }
            // Who leaves the dashboard open wants what it shows.
            Task.detached { [engine = self.engine] in await engine.renewLeases() }
            Task.detached { [engine = self.engine] in await engine.takeUpEnds() }
        default: self.ask { await self.answer(effect) }
        }
    }

    private func ask(_ question: @escaping @Sendable () async -> Message) {
        Task.detached { [mailbox] in mailbox.post(await question()) }
    }

    private func answer(_ effect: Effect) async -> Message {
        switch effect {
        case .loadInstances: return .instancesLoaded(await self.engine.instances())
        case .loadBalances: return .balancesLoaded(await self.engine.balances())
        case .loadCachedOffers: return .cachedOffersLoaded(self.engine.cachedOffers())
        // Two dashboards, or one beside `vp ls`, ask no more often than one.
        case .pollInstances(let age):
            return .instancesLoaded(await self.engine.recentInstances(maximumAge: age))
        case .pollBalances(let age):
            return .balancesLoaded(await self.engine.recentBalances(maximumAge: age))
        case .loadOffers(let query, let generation):
            return .offersLoaded(await self.offers(query, maximumAge: 0), generation: generation)
        case .pollOffers(let query, let generation, let age):
            return .offersLoaded(
                await self.offers(query, maximumAge: age, for: .watching), generation: generation)
        case .quote(let request, let generation):
            do throws(EngineError) {
                let plan = try await self.engine.rentalPlan(request)
                let answers = PlatformAnswers(values: plan.offers, failures: plan.failures, fetchedAt: Date())
                return .quoted(.success(answers), job: plan.job, generation: generation)
            } catch {
                return .quoted(.failure(error), job: request.query.job, generation: generation)
            }
        case .loadJobs:
            // Those that ended while nobody watched are asked for; an instance that does not answer must not
            // hold up the list.
            self.askAboutJobs()
            do throws(EngineError) {
                return .jobsLoaded(.success(try self.engine.jobs()))
            } catch {
                return .jobsLoaded(.failure(error))
            }
        case .loadUnsafeResults(let id):
            do throws(EngineError) {
                return .unsafeResultsLoaded(id, .success(try await self.engine.unsafeResults(on: id)))
            } catch {
                return .unsafeResultsLoaded(id, .failure(error))
            }
        case .compareWorkspace(let id):
            do throws(EngineError) {
                return .workspaceCompared(id, .success(try await self.engine.workspaceReport(of: id)))
            } catch {
                return .workspaceCompared(id, .failure(error))
            }
        case .loadVerbs: return .verbsLoaded(await self.lines.verbs())
        case .runLine(let words): return await self.lines.run(words)
        default:
            do throws(EngineError) {
                return try await self.answerOrThrow(effect)
            } catch {
                return .failed(error, at: Date())
            }
        }
    }

    /// One question at a time: each waits as long as ssh does for an instance that cannot be reached.
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

    private func answerOrThrow(_ effect: Effect) async throws(EngineError) -> Message {
        switch effect {
        case .prepareShell(let id):
            return .shellReady(id, argv: try await self.engine.shellCommand(for: id))
        case .checkConflicts(let ids):
            var paths: [String] = []
            for id in ids {
                paths += try await self.engine.workspaceReport(of: id).conflicts.map(\.path)
            }
            return .conflictsChecked(ids, paths)
        case .forward(let forward):
            try await self.engine.forward(
                forward.instance, localPort: forward.localPort, remotePort: forward.remotePort)
            return .forwarded(forward)
        case .endForward(let forward):
            try await self.engine.endForward(
                forward.instance, localPort: forward.localPort, remotePort: forward.remotePort)
            return .forwardEnded(forward)
        case .loadProviderLog(let id):
            return .providerLogLoaded(id, try await self.engine.providerLog(of: id))
        case .rename(let id, let name): return .renamed(try await self.engine.rename(id, to: name))
        default: preconditionFailure("every effect is performed somewhere")
        }
    }

    private func offers(
        _ query: OfferQuery, maximumAge: Double, for purpose: SearchPurpose = .asked
    ) async -> Result<PlatformAnswers<Offer>, EngineError> {
        do throws(EngineError) {
            return .success(
                try await self.engine.recentOffers(query, maximumAge: maximumAge, for: purpose))
        } catch {
            return .failure(error)
        }
    }
}
