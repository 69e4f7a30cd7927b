import Foundation

/// Follows one job into its local log until it is over, across lost connections.
///
/// Cancelling this ends the following of the job, not the job.
struct FollowJob {
    let engine: Engine
    let script: JobScript
    /// What the instance costs, for the job's share of it; nil where that is not known.
    let price: HourlyPrice?
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    /// Starts `job` and follows it to its end.
    func start(_ job: Job) async throws(EngineError) -> Job {
        var job = job
        job.state = .running
        job.startedAt = Date()
        try self.record(job)
        let confirmation = JobStart()
        guard let tail = try self.openTail(job, confirmation) else {
            throw EngineError(
                .fileSystem, .init("opening the local copy of the log", subject: job.logPath),
                detail: "another program holds it")
        }
        return try await self.follow(job, tail, confirmation)
    }

    /// Follows `job`, which was started before.
    ///
    /// Where another program follows it already, its local log is read as it grows; if that program ends
    /// before the job does, this takes over.
    func attach(_ job: Job) async throws(EngineError) -> Job {
        let confirmation = JobStart()
        confirmation.confirm()
        var offset = try self.engine.logSize(job.id)
        while true {
            let current = try self.engine.history.job(job.id) ?? job
            // Read before the state is looked at again: what was written until the end is then in.
            let bytes = try self.engine.readLog(job.id, from: offset, limit: 1 << 20)
            if !bytes.isEmpty {
                self.report(.jobOutput(job.id, offset: offset, bytes: bytes))
                offset += Int64(bytes.count)
                continue
            }
            if current.state.isOver {
                self.report(.jobChanged(current))
                return current
            }
            if let tail = try self.openTail(current, confirmation) {
                return try await self.follow(current, tail, confirmation)
            }
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw EngineError(.cancelled, .init("following job \(job.id)"))
            }
        }
    }

    private func openTail(_ job: Job, _ confirmation: JobStart) throws(EngineError) -> LogTail? {
        try PrivateFolder.make((job.logPath as NSString).deletingLastPathComponent)
        let id = job.id
        let report = self.report
        return try LogTail(
            script: self.script, path: job.logPath,
            onBytes: { offset, bytes in report(.jobOutput(id, offset: offset, bytes: bytes)) },
            onReport: { if $0 == .following { confirmation.confirm() } })
    }

    private func follow(_ job: Job, _ tail: LogTail, _ confirmation: JobStart) async throws(EngineError)
        -> Job
    {
        var job = job
        self.progress(ActionProgress(.running, detail: job.command.shellText))
        do throws(EngineError) {
            job = self.ended(job, try await self.followUntilOver(job.instance, tail, confirmation))
        } catch {
            if error.code == .cancelled { throw error }
            job.state = confirmation.isConfirmed ? .lost : .failed
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
    private func followUntilOver(
        _ instance: InstanceID, _ tail: LogTail, _ confirmation: JobStart
    ) async throws(EngineError) -> LogTail.Ending {
        var failures = 0
        while true {
            do throws(EngineError) {
                let shell = try await self.engine.shell(for: instance)
                // Until the instance has said that it follows the job, nobody knows whether it started. Asking
                // again starts it only if it did not; afterwards it must not be asked again, because a
                // container that was made anew would run it a second time.
                return try await tail.follow(through: shell, starts: !confirmation.isConfirmed)
            } catch {
                guard error.code == .unreachable || error.code == .sshRefused,
                    failures < 5 || confirmation.isConfirmed
                else { throw error }
                failures += 1
                self.progress(ActionProgress(.reconnecting, detail: error.detail))
                self.engine.connections.reset(instance)
                try await self.engine.pause(min(30, pow(2, Double(failures - 1))), "reconnecting")
                try await self.lookAgain(instance)
                self.progress(ActionProgress(.running, detail: self.script.command.shellText))
            }
        }
    }

    /// Reads the instance's address anew. Throws `.instanceLost` when the platform says that it is over.
    private func lookAgain(_ id: InstanceID) async throws(EngineError) {
        let activity = EngineError.Activity(
            "following the job", platform: id.platform, subject: id.rawValue)
        do throws(EngineError) {
            let instance = try await self.engine.freshInstance(id)
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

    private func ended(_ job: Job, _ ending: LogTail.Ending) -> Job {
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
        if let start = job.startedAt, let end = job.endedAt, let price = self.price {
            job.dollars = price.cost(of: end.timeIntervalSince(start))
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
