import Foundation

/// Finds the named figures in a line, the step they belong to, and the run's progress.
///
/// A name is one or more words. It begins after a cell separator: the line's start, a sign, a tab,
/// two spaces, a number. It ends at `:` or `=`, or at the number itself. `FigureGrammar` defines
/// the meaning of names.
final class LineReader {
    let lexer = LineLexer()
    let names = FigureNames()
    let words = GrammarWords()
    /// Allocated once: no copies, and no checks at each access.
    let lineMemory: UnsafeMutablePointer<TrainingLine>

    // The tokens of the current line.
    @exclusivity(unchecked) var tokens: UnsafeMutablePointer<LineToken>
    @exclusivity(unchecked) var count = 0
    @exclusivity(unchecked) var text: UnsafePointer<UInt8>
    /// The first and last token of the name that may end here; -1 for none.
    @exclusivity(unchecked) var run = -1
    @exclusivity(unchecked) var runEnd = -1
    @exclusivity(unchecked) var section = FigureRole.none
    @exclusivity(unchecked) var brackets = 0
    @exclusivity(unchecked) var parentheses = 0
    @exclusivity(unchecked) var hasBar = false
    /// The rest of the cell or line is not about the training: the best value so far, or times.
    @exclusivity(unchecked) var skipsCell = false
    @exclusivity(unchecked) var skipsLine = false
    /// The names of the open objects in a JSON line.
    @exclusivity(unchecked) var objects: [(start: Int32, end: Int32)] = []
    /// The newest of `objects` is a group in brackets: `tot_loss[loss=0.3, simple_loss=0.2]`.
    @exclusivity(unchecked) var isInGroup = false
    @exclusivity(unchecked) var firstNumber: Double?
    @exclusivity(unchecked) var firstRun: (first: Int, last: Int)?
    /// The first word of the newest name with a `:` or `=`.
    @exclusivity(unchecked) var lastName = -1
    @exclusivity(unchecked) var valueBeforeName = false
    @exclusivity(unchecked) var doneSteps: Double?
    @exclusivity(unchecked) var totalSteps: Double?
    /// The tokens of `doneSteps` and `totalSteps`, and of the parts of the time left with each part's factor.
    @exclusivity(unchecked) var doneToken: Int?
    @exclusivity(unchecked) var totalToken: Int?
    @exclusivity(unchecked) var timeParts: [(token: Int, factor: Double)] = []
    /// The name that one cell gives to the figure in the next: `validation loss at iteration 300 |
    /// lm loss value: 4.9`.
    @exclusivity(unchecked) var heading: (first: Int, last: Int)?
    @exclusivity(unchecked) var headingEnd = -1
    private var cleanValues: [Double] = []
    /// Words that report a saved checkpoint.
    @exclusivity(unchecked) var saysSaved = false
    @exclusivity(unchecked) var saysCheckpoint = false

    var line: TrainingLine {
        @inline(__always) unsafeAddress { UnsafePointer(self.lineMemory) }
        @inline(__always) unsafeMutableAddress { self.lineMemory }
    }

    deinit {
        self.lineMemory.deinitialize(count: 1)
        self.lineMemory.deallocate()
    }

    init() {
        self.lineMemory = .allocate(capacity: 1)
        self.lineMemory.initialize(to: TrainingLine())
        self.tokens = self.lexer.tokens
        self.text = self.lexer.text
    }

    /// Reads one line without escape sequences.
    func read(_ text: UnsafePointer<UInt8>, _ length: Int) {
        self.lexer.read(text, length)
        self.text = text
        self.count = self.lexer.count
        if !self.cleanValues.isEmpty { self.cleanValues.removeAll(keepingCapacity: true) }
        self.readTokens()
    }

