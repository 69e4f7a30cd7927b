import Foundation

/// Questions about the training that a job may be.
extension Engine {
    /// What the end of a log is for `training(of:last:)` where it is told by the way, in bytes:
    /// a log may have gigabytes, and reading one takes a minute.
    public static let endOfLog: Int64 = 1 << 19

    /// What the local copy of a job's log says of a training: the whole of it, or its last `bytes`.
    public func training(of job: Job, last bytes: Int64? = nil) -> TrainingReport {
        let log = self.trainingLog(of: job, last: bytes)
        log.advance()
        // The end of a log that is over is no half number, however new it is.
        let moment = job.state.isOver ? Date.distantFuture : Date()
        return log.reading(now: moment).report(of: job, now: Date(), gpuRest: self.gpuRest(of: job))
    }

    /// How long no GPU of a job's instance has worked, by its last report; nil if it reported none.
    public func gpuRest(of job: Job) -> GPURest? {
        (try? self.context.store.ledgerEntry(for: job.instance))?.lease?.gpuRest
    }

    /// Every figure of the local copy of a job's log: not the means that a series keeps of a long one.
    public func readTrainingPoints(of job: Job, _ each: @escaping TrainingPoints.Each) {
        TrainingPoints.read(log: self.logs.path(job.id), patterns: self.configuration.metrics, each)
    }

    /// A reader of a job's log that can go on as the log grows.
    public func trainingLog(of job: Job, last bytes: Int64? = nil) -> TrainingLog {
        TrainingLog(path: self.logs.path(job.id), last: bytes, patterns: self.configuration.metrics)
    }
}
