import Foundation

/// What was read of a log so far, and when its steps arrived.
public struct TrainingReading: Equatable, Sendable {
    public var figures: TrainingFigures
    public var estimate: TimeLeftEstimate
    /// When a loss was first seen that is no number, as far as that is known.
    public var notNumberAt: Date?

    public init(
        _ figures: TrainingFigures = TrainingFigures(), _ estimate: TimeLeftEstimate = TimeLeftEstimate(),
        notNumberAt: Date? = nil
    ) {
        self.figures = figures
        self.estimate = estimate
        self.notNumberAt = notNumberAt
    }

    /// What it says of `job` at a moment: its price and whether it runs are the job's.
    public func report(of job: Job, now: Date) -> TrainingReport {
        let seconds = now.timeIntervalSince1970
        var report = TrainingReport(self.figures)
        for index in report.alarms.indices where report.alarms[index].kind == .nan {
            report.alarms[index].at = self.notNumberAt
        }
        guard !job.state.isOver else { return report }
        if TrainingJudge.isStalled(self.estimate, at: seconds) {
            report.alarms.append(
                TrainingAlarm(
                    .stall, step: self.figures.step ?? self.figures.progress?.done,
                    at: self.estimate.lastAdvance.flatMap { Date(fromOutside: $0) }))
            // It is not known when it goes on.
            report.secondsLeft = nil
            return report
        }
        report.secondsLeft = self.estimate.secondsLeft(at: seconds) ?? report.secondsLeft
        if let left = report.secondsLeft, let started = job.startedAt,
            let price = job.record?.hardware?.dollarsPerHour
        {
            report.finishDollars = (max(0, now.timeIntervalSince(started)) + left) / 3600 * price
        }
        return report
    }
}

/// What a job's log says of a training, at a moment.
public struct TrainingReport: Equatable, Sendable {
    public var figures: TrainingFigures
    /// From the steps as they arrived, or as the log says it; nil where neither tells,
    /// and while the run stands still.
    public var secondsLeft: Double?
    /// What the job will have cost then, in dollars; nil where its price or its end is not known.
    public var finishDollars: Double?
    public var alarms: [TrainingAlarm]

    /// Of figures that were read without a job: there is no price and no clock.
    public init(_ figures: TrainingFigures) {
        self.figures = figures
        self.secondsLeft = figures.writtenSecondsLeft
        self.alarms = TrainingJudge.alarms(figures)
    }
}
