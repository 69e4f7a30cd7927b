import Foundation
import VPEngine

/// The metrics of the job whose log is open.
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

    public init() {}

    var series: [FigureSeries] { self.reading.figures.series }

    /// The loss of the training, or else what came first.
    var mainSeries: FigureSeries? {
        self.series.first { $0.kind == .loss && !$0.isEvaluation } ?? self.series.first { $0.kind == .loss }
            ?? self.series.first
    }
}

extension FigureSeries {
    /// What can be drawn: a value that is no number has no place on an axis.
    var drawn: [Double] { self.values.filter(\.isFinite) }

    /// The newest, in words where it is no number.
    var newest: String { self.last.isFinite ? Format.short(self.last) : "not a number" }
}
