import Foundation

/// Decides from a job's log whether `StopRules` end the job. A value: it takes readings and returns a reason,
/// or nothing.
public struct StopDecision: Sendable {
    /// The number of lines: one may be an accident, and so may the next.
    static let notNumberLines = 3

    private let rules: StopRules
    private var lastChange: Double?
    private var newest: [Double] = []

    public init(_ rules: StopRules) { self.rules = rules }

    /// Returns the reason to end the job, in words; nil while it may continue. `now` is in seconds.
    public mutating func reason(_ reading: TrainingReading, at now: Double) -> String? {
        let figures = reading.figures
        if self.rules.onNotNumber,
            let series = figures.notNumbers.first(where: { $0.notNumberCount >= Self.notNumberLines })
        {
            return TrainingAlarm(.nan, series: series.name, step: series.notNumberSince).stopWords
        }
        if self.rules.onDivergence || self.rules.onPlateau {
            for alarm in TrainingJudge.alarms(figures) {
                if alarm.kind == .diverge && self.rules.onDivergence
                    || alarm.kind == .plateau && self.rules.onPlateau
                {
                    return alarm.stopWords
                }
            }
        }
        return self.rules.onStall ? self.stall(reading, at: now) : nil
    }

    private mutating func stall(_ reading: TrainingReading, at now: Double) -> String? {
        let figures = reading.figures
        // Before the first figure, the job is compiling or downloading, or is no training at all.
        guard !figures.series.isEmpty else { return nil }
        let newest = [
            figures.step ?? -1, figures.progress?.done ?? -1, Double(figures.series.map(\.count).max() ?? 0),
        ]
        if newest != self.newest {
            self.newest = newest
            self.lastChange = now
        }
        guard let last = self.lastChange else { return nil }
        let isStalled =
            self.rules.stallSeconds.map { now - last > $0 }
            ?? TrainingJudge.isStalled(reading.estimate, at: now)
        guard isStalled else { return nil }
        return TrainingAlarm(.stall, step: figures.step ?? figures.progress?.done).stopWords
    }
}

extension TrainingAlarm {
    /// The reason given for a job that `--stop-on` ended because of this.
    package var stopWords: String { "\(StopRules.option) \(self.kind.rawValue): \(self.words)" }
}

/// Watches the training of a job that is followed: reports what goes wrong, and ends the job if its rules say
/// so.
struct TrainingWatch: Sendable {
    let context: EngineContext
    /// Asks the job's instance how it is used, and notes that in its lease.
    var askUse: @Sendable () async -> Void = {}

    /// Seconds between two looks at the log, and the fewest where minutes are short. Waking up is a large
    /// part of a look's cost, and no rule is about seconds.
    private static let pause = 2.0, shortestPause = 1.0
    /// Seconds between two judgements. Each judges the whole training again.
    private static let judgeEvery = 5.0
    /// The bytes of a log that are looked at for each second, some 15,000 lines: a job that prints more is
    /// judged by its newest lines.
    private static let bytesPerSecond = 1_000_000.0
    /// The lines of one shape that are read at a time. All others are passed over: reading each line of a
    /// fast job would cost a sixth of following it.
    private static let linesOfAShape = 64
    /// Seconds between two questions about the GPU. The instance itself looks twice a minute.
    private static let askEvery = 300.0

    /// Follows `job` with `body`, and ends it with `end` if its `--stop-on` conditions are met meanwhile.
    func keeping(
        _ job: Job, endingBy end: @escaping @Sendable () async -> Void,
        _ body: () async throws(EngineError) -> Job
    ) async throws(EngineError) -> Job {
        let watching = Task { await self.watch(job, end) }
        defer { watching.cancel() }
        return try await body()
    }

    private func watch(_ job: Job, _ end: @Sendable () async -> Void) async {
        let rules = job.record?.stopOn
        var decision = rules.map { StopDecision($0) }
        var judgedAt = Date().timeIntervalSince1970
        var askedAt = judgedAt
        // Minutes are short in a rehearsal.
        let scale = min(1, self.context.configuration.timeScale)
        let pause = max(Self.shortestPause, Self.pause * scale)
        let log = TrainingLog(
            path: JobLogs(self.context).path(job.id), patterns: self.context.configuration.metrics,
            bounds: TrainingLog.Bounds(
                bytes: Int64(clamping: Int(saturating: Self.bytesPerSecond * pause)),
                linesOfAShape: Self.linesOfAShape))
        while (try? await Task.sleep(for: .seconds(pause))) != nil {
            log.advance()
            let now = Date().timeIntervalSince1970
            let (asks, judges) = (
                now - askedAt >= Self.askEvery * scale, now - judgedAt >= Self.judgeEvery * scale
            )
            guard decision != nil || asks || judges else { continue }
            let reading = log.reading()
            if let words = decision?.reason(reading, at: now) {
                // The reason is recorded first, because the program that sees the end first writes down the
                // cause.
                _ = try? self.context.store.change(job.id) { $0.record?.limitReached = words }
                await self.note(reading, job.id)
                await end()
                return
            }
            if asks, !reading.figures.series.isEmpty {
                askedAt = now
                await self.askUse()
            }
            if judges {
                judgedAt = now
                await self.note(reading, job.id)
            }
        }
    }

    /// Records the training's alarms in the job if they have changed, and raises the new ones.
    private func note(_ reading: TrainingReading, _ id: JobID) async {
        guard let job = try? self.context.store.job(id), !job.state.isOver else { return }
        let rest = (try? self.context.store.ledgerEntry(for: job.instance))?.lease?.gpuRest
        let worries = reading.report(of: job, now: Date(), gpuRest: rest).alarms.map { alarm in
            JobRecord.Worry(kind: alarm.kind.rawValue, words: alarm.words)
        }
        guard worries.map(\.kind) != (job.record?.worries ?? []).map(\.kind) else { return }
        _ = try? self.context.store.change(id) { $0.record?.worries = worries.isEmpty ? nil : worries }
        await MoneyWatch(context: self.context).note()
    }
}
