import Foundation

/// Uploads, runs, streams the log and downloads, as one cancellable sequence.
///
/// The job belongs to the instance. Cancelling this stops following it and does not end the job.
struct RunJob {
    let context: EngineContext
    let instance: InstanceID
    let request: RunRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void
    /// Asks the instance how it is used, and notes that in its lease.
    var askUse: @Sendable () async -> Void = {}

    /// The workspace, with the place of its files on the instance.
    private var workspace: Workspace

    init(
        context: EngineContext, instance: InstanceID, request: RunRequest,
        progress: @escaping @Sendable (ActionProgress) -> Void,
        report: @escaping @Sendable (EngineEvent) -> Void
    ) {
        self.context = context
        self.instance = instance
        self.request = request
        self.progress = progress
        self.report = report
        self.workspace = context.configuration.workspace
    }

    func run() async throws(EngineError) -> RunSummary {
        let rented = try await self.context.instance(self.instance)
        var placed = self
        placed.workspace = try await self.context.ownWorkspace(
            on: self.instance, mayMake: self.request.takesOwnFolder)
        return try await placed.run(on: rented)
    }

    private func run(on rented: Instance) async throws(EngineError) -> RunSummary {
        var summary = RunSummary(job: nil)
        await self.openSessionsAhead(on: rented, upload: self.request.syncsUp)
        if self.request.syncsUp {
            let upload = try await self.sync().upload(version: self.request.version)
            summary.upload = upload
            if let first = upload.missing.first {
                throw EngineError(
                    .uploadFailed, .init("uploading", subject: self.instance.rawValue),
                    detail: first, suggestions: upload.missing)
            }
            if self.request.command != nil, self.request.version != .theirs, !upload.undecided.isEmpty {
                throw EngineError(
                    .conflictingFiles, .init("uploading", subject: self.instance.rawValue),
                    suggestions: upload.undecided)
            }
        }
        var besides: Set<String> = []
        if let command = self.request.command {
            // The first connection may have been made only now.
            await self.openSessionsAhead(on: rented, upload: false)
            let watch = OutsideWatch(context: self.context, instance: self.instance)
            let watching = Task { await watch.run() }
            defer { watching.cancel() }
            (summary.job, besides) = try await self.start(command, on: rented)
        }
        // There is nothing to download yet, or nobody waits for it: `attach` and `download` do it later.
        if self.request.isDetached { return summary }
        if self.request.syncsDown {
            try await JobResults(context: self.context).bring(
                from: self.instance, into: &summary, besides: besides, self.progress)
        }
        return summary
    }

    /// Opens sessions ahead: if no files have to be moved, the scan of the instance's files, the job and the
    /// scan afterwards follow each other immediately.
    private func openSessionsAhead(on rented: Instance, upload: Bool) async {
        // Without a connection this would only add another wait for an instance that does not answer.
        guard self.context.connections.isWarm(rented),
            let shell = try? await self.context.shell(for: self.instance)
        else { return }
        shell.openAhead(
            (upload ? 1 : 0) + (self.request.command == nil ? 0 : 1)
                + (self.request.syncsDown && !self.request.isDetached ? 1 : 0))
    }

    private func sync() async throws(EngineError) -> WorkspaceSync {
        let shell = try await self.context.shell(for: self.instance)
        var sync = WorkspaceSync(self.context, self.instance, self.workspace, shell, self.progress)
        sync.notice = { [report] in report(.notice($0)) }
        sync.identity = ProjectIdentity(root: self.workspace.localRoot)
        return sync
    }

