import Foundation
import Synchronization

/// Everything `vp` and `vp-tui` can ask for: the facade over platforms, remote work and history.
///
/// Questions (`instances`, `offers`, …) may be asked from anywhere at any time. Actions go through
/// `ActionQueue`, which keeps those of one instance in order.
public final class Engine: Sendable {
    public let configuration: EngineConfiguration
    package let clients: [Platform: any PlatformClient]
    package let runner: any ProcessRunner
    package let history: JobHistory
    package let connections: InstanceConnections
    package let manifests: ManifestStore
    package let cache: PlatformCache
    /// What time it is; a test of a whole day's costs has a clock of its own.
    package let now: @Sendable () -> Date
    /// Platforms whose last list could not be believed, and why.
    let untrusted = Mutex<[Platform: String]>([:])
    let isRenewing = Mutex(false)
    let isTakingUpEnds = Mutex(false)
    /// Puts what was written below a folder on the disk; see `Durability`.
    let flush: @Sendable (String) throws(EngineError) -> Void

    /// Opens the history and writes nothing else. Contacts nobody.
    ///
    /// - Parameter onCall: told of every request to a platform, from any thread.
    public convenience init(
        configuration: EngineConfiguration, onCall: @escaping @Sendable (APICallRecord) -> Void = { _ in }
    ) throws(EngineError) {
        try self.init(
            configuration: configuration,
            clients: configuration.endpoints.map { endpoint in
                PlatformClients.client(
                    for: endpoint, timeScale: configuration.timeScale,
                    searches: configuration.paths.stateFolder, report: onCall)
            }, runner: SystemProcessRunner())
    }

    package init(
        configuration: EngineConfiguration, clients: [any PlatformClient], runner: any ProcessRunner,
        now: @escaping @Sendable () -> Date = { Date() },
        flush: @escaping @Sendable (String) throws(EngineError) -> Void = Durability.flush
    ) throws(EngineError) {
        self.configuration = configuration
        self.flush = flush
        self.now = now
        self.clients = Dictionary(clients.map { ($0.platform, $0) }) { first, _ in first }
        self.runner = runner
        self.history = try JobHistory(stateFolder: configuration.paths.stateFolder)
        self.connections = InstanceConnections(configuration: configuration, runner: runner)
        self.manifests = ManifestStore(stateFolder: configuration.paths.stateFolder)
        self.cache = PlatformCache(folder: configuration.paths.cacheFolder)
    }

    // MARK: Questions

    /// The instances last seen by `vp` or `vp-tui`, from disk; nil when there is no usable cache.
    public func cachedInstances() -> PlatformAnswers<Instance>? {
        let answers = self.cache.load(.instances, of: Instance.self)
        if let answers { self.connections.note(answers.values) }
        return answers
    }

    /// nil also where they take more than `bytes` on disk.
    public func cachedOffers(upTo bytes: Int = .max) -> PlatformAnswers<Offer>? {
        self.cache.load(.offers, of: Offer.self, upTo: bytes)
    }

    public func cachedBalances() -> PlatformAnswers<Balance>? { self.cache.load(.balances, of: Balance.self) }

    /// Asks every platform that has a key, side by side, and remembers the answer for the next first paint.
    public func instances(platform: Platform? = nil) async -> PlatformAnswers<Instance> {
        let refusals = Mutex<[PlatformAnswers<Instance>.Failure]>([])
        var answers = await self.ask(platform, "listing instances") { client async throws(EngineError) in
            let listing = try await client.listing()
            let known = try await Reconciler(engine: self, client: client).settle(listing)
            if let refusal = listing.refusal {
                refusals.withLock { $0.append(.init(platform: client.platform, error: refusal)) }
            }
            return known
        }
        answers.failures += refusals.withLock(\.self)
        answers.values.sort {
            ($0.createdAt ?? .distantPast, $0.id.rawValue) > ($1.createdAt ?? .distantPast, $1.id.rawValue)
        }
        self.connections.note(answers.values)
        self.untrusted.withLock { untrusted in
            for platform in self.askedPlatforms(platform) { untrusted[platform] = nil }
            for failure in answers.failures {
                untrusted[failure.platform] = failure.error.detail ?? failure.error.code.rawValue
            }
        }
        if platform == nil {
            self.cache.save(answers, as: .instances) { $0.id.platform }
            await self.noteMoney()
        }
        return answers
    }

