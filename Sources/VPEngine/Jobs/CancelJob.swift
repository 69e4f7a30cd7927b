import Foundation

/// Ends a job's processes on its instance.
struct CancelJob {
    let context: EngineContext
    let id: JobID
    let instance: InstanceID
    let request: CancelRequest

    /// Returns the job as it ended; for a job that is over, ends the processes that it left behind. Throws
    /// `.cancelIncomplete` with the survivors if some process could not be ended, and `.noSuchJob` if the
    /// instance has no record of the job.
    func run() async throws(EngineError) -> Job {
        let activity = EngineError.Activity(
            "cancelling job \(self.id)", platform: self.instance.platform, subject: self.id.rawValue)
        guard let job = try self.context.store.job(self.id) else { throw EngineError(.noSuchJob, activity) }
        let shell = try await self.context.shell(for: self.instance)
        let grace = self.request.grace ?? self.context.configuration.jobs.graceSeconds
        let result = try await shell.run(JobScript(existing: job).cancel(grace: grace))
        let reports = JobReport.all(in: result.errorOutput)
        let survivors = reports.compactMap { report in
            if case .survivor(let process, let name) = report { "\(process) \(name)" } else { nil }
        }
        guard survivors.isEmpty else {
            throw EngineError(
                .cancelIncomplete, activity,
                detail: "still running: process \(survivors.joined(separator: ", "))")
        }
        let tail = try JobLogs(self.context).tail(self.id)
        let now = Date()
        let left = JobReport.background(in: reports)
        let book = JobBook(context: self.context)
        var ended: Job?
        if job.state.isOver, job.endedAt != nil {
            // Only processes that the job had left behind remained to be ended.
            ended = try book.note(
                .swept(left, isCertain: !reports.contains(.unadopted)), of: self.id, at: now)?.job
        } else {
            // A program that follows the job sees the same end, and writes the same.
            switch reports.last {
            case .ended(var end):
                end.background = left
                ended = try book.note(
                    .swept(left, isCertain: !reports.contains(.unadopted)),
                    .ended(end, tail: tail, logIsVerified: nil), of: self.id, at: now)?.job
            case .lost: ended = try book.note(.supervisorLost, of: self.id, at: now)?.job
            case .following, .queued:
                throw EngineError(
                    .cancelIncomplete, activity,
                    detail: "its supervisor has not recorded the end after a minute")
            case .survivor, .about, .background, .child, .unadopted, .absent, .failed, nil: break
            }
        }
        switch reports.last {
        case .absent:
            throw EngineError(.noSuchJob, activity, detail: "the instance has no record of it")
        case .failed, nil: throw EngineError(.badResponse, activity, detail: result.lastErrorLine)
        default: return ended ?? job
        }
    }
}
