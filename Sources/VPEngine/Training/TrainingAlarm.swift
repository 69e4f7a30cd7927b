import Foundation

/// Something about a training that its owner should know.
public struct TrainingAlarm: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Hashable, Sendable {
        /// A loss is not a number.
        case nan
        /// No step has been logged for much longer than usual.
        case stall
        /// The loss rises, and keeps rising.
        case diverge
        /// The evaluation has not improved for a long time.
        case plateau
        /// The GPU is idle while the job runs.
        case idle
    }

    public var kind: Kind
    /// The name of the series that the alarm is about.
    public var series: String?
    /// The step at which the trouble began.
    public var step: Double?
    /// The time at which it began, if known.
    public var at: Date?

    /// The alarm in words for the job's owner, without a full stop.
    public var words: String {
        let series = self.series ?? "a loss"
        let since = self.step.map { " since step \(Self.short($0))" } ?? ""
        return switch self.kind {
        case .nan: "\(series) is not a number\(since)"
        case .stall:
            "no step for much longer than usual"
                + (self.step.map { "; the last was step \(Self.short($0))" } ?? "")
        case .diverge: "\(series) has only risen\(since)"
        case .plateau: "\(series) has not improved\(since)"
        case .idle: "the GPU is idle"
        }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() ? Figures.fixed(value, 0) : Figures.short(value)
    }

    public init(_ kind: Kind, series: String? = nil, step: Double? = nil, at: Date? = nil) {
        self.kind = kind
        self.series = series
        self.step = step
        self.at = at
    }
}

/// Judges a training run by its figures. It prefers silence to a false alarm: a run
/// that is only noisy raises none.
public enum TrainingJudge {
    /// The fewest figures that show where a curve is going.
    static let curveLength = 40
    static let evaluationCount = 20

    /// Returns what is wrong with the figures themselves; a stall is judged
    /// separately, because it needs a clock.
    public static func alarms(_ figures: TrainingFigures) -> [TrainingAlarm] {
        var alarms: [TrainingAlarm] = []
        for series in figures.notNumbers {
            alarms.append(TrainingAlarm(.nan, series: series.name, step: series.notNumberSince))
        }
        if alarms.isEmpty, let step = figures.otherRanksNotNumber {
            alarms.append(TrainingAlarm(.nan, step: step))
        }
        if let loss = Self.mainLoss(figures), loss.notNumberSince == nil, let step = Self.divergence(loss) {
            alarms.append(TrainingAlarm(.diverge, series: loss.name, step: step))
        }
        for series in figures.series where series.isEvaluation && series.kind.isBetterLow != nil {
            if let step = Self.plateau(series) {
                alarms.append(TrainingAlarm(.plateau, series: series.name, step: step))
                break
            }
        }
        return alarms
    }

    /// `true` if no step has come for at least a minute and for ten times the longest usual silence.
    public static func isStalled(_ estimate: TimeLeftEstimate, at now: Double) -> Bool {
        guard let usual = estimate.usualSilence, let last = estimate.lastAdvance else { return false }
        return now - last > max(60, usual * 10)
    }

    /// How long the GPU of a training may rest, in seconds: longer than it takes to write a checkpoint, to
    /// evaluate on the processor or to load the data of an epoch.
    static let restLimit = 900.0

    /// Returns `true` if the GPU has had no work for long although the training has begun.
    ///
    /// Loading data or a model before the first figure is no such rest:
    /// either the GPU must have worked for this job already, or there must be figures.
    ///
    /// - Parameters:
    ///   - rest: The GPU's rest in seconds when it was reported.
    ///   - age: How long the job had run by then, in seconds.
    public static func isIdle(_ figures: TrainingFigures, rest: Double, age: Double) -> Bool {
        guard rest >= Self.restLimit, age >= Self.restLimit else { return false }
        return rest < age - 60 || !figures.series.isEmpty
    }

    /// The loss of the training itself; if there are several losses, the one for their total.
    static func mainLoss(_ figures: TrainingFigures) -> FigureSeries? {
        let losses = figures.series.filter { $0.kind == .loss && !$0.isEvaluation }
        return losses.first { $0.name.lowercased().contains("total") } ?? losses.first { $0.name == "loss" }
            ?? losses.first { $0.name.lowercased().hasSuffix("loss") } ?? losses.first
    }

    /// Returns the step at which the curve was lowest, if its newest means have only risen,
    /// by far more than the noise, and by more than half of the earlier gain (or of the lowest mean,
    /// if that is larger).
    static func divergence(_ series: FigureSeries) -> Double? {
        let values = series.values
        guard values.count >= Self.curveLength, values.allSatisfy(\.isFinite) else { return nil }
        let size = max(8, values.count / 20)
        let windows = values.count / size
        guard windows >= 5 else { return nil }
        let offset = values.count - windows * size
        let means = (0..<windows).map { Self.mean(values[(offset + $0 * size)..<(offset + ($0 + 1) * size)]) }
        guard let lowest = means.indices.min(by: { means[$0] < means[$1] }), windows - lowest >= 4 else {
            return nil
        }
        let newest = means[(windows - 4)...]
        guard zip(newest, newest.dropFirst()).allSatisfy({ $0 < $1 }), let last = means.last else {
            return nil
        }
        // Noise is measured between neighbours, so that the curve's own trend does not count as noise.
        let steps = zip(values, values.dropFirst()).map { abs($1 - $0) }.sorted()
        let usual = steps[steps.count / 2] / 0.954
        // If a few values are far larger than most, that is too little:
        // a mean then depends on how many of them its window happens to have. The trend within a window adds
        // to this, by a twelfth at most.
        let squares = (0..<windows).reduce(0.0) { sum, window in
            values[(offset + window * size)..<(offset + (window + 1) * size)].reduce(sum) {
                $0 + ($1 - means[window]) * ($1 - means[window])
            }
        }
        let noise = max(usual, (squares / Double(windows * size)).squareRoot())
        let rise = last - means[lowest]
        let won = means[0] - means[lowest]
        guard rise > 6 * noise / Double(size).squareRoot(), rise > 0.5 * max(won, abs(means[lowest])) else {
            return nil
        }
        return series.steps[min(series.steps.count - 1, offset + lowest * size + size / 2)]
    }

    /// Returns the step of the best evaluation, if none of those since then surpassed it (at least 15, and a
    /// fifth of all) and their mean no longer improves.
    static func plateau(_ series: FigureSeries) -> Double? {
        let values = series.values
        guard let isLow = series.kind.isBetterLow, values.count >= Self.evaluationCount,
            values.allSatisfy(\.isFinite)
        else { return nil }
        let sign = isLow ? 1.0 : -1.0
        let costs = values.map { $0 * sign }
        guard let best = costs.indices.min(by: { costs[$0] < costs[$1] }) else { return nil }
        let since = costs.count - 1 - best
        let patience = max(15, costs.count / 5)
        guard since >= patience else { return nil }
        let half = patience / 2
        let newer = Self.mean(costs[(costs.count - half)...])
        let older = Self.mean(costs[(costs.count - 2 * half)..<(costs.count - half)])
        return newer >= older ? series.steps[best] : nil
    }

    private static func mean(_ values: ArraySlice<Double>) -> Double {
        values.reduce(0, +) / Double(max(1, values.count))
    }
}