    /// Offers of all platforms, sorted by the query's order; of each platform at most the query's limit. Throws
    /// `.unknownGPU` where no platform knows the name, and `.missingKey` where no platform has a key.
    public func offers(
        _ query: OfferQuery, platform: Platform? = nil, for purpose: SearchPurpose = .asked
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        // A platform sorts by the hour; what is cheapest for the job may stand further down.
        var wider = query
        if query.order == .cost { wider.limit = max(query.limit, 64) }
        var answers = await self.ask(platform, "listing offers") { [wider] client async throws(EngineError) in
            try await client.offers(wider, for: purpose)
        }
        if let unknown = answers.failures.first(where: { $0.error.code == .unknownGPU }),
            answers.failures.count == self.askedPlatforms(platform).count,
            answers.failures.allSatisfy({ $0.error.code == .unknownGPU })
        {
            throw unknown.error
        }
        if let missing = answers.failures.first(where: { $0.error.code == .missingKey }),
            answers.values.isEmpty,
            answers.failures.allSatisfy({ $0.error.code == .missingKey })
        {
            throw missing.error
        }
        // That one platform has no such GPU, or no such kind of offer, is no failure while another answers.
        if answers.failures.count < self.askedPlatforms(platform).count {
            answers.failures.removeAll { $0.error.code == .unknownGPU || $0.error.code == .unsupported }
        }
        answers.values.sort(by: query.precedes)
        // What lacks a platform is no answer for who asks next: the failure is to be said again.
        let answered = answers.failures.isEmpty ? query : nil
        self.cache.save(answers, as: .offers, answering: answered, of: platform) { $0.id.platform }
        return answers
    }

    /// What a job of this project will use: its files there, and as much back, for `hours`.
    ///
    /// Nothing is known of results before there are any; a folder that may not be sent counts nothing.
    public func jobEstimate(hours: Double = 1) async -> JobEstimate {
        let scan = LocalScan(
            workspace: self.configuration.workspace, environment: self.configuration.environment)
        let bytes = ((try? scan.scan()) ?? .init()).entries.saturatedSum(of: \.entry.size)
        return JobEstimate(hours: hours, sentBytes: bytes, receivedBytes: bytes)
    }

    /// What `request` would rent now, and what it would try next. Rents nothing.
    public func rentalPlan(_ request: CreateRequest) async throws(EngineError) -> RentalPlan {
        try self.configuration.limits.requireUsable()
        let finder = RentalCandidates(
            engine: self, request: self.configuration.limits.tightened(request, self.configuration.defaults),
            purpose: .asked)
        let found = try await finder.find()
        let image = finder.image(for: found.offers[0])
        return RentalPlan(
            offers: found.offers, failures: found.failures, image: image, unfitGPUs: found.unfitGPUs,
            imageCUDA: ImageCUDA.version(of: image), job: request.query.job)
    }

    /// Ones that do not tell are left out.
    public func balances() async -> PlatformAnswers<Balance> {
        var answers = await self.ask(nil, "reading the balance") { client async throws(EngineError) in
            [try await client.balance()]
        }
        // A platform that does not tell its balance any more is no reason to worry, each time anew.
        answers.failures.removeAll { $0.error.code == .endpointRetired || $0.error.code == .unsupported }
        self.cache.save(answers, as: .balances) { $0.platform }
        return answers
    }

    /// Asks for the balances where what is known of them is no longer fresh. The burn line and its alarm count on
    /// them, also for who never opens the dashboard.
    public func refreshBalances() async {
        let age = self.cachedBalances().map { self.now().timeIntervalSince($0.fetchedAt) } ?? .infinity
        // Negative after the clock was set back.
        guard !(0..<300).contains(age) else { return }
        _ = await self.balances()
        await self.noteMoney()
    }

