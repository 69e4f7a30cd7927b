import Foundation

/// Starts one job, and follows it into its local log until it is over, across lost connections.
///
/// Cancelling this ends the following of the job, not the job.
struct FollowJob: Sendable {
    let context: EngineContext
    let script: JobScript
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    /// Starts `job` and follows it to its end.
    func start(_ job: Job) async throws(EngineError) -> Job {
        guard let spool = try LogSpool(path: job.logPath) else {
            throw EngineError(
                .fileSystem, .init("opening the local copy of the log", subject: job.logPath),
                detail: "another program holds it")
        }
        return try await self.follow(job, spool, JobStart())
    }

    /// Starts `job` and returns once the instance has confirmed that it exists there.
    func launch(_ job: Job) async throws(EngineError) -> Job {
        // The spool is held so that no program takes a job for lost that is just being started.
        let spool = try LogSpool(path: job.logPath)
        defer { withExtendedLifetime(spool) {} }
        let start = JobStart()
        self.progress(ActionProgress(.running, detail: job.command.shellText))
        do throws(EngineError) {
            let reports = try await self.retrying(job.instance, start) { shell throws(EngineError) in
                let result = try await shell.run(self.script.startAndReturn)
                let reports = JobReport.all(in: result.errorOutput)
                switch reports.last {
                case .some(.failed(let reason)): throw self.refusal(reason, result.errorOutput)
                case .some: return reports
                case nil: throw shell.connectionError(result.errorOutput)
                }
            }
            switch reports[reports.count - 1] {
            case .ended(var end):
                end.background = JobReport.background(in: reports)
                return try self.conclude(job, .ended(end, isVerified: false))
            case .lost: return try self.conclude(job, .lost)
            case .absent: return try self.conclude(job, .absent)
            case let report: return self.note(report, job.id) ?? job
            }
        } catch {
            throw try self.explain(error, job, start)
        }
    }