    /// Reads the same line again with marked numbers (`MemoPlan`), and returns both results. Afterwards
    /// `line` is as before.
    func readMarked() -> (clean: TrainingLine, tainted: TrainingLine) {
        let clean = self.line
        self.cleanValues = (0..<self.count).map { self.tokens[$0].value }
        MemoPlan.taint(self)
        self.readTokens()
        let tainted = self.line
        self.line = clean
        return (clean, tainted)
    }

    /// Returns a token's value before it was marked.
    func clean(_ index: Int) -> Double {
        self.cleanValues.isEmpty ? self.tokens[index].value : self.cleanValues[index]
    }

    private func readTokens() {
        self.begin()
        var index = self.prefix()
        while index < self.count, !self.line.isSetting {
            let token = self.tokens[index]
            switch token.kind {
            case .word: index = self.word(index, token)
            case .sign: index = self.sign(index, token)
            case .number, .notNumber: index = self.number(index)
            case .clock
            where self.run >= 0 && self.runEnd == index - 1
                && self.names[self.slot(self.run, self.runEnd)].use == .timeLeft:
                index = self.timeLeft(index)
                self.endRun()
            case .clock, .junk:
                if token.kind == .clock { self.line.hasTime = true }
                self.endRun()
                index += 1
            }
        }
        self.end()
    }

    private func begin() {
        self.line.reset()
        self.run = -1
        self.runEnd = -1
        self.section = .none
        self.brackets = 0
        self.parentheses = 0
        self.hasBar = false
        self.skipsCell = false
        self.skipsLine = false
        self.objects.removeAll(keepingCapacity: true)
        self.isInGroup = false
        self.firstNumber = nil
        self.firstRun = nil
        self.lastName = -1
        self.valueBeforeName = false
        self.doneSteps = nil
        self.totalSteps = nil
        self.doneToken = nil
        self.totalToken = nil
        if !self.timeParts.isEmpty { self.timeParts.removeAll(keepingCapacity: true) }
        self.heading = nil
        self.saysSaved = false
        self.saysCheckpoint = false
    }

    private func end() {
        if self.saysSaved { self.line.isCheckpoint = self.saysCheckpoint || self.namesCheckpoint }
        if self.line.isSetting {
            self.line.figures.removeAll(keepingCapacity: true)
            return
        }
        if let done = self.doneSteps, let total = self.totalSteps, done <= total {
            self.line.count = TrainingLine.Count(
                done: done, total: total, strength: .step, isTraining: true)
            self.line.step = self.line.step ?? done
        }
        if self.valueBeforeName, self.line.step == nil, let first = self.firstNumber {
            self.line.step = first
        }
        if self.line.role == .none { self.line.role = self.section }
        self.inheritRole()
        self.line.isTimeLeftAlone =
            self.count == 3 && self.line.timeLeft != nil && self.isSign(1, 0x3A) && self.isWord(0)
            && self.word(at: 0) == "eta"
            && (self.tokens[2].kind == .clock || self.tokens[2].unitEnd > self.tokens[2].end)
        // A percentage alone may be of anything: `Progress: 100%` of a cache.
        if self.line.figures.isEmpty, self.line.epochCount?.isPercent == true { self.line.epochCount = nil }
        if self.count > 0 {
            let last = self.tokens[self.count - 1]
            self.line.announcesBest = self.line.isBest && last.kind == .sign && last.sign == 0x3A
        }
    }

    func endRun() {
        self.run = -1
        self.runEnd = -1
    }

    @inline(__always)
    func isSign(_ index: Int, _ byte: UInt8) -> Bool {
        index < self.count && index >= 0 && self.tokens[index].kind == .sign
            && self.tokens[index].sign == byte
    }

    func isNumber(_ index: Int) -> Bool {
        index < self.count && index >= 0
            && (self.tokens[index].kind == .number || self.tokens[index].kind == .notNumber)
    }

    func isWhole(_ index: Int) -> Bool {
        self.isNumber(index) && !self.tokens[index].isFraction
    }

    func isWord(_ index: Int) -> Bool {
        index < self.count && index >= 0 && self.tokens[index].kind == .word
    }

