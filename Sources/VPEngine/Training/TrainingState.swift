import Foundation

/// The state of reading a log. It is a value, so that an unfinished line can be tried on a copy.
struct TrainingState {

    static let seriesLimit = 512
    private static let heldLimit = 64
    private static let epochKey = FigureName.key("epoch")

    /// A figure from before the log was known to be of a training: a setting, or the first value of a curve.
    struct Held {
        var figure: TrainingLine.Figure
        var title: String
        var values: [Double]
    }

    var book = SeriesBook(limit: Self.seriesLimit)
    private(set) var progress = ProgressBook()
    /// The log is known to be of a training.
    private(set) var hasStarted = false
    var held: [Held] = []
    /// The first steps that have a learning rate beside them.
    private var steppedRates: (count: Int, step: Double) = (0, -1)
    private var step: Double?
    private var epoch: Double?
    private var points = 0.0
    private var rank: Int?
    private var rankStep: Double?
    private var lastLine: UInt64?
    private var skipsNextFigures = false
    /// The role of the figures before this line.
    private var lastRole = FigureRole.none
    /// The role that the heading above gives to the lines under it.
    private var blockRole = FigureRole.none
    var weakRoles = WeakRoles()
    /// The steps at which checkpoints were saved, according to the log.
    private var checkpoints: [Double] = []
    /// The arrival time of the current input, in seconds since 1970; NaN if unknown.
    var time = Double.nan {
        didSet { self.book.time = self.time }
    }
    /// Called for each figure: the index of its series, its position, and its value.
    mutating func tell(_ each: @escaping (Int, Double, Double) -> Void) { self.book.onPoint = each }
    /// The step at which a loss of another rank stopped being a number; nil while all are numbers.
    private(set) var otherRanksNotNumber: Double?

    /// Adds a line's information, and returns what the next line depends on: whether it is under a heading,
    /// and whether the newest figures were of an evaluation. `text` is the line as it was written,
    /// nil for what is made of several; `isIndented` describes its beginning.
    mutating func add(
        _ line: inout TrainingLine, _ text: UnsafeBufferPointer<UInt8>?, isIndented: Bool, _ names: LineNames
    ) -> (isInBlock: Bool, isAfterEvaluation: Bool) {
        self.book.makeUnique()
        self.take(&line, text, isIndented, names)
        return (self.blockRole != .none, self.lastRole.isEvaluation)
    }

    private mutating func take(
        _ line: inout TrainingLine, _ text: UnsafeBufferPointer<UInt8>?, _ isIndented: Bool,
        _ names: LineNames
    ) {
        if line.isBest || self.skipsNextFigures {
            self.skipsNextFigures = line.announcesBest
            if let text, !line.announcesBest { self.lastLine = LineBytes.hash(text) }
            return
        }
        guard !line.isSetting else { return }
        if line.weakRole != .none || !self.weakRoles.isEmpty { self.settleRole(of: &line) }
        if self.blockRole != .none {
            if isIndented || !line.hasPlace {
                self.apply(self.blockRole, to: &line)
            } else {
                self.blockRole = .none
            }
        } else if isIndented, self.lastRole.isEvaluation, line.role == .none, !line.hasPlace {
            // ` *   Acc@1 1.402` appears under the lines of a test.
            self.apply(self.lastRole, to: &line)
        }
        if let epoch = line.epoch, !line.role.isEvaluation || line.figures.isEmpty {
            self.see(epoch: epoch)
        }
        guard !line.figures.isEmpty else {
            self.progress.add(&line, hasFigures: false, isTraining: false)
            return
        }
        if let rank = line.rank, !self.isMine(rank, line) { return }
        // Several ranks may print the same line without naming themselves.
        let hash = text.map { LineBytes.hash($0) }
        if line.hasPlace || line.hasTime, hash != nil, hash == self.lastLine { return }
        self.lastLine = hash
        self.commit(&line, names)
    }

    /// Adds a figure that the user defined by name: it needs no proof of a training.
    mutating func add(taught title: String, _ value: Double, _ names: FigureNames) {
        self.book.makeUnique()
        self.hasStarted = true
        var name = names[names.find(title)]
        name.key = FigureName.key(title)
        name.use = .figure
        self.points += 1
        let figure = TrainingLine.Figure(name: name, nameStart: 0, nameEnd: 0, section: .none, value: value)
        let place = self.step ?? self.epoch ?? self.points
        // The grammar may have found the same figure.
        if self.book.isRepeated(figure, value, at: place) { return }
        if !self.book.add(figure, value, at: place, isQualified: false) {
            self.book.make(figure, isQualified: false, title)
            _ = self.book.add(figure, value, at: place, isQualified: false)
        }
    }

    mutating func apply(_ role: FigureRole, to line: inout TrainingLine) {
        guard role.isEvaluation else { return }
        line.role = role
        for index in line.figures.indices
        where line.figures[index].name.role == .none && line.figures[index].section == .none {
            line.figures[index].section = role
        }
    }

    mutating func begin(block role: FigureRole) { self.blockRole = role }

