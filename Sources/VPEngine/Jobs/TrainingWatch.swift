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
            return Self.words(TrainingAlarm(.nan, series: series.name, step: series.notNumberSince))
        }
        if self.rules.onDivergence || self.rules.onPlateau {
            for alarm in TrainingJudge.alarms(figures) {
                if alarm.kind == .diverge && self.rules.onDivergence
                    || alarm.kind == .plateau && self.rules.onPlateau
                {
                    return Self.words(alarm)
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
        return Self.words(TrainingAlarm(.stall, step: figures.step ?? figures.progress?.done))
    }

    private static func words(_ alarm: TrainingAlarm) -> String {
        "--stop-on \(alarm.kind.rawValue): \(alarm.words)"
    }
}

/// Watches the training of a job that is followed, and ends the job if its rules say so.
struct TrainingWatch: Sendable {
    let context: EngineContext

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
        guard let rules = job.record?.stopOn else { return }
        let log = TrainingLog(
            path: JobLogs(self.context).path(job.id), patterns: self.context.configuration.metrics)
        var decision = StopDecision(rules)
        while (try? await Task.sleep(for: .milliseconds(500))) != nil {
            log.advance()
            guard let words = decision.reason(log.reading(), at: Date().timeIntervalSince1970) else {
                continue
            }
            // The reason is recorded first, because the program that sees the end first writes down the
            // cause.
            _ = try? self.context.store.change(job.id) { $0.record?.limitReached = words }
            await end()
            return
        }
    }
}
