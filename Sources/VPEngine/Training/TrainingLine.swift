import Foundation

/// The information that one line has about a training.
struct TrainingLine {
    struct Figure {
        var name: FigureName
        /// The range of its name in the line, for its title.
        var nameStart: Int32
        var nameEnd: Int32
        /// The role of the section of the line that contains it.
        var section: FigureRole
        /// The index in `titles`, if the name is made of words from several places.
        var titleIndex = -1
        /// In a table of trials, the key of the column alone.
        var row: UInt64 = 0
        var value: Double
    }

    struct Count {
        /// How well the count describes the whole run; higher is better.
        enum Strength: UInt8, Comparable {
            /// `1/41,` at the beginning of a line.
            case bare = 1
            case epoch
            case step
            /// A count of epochs, in a table whose rows end with a bar of batches.
            case row

            static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
        }

        var done: Double
        var total: Double
        var strength: Strength
        var isBar = false
        /// `true` if the label says that it counts the training, `false` if it says that it
        /// counts something else.
        var isTraining: Bool?
        /// The count starts over with each epoch, as far as its form shows.
        var isOfEpoch = false
        /// The time left in seconds and the rate per second, as printed by the bar.
        var timeLeft: Double?
        var rate: Double?
        /// Printed as a percentage.
        var isPercent = false
        /// A count of batches: `4/204200` may be an epoch and its batch.
        var isOfBatches = false
        /// The bar counts examples rather than iterations.
        var isExamples = false
    }

    var figures: [Figure] = []
    var titles: [String] = []
    var count: Count?
    var epochCount: Count?
    /// The count of a table's row.
    var rowCount: Count?
    var step: Double?
    var stepRank: UInt8 = 0
    /// The range of the step's name.
    var stepName: (start: Int32, end: Int32)?
    var stepTitle: String?
    /// The key of the step's series.
    var stepKey: UInt64 = 0
    /// A second step count on the line, which is not the line's position.
    var otherStep: (value: Double, key: UInt64, start: Int32, end: Int32)?
    var epoch: Double?
    /// The time left, in seconds.
    var timeLeft: Double?
    /// The line is `ETA: 00:37:12` and nothing else.
    var isTimeLeftAlone = false
    var rank: Int?
    var role = FigureRole.none
    /// The role that a word suggests which may as well be about something else: a run's name, a fold.
    /// It counts if other lines with the same figures do not have it.
    var weakRole = FigureRole.none
    /// The line contains a time of day, or another time with a colon.
    var hasTime = false
    /// The line has more than one section, so the training's figures are labelled as well.
    var hasTwoRoles = false
    /// The line is settings, a call, or source code.
    var isSetting = false
    /// The line reports the best value so far, or what was kept.
    var isBest = false
    /// The next line reports the best value.
    var announcesBest = false
    /// The line reports a saved checkpoint.
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
        self.isTimeLeftAlone = false
        self.rank = nil
        self.role = .none
        self.weakRole = .none
        self.hasTime = false
        self.hasTwoRoles = false
        self.isSetting = false
        self.isBest = false
        self.announcesBest = false
        self.isCheckpoint = false
    }

    /// `true` if reading the line again would yield nothing.
    var saysNothing: Bool {
        self.figures.isEmpty && !self.hasPlace && self.timeLeft == nil && !self.isBest
    }

    /// `true` if the line itself gives a position on the x axis.
    var hasPlace: Bool {
        self.step != nil || self.epoch != nil || self.count != nil || self.epochCount != nil
            || self.rowCount != nil
    }
}
