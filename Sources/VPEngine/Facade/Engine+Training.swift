import Foundation

/// Questions about jobs that are trainings.
extension Engine {
    /// The number of bytes that `training(of:last:)` reads from the end of a log for a quick answer: a log
    /// may have gigabytes, and reading one takes a minute.
    public static let endOfLog: Int64 = 1 << 19

    /// The training figures from the local copy of a job's log: all of it, or its last `bytes`.
    public func training(of job: Job, last bytes: Int64? = nil) -> TrainingReport {
        let log = self.trainingLog(of: job, last: bytes)
        log.advance()
        return log.reading().report(of: job, now: Date())
    }

    /// A reader of a job's log that can continue as the log grows.
    public func trainingLog(of job: Job, last bytes: Int64? = nil) -> TrainingLog {
        let path = self.logs.path(job.id)
        guard let bytes, let size = try? self.logs.size(job.id, .log), size > bytes else {
            return TrainingLog(path: path, patterns: self.configuration.metrics)
        }
        return TrainingLog(path: path, start: size - bytes, patterns: self.configuration.metrics)
    }
}
