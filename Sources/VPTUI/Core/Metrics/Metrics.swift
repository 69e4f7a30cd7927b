import Foundation
import VPEngine

/// The metrics of the job whose log is open, and how they are drawn.
public struct MetricsState: Equatable, Sendable {
    public var job: JobID?
    public internal(set) var reading = TrainingReading()
    /// Up to which byte the log was read; nil while it is being read.
    var end: Int64?
    /// More has arrived since that reading began.
    var isBehind = false
    /// Which series is drawn large.
    public var selected = 0
    /// Somebody has gone to it.
    var isChosen = false
    /// Where the cursor stands on the x axis; nil where there is none.
    public internal(set) var cursor: Double?

    // These stay when another job's log is opened.
    public internal(set) var options = CurveOptions()
    /// Drawn behind whatever job is open.
    public internal(set) var pinned: JobID?
    /// Of the jobs that are drawn behind this one.
    var others: [JobID: TrainingReading] = [:]
    /// Those whose logs are being read, and when each was read last.
    var readingOthers: Set<JobID> = []
    var otherReadAt: [JobID: Date] = [:]

    public init() {}

    var series: [FigureSeries] { self.reading.figures.series }

    /// The loss of the training, or else what came first.
    var mainSeries: FigureSeries? { Self.main(self.series) }

    static func main(_ series: [FigureSeries]) -> FigureSeries? {
        series.first { $0.kind == .loss && !$0.isEvaluation } ?? series.first { $0.kind == .loss }
            ?? series.first
    }

    var selectedSeries: FigureSeries? {
        self.series.isEmpty ? nil : self.series[max(0, min(self.selected, self.series.count - 1))]
    }

    /// Another job's figures come; how they are drawn stays.
    mutating func open(_ job: JobID) {
        var next = MetricsState()
        next.job = job
        next.options = self.options
        next.pinned = self.pinned
        next.others = self.others
        next.otherReadAt = self.otherReadAt
        next.readingOthers = self.readingOthers
        self = next
    }
}

/// How curves are drawn.
public struct CurveOptions: Equatable, Sendable {
    public enum XAxis: String, CaseIterable, Sendable { case step, time, epoch }

    /// How much of the mean before is kept with each new point.
    static let weights = [0, 0.6, 0.9, 0.97]

    var smoothing = 0
    var isLog = false
    /// A few extremes do not rule the axis.
    var isRobust = true
    var x = XAxis.step
    /// The jobs that are marked are drawn behind.
    var showsOthers = true
    var showsTable = false

    public init() {}

    var weight: Double { Self.weights[self.smoothing] }
}

extension FigureSeries {
    /// What can be drawn: a value that is no number has no place on an axis.
    var drawn: [Double] { self.values.filter(\.isFinite) }

    /// The newest, in words where it is no number.
    var newest: String { self.last.isFinite ? Format.short(self.last) : "not a number" }

    /// Its name without whose it is: the same for `train_loss` and `val_loss`.
    var subject: String {
        let roles: Set<String> = [
            "train", "training", "val", "valid", "validation", "eval", "evaluation", "test", "dev",
        ]
        return self.name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
            .filter { !roles.contains($0) }.joined(separator: " ")
    }

    /// Where its points stand on an axis of that kind; nil where that is not known.
    func places(_ axis: CurveOptions.XAxis) -> [Double]? {
        switch axis {
        case .step: return self.steps
        case .epoch:
            return self.epochs.contains(where: \.isFinite) ? self.epochs : nil
        case .time:
            guard let start = self.times.first(where: \.isFinite) else { return nil }
            return self.times.map { $0 - start }
        }
    }
}

extension TrainingFigures {
    /// The same figure of the evaluation for one of the training, and the other way round.
    func partner(of series: FigureSeries) -> FigureSeries? {
        guard series.kind != .step, series.kind != .epoch else { return nil }
        let others = self.series.filter {
            $0.kind == series.kind && $0.isEvaluation != series.isEvaluation
        }
        let subject = series.subject
        if let same = others.first(where: { $0.subject == subject }) { return same }
        // `loss` beside `eval_mlm_loss`: the only other one.
        return series.kind == .loss && others.count == 1 ? others[0] : nil
    }
}
