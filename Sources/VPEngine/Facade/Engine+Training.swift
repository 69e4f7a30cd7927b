import Foundation

/// Reads the figures of a job that trains a model.
extension Engine {
    /// The number of bytes at the end of a log that callers pass to `training(of:last:)` if they only want a
    /// summary. A log may have gigabytes, and reading all of it takes a minute.
    public static let endOfLog: Int64 = 1 << 19

    /// Reads the local copy of a job's log, or only its last `bytes`,
    /// and returns the figures of its training.
    public func training(of job: Job, last bytes: Int64? = nil) -> TrainingReport {
        let log = self.trainingLog(of: job, last: bytes)
        log.advance()
        // If the job has ended, the last line is complete, however recent it is.
        let moment = job.state.isOver ? Date.distantFuture : Date()
        return log.reading(now: moment).report(of: job, now: Date(), gpuRest: self.gpuRest(of: job))
    }

    /// Returns how long all GPUs of a job's instance have been idle, as of its last report; nil without one.
    public func gpuRest(of job: Job) -> GPURest? {
        (try? self.context.store.ledgerEntry(for: job.instance))?.lease?.gpuRest
    }

    /// Passes every figure in the local copy of a job's log to `each`.
    /// A `TrainingReport` has means for a long log.
    public func readTrainingPoints(of job: Job, _ each: @escaping TrainingPoints.Each) {
        TrainingPoints.read(log: self.logs.path(job.id), patterns: self.configuration.metrics, each)
    }

    /// Returns a reader of a job's log that continues as the log grows.
    public func trainingLog(of job: Job, last bytes: Int64? = nil) -> TrainingLog {
        TrainingLog(path: self.logs.path(job.id), last: bytes, patterns: self.configuration.metrics)
    }
}
