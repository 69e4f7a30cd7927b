import Foundation
import VPEngine

/// The metrics of the job whose log is open, and how they are drawn.
public struct MetricsState: Equatable, Sendable {
    public var job: JobID?
    public internal(set) var reading = TrainingReading()
    /// The byte up to which the log has been read; nil while it is being read.
    var end: Int64?
    /// More has arrived since that reading began.
    var isBehind = false
    /// The series that is drawn large.
    public var selected = 0
    /// The user has selected it.
    var isChosen = false
    /// The position of the cursor on the x axis; nil without a cursor.
    public internal(set) var cursor: Double?

    // The options, which are kept when another job's log is opened.
    public internal(set) var options = CurveOptions()
    /// The job that is drawn behind any open job.
    public internal(set) var pinned: JobID?
    /// The figures of the jobs that are drawn behind this one.
    var others: [JobID: TrainingReading] = [:]
    /// The jobs whose logs are being read, and the time at which each was last read.
    var readingOthers: Set<JobID> = []
    var otherReadAt: [JobID: Date] = [:]

    public init() {}

    var series: [FigureSeries] { self.reading.figures.series }

    /// The training's loss, or otherwise the first series.
    var mainSeries: FigureSeries? { Self.main(self.series) }

    static func main(_ series: [FigureSeries]) -> FigureSeries? {
        series.first { $0.kind == .loss && !$0.isEvaluation } ?? series.first { $0.kind == .loss }
            ?? series.first
    }

    var selectedSeries: FigureSeries? {
        self.series.isEmpty ? nil : self.series[max(0, min(self.selected, self.series.count - 1))]
    }

    /// Shows another job's figures with the same options.
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

/// The options for drawing curves.
public struct CurveOptions: Equatable, Sendable {
    public enum XAxis: String, CaseIterable, Sendable { case step, time, epoch }

    /// The share of the previous mean that each new point keeps.
    static let weights = [0, 0.6, 0.9, 0.97]

    var smoothing = 0
    var isLog = false
    /// The axis ignores a few extreme values.
    var isRobust = true
    var x = XAxis.step
    /// Marked jobs are drawn behind the open one.
    var showsOthers = true
    var showsTable = false

    public init() {}

    var weight: Double { Self.weights[self.smoothing] }
}

extension FigureSeries {
    /// The values that can be drawn: one that is not a number has no position on an axis.
    var drawn: [Double] { self.values.filter(\.isFinite) }

    /// The newest value, in words if it is not a number.
    var newest: String { self.last.isFinite ? Format.short(self.last) : "not a number" }

    /// The name without its role: the same for `train_loss` and `val_loss`.
    var subject: String {
        let roles: Set<String> = [
            "train", "training", "val", "valid", "validation", "eval", "evaluation", "test", "dev",
        ]
        return self.name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
            .filter { !roles.contains($0) }.joined(separator: " ")
    }

    /// Returns the positions of the points on such an axis; nil if they are unknown.
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
    /// Returns the evaluation's figure for one of the training, or the reverse.
    func partner(of series: FigureSeries) -> FigureSeries? {
        guard series.kind != .step, series.kind != .epoch else { return nil }
        let others = self.series.filter {
            $0.kind == series.kind && $0.isEvaluation != series.isEvaluation
        }
        let subject = series.subject
        if let same = others.first(where: { $0.subject == subject }) { return same }
        // `eval_mlm_loss` is the partner of `loss` if it is the only other loss.
        return series.kind == .loss && others.count == 1 ? others[0] : nil
    }
}