    /// Returns the job once it is over, and what its mirror has brought beside the files here.
    private func start(_ command: JobCommand, on rented: Instance) async throws(EngineError)
        -> (Job, besides: Set<String>)
    {
        let predecessor = try self.predecessor()
        let limit = self.request.maximumCost ?? self.context.configuration.money.dollarsPerRun
        let record = self.record(on: rented, after: predecessor, limit)
        let (instance, workspace, context) = (self.instance, self.workspace, self.context)
        let job = try context.store.insertJob(workspaceName: workspace.slug) { id in
            Job(
                id: id, instance: instance, command: command, createdAt: Date(),
                workspacePath: workspace.localRoot, logPath: JobLogs(context).path(id), record: record)
        }
        self.report(.jobChanged(job))
        var script = JobScript(
            job: job.id, command: command, environment: self.request.environment,
            remoteRoot: workspace.remoteRoot, workingDirectory: self.request.workingDirectory,
            predecessor: predecessor, manner: self.manner,
            limitSeconds: Budget.seconds(limit, at: rented.price),
            lingerSeconds: self.request.lingerSeconds ?? context.configuration.jobs.lingerSeconds)
        script.watchesLoss = self.request.stopOn?.onNotNumber == true
        if let input = self.request.inputDescriptor {
            script.inputBytes = try await self.send(input, job)
        }
        let follow = FollowJob(
            context: self.context, script: script, progress: self.progress, report: self.report)
        // This runs beside the start and not before it: git takes a moment for a large repository.
        async let noted: Void = ProjectRevision(context: context).note(for: job.id)
        if self.request.isDetached {
            let launched = try await follow.launch(job)
            await noted
            return (try self.context.store.job(job.id) ?? launched, [])
        }
        let mirror = self.request.mirror.map { request in
            Mirror(context: context, instance: instance, job: job.id, request: request)
        }
        let mirroring = Task { await mirror?.run() ?? [] }
        defer { mirroring.cancel() }
        let cancel = CancelJob(
            context: context, id: job.id, instance: job.instance, request: CancelRequest())
        let end: @Sendable () async -> Void = { _ = try? await cancel.run() }
        let watch = TrainingWatch(context: context, askUse: self.askUse)
        let ended = try await watch.keeping(job, endingBy: end) {
            () async throws(EngineError) in
            try await Budget(context: context).keeping(job, self.report, endingBy: end) {
                () async throws(EngineError) in try await follow.start(job)
            }
        }
        mirroring.cancel()
        await noted
        return (try self.context.store.job(job.id) ?? ended, await mirroring.value)
    }

    /// Sends the input. A job whose input did not arrive is not started.
    private func send(_ input: Int32, _ job: Job) async throws(EngineError) -> Int64 {
        self.progress(ActionProgress(.uploading, detail: "the standard input"))
        do throws(EngineError) {
            let shell = try await self.context.shell(for: self.instance)
            return try await JobInput(job: job.id, shell: shell).send(from: input)
        } catch {
            let cause = error.detail ?? error.code.rawValue
            let noted = try JobBook(context: self.context).note(.notStarted(cause), of: job.id)
            if let noted { self.report(.jobChanged(noted.job)) }
            throw error
        }
    }

    /// Returns the job to wait for: the named one, or the newest on the instance that is not over.
    private func predecessor() throws(EngineError) -> JobID? {
        switch self.request.turn {
        case .now: return nil
        case .after(let id):
            guard let job = try self.context.store.job(id), job.instance == self.instance else {
                throw EngineError(
                    .noSuchJob, .init("queueing the command", subject: id.rawValue),
                    detail: "no such job on instance \(self.instance)")
            }
            return id
        case .last:
            return try self.context.store.openJobs(on: self.instance)
                .first { !$0.state.isOver }?.id
        }
    }

    private var manner: JobScript.Manner {
        if let size = self.request.terminal {
            return .terminal(columns: size.columns, rows: size.rows, hasKeyboard: size.hasKeyboard)
        }
        return self.request.splitsErrors ? .split : .plain
    }

    private func record(on rented: Instance, after predecessor: JobID?, _ limit: Double?) -> JobRecord {
        var record = JobRecord()
        record.maximumCost = limit
        record.stopOn = self.request.stopOn
        record.workingDirectory = self.request.workingDirectory
        record.environmentNames = self.request.environment.keys.sorted()
        record.syncsUp = self.request.syncsUp
        record.syncsDown = self.request.syncsDown
        record.splitsErrors = self.request.splitsErrors
        record.hasTerminal = self.request.terminal != nil
        record.hasKeyboard = self.request.terminal?.hasKeyboard
        record.predecessor = predecessor
        record.hardware = JobRecord.Hardware(rented)
        return record
    }
}