    /// The instance with `name` (a platform id or an instance's name), or, without one, the single running
    /// instance that was rented for this project. Throws `.noInstance` or `.ambiguousInstance` with the candidates in `suggestions`.
    public func instance(named name: String?, platform: Platform? = nil) async throws(EngineError) -> Instance
    {
        // An open connection proves that the instance runs, and spares the platform a question.
        if let cached = self.cachedInstances(), Date().timeIntervalSince(cached.fetchedAt) < 30,
            let match = try? self.pick(name, platform, from: cached), self.connections.isWarm(match),
            name != nil || self.holdsAllRentals(cached.values)
        {
            return match
        }
        return try self.pick(name, platform, from: await self.instances(platform: platform))
    }

    /// False where something was rented since the list was made: it may be what is meant as well.
    private func holdsAllRentals(_ instances: [Instance]) -> Bool {
        let listed = Set(instances.map(\.id))
        let rentals = try? self.history.openLedgerEntries()
        return rentals?.allSatisfy { $0.instance.map(listed.contains) ?? true } == true
    }

    /// Without a name only one that was rented for this project, from here, and runs: what stopped would cost
    /// money anew, what is somebody else's would be filled with our files.
    private func pick(
        _ name: String?, _ platform: Platform?, from answers: PlatformAnswers<Instance>
    ) throws(EngineError) -> Instance {
        let activity = EngineError.Activity("choosing an instance", platform: platform, subject: name)
        let candidates = answers.values.filter { platform == nil || $0.id.platform == platform }
        let rentals = name == nil ? try self.history.openLedgerEntries() : []
        let root = self.configuration.workspace.localRoot
        let workspaces = Dictionary(
            rentals.compactMap { entry in entry.instance.map { ($0, entry.workspaceRoot) } }
        ) { $1 }
        let matches = candidates.filter { instance in
            if let name { return instance.id.rawValue == name || instance.name == name }
            return instance.status == .running && workspaces[instance.id] == root
        }
        let labels = { (instances: [Instance]) in
            instances.map { instance in
                var words = [instance.id.rawValue, instance.name, instance.gpuName, instance.status.rawValue]
                if name == nil {
                    let other = workspaces[instance.id]
                    if other == nil { words.append("not rented from here") }
                    if let other, other != root { words.append("rented for \(other)") }
                }
                return words.compactMap(\.self).joined(separator: "  ")
            }
        }
        if matches.count == 1, name != nil || answers.failures.isEmpty { return matches[0] }
        // A list that is not whole proves neither that there is none nor that there is but one.
        if let failure = answers.failures.first { throw failure.error }
        if matches.isEmpty { throw EngineError(.noInstance, activity, suggestions: labels(candidates)) }
        throw EngineError(.ambiguousInstance, activity, suggestions: labels(matches))
    }

    /// Newest first.
    public func jobs(limit: Int = 100) throws(EngineError) -> [Job] { try self.history.jobs(limit: limit) }

    /// By id, unique prefix, or `-1` for the newest.
    public func job(named name: String) throws(EngineError) -> Job {
        let activity = EngineError.Activity("looking for a job", subject: name)
        if name == "-1" {
            guard let newest = try self.history.jobs(limit: 1).first else {
                throw EngineError(.noSuchJob, activity)
            }
            return newest
        }
        if let job = try self.history.job(JobID(name)) { return job }
        let matches = try self.history.jobs(limit: 1000).filter { $0.id.rawValue.hasPrefix(name) }
        guard matches.count == 1 else {
            throw EngineError(.noSuchJob, activity, suggestions: matches.prefix(5).map(\.id.rawValue))
        }
        return matches[0]
    }