    /// Follows `job`, which was started before.
    ///
    /// If another program follows it already, reads its local log as it grows; if that program ends before
    /// the job does, this one takes over.
    func attach(_ job: Job) async throws(EngineError) -> Job {
        let start = JobStart()
        start.confirm()
        var offsets: [JobStream: Int64] = [:]
        for stream in JobStream.allCases {
            let size = try self.logs.size(job.id, stream)
            offsets[stream] = size
            // A reader that has seen less, because another program has fetched more since, is told how far
            // the log goes.
            self.report(.output(of: job.id, stream, offset: size, bytes: []))
        }
        while true {
            let current = try self.context.store.job(job.id) ?? job
            // The log is read before the state is checked again: everything that was written until the end is
            // then included.
            var hasNew = false
            for stream in JobStream.allCases {
                let offset = offsets[stream] ?? 0
                let bytes = try self.logs.read(job.id, stream, from: offset, limit: 1 << 20)
                guard !bytes.isEmpty else { continue }
                hasNew = true
                self.report(.output(of: job.id, stream, offset: offset, bytes: bytes))
                offsets[stream] = offset + Int64(bytes.count)
            }
            if hasNew { continue }
            if current.state.isOver, current.endedAt != nil {
                self.report(.jobChanged(current))
                return current
            }
            if let spool = try LogSpool(path: current.logPath) {
                return try await self.follow(current, spool, start)
            }
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw EngineError(.cancelled, .init("following job \(job.id)"))
            }
        }
    }

    /// Downloads the rest of `job`'s logs as far as they go now, and records the job's state. Returns nil if
    /// another program follows the job: that program does both.
    func catchUp(_ job: Job) async throws(EngineError) -> Job? {
        guard let spool = try LogSpool(path: job.logPath) else { return nil }
        let shell = try await self.context.shell(for: job.instance)
        let tails = try self.tails(job, spool, JobStart())
        var ending: LogTail.Ending?
        for tail in tails { ending = try await self.request(.catchUp, tail, shell, (ending)) }
        return try ending.map { ending throws(EngineError) in try self.conclude(job, ending) }
    }

    /// Performs `request`, a second time if the copy turned out to be damaged. The first log tells the job's
    /// state.
    private func request(
        _ request: LogTail.Request, _ tail: LogTail, _ shell: RemoteShell, _ earlier: LogTail.Ending?
    ) async throws(EngineError) -> LogTail.Ending {
        var ending: LogTail.Ending
        do throws(EngineError) {
            ending = try await tail.perform(request, through: shell)
        } catch {
            guard error.code == .unreachable else { throw error }
            ending = try await tail.perform(request, through: shell)
        }
        return Self.joined(earlier, ending)
    }

    // MARK: Following

    private func tails(_ job: Job, _ spool: LogSpool, _ start: JobStart) throws(EngineError) -> [LogTail] {
        let (id, report) = (job.id, self.report)
        let first = LogTail(
            script: self.script, spool: spool,
            onBytes: { report(.output(of: id, .log, offset: $0, bytes: $1)) },
            onReport: { new in
                if start.isNews(new) { _ = self.note(new, id) }
            })
        guard job.record?.splitsErrors == true,
            let errors = try LogSpool(path: self.logs.path(job.id, .errors))
        else { return [first] }
        return [
            first,
            LogTail(
                script: self.script, stream: .errors, spool: errors,
                onBytes: { report(.output(of: id, .errors, offset: $0, bytes: $1)) }, onReport: { _ in }),
        ]
    }

    private func follow(_ job: Job, _ spool: LogSpool, _ start: JobStart) async throws(EngineError) -> Job {
        self.progress(ActionProgress(.running, detail: job.command.shellText))
        do throws(EngineError) {
            let tails = try self.tails(job, spool, start)
            async let second = self.result(of: tails.dropFirst().first, job.instance, start)
            let first = try await self.followUntilOver(job.instance, tails[0], spool, start)
            let ending = Self.joined(first, try await second?.get())
            return try self.conclude(job, ending)
        } catch {
            throw try self.explain(error, job, start)
        }
    }

    private func result(
        of tail: LogTail?, _ instance: InstanceID, _ start: JobStart
    ) async -> Result<LogTail.Ending, EngineError>? {
        guard let tail else { return nil }
        do throws(EngineError) {
            return .success(try await self.followUntilOver(instance, tail, nil, start))
        } catch {
            return .failure(error)
        }
    }

    /// Returns the first log's ending, which is verified if both are.
    private static func joined(_ first: LogTail.Ending?, _ second: LogTail.Ending?) -> LogTail.Ending {
        guard let first else { return second! }
        if case .ended(let end, let isVerified) = first, case .ended(_, let other)? = second {
            return .ended(end, isVerified: isVerified && other)
        }
        return first
    }

    /// Follows a log and reconnects after every cut, until the job is over or its instance is.
    private func followUntilOver(
        _ instance: InstanceID, _ tail: LogTail, _ spool: LogSpool?, _ start: JobStart
    ) async throws(EngineError) -> LogTail.Ending {
        // The second log's connection is lost together with the first one's, and is not reported separately.
        try await self.retrying(instance, start, size: { spool?.size }, isQuiet: spool == nil) {
            shell throws(EngineError) in
            // Until the instance has confirmed that it has the job, nobody knows whether it started. Asking
            // again starts it only if it did not; afterwards it must not be asked again, because a recreated
            // container would run it a second time.
            try await tail.perform(start.isConfirmed ? .follow : .start, through: shell)
        }
    }

    /// Calls `body` until it succeeds, with pauses that grow while there is no progress.
    private func retrying<Value>(
        _ instance: InstanceID, _ start: JobStart, size: () -> Int64? = { nil }, isQuiet: Bool = false,
        _ body: (RemoteShell) async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        var failures = 0
        var lost: (outage: Outage, since: ContinuousClock.Instant)?
        while true {
            let before = size()
            do throws(EngineError) {
                let shell = try await self.context.shell(for: instance)
                start.attempt()
                return try await body(shell)
            } catch {
                guard Self.mayPass(error, start, failures) else { throw error }
                if size() != before { failures = 0 }
                // An instance that has answered since then was reached.
                if size() != before || start.hasAnswered { lost = nil }
                failures += 1
                self.noteConnection(.reconnecting)
                var current = lost ?? (self.outage(of: instance, error), .now)
                if !isQuiet { self.progress(ActionProgress(.reconnecting, detail: current.outage.words)) }
                self.context.connections.reset(instance)
                try await self.context.pause(min(30, pow(2, Double(failures - 2))), "reconnecting")
                let word = try await self.lookAgain(instance)
                current.outage.saw(word, after: current.since.secondsUntilNow)
                if let reason = current.outage.reasonToLeave(after: current.since.secondsUntilNow) {
                    throw EngineError(.unreachable, error.activity, detail: reason)
                }
                lost = current
                start.reconnect()
            }
        }
    }

    /// True if the failed attempt is worth another one, after `failures` of them without any progress.
    private static func mayPass(_ error: EngineError, _ start: JobStart, _ failures: Int) -> Bool {
        switch error.code {
        case .unreachable, .sshRefused: failures < 5 || start.isConfirmed
        // An instance that was reached before may be on its way down or up: the next look decides about the
        // job.
        case .instanceNotRunning: start.isConfirmed && start.wasAttempted
        default: false
        }
    }

    private func outage(of instance: InstanceID, _ error: EngineError) -> Outage {
        Outage(
            of: instance, price: self.context.connections.known(instance)?.price,
            reason: error.detail ?? error.code.rawValue, timeScale: self.context.configuration.timeScale)
    }

    /// Reads the instance's address again, and returns what the platform reports about it. Throws
    /// `.instanceLost` if it reports that the instance is over. A platform that cannot be reached, or that
    /// refuses the key, ends no job: ssh needs neither.
    private func lookAgain(_ id: InstanceID) async throws(EngineError) -> Outage.Word {
        let activity = EngineError.Activity(
            "following the job", platform: id.platform, subject: id.rawValue)
        let known = self.context.connections.known(id)
        do throws(EngineError) {
            let instance = try await self.context.freshInstance(id)
            if let words = instance.wordsForItsEnd(at: self.context.now()) {
                throw EngineError(.instanceLost, activity, detail: words)
            }
            if instance.status == .lost { return .offline }
            return instance.status == .running && instance.addresses.isEmpty ? .noAddress : .runs
        } catch {
            switch error.code {
            case .instanceGone:
                // Another `vp` may be destroying it; the platform may drop it before that program has
                // recorded it.
                let isDestroyed = try self.context.store.ledgerEntry(for: id)?.state == .destroying
                throw EngineError(
                    .instanceLost, activity,
                    detail: isDestroyed
                        ? LedgerEntry.destroyedWords : known.wordsForItsAbsence(at: self.context.now()))
            case .instanceLost, .cancelled: throw error
            case .unauthorized, .missingPermission: return .keyRefused
            // The connection to the platform may be cut together with that to the instance.
            default: return .none
            }
        }
    }

    // MARK: Keeping

    /// Records what the instance reports about a job that is not over.
    private func note(_ report: JobReport, _ id: JobID) -> Job? {
        let event: JobEvent
        switch report {
        case .queued: event = .queued
        case .following(let start): event = .running(since: start)
        case .background(let count): event = .goesOn(count)
        case .ended, .survivor, .child, .unadopted, .lost, .absent, .failed, .about:
            return try? self.context.store.job(id)
        }
        guard let job = (try? self.book.note(event, .connection(.following), of: id))?.job else { return nil }
        if case .background(let count) = report, count > 0 {
            let words = count == 1 ? "1 process still works" : "\(count) processes still work"
            self.progress(ActionProgress(.running, detail: "\(words) in the background"))
        } else if job.state == .running || job.state == .queued {
            self.progress(ActionProgress(.running, detail: job.command.shellText))
        }
        self.report(.jobChanged(job))
        return job
    }

    private func noteConnection(_ connection: JobRecord.Connection) {
        let noted = try? self.book.note(.connection(connection), of: self.script.job)
        if let noted { self.report(.jobChanged(noted.job)) }
    }

    private func conclude(_ job: Job, _ ending: LogTail.Ending) throws(EngineError) -> Job {
        let event: JobEvent =
            switch ending {
            case .ended(let end, let isVerified):
                .ended(end, tail: try self.logs.tail(job.id), logIsVerified: isVerified)
            case .lost: .supervisorLost
            case .absent: .recordAbsent
            case .running(let start): .running(since: start)
            case .queued: .queued
            }
        let kept = try self.book.note(event, of: job.id)?.job ?? job
        self.report(.jobChanged(kept))
        return kept
    }

    private func refusal(_ reason: String, _ errors: [UInt8]) -> EngineError {
        let isFull = String(decoding: errors, as: UTF8.self).contains("No space left")
        return EngineError(
            isFull ? .remoteDiskFull : .instanceNotReady,
            .init("starting the job", subject: self.script.job.rawValue), detail: reason)
    }

    /// Records in the job the consequence of `error`, and returns the error.
    private func explain(_ error: EngineError, _ job: Job, _ start: JobStart) throws(EngineError)
        -> EngineError
    {
        if error.code == .cancelled { return error }
        let cause = error.detail ?? error.code.rawValue
        let event: JobEvent? =
            if error.code == .instanceLost {
                .instanceLost(cause)
            } else if start.isConfirmed {
                nil
            } else if error.code == .unreachable, start.wasAttempted {
                .startUnknown(cause)
            } else {
                .notStarted(cause)
            }
        if let event, let noted = try self.book.note(event, of: job.id) {
            self.report(.jobChanged(noted.job))
        }
        return error
    }
}

extension FollowJob {
    private var logs: JobLogs { JobLogs(self.context) }
    private var book: JobBook { JobBook(context: self.context) }

    /// Downloads the rest of a job's log as far as it goes now, and returns the job in its current state. A
    /// job whose log is complete, or that is followed already, needs nothing.
    static func catchUp(_ id: JobID, _ context: EngineContext) async throws(EngineError) -> Job {
        guard let job = try context.store.job(id) else {
            throw EngineError(.noSuchJob, .init("looking for a job", subject: id.rawValue))
        }
        let isWhole = job.record?.logIsVerified == true || (job.record == nil && job.state.isOver)
        if isWhole || job.state == .lost { return job }
        let follow = FollowJob(
            context: context, script: JobScript(existing: job), progress: { _ in }, report: { _ in })
        return try await follow.catchUp(job) ?? job
    }
}
