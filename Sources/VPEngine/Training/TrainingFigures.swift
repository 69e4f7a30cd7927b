/// How far a run says it is.
public struct TrainingProgress: Equatable, Sendable {
    public var done: Double
    public var total: Double
    /// Of the whole run where `done` is counted anew in each epoch, as far as the log tells.
    public var overall: (done: Double, total: Double)?
    /// `done` is counted anew in each epoch, and how many epochs there are is not known.
    public var isOfOneEpoch = false
    /// As a bar of the run says it.
    public var perSecond: Double?
    /// In seconds, as the log says it.
    public var writtenSecondsLeft: Double?

    public var fraction: Double { max(0, min(1, self.done / self.total)) }

    public static func == (a: Self, b: Self) -> Bool {
        a.done == b.done && a.total == b.total && a.overall?.done == b.overall?.done
            && a.overall?.total == b.overall?.total && a.isOfOneEpoch == b.isOfOneEpoch
            && a.perSecond == b.perSecond
            && a.writtenSecondsLeft == b.writtenSecondsLeft
    }
}

/// What a log says of a training, as far as it was read.
public struct TrainingFigures: Equatable, Sendable {
    /// In the order they came. Empty in a log of no training.
    public var series: [FigureSeries] = []
    public var progress: TrainingProgress?
    /// In seconds, as the log says it; nil where it does not.
    public var writtenSecondsLeft: Double?
    /// The newest step, or nil where the log has none.
    public var step: Double?
    /// The steps at which the log says that a checkpoint was saved; of very many every second.
    public var checkpoints: [Double] = []
    /// How many figures were not kept, because the log has too many names.
    public var skippedNames = 0
    /// The step at which another rank than the one that is shown wrote a loss that is no number.
    public var otherRanksNotNumber: Double?

    public init() {}

    /// How far a bar says the run is that stands alone in its stream, without a figure:
    /// worth something only beside another stream's figures.
    var loneProgress: TrainingProgress?

    /// Of standard output, with what standard error says beside it. A figure that both have is one:
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

    /// Series of a loss that is no number now.
    public var notNumbers: [FigureSeries] {
        self.series.filter { $0.mustBeFinite && $0.notNumberSince != nil }
    }
}
