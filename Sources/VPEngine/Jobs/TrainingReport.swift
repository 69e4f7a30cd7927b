import Foundation

/// The figures read from a log so far, and the times at which its steps arrived.
public struct TrainingReading: Equatable, Sendable {
    public var figures: TrainingFigures
    public var estimate: TimeLeftEstimate
    /// When a loss was first seen that is not a number, as far as that is known.
    public var notNumberAt: Date?

    public init(
        _ figures: TrainingFigures = TrainingFigures(), _ estimate: TimeLeftEstimate = TimeLeftEstimate(),
        notNumberAt: Date? = nil
    ) {
        self.figures = figures
        self.estimate = estimate
        self.notNumberAt = notNumberAt
    }

    /// Returns the report on `job` at a moment: its price and whether it runs come from the job,
    /// `gpuRest` from its instance.
    public func report(of job: Job, now: Date, gpuRest: GPURest? = nil) -> TrainingReport {
        let seconds = now.timeIntervalSince1970
        var report = TrainingReport(self.figures)
        for index in report.alarms.indices where report.alarms[index].kind == .nan {
            report.alarms[index].at = self.notNumberAt
        }
        guard !job.state.isOver else { return report }
        if let rest = gpuRest, let started = job.startedAt,
            now.timeIntervalSince(rest.seenAt) < TrainingJudge.restLimit,
            TrainingJudge.isIdle(
                self.figures, rest: rest.seconds, age: rest.seenAt.timeIntervalSince(started))
        {
            report.alarms.append(
                TrainingAlarm(.idle, at: rest.seenAt.addingTimeInterval(-rest.seconds)))
        }
        if TrainingJudge.isStalled(self.estimate, at: seconds) {
            report.alarms.append(
                TrainingAlarm(
                    .stall, step: self.figures.step ?? self.figures.progress?.done,
                    at: self.estimate.lastAdvance.flatMap { Date(fromOutside: $0) }))
            // Nobody knows when it will continue.
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

/// The state of a training at a moment, as read from a job's log.
public struct TrainingReport: Equatable, Sendable {
    public var figures: TrainingFigures
    /// The time left, from the steps as they arrived, or as the log states it; nil if neither is available,
    /// and while the run is stalled.
    public var secondsLeft: Double?
    /// The cost of the job by then, in dollars; nil if its price or its end is not known.
    public var finishDollars: Double?
    public var alarms: [TrainingAlarm]

    /// A report on figures that were read without a job: there is no price and no clock.
    public init(_ figures: TrainingFigures) {
        self.figures = figures
        self.secondsLeft = figures.writtenSecondsLeft
        self.alarms = TrainingJudge.alarms(figures)
    }
}