    @inline(__always)
    func slot(_ first: Int, _ last: Int) -> Int {
        let start = Int(self.tokens[first].start)
        return self.names.find(self.text + start, Int(self.tokens[last].end) - start)
    }

    // MARK: Signs

    private func sign(_ index: Int, _ token: LineToken) -> Int {
        if token.sign != 0x3A, token.sign != 0x3D, self.runEnd == index - 1 { self.leadingRole() }
        switch token.sign {
        case 0x3A, 0x3D:
            return self.separator(index)
        case 0x5B:
            if self.isSign(index - 1, 0x40), token.space == 0 {
                // Settings and a figure for each: `(AP) @[ IoU=0.50:0.95 | area=all ] = 0.312`.
                self.skipsLine = true
                self.endRun()
                return self.count
            }
            if self.run >= 0, self.runEnd == index - 1 {
                if let next = self.bracketed(index) { return next }
                if self.isLaterGroup(index) {
                    self.objects.append((self.tokens[self.run].start, self.tokens[self.runEnd].end))
                    self.isInGroup = true
                }
            }
            self.brackets += 1
        case 0x5D:
            if self.isInGroup { _ = self.objects.popLast() }
            self.isInGroup = false
            self.brackets = max(0, self.brackets - 1)
        case 0x28:
            return self.parenthesis(index, token)
        case 0x29:
            self.parentheses = max(0, self.parentheses - 1)
        case 0x2D where self.hasBar && self.brackets > 0 && self.run >= 0 && self.runEnd == index - 1:
            // A bar's `dice_loss - 0.25, iou_score - 0.75`
            if token.space > 0, self.isNumber(index + 1), self.tokens[index + 1].space > 0 {
                return self.separator(index)
            }
        case 0x23 where self.run >= 0 && self.runEnd == index - 1 && self.isWhole(index + 1):
            // `Epoch #6`
            let name = self.names[self.slot(self.run, self.runEnd)]
            if name.use == .epoch || name.use == .step, self.tokens[index + 1].space == 0 {
                let (first, last) = (self.run, self.runEnd)
                self.endRun()
                return self.named(name, first, last, index + 1, isStrong: true)
            }
        case 0x7C:
            self.skipsCell = false
        case 0x7D:
            _ = self.objects.popLast()
        case 0x2C, 0x3B:
            self.skipsCell = false
        case 0x2E:
            // `Avg. loss`
            if self.run == self.runEnd, self.runEnd == index - 1, token.space == 0, self.run >= 0,
                self.tokens[self.run].end - self.tokens[self.run].start <= 4, self.isWord(index + 1),
                self.tokens[index + 1].space == 1, !self.tokens[index + 1].isQuoted
            {
                self.runEnd = index
                return index + 1
            }
        default: break
        }
        self.endRun()
        return index + 1
    }

    /// Reads a parenthesis: the unit in a name, a role, the arguments of a call, or a remark.
    private func parenthesis(_ index: Int, _ token: LineToken) -> Int {
        guard self.run >= 0, self.runEnd == index - 1, self.isWord(index + 1) else {
            self.parentheses += 1
            self.endRun()
            return index + 1
        }
        if token.space == 0, self.isSign(index + 2, 0x3D), self.tokens[index + 2].space == 0 {
            // `Namespace(lr=0.1`, `dict(type=`
            self.line.isSetting = true
            return self.count
        }
        guard self.isSign(index + 2, 0x29) else {
            self.parentheses += 1
            self.endRun()
            return index + 1
        }
        let slot = self.slot(index + 1, index + 1)
        if self.names[slot].use == .roleOnly {
            self.begin(section: self.names[slot].role)
            self.endRun()
            return index + 3
        }
        if self.isSign(index + 3, 0x7C) {
            // A table of times: `time (ms) | forward: 652.41 | step: 1172.13`.
            if self.uses(index + 1).contains(.time) { self.skipsLine = true }
        }
        self.runEnd = index + 2
        return index + 3
    }

