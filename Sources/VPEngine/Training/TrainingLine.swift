import Foundation

/// What one line says of a training.
struct TrainingLine {
    struct Figure {
        var name: FigureName
        /// Where its name stands in the line, for its title.
        var nameStart: Int32
        var nameEnd: Int32
        /// Of the section of the line it stands in.
        var section: FigureRole
        /// Of `titles`, where its name is made of words from several places.
        var titleIndex = -1
        /// Of a table of trials: the key of the column alone.
        var row: UInt64 = 0
        var value: Double
    }

    struct Count {
        /// The higher, the more it says of the whole run.
        enum Strength: UInt8, Comparable {
            /// `1/41,` at the beginning of a line.
            case bare = 1
            case epoch
            case step
            /// Of the epochs, in a table whose rows end with a bar of the batches.
            case row

            static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
        }

        var done: Double
        var total: Double
        var strength: Strength
        var isBar = false
        /// Its label says that it is of the training: true, or of something else: false.
        var isTraining: Bool?
        /// Counts again from 0 with each epoch, as far as its shape shows.
        var isOfEpoch = false
        /// In seconds, and per second, as the bar says them.
        var timeLeft: Double?
        var rate: Double?
        /// `it`, `examples`; of bars that do not say it empty.
        var isExamples = false
    }

    var figures: [Figure] = []
    var titles: [String] = []
    var count: Count?
    var epochCount: Count?
    /// Of a table's row.
    var rowCount: Count?
    var step: Double?
    var stepRank: UInt8 = 0
    /// Where the step's name stands.
    var stepName: (start: Int32, end: Int32)?
    var stepTitle: String?
    /// Of the step's series.
    var stepKey: UInt64 = 0
    /// A second count of steps on the line, which is not its place.
    var otherStep: (value: Double, key: UInt64, start: Int32, end: Int32)?
    var epoch: Double?
    /// In seconds.
    var timeLeft: Double?
    var rank: Int?
    var role = FigureRole.none
    /// A time of day stands in it, or another with a colon.
    var hasTime = false
    /// More than one section is in it: the training's figures are told apart, too.
    var hasTwoRoles = false
    /// Settings, a call, a line of a source.
    var isSetting = false
    /// Says what is the best so far, or what was kept.
    var isBest = false
    /// The line that follows says it.
    var announcesBest = false
    /// Says that a checkpoint was saved.
    var isCheckpoint = false

    mutating func reset() {
        self.figures.removeAll(keepingCapacity: true)
        if !self.titles.isEmpty { self.titles.removeAll(keepingCapacity: true) }
        self.count = nil
        self.epochCount = nil
        self.rowCount = nil
        self.step = nil
        self.stepRank = 0
        self.stepName = nil
        self.otherStep = nil
        if self.stepTitle != nil { self.stepTitle = nil }
        self.epoch = nil
        self.timeLeft = nil
        self.rank = nil
        self.role = .none
        self.hasTime = false
        self.hasTwoRoles = false
        self.isSetting = false
        self.isBest = false
        self.announcesBest = false
        self.isCheckpoint = false
    }

    /// Read again, it would say as little.
    var saysNothing: Bool {
        self.figures.isEmpty && !self.hasPlace && self.timeLeft == nil && !self.isBest
    }

    /// How far along the x axis its figures stand, as far as the line itself says it.
    var hasPlace: Bool {
        self.step != nil || self.epoch != nil || self.count != nil || self.epochCount != nil
            || self.rowCount != nil
    }
}
