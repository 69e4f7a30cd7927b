import Foundation

/// Questions about jobs and their logs.
extension Engine {
    /// Jobs sent from here, newest first.
    public func jobs(limit: Int = 100) throws(EngineError) -> [Job] {
        try self.context.store.jobs(limit: limit)
    }

    /// Every job that was sent to `instance` from here, newest first.
    public func jobs(on instance: InstanceID) throws(EngineError) -> [Job] {
        try self.context.store.jobs(on: instance)
    }

    /// Names the newest job.
    public static let newestJob = "-1"

    /// Finds a job by id, unique prefix, or `newestJob`.
    public func job(named name: String) throws(EngineError) -> Job {
        let activity = EngineError.Activity("looking for a job", subject: name)
        if name == Self.newestJob {
            guard let newest = try self.context.store.jobs(limit: 1).first else {
                throw EngineError(.noSuchJob, activity)
            }
            return newest
        }
        if let job = try self.context.store.job(JobID(name)) { return job }
        let matches = try self.context.store.jobs(beginningWith: name, limit: 6)
        guard matches.count == 1 else {
            throw EngineError(.noSuchJob, activity, suggestions: matches.prefix(5).map(\.id.rawValue))
        }
        return matches[0]
    }

    /// At most `limit` bytes of the local copy of a job's log, from `offset`; empty at its end.
    public func readLog(_ job: JobID, _ stream: JobStream = .log, from offset: Int64, limit: Int)
        throws(EngineError) -> [UInt8]
    {
        try self.logs.read(job, stream, from: offset, limit: limit)
    }

    /// The size of the local copy of a job's log, in bytes; 0 if there is none yet.
    public func logSize(_ job: JobID, _ stream: JobStream = .log) throws(EngineError) -> Int64 {
        try self.logs.size(job, stream)
    }

    /// The offset in the local copy of the first byte that arrived at `date` or later.
    public func logOffset(_ job: JobID, _ stream: JobStream = .log, since date: Date) -> Int64 {
        self.logs.offset(job, stream, since: date)
    }

    package var logs: JobLogs { JobLogs(self.context) }

    /// Tells if a process on this machine follows an unfinished job; nil for a finished one.
    public func connection(of job: Job) -> JobRecord.Connection? {
        guard !job.state.isOver else { return nil }
        return LogSpool.isHeld(job.logPath) ? job.record?.connection ?? .following : .disconnected
    }

    /// Asks the instances about the jobs that no process follows, and downloads the logs of those that have
    /// ended. Jobs on unreachable instances stay as they were.
    public func lookAtJobs(
        report: @escaping @Sendable (EngineEvent) -> Void = { _ in }
    ) async throws(EngineError) {
        try await LookAtJobs(self.context, report: report).run()
    }

    /// Downloads the rest of a job's log from the instance, and returns the current job. A job whose log is
    /// complete, or that another process follows, needs nothing.
    public func catchUp(_ id: JobID) async throws(EngineError) -> Job {
        try await FollowJob.catchUp(id, self.context)
    }

    /// The jobs that an end of `id` would end as well, each in words: for a front end that asks first.
    public func jobsToBeEnded(on id: InstanceID) async throws(EngineError) -> [String] {
        await LiveJobs(self.context).running(on: try await self.context.freshInstance(id)).map(\.words)
    }

    /// Changes whenever this program or another has written to the store.
    public var historyStamp: HistoryStamp { HistoryStamp(stateFolder: self.configuration.paths.stateFolder) }
}
