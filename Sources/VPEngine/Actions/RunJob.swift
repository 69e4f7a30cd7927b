import Foundation

/// Sync up, run, stream the log, sync down: one cancellable sequence.
///
/// The job belongs to the instance. Cancelling this ends the following of it, not the job.
struct RunJob {
    let engine: Engine
    let instance: InstanceID
    let request: RunRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    private var workspace: Workspace { self.engine.configuration.workspace }

    func run() async throws(EngineError) -> RunSummary {
        let rented = try await self.engine.instance(self.instance)
        var summary = RunSummary(job: nil)
        if self.request.syncsUp {
            summary.upload = try await self.sync().upload()
            if let upload = summary.upload, !upload.missing.isEmpty {
                throw EngineError(
                    .uploadFailed, .init("uploading", subject: self.instance.rawValue),
                    detail: upload.missing[0], suggestions: upload.missing)
            }
        }
        if let command = self.request.command {
            summary.job = try await self.follow(command, on: rented)
        }
        if self.request.syncsDown {
            let suffix = summary.job?.id.rawValue ?? self.instance.rawValue
            do throws(EngineError) {
                summary.download = try await self.sync().download(conflictSuffix: suffix)
            } catch {
                // The job's own end is known and must be told, whatever became of its results.
                guard summary.job != nil, error.code != .cancelled else { throw error }
                summary.downloadError = error
            }
        }
        return summary
    }

    private func sync() async throws(EngineError) -> WorkspaceSync {
        let shell = try await self.engine.shell(for: self.instance)
        return self.engine.sync(self.instance, workspace: self.workspace, shell: shell, self.progress)
    }

    // MARK: The job

    private func follow(_ command: JobCommand, on rented: Instance) async throws(EngineError) -> Job {
        let instance = self.instance
        let workspace = self.workspace
        let engine = self.engine
        var job = try self.engine.history.insertJob(workspaceName: workspace.name) { id in
            Job(
                id: id, instance: instance, command: command, createdAt: Date(),
                workspacePath: workspace.localRoot, logPath: engine.logPath(id))
        }
        try PrivateFolder.make((job.logPath as NSString).deletingLastPathComponent)
        self.report(.jobChanged(job))
        let script = JobScript(
            job: job.id, command: command, environment: self.request.environment,
            remoteRoot: workspace.remoteRoot, workingDirectory: self.request.workingDirectory)
        let id = job.id
        let report = self.report
        let start = JobStart()
        let tail = try LogTail(
            script: script, path: job.logPath,
            onBytes: { offset, bytes in report(.jobOutput(id, offset: offset, bytes: bytes)) },
            onReport: { if $0 == .following { start.confirm() } })
        self.progress(ActionProgress(.running, detail: command.shellText))
        job.state = .running
        job.startedAt = Date()
        try self.record(job)
        do throws(EngineError) {
            let ending = try await self.followUntilOver(tail, start)
            job = self.ended(job, ending, rented)
        } catch {
            if error.code == .cancelled {
                throw error
            }
            job.state = start.isConfirmed ? .lost : .failed
            job.cause = error.detail ?? error.code.rawValue
            job.endedAt = Date()
            try self.record(job)
            throw error
        }
        try self.record(job)
        return job
    }

    private func record(_ job: Job) throws(EngineError) {
        try self.engine.history.update(job)
        self.report(.jobChanged(job))
    }

    /// Follows the log and comes back after every cut, until the job is over or its instance is.
    private func followUntilOver(_ tail: LogTail, _ start: JobStart) async throws(EngineError)
        -> LogTail.Ending
    {
        var failures = 0
        while true {
            do throws(EngineError) {
                let shell = try await self.engine.shell(for: self.instance)
                // Until the instance has said that it follows the job, nobody knows whether it started. Asking
                // again starts it only if it did not; afterwards it must not be asked again, because a
                // container that was made anew would run it a second time.
                return try await tail.follow(through: shell, starts: !start.isConfirmed)
            } catch {
                guard error.code == .unreachable || error.code == .sshRefused,
                    failures < 5 || start.isConfirmed
                else { throw error }
                failures += 1
                self.progress(ActionProgress(.reconnecting, detail: error.detail))
                self.engine.connections.reset(self.instance)
                try await self.engine.pause(Self.backOff(failures), "reconnecting")
                try await self.lookAgain()
                self.progress(ActionProgress(.running))
            }
        }
    }

    /// Reads the instance's address anew. Throws `.instanceLost` when the platform says that it is over.
    private func lookAgain() async throws(EngineError) {
        let activity = EngineError.Activity(
            "following the job", platform: self.instance.platform, subject: self.instance.rawValue)
        do throws(EngineError) {
            let instance = try await self.engine.freshInstance(self.instance)
            if instance.status == .stopped || instance.status == .failed {
                throw EngineError(
                    .instanceLost, activity,
                    detail: "the instance is \(instance.status.rawValue)"
                        + (instance.statusMessage.map { ": \($0)" } ?? ""))
            }
        } catch {
            switch error.code {
            case .instanceGone:
                throw EngineError(.instanceLost, activity, detail: "the platform no longer has this instance")
            case .instanceLost, .cancelled, .unauthorized: throw error
            // The way to the platform may be cut together with the way to the instance.
            default: return
            }
        }
    }

    private static func backOff(_ failures: Int) -> Double { min(30, pow(2, Double(failures - 1))) }

    private func ended(_ job: Job, _ ending: LogTail.Ending, _ rented: Instance) -> Job {
        var job = job
        switch ending {
        case .ended(let outcome, let seconds, let wasCancelled):
            job.end(outcome, after: seconds, wasCancelled: wasCancelled)
        case .lost:
            job.state = .unknown
            job.cause = "the job's supervisor on the instance is gone and left no status"
            job.endedAt = Date()
        case .absent:
            job.state = .lost
            job.cause = "the instance has no record of the job: its container was made anew"
            job.endedAt = Date()
        }
        if let start = job.startedAt, let end = job.endedAt {
            job.dollars = rented.price.cost(of: end.timeIntervalSince(start))
        }
        return job
    }
}

extension Job {
    /// Notes how the command ended, `seconds` after its start.
    ///
    /// The length is measured on the instance; our clock only says when the job began.
    mutating func end(_ outcome: Outcome, after seconds: Double, wasCancelled: Bool) {
        self.outcome = outcome
        self.state = wasCancelled ? .cancelled : outcome == .exited(0) ? .succeeded : .failed
        self.endedAt = (self.startedAt ?? self.createdAt).addingTimeInterval(seconds)
        if wasCancelled {
            self.cause = "cancelled"
        } else if case .signalled(let signal) = outcome {
            self.cause = "killed by signal \(signal)"
        }
    }
}