    var isInBlock: Bool { self.blockRole != .none }

    mutating func endBlock() { self.blockRole = .none }

    // MARK: Checkpoints

    private static let checkpointLimit = 512

    /// Records a saved checkpoint, at the step that the line names or at the newest step.
    mutating func addCheckpoint(_ line: TrainingLine) {
        guard self.hasStarted else { return }
        let place = line.step ?? self.step ?? line.epoch ?? self.epoch ?? self.points
        // Some programs report it twice, or once per rank.
        guard self.checkpoints.last != place else { return }
        self.checkpoints.append(place)
        guard self.checkpoints.count == Self.checkpointLimit else { return }
        self.checkpoints = stride(from: 1, to: Self.checkpointLimit, by: 2).map { self.checkpoints[$0] }
    }

    // MARK: Ranks

    /// `true` if the line counts for the curve. All ranks have one curve, by the lowest rank that prints
    /// figures; of other ranks only a loss that is not a number counts.
    private mutating func isMine(_ rank: Int, _ line: TrainingLine) -> Bool {
        let mine = self.rank ?? rank
        if rank < mine {
            // This rank printed after another one for the same step.
            self.rank = rank
            if let step = line.step, step == self.rankStep { return false }
        } else {
            self.rank = mine
        }
        if rank == self.rank {
            self.rankStep = line.step
            return true
        }
        for figure in line.figures where figure.name.kind.mustBeFinite {
            self.otherRanksNotNumber = figure.value.isFinite ? nil : (line.step ?? self.step ?? 0)
        }
        return false
    }

    // MARK: Steps

    private mutating func see(epoch: Double) {
        if let old = self.epoch, epoch == old { return }
        self.epoch = epoch
        self.progress.see(epoch: epoch)
        if !self.book.add(Self.epochKey, epoch, at: epoch) {
            self.book.make(Self.epochKey, "epoch", .epoch)
            _ = self.book.add(Self.epochKey, epoch, at: epoch)
        }
    }

    // MARK: Figures

    /// The kinds of a line's figures, collected in one pass.
    private struct Contents {
        var isKnown = false
        var isEvidence = false
        var isSpeed = false
        var isSureSpeed = false
        var hasRate = false
        var hasRoleOnly = false
        /// Figures of the training itself, and figures that prove that it is one.
        var hasTraining = false
        var hasTrainingEvidence = false

        init(_ line: inout TrainingLine) {
            line.figures.withUnsafeBufferPointer { self.look(at: $0) }
            if !self.isKnown, self.hasRoleOnly, line.hasPlace {
                self.isKnown = true
                self.isEvidence = true
            }
        }

        @inline(__always)
        private mutating func look(at figures: UnsafeBufferPointer<TrainingLine.Figure>) {
            for figure in figures {
                let name = figure.name
                let isEvaluation = name.role.isEvaluation || figure.section.isEvaluation
                if name.isAlone { self.hasRoleOnly = true }
                if name.kind.isEvidence, !isEvaluation { self.hasTrainingEvidence = true }
                guard name.use == .figure else { continue }
                self.isKnown = true
                if !isEvaluation { self.hasTraining = true }
                if name.kind.isEvidence || name.isTrialValue { self.isEvidence = true }
                if name.kind == .speed {
                    self.isSpeed = true
                    if name.saysOfWhat { self.isSureSpeed = true }
                }
                if name.kind == .lr { self.hasRate = true }
            }
        }
    }

    private mutating func commit(_ line: inout TrainingLine, _ names: LineNames) {
        let contents = Contents(&line)
        guard contents.isKnown else {
            self.progress.add(&line, hasFigures: false, isTraining: false)
            return
        }
        let hasPlace = line.hasPlace || self.epoch != nil
        if !self.hasStarted {
            if contents.isEvidence, hasPlace || self.progress.hasPending { self.start() }
            if contents.isSureSpeed, line.hasPlace { self.start() }
            // Films and servers have frames and transactions per second, but no epochs.
            if contents.isSpeed, line.epoch != nil || line.epochCount != nil { self.start() }
            if !self.hasStarted, contents.hasRate, let step = line.step ?? line.count?.done,
                step != self.steppedRates.step
            {
                self.steppedRates = (self.steppedRates.count + 1, step)
                if self.steppedRates.count > 1 { self.start() }
            }
            if !self.hasStarted, !hasPlace {
                self.hold(&line, names)
                return
            }
        }
        self.progress.add(&line, hasFigures: true, isTraining: contents.hasTraining)
        self.keep(&line, contents, names)
    }

    /// Starts counting figures. A learning rate before this was a setting; a loss counts once its
    /// name occurs again.
    private mutating func start() {
        self.hasStarted = true
        self.held.removeAll { !$0.figure.name.kind.isEvidence }
    }

    /// Adds the held value of a figure that occurs again.
    private mutating func release(_ figure: TrainingLine.Figure) {
        guard let index = self.held(figure) else { return }
        let held = self.held.remove(at: index)
        self.book.make(held.figure, isQualified: false, held.title)
        for value in held.values { _ = self.book.add(held.figure, value, at: 0, isQualified: false) }
    }

