/// The progress that a run reports.
public struct TrainingProgress: Equatable, Sendable {
    public var done: Double
    public var total: Double
    /// The progress of the whole run if `done` starts over in each epoch, as far as the log tells.
    public var overall: (done: Double, total: Double)?
    /// `done` starts over in each epoch, and the number of epochs is unknown.
    public var isOfOneEpoch = false
    /// The speed that the run's bar prints.
    public var perSecond: Double?
    /// The time left that the log prints, in seconds.
    public var writtenSecondsLeft: Double?

    public var fraction: Double { max(0, min(1, self.done / self.total)) }

    public static func == (a: Self, b: Self) -> Bool {
        a.done == b.done && a.total == b.total && a.overall?.done == b.overall?.done
            && a.overall?.total == b.overall?.total && a.isOfOneEpoch == b.isOfOneEpoch
            && a.perSecond == b.perSecond
            && a.writtenSecondsLeft == b.writtenSecondsLeft
    }
}

/// The figures of a training, from the part of its log that has been read.
public struct TrainingFigures: Equatable, Sendable {
    /// The series in order of appearance. Empty if the log is not of a training.
    public var series: [FigureSeries] = []
    public var progress: TrainingProgress?
    /// The time left that the log prints, in seconds; nil if it prints none.
    public var writtenSecondsLeft: Double?
    /// The newest step, or nil where the log has none.
    public var step: Double?
    /// The steps at which checkpoints were saved, according to the log; if there are very
    /// many, every second one.
    public var checkpoints: [Double] = []
    /// The number of figures that were dropped because the log has too many names.
    public var skippedNames = 0
    /// The step at which a rank other than the one shown reported a loss that is not a number.
    public var otherRanksNotNumber: Double?

    public init() {}

    /// The progress of a bar that is alone in its stream, without any figure: useful only beside
    /// another stream's figures.
    var loneProgress: TrainingProgress?

    /// Joins the figures of standard output with those of standard error. A figure in both counts once:
    /// programs write some lines to both.
    func joined(with errors: TrainingFigures) -> TrainingFigures {
        var joined = self
        let names = Set(self.series.map(\.name))
        joined.series += errors.series.filter { !names.contains($0.name) }
        if joined.progress == nil {
            let lone = joined.series.isEmpty ? nil : errors.loneProgress
            joined.progress = errors.progress ?? lone
            if joined.progress != nil {
                joined.writtenSecondsLeft = errors.writtenSecondsLeft ?? lone?.writtenSecondsLeft
            }
        }
        joined.writtenSecondsLeft = joined.writtenSecondsLeft ?? errors.writtenSecondsLeft
        joined.step = self.step ?? errors.step
        joined.checkpoints = (self.checkpoints + errors.checkpoints).sorted()
        joined.skippedNames += errors.skippedNames
        joined.otherRanksNotNumber = self.otherRanksNotNumber ?? errors.otherRanksNotNumber
        return joined
    }

    public var isEmpty: Bool { self.series.isEmpty && self.progress == nil }

    public func series(_ name: String) -> FigureSeries? { self.series.first { $0.name == name } }

    /// The loss series whose newest value is not a number.
    public var notNumbers: [FigureSeries] {
        self.series.filter { $0.mustBeFinite && $0.notNumberSince != nil }
    }
}
