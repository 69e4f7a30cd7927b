import Foundation
import Synchronization

/// Everything `vp` and `vp-tui` can ask for: the facade over platforms, remote work and history.
///
/// Questions (`instances`, `offers`, …) may be asked from anywhere at any time. Actions go through
/// `ActionQueue`, which keeps those of one instance in order.
public final class Engine: Sendable {
    package let context: EngineContext
    let isRenewing = Mutex(false)
    let isTakingUpEnds = Mutex(false)

    /// The configuration that the engine was opened with; it does not change.
    public var configuration: EngineConfiguration { self.context.configuration }

    /// Opens the store and writes nothing else. Contacts nobody.
    ///
    /// - Parameters:
    ///   - history: decides if the engine works without a writable history; see `historyProblem`.
    ///   - onCall: called with every request to a platform, from any thread.
    public convenience init(
        configuration: EngineConfiguration, history: HistoryNeed = .kept,
        onCall: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) throws(EngineError) {
        try self.init(
            configuration: configuration,
            clients: configuration.endpoints.map { endpoint in
                PlatformClients.client(
                    for: endpoint, timeScale: configuration.timeScale,
                    books: configuration.paths.stateFolder, report: onCall)
            }, runner: SystemProcessRunner(), history: history)
    }

    package init(
        configuration: EngineConfiguration, clients: [any PlatformClient], runner: any ProcessRunner,
        now: @escaping @Sendable () -> Date = { Date() },
        flush: @escaping @Sendable (String) throws(EngineError) -> Void = Durability.flush,
        patience: Patience = Patience(), history: HistoryNeed = .kept
    ) throws(EngineError) {
        self.context = try EngineContext(
            configuration: configuration, clients: clients, runner: runner, now: now, flush: flush,
            patience: patience, history: history)
    }

    /// The reason why nothing is saved to the history; nil while it is saved.
    public var historyProblem: EngineError? { self.context.store.problem }

    /// Ends the ssh connections that this engine opened.
    public func shutDown() async { await self.context.connections.closeAll() }

    // MARK: Actions

    /// Carries out `action`. Reports `progress`, `instanceChanged`, `instanceGone`, `jobChanged` and
    /// `jobOutput`; the queue reports the rest. Throws `.cancelled` when its task was cancelled.
    public func perform(
        _ action: EngineAction, as id: ActionID, report: @escaping @Sendable (EngineEvent) -> Void
    ) async throws(EngineError) -> ActionResult {
        let admitted = try await Allowance(self.context).admit(action)
        let result = try await self.carryOut(admitted, as: id, report: report)
        if let instance = action.instance {
            await LeaseKeeper(context: self.context).noteUse(of: instance, after: result)
            await self.takeUpOrder(on: instance, after: result, report: report)
        }
        return result
    }

    private func carryOut(
        _ action: EngineAction, as id: ActionID, report: @escaping @Sendable (EngineEvent) -> Void
    ) async throws(EngineError) -> ActionResult {
        let progress: @Sendable (ActionProgress) -> Void = { report(.progress(id, $0)) }
        switch action {
        case .create(let request):
            let create = CreateInstance(
                context: self.context, request: request, progress: progress, report: report)
            return .created(try await create.run())
        case .sync(let instance, let request):
            var sync = try await self.sync(instance, progress, takesOwnFolder: request.takesOwnFolder)
            sync.notice = { report(.notice($0)) }
            sync.identity = ProjectIdentity(root: sync.workspace.localRoot)
            return .synced(
                try await sync.upload(PathSelection(paths: request.paths), version: request.version))
        case .run(let instance, let request):
            var run = RunJob(
                context: self.context, instance: instance, request: request, progress: progress,
                report: report)
            run.askUse = self.askUse(of: instance)
            return .ran(try await run.run())
        case .download(let instance, let request):
            let sync = try await self.sync(instance, progress)
            let results = JobResults(context: self.context)
            let isWhole = request.paths.isEmpty && request.excludes.isEmpty
            let due = isWhole ? try results.due(on: instance, in: sync.workspace) : []
            let summary = try await sync.download(
                PathSelection(paths: request.paths, excludes: request.excludes),
                conflictSuffix: instance.rawValue, verifiesContents: request.verifiesContents)
            for job in try results.note(summary, of: due) { report(.jobChanged(job)) }
            return .downloaded(summary)
        case .start(let instance):
            return .started(
                try await InstanceSwitch(context: self.context, progress: progress, report: report).start(
                    instance))
        case .stop(let instance, let request):
            let change = InstanceSwitch(context: self.context, progress: progress, report: report)
            let (stopped, unsafe) = try await change.stop(instance, request)
            return .stopped(stopped, unsafe: unsafe)
        case .destroy(let instance, let request):
            let destroy = DestroyInstance(
                context: self.context, id: instance, request: request, progress: progress, report: report)
            do throws(EngineError) {
                let receipt = try await destroy.run()
                self.confirmedEndCame(of: instance, nil)
                return .destroyed(receipt)
            } catch {
                self.confirmedEndCame(of: instance, error)
                throw error
            }
        case .cancel(let job, on: let instance, let request):
            progress(ActionProgress(.cancelling))
            let cancel = CancelJob(context: self.context, id: job, instance: instance, request: request)
            let ended = try await cancel.run()
            report(.jobChanged(ended))
            return .cancelled(ended)
        case .attach(let id, on: let instance, let bringsResults):
            guard let job = try self.context.store.job(id) else {
                throw EngineError(.noSuchJob, .init("following a job", subject: id.rawValue))
            }
            let follow = FollowJob(
                context: self.context, script: JobScript(existing: job), progress: progress, report: report)
            let cancel = CancelJob(
                context: self.context, id: job.id, instance: job.instance, request: CancelRequest())
            let end: @Sendable () async -> Void = { _ = try? await cancel.run() }
            let watch = TrainingWatch(context: self.context, askUse: self.askUse(of: instance))
            let ended = try await watch.keeping(job, endingBy: end) {
                () async throws(EngineError) in
                try await Budget(context: self.context).keeping(job, report, endingBy: end) {
                    () async throws(EngineError) in try await follow.attach(job)
                }
            }
            var summary = RunSummary(job: ended)
            // Another project's results belong in its folder.
            if bringsResults, ended.record?.syncsDown == true, ended.record?.results == nil,
                ended.workspacePath == self.configuration.workspace.localRoot, ended.state != .lost
            {
                try await JobResults(context: self.context).bring(from: instance, into: &summary, progress)
            }
            return .attached(summary)
        }
    }

    private func askUse(of instance: InstanceID) -> @Sendable () async -> Void {
        { [context] in await LeaseKeeper(context: context).look(instance) }
    }

    private func sync(
        _ instance: InstanceID, _ progress: @escaping @Sendable (ActionProgress) -> Void,
        takesOwnFolder: Bool = false
    ) async throws(EngineError) -> WorkspaceSync {
        WorkspaceSync(
            self.context, instance,
            try await self.context.ownWorkspace(on: instance, mayMake: takesOwnFolder),
            try await self.context.shell(for: instance), progress)
    }
}