    /// At most `limit` bytes of the local copy of a job's log, from `offset`; empty at its end.
    public func readLog(_ job: JobID, _ stream: JobStream = .log, from offset: Int64, limit: Int)
        throws(EngineError) -> [UInt8]
    {
        let path = self.logPath(job, stream)
        guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? handle.close() }
        do {
            try handle.seek(toOffset: UInt64(max(0, offset)))
            return [UInt8](try handle.read(upToCount: limit) ?? Data())
        } catch {
            throw PrivateFolder.failure(.init("reading the local copy of the log", subject: path))
        }
    }

    /// Size of the local copy of a job's log, in bytes; 0 where there is none yet.
    public func logSize(_ job: JobID, _ stream: JobStream = .log) throws(EngineError) -> Int64 {
        var information = stat()
        return stat(self.logPath(job, stream), &information) == 0 ? Int64(information.st_size) : 0
    }

    /// The offset in the local copy of the first byte that arrived at `date` or later.
    public func logOffset(_ job: JobID, _ stream: JobStream = .log, since date: Date) -> Int64 {
        LogSpool.offset(in: self.logPath(job, stream), at: date)
    }

    /// Whether somebody on this machine follows a job that is not over; nil for one that is.
    public func connection(of job: Job) -> JobRecord.Connection? {
        guard !job.state.isOver else { return nil }
        return LogSpool.isHeld(job.logPath) ? job.record?.connection ?? .following : .disconnected
    }

    /// Asks the instances of jobs that nobody follows how these stand, and brings the logs of those that ended.
    /// What cannot be reached stays as it was.
    public func lookAtJobs(
        report: @escaping @Sendable (EngineEvent) -> Void = { _ in }
    ) async throws(EngineError) {
        try await LookAtJobs(engine: self, report: report).run()
    }

    /// Brings what the instance holds of a job's log now, and returns the job as it stands. One whose log is
    /// whole, and one that is followed already, needs nothing.
    public func catchUp(_ id: JobID) async throws(EngineError) -> Job {
        guard let job = try self.history.job(id) else {
            throw EngineError(.noSuchJob, .init("looking for a job", subject: id.rawValue))
        }
        let isWhole = job.record?.logIsVerified == true || (job.record == nil && job.state.isOver)
        if isWhole || job.state == .lost { return job }
        let follow = FollowJob(
            engine: self, script: JobScript(existing: job), progress: { _ in }, report: { _ in })
        return try await follow.catchUp(job) ?? job
    }

    /// Brings down what is new on `id`, and notes it in the job of `summary`.
    ///
    /// What prevents that stands in the summary then: the job's own end is known and must be told. Throws where
    /// there is no job, and `.cancelled`.
    func bringResults(
        from id: InstanceID, into summary: inout RunSummary,
        _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) {
        do throws(EngineError) {
            let sync = try await self.sync(
                id, workspace: self.configuration.workspace, shell: self.shell(for: id), progress)
            let download = try await sync.download(conflictSuffix: summary.job?.id.rawValue ?? id.rawValue)
            summary.download = download
            guard let job = summary.job else { return }
            let results = JobRecord.Results(download, at: Date())
            summary.job = try self.history.change(job.id) { $0.record?.results = results } ?? job
        } catch {
            guard summary.job != nil, error.code != .cancelled else { throw error }
            summary.downloadError = error
        }
    }

    /// The argument vector of an interactive ssh session on `id`, for a front end that owns a terminal.
    public func shellCommand(for id: InstanceID) async throws(EngineError) -> [String] {
        let shell = try await self.shell(for: id)
        try shell.target.prepare()
        return shell.target.shellCommand
    }

    /// Ends the ssh connections that this engine opened.
    public func shutDown() async { await self.connections.closeAll() }

    // MARK: Actions

    /// Does what `action` asks. Reports `progress`, `instanceChanged`, `instanceGone`, `jobChanged` and
    /// `jobOutput`; the queue reports the rest. Throws `.cancelled` when its task was cancelled.
    public func perform(
        _ action: EngineAction, as id: ActionID, report: @escaping @Sendable (EngineEvent) -> Void
    ) async throws(EngineError) -> ActionResult {
        let admitted = try await Allowance(engine: self).admit(action)
        let result = try await self.carryOut(admitted, as: id, report: report)
        if let instance = action.instance {
            await self.noteUse(of: instance, after: result)
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
            let create = CreateInstance(engine: self, request: request, progress: progress, report: report)
            return .created(try await create.run())
        case .sync(let instance):
            let sync = try await self.sync(
                instance, workspace: self.configuration.workspace, shell: self.shell(for: instance), progress)
            return .synced(try await sync.upload())
        case .run(let instance, let request):
            let run = RunJob(
                engine: self, instance: instance, request: request, progress: progress, report: report)
            return .ran(try await run.run())
        case .download(let instance, let request):
            let sync = try await self.sync(
                instance, workspace: self.configuration.workspace, shell: self.shell(for: instance), progress)
            return .downloaded(
                try await sync.download(
                    conflictSuffix: instance.rawValue, verifiesContents: request.verifiesContents))
        case .start(let instance):
            return .started(
                try await InstanceSwitch(engine: self, progress: progress, report: report).start(instance))
        case .stop(let instance, let request):
            let change = InstanceSwitch(engine: self, progress: progress, report: report)
            let (stopped, unsafe) = try await change.stop(instance, request)
            return .stopped(stopped, unsafe: unsafe)
        case .destroy(let instance, let request):
            let destroy = DestroyInstance(
                engine: self, id: instance, request: request, progress: progress, report: report)
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
            let cancel = CancelJob(engine: self, id: job, instance: instance, request: request)
            let ended = try await cancel.run()
            report(.jobChanged(ended))
            return .cancelled(ended)
        case .attach(let id, on: let instance, let bringsResults):
            guard let job = try self.history.job(id) else {
                throw EngineError(.noSuchJob, .init("following a job", subject: id.rawValue))
            }
            let follow = FollowJob(
                engine: self, script: JobScript(existing: job), progress: progress, report: report)
            let ended = try await Budget(engine: self).keeping(job, report) { () async throws(EngineError) in
                try await follow.attach(job)
            }
            var summary = RunSummary(job: ended)
            // Another project's results belong in its folder.
            if bringsResults, ended.record?.syncsDown == true, ended.record?.results == nil,
                ended.workspacePath == self.configuration.workspace.localRoot, ended.state != .lost
            {
                try await self.bringResults(from: instance, into: &summary, progress)
            }
            return .attached(summary)
        }
    }

    // MARK: Parts that actions share

    package func client(_ platform: Platform, _ words: String) throws(EngineError) -> any PlatformClient {
        guard let client = self.clients[platform] else {
            throw EngineError(.missingKey, .init(words, platform: platform))
        }
        return client
    }

    /// The instance as it was last seen, or as the platform shows it now.
    package func instance(_ id: InstanceID) async throws(EngineError) -> Instance {
        if let known = self.connections.known(id), known.status == .running, !known.addresses.isEmpty {
            return known
        }
        return try await self.freshInstance(id)
    }

    package func freshInstance(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.client(id.platform, "looking at instance \(id)")
        guard let instance = try await client.instance(id) else {
            throw EngineError(
                .instanceGone, .init("looking at instance \(id)", platform: id.platform, subject: id.rawValue)
            )
        }
        self.connections.note([instance])
        let project = try self.history.ledgerEntry(for: id)?.projectName
        try self.history.meter([instance], projects: project.map { [id: $0] } ?? [:], at: self.now())
        return instance
    }

    package func shell(for id: InstanceID) async throws(EngineError) -> RemoteShell {
        let instance = try await self.instance(id)
        // An instance that is stopped keeps its last address, and waiting for it to answer tells nothing.
        guard instance.status == .running else {
            throw EngineError(
                .instanceNotRunning,
                .init("connecting to instance \(id)", platform: id.platform, subject: id.rawValue),
                detail: [instance.status.rawValue, instance.statusMessage].compactMap(\.self).joined(
                    separator: ": "))
        }
        return try await self.connections.shell(for: instance)
    }

    /// The workspace that was synced with `id`: the one it was rented for, else this project's.
    package func workspace(of id: InstanceID) throws(EngineError) -> Workspace {
        guard let entry = try self.history.ledgerEntry(for: id),
            entry.workspaceRoot != self.configuration.workspace.localRoot
        else { return self.configuration.workspace }
        return Workspace(
            name: (entry.workspaceRoot as NSString).lastPathComponent, localRoot: entry.workspaceRoot,
            remoteRoot: entry.remoteRoot)
    }

    package func sync(
        _ id: InstanceID, workspace: Workspace, shell: RemoteShell,
        _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) -> WorkspaceSync {
        WorkspaceSync(
            instance: id, workspace: workspace, shell: shell,
            localScan: LocalScan(
                workspace: workspace, environment: self.configuration.environment),
            manifests: self.manifests, settings: self.configuration.sync, report: progress)
    }

    package func logPath(_ job: JobID, _ stream: JobStream = .log) -> String {
        let suffix = stream == .log ? "log" : "errors.log"
        return "\(self.configuration.paths.stateFolder)/logs/\(job.pathComponent).\(suffix)"
    }

    /// The last that a job printed, of which `JobCause` may know what it means.
    package func logTail(_ job: JobID) throws(EngineError) -> [UInt8] {
        var tail: [UInt8] = []
        for stream in JobStream.allCases {
            let start = try self.logSize(job, stream) - Int64(JobCause.tailBytes / 2)
            tail += try self.readLog(job, stream, from: start, limit: JobCause.tailBytes / 2)
        }
        return tail
    }

    /// Notes that the jobs on `instance` that are not over ended with it, and returns them.
    package func loseJobs(on instance: InstanceID, _ cause: String, at date: Date) throws(EngineError)
        -> [Job]
    {
        var lost: [Job] = []
        for job in try self.history.jobs(limit: 1000)
        where job.instance == instance && (!job.state.isOver || job.endedAt == nil) {
            let changed = try self.history.change(job.id) { job in
                if !job.state.isOver || job.endedAt == nil { job.lose(.lost, cause, at: date) }
            }
            if let changed { lost.append(changed) }
        }
        return lost
    }

    /// A pause between questions to a platform.
    package func pause(_ seconds: Double, _ words: String) async throws(EngineError) {
        do {
            try await Task.sleep(for: .seconds(seconds * self.configuration.timeScale))
        } catch {
            throw EngineError(.cancelled, .init(words))
        }
    }

    private func askedPlatforms(_ platform: Platform?) -> [Platform] {
        platform.map { [$0] } ?? Platform.allCases.filter { self.clients[$0] != nil }
    }

    /// Asks `platform`, or every platform with a key, side by side.
    func ask<Value: Sendable>(
        _ platform: Platform?, _ words: String,
        _ question: @escaping @Sendable (any PlatformClient) async throws(EngineError) -> [Value]
    ) async -> PlatformAnswers<Value> {
        let asked = self.askedPlatforms(platform)
        var answers = PlatformAnswers<Value>(values: [], failures: [], fetchedAt: self.now())
        if asked.isEmpty {
            answers.failures = [.init(platform: .vast, error: EngineError(.missingKey, .init(words)))]
            return answers
        }
        let results = await withTaskGroup(of: (Platform, Result<[Value], EngineError>).self) { group in
            for platform in asked {
                group.addTask {
                    do throws(EngineError) {
                        return (platform, .success(try await question(try self.client(platform, words))))
                    } catch {
                        return (platform, .failure(error))
                    }
                }
            }
            var results: [Platform: Result<[Value], EngineError>] = [:]
            for await (platform, result) in group { results[platform] = result }
            return results
        }
        for platform in asked {
            switch results[platform] {
            case .success(let values): answers.values += values
            case .failure(let error): answers.failures.append(.init(platform: platform, error: error))
            case nil: break
            }
        }
        return answers
    }
}
