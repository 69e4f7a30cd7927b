import Foundation

/// Ends a job's processes on its instance.
struct CancelJob {
    let engine: Engine
    let id: JobID
    let instance: InstanceID
    let request: CancelRequest

    /// Returns the job as it ended. Throws `.cancelIncomplete` with the survivors where some process would not
    /// go, and `.noSuchJob` where the instance has no record of it.
    func run() async throws(EngineError) -> Job {
        let activity = EngineError.Activity(
            "cancelling job \(self.id)", platform: self.instance.platform, subject: self.id.rawValue)
        guard var job = try self.engine.history.job(self.id) else { throw EngineError(.noSuchJob, activity) }
        let script = JobScript(
            job: self.id, command: job.command, environment: [:], remoteRoot: "/", workingDirectory: nil)
        let shell = try await self.engine.shell(for: self.instance)
        let result = try await shell.run(script.cancel(grace: self.request.grace))
        let reports = String(decoding: result.errorOutput, as: UTF8.self)
            .split(separator: "\n").compactMap { JobReport(line: $0) }
        let survivors = reports.compactMap { report in
            if case .survivor(let process) = report { String(process) } else { nil }
        }
        guard survivors.isEmpty else {
            throw EngineError(
                .cancelIncomplete, activity,
                detail: "still there: process \(survivors.joined(separator: ", "))")
        }
        switch reports.last {
        case .ended(let outcome, let seconds, _, let wasCancelled):
            // Whoever follows the job sees the same end, and writes the same.
            job.end(outcome, after: seconds, wasCancelled: wasCancelled)
        case .lost, .following, .survivor:
            job.state = .unknown
            job.cause = "the job's supervisor on the instance is gone and left no status"
            job.endedAt = Date()
        case .absent:
            throw EngineError(.noSuchJob, activity, detail: "the instance has no record of it")
        case .failed, nil:
            throw EngineError(.badResponse, activity, detail: result.lastErrorLine)
        }
        try self.engine.history.update(job)
        return job
    }
}
