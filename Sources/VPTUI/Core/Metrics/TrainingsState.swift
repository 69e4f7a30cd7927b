import Foundation
import VPEngine

/// The trainings of running jobs, for their rows: a few jobs, each with the figures at the end of its log.
public struct TrainingsState: Equatable, Sendable {
    /// The most jobs whose logs are read: the newest running ones.
    static let limit = 8
    private static let interval: TimeInterval = 5

    public internal(set) var readings: [JobID: TrainingReading] = [:]
    var poll = Poll()

    public init() {}

    mutating func take(_ readings: [JobID: TrainingReading]) {
        self.poll.isAsking = false
        self.readings.merge(readings) { _, new in new }
    }

    /// Returns the jobs to read now; nil if none is due.
    mutating func ask(_ jobs: [JobID], at now: Date) -> [JobID]? {
        if self.readings.count > Self.limit {
            let wanted = Set(jobs)
            self.readings = self.readings.filter { wanted.contains($0.key) }
        }
        guard !jobs.isEmpty, self.poll.isDue(Self.interval, now) else { return nil }
        self.poll.ask(at: now)
        return jobs
    }
}

extension State {
    /// Returns the report on a job's training; for the open log, from the figures of its metrics.
    func training(of job: Job) -> TrainingReport? {
        let isOpen = self.metrics.job == job.id && !self.metrics.reading.figures.isEmpty
        let reading = isOpen ? self.metrics.reading : self.trainings.readings[job.id]
        guard let reading, !reading.figures.isEmpty else { return nil }
        return reading.report(of: job, now: self.now)
    }

    mutating func readTrainings() -> [Effect] {
        let open = self.metrics.job
        let jobs = self.jobs.rows.lazy.filter { $0.state == .running && $0.id != open }
        let wanted = self.trainings.ask(jobs.prefix(TrainingsState.limit).map(\.id), at: self.now)
        return wanted.map { [.log(.readTrainings($0))] } ?? []
    }
}

extension TrainingProgress {
    /// The steps of the whole training if the log tells them, otherwise those that are being counted.
    var whole: (done: Double, total: Double, share: Double) {
        let (done, total) = self.overall ?? (self.done, self.total)
        return (done, total, total > 0 ? max(0, min(1, done / total)) : 0)
    }
}

extension TrainingFigures {
    /// The training's loss, or otherwise the evaluation's.
    var mainLoss: FigureSeries? {
        self.series.first { $0.kind == .loss && !$0.isEvaluation } ?? self.series.first { $0.kind == .loss }
    }
}

extension FigureSeries {
    /// The recent direction: the mean of the newest tenth compared with that of the tenth before.
    var arrow: String {
        let values = self.values.suffix(512).filter(\.isFinite)
        let part = max(2, values.count / 10)
        guard values.count >= 2 * part else { return "" }
        func mean(_ values: ArraySlice<Double>) -> Double { values.reduce(0, +) / Double(values.count) }
        let new = mean(values.suffix(part))
        let old = mean(values.dropLast(part).suffix(part))
        let scale = max(abs(new), abs(old))
        guard scale > 0 else { return "→" }
        let change = (new - old) / scale
        return change < -0.005 ? "↘" : change > 0.005 ? "↗" : "→"
    }
}