    /// Reads `:` or `=`, with or without a name before it.
    private func separator(_ index: Int) -> Int {
        guard self.run >= 0, self.runEnd == index - 1 else {
            self.endRun()
            if self.headingEnd == index - 1, self.isNumber(index + 1) {
                return self.headed(index + 1, as: nil) ?? index + 1
            }
            return index + 1
        }
        let first = self.run
        let last = self.runEnd
        self.lastName = first
        let slot = self.slot(first, last)
        let name = self.names[slot]
        self.endRun()
        guard index + 1 < self.count else {
            if name.role != .none, name.use != .figure { self.begin(section: name.role) }
            return index + 1
        }
        if name.use == .settings {
            if !self.isNumber(index + 1) { self.stop() }
            return self.line.isSetting ? self.count : (self.isNumber(index + 1) ? index + 2 : self.count)
        }
        var value = index + 1
        var hasList = false
        var wrappers = 0
        var isCall = false
        while wrappers < 3 {
            if self.isSign(value, 0x5B) || (self.isSign(value, 0x28) && wrappers == 0) {
                hasList = hasList || self.isSign(value, 0x5B)
                value += 1
            } else if self.isWord(value), self.isSign(value + 1, 0x28), self.tokens[value + 1].space == 0,
                self.isNumber(value + 2)
            {
                // `tensor(0.5`, `np.float32(0.84`
                value += 2
                isCall = true
            } else {
                break
            }
            wrappers += 1
        }
        if value < self.count, self.tokens[value].kind == .clock {
            if name.use == .timeLeft { return self.timeLeft(value) }
            return value + 1
        }
        guard self.isNumber(value) else {
            if name.use == .timeLeft { return index + 1 }
            if first == last, self.uses(first).contains(.split), let next = self.split(value) { return next }
            if self.isSign(index + 1, 0x7B), self.tokens[first].isQuoted {
                self.objects.append((self.tokens[first].start, self.tokens[last].end))
                return index + 2
            }
            if name.role != .none, name.use != .figure || !self.isWord(index + 1),
                name.use == .roleOnly || !self.isLogger(first, index)
            {
                self.begin(section: name.role)
            }
            if self.isWord(index + 1), self.isNumber(index + 2), self.isPercent(self.tokens[index + 2]),
                self.word(at: last) == "progress"
            {
                // `PROGRESS: at 12.34% examples`
                self.line.epochCount = self.percent(self.tokens[index + 2])
                return index + 3
            }
            return index + 1
        }
        if name.use == .timeLeft { return self.timeLeft(value) }
        // `Map:  64%|██`
        if self.isPercent(self.tokens[value]), self.isSign(value + 1, 0x7C) { return value + 1 }
        if name.key == Self.progressKey, self.isPercent(self.tokens[value]) {
            // `Alpha: 0.0238  Progress: 12.12%`
            self.line.epochCount = self.percent(self.tokens[value])
            return value + 1
        }
        if self.heading != nil, let next = self.headed(value, as: name) { return next }
        if hasList || wrappers > 0 {
            let next = self.listed(name, first, last, value, index, hasList)
            return isCall && !hasList ? self.afterCall(next) : next
        }
        return self.named(name, first, last, value, isStrong: true)
    }

    private static let progressKey = FigureName.key("progress")

    private func percent(_ token: LineToken) -> TrainingLine.Count {
        TrainingLine.Count(done: token.value, total: 100, strength: .epoch, isPercent: true)
    }

    /// `true` for the logger in `INFO:my-test:loss=0.3`.
    private func isLogger(_ first: Int, _ colon: Int) -> Bool {
        self.isSign(first - 1, 0x3A) && self.tokens[first].space == 0 && colon + 1 < self.count
            && self.tokens[colon + 1].space == 0
    }

    private func stop() {
        if self.line.figures.isEmpty, self.line.step == nil { self.line.isSetting = true }
    }
}
