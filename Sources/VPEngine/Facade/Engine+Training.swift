import Foundation

/// Questions about the training that a job may be.
extension Engine {
    /// What the local copy of a job's whole log says of a training.
    public func training(of job: Job) -> TrainingReport {
        self.training(of: job, last: nil)
    }

    /// The same from the last `bytes` of the log, for lists of jobs: a log may have gigabytes.
    public func training(of job: Job, last bytes: Int64?) -> TrainingReport {
        let log = self.trainingLog(of: job, last: bytes)
        log.advance()
        return log.reading().report(of: job, now: Date())
    }

    /// A reader of a job's log that can go on as the log grows.
    public func trainingLog(of job: Job, last bytes: Int64? = nil) -> TrainingLog {
        let path = self.logs.path(job.id)
        guard let bytes, let size = try? self.logs.size(job.id, .log), size > bytes else {
            return TrainingLog(path: path, patterns: self.configuration.metrics)
        }
        return TrainingLog(path: path, start: size - bytes, patterns: self.configuration.metrics)
    }
}