    func held(_ figure: TrainingLine.Figure) -> Int? {
        self.held.firstIndex {
            $0.figure.name.key == figure.name.key && $0.figure.section == figure.section
        }
    }

    private mutating func hold(_ line: inout TrainingLine, _ names: LineNames) {
        var isSeenTwice = false
        for figure in line.figures where figure.name.use == .figure {
            // An error or a score alone may be about anything.
            let counts =
                figure.name.kind == .loss || (figure.name.kind == .speed && figure.name.saysOfWhat)
            if let index = self.held(figure) {
                // A repeated value is a setting, or the same text again.
                let isNew = !self.held[index].values.contains {
                    $0 == figure.value || ($0.isNaN && figure.value.isNaN)
                }
                if isNew, self.held[index].values.count < 8 { self.held[index].values.append(figure.value) }
                if counts, isNew { isSeenTwice = true }
            } else if self.held.count < Self.heldLimit {
                self.held.append(
                    Held(figure: figure, title: names.title(figure, &line), values: [figure.value]))
            }
            if figure.name.kind == .speed, figure.name.saysOfWhat,
                names.title(figure, &line).lowercased().contains("token")
            {
                isSeenTwice = true
            }
        }
        guard isSeenTwice else { return }
        self.hasStarted = true
        for held in self.held where held.figure.name.kind != .lr {
            self.book.make(held.figure, isQualified: false, held.title)
            for value in held.values {
                self.points += 1
                _ = self.book.add(held.figure, value, at: self.points, isQualified: false)
            }
        }
        self.held.removeAll()
    }

    private mutating func keep(_ line: inout TrainingLine, _ contents: Contents, _ names: LineNames) {
        self.points += 1
        if !line.role.isEvaluation {
            if let step = line.step {
                self.step = step
            } else if let done = self.progress.stepsDone {
                self.step = done
            }
        }
        let place = line.step ?? self.step ?? line.epoch ?? self.epoch ?? self.points
        self.book.epoch = line.epoch ?? self.epoch ?? .nan
        // Beside figures of the training, an evaluation's value may only be repeated from before.
        let mayCarry =
            contents.hasTrainingEvidence && (line.step != nil || (line.count?.isBar ?? false))
        // The figure is repeated below, without a step of its own.
        let mayRepeat = !line.hasPlace && line.figures.count == 1
        for index in line.figures.indices {
            let figure = line.figures[index]
            if !self.held.isEmpty { self.release(figure) }
            let isEvaluation = figure.name.role.isEvaluation || figure.section.isEvaluation
            if mayCarry, isEvaluation != line.role.isEvaluation, isEvaluation,
                self.book.isCarried(figure, figure.value)
            {
                continue
            }
            if mayRepeat, self.book.isRepeated(figure, figure.value, at: place) { continue }
            let isQualified = line.hasTwoRoles && figure.section == .train
            if !self.book.add(figure, figure.value, at: place, isQualified: isQualified) {
                // What was never a number may be a word: `best: nan`.
                if figure.name.use == .extra, figure.value.isNaN { continue }
                self.book.make(figure, isQualified: isQualified, names.title(figure, &line))
                _ = self.book.add(figure, figure.value, at: place, isQualified: isQualified)
            }
        }
        if !line.role.isEvaluation { self.keepSteps(&line, names) }
        self.lastRole = line.role
    }

    private mutating func keepSteps(_ line: inout TrainingLine, _ names: LineNames) {
        if let step = line.step, line.stepRank > 0, !self.book.add(line.stepKey, step, at: step) {
            let name = Self.stepFigure(line.stepName?.start ?? 0, line.stepName?.end ?? 0)
            self.book.make(line.stepKey, line.stepTitle ?? names.title(name, &line), .step)
            _ = self.book.add(line.stepKey, step, at: step)
        }
        if let other = line.otherStep, !self.book.add(other.key, other.value, at: line.step ?? other.value) {
            self.book.make(other.key, names.title(Self.stepFigure(other.start, other.end), &line), .step)
            _ = self.book.add(other.key, other.value, at: line.step ?? other.value)
        }
    }

    /// Returns a figure for a step's name, to get its title.
    private static func stepFigure(_ start: Int32, _ end: Int32) -> TrainingLine.Figure {
        TrainingLine.Figure(
            name: FigureName(), nameStart: start, nameEnd: end, section: .none, value: 0)
    }

    /// Returns the figures to show: none until the log is known to be of a training.
    func figures() -> TrainingFigures {
        var figures = TrainingFigures()
        figures.loneProgress = self.progress.lone
        guard self.hasStarted else { return figures }
        figures.series = self.book.shown()
        figures.skippedNames = self.book.skipped
        figures.progress = self.progress.current
        figures.writtenSecondsLeft = self.progress.writtenSecondsLeft
        figures.step = self.step
        figures.checkpoints = self.checkpoints
        figures.otherRanksNotNumber = self.otherRanksNotNumber
        return figures
    }
}
