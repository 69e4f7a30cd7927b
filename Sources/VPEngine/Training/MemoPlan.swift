/// The parts of a line that must be the same in another line of its shape, and the meaning of its numbers.
struct MemoPlan {
    private(set) var values: [MemoValue] = []
    private(set) var pairs: [LineMemo.Pair] = []
    private(set) var literals: [LineMemo.Literal] = []
    /// The token of each value.
    private var tokens: [Int] = []

    /// nil if the line cannot be remembered. `lines` is the result of `LineReader.readMarked`; nil for a line
    /// that does not report on a training.
    init?(_ reader: LineReader, _ lines: (clean: TrainingLine, tainted: TrainingLine)?) {
        // The index of a later token does not fit beside a value.
        guard reader.count < 1024 else { return nil }
        self.addLiterals(of: reader, rank: lines?.clean.rank)
        if let lines {
            guard self.addValues(of: reader, lines.clean, lines.tainted) else { return nil }
        } else {
            // `Epoch 7/5` says nothing, but `Epoch 4/5` does.
            self.addDeciding(reader)
        }
    }

    /// The plan for a row of a table: the meaning of its numbers is known.
    init(row values: [MemoValue]) { self.values = values }

    // MARK: What must be the same

    /// Digits that are not numbers: in names, in skipped text, in exponents.
    private mutating func addLiterals(of reader: LineReader, rank: Int?) {
        for index in 0..<reader.count {
            let token = reader.tokens[index]
            switch token.kind {
            case .word: self.keepDigits(Int(token.start), Int(token.end), reader)
            case .junk: self.keepAfterLetters(Int(token.start), Int(token.end), reader)
            case .sign, .clock, .notNumber: break
            case .number:
                self.keepExponent(Int(token.start), Int(token.end), reader)
                if let rank, reader.clean(index) == Double(rank) {
                    self.keep(Int(token.start), Int(token.end))
                }
            }
        }
        for head in reader.lexer.groupHeads { self.keep(head.lowerBound, head.upperBound) }
    }

    /// Letters are compared as part of the shape.
    private mutating func keepDigits(_ start: Int, _ end: Int, _ reader: LineReader) {
        guard let first = (start..<end).first(where: { reader.lexer.isDigit($0) }) else { return }
        self.keep(first, end)
    }

    private mutating func keep(_ start: Int, _ end: Int) {
        guard end > start else { return }
        self.literals.append(LineMemo.Literal(start: start, count: end - start))
    }

    /// Keeps the digits after letters, as in `x.h5` and `10:00:00Z1`: the meaning of an ending
    /// may depend on them.
    private mutating func keepAfterLetters(_ start: Int, _ end: Int, _ reader: LineReader) {
        var index = start
        while index < end {
            guard reader.lexer.isLetter(index) else {
                index += 1
                continue
            }
            let first = index
            while index < end, reader.lexer.isLetter(index) || reader.lexer.isDigit(index) { index += 1 }
            self.keepDigits(first, index, reader)
        }
    }

    private mutating func keepExponent(_ start: Int, _ end: Int, _ reader: LineReader) {
        for index in start..<end where reader.text[index] | 0x20 == 0x65 {
            self.keep(index, end)
            return
        }
    }

    // MARK: Where the numbers went

    /// Marks each number with the index of its token, in bits below the precision with which it is printed.
    /// Zeros become positive: the effect is noticed, and such lines are not remembered. Equal numbers around
    /// a slash stay equal.
    static func taint(_ reader: LineReader) {
        for index in 0..<reader.count where Self.isNumber(reader.tokens[index]) {
            var mark = index + 1
            if index > 1, reader.isSign(index - 1, 0x2F), Self.isNumber(reader.tokens[index - 2]),
                reader.clean(index - 2) == reader.clean(index)
            {
                mark -= 2
            }
            let bits = reader.tokens[index].value.bitPattern & ~UInt64(0xFFF)
            reader.tokens[index].value = Double(bitPattern: bits | UInt64(mark))
        }
    }

    private static func isNumber(_ token: LineToken) -> Bool { token.kind == .number || token.kind == .clock }

    /// Returns `false` if a value is not a number of the line but computed from several.
    private mutating func addValues(
        of reader: LineReader, _ clean: TrainingLine, _ tainted: TrainingLine
    ) -> Bool {
        guard Self.areAlike(clean, tainted) else { return false }
        for (index, figure) in clean.figures.enumerated() {
            guard self.add(figure.value, tainted.figures[index].value, .figure, reader, index) else {
                return false
            }
        }
        guard self.add(clean.step, tainted.step, .step, reader),
            self.add(clean.epoch, tainted.epoch, .epoch, reader),
            self.add(clean.otherStep?.value, tainted.otherStep?.value, .otherStep, reader),
            self.add(clean.count?.done, tainted.count?.done, .done, reader),
            self.add(clean.count?.total, tainted.count?.total, .total, reader),
            self.add(clean.count?.timeLeft, tainted.count?.timeLeft, .left, reader),
            self.add(clean.epochCount?.done, tainted.epochCount?.done, .epochDone, reader),
            self.add(clean.epochCount?.total, tainted.epochCount?.total, .epochTotal, reader),
            clean.epochCount?.timeLeft == nil, clean.epochCount?.rate == nil,
            self.addTimeLeft(reader, clean), self.addRate(reader, clean.count?.rate, tainted.count?.rate)
        else { return false }
        self.addDeciding(reader)
        return true
    }

    /// Returns `false` if `value` is set and is not a number of the line.
    private mutating func add(
        _ value: Double?, _ marked: Double?, _ field: MemoValue.Field, _ reader: LineReader,
        _ index: Int = 0
    ) -> Bool {
        guard let value, let marked else { return value == nil && marked == nil }
        guard value.isFinite else { return !marked.isFinite }
        let token = Int(marked.bitPattern & 0xFFF) - 1
        guard token >= 0, token < reader.count, Self.isNumber(reader.tokens[token]),
            reader.clean(token) == value
        else { return false }
        self.append(token, Self.value(token, reader, field, index))
        return true
    }

    /// Adds the parts of the time left, which are summed: `1 day, 2:12:07`.
    private mutating func addTimeLeft(_ reader: LineReader, _ clean: TrainingLine) -> Bool {
        guard let left = clean.timeLeft else { return true }
        var sum = 0.0
        for part in reader.timeParts {
            var value = Self.value(part.token, reader, .timeLeft, 0)
            value.factor = part.factor
            sum += reader.clean(part.token) * part.factor
            self.append(part.token, value)
        }
        return sum == left
    }

    /// Adds a rate: `15.5it/s`, `1.5s/it`, `3ms/step`.
    private mutating func addRate(_ reader: LineReader, _ rate: Double?, _ marked: Double?) -> Bool {
        guard let rate, let marked else { return rate == nil && marked == nil }
        if self.add(rate, marked, .rate, reader) { return true }
        for factor in [1.0, 1000] {
            for index in 0..<reader.count
            where Self.isNumber(reader.tokens[index]) && factor / reader.clean(index) == rate
                && factor / reader.tokens[index].value == marked
            {
                var value = Self.value(index, reader, .inverseRate, 0)
                value.factor = factor
                self.append(index, value)
                return true
            }
        }
        return false
    }

    /// Adds the numbers that decide the meaning of others: around a slash, before a unit of speed, below 0.
    private mutating func addDeciding(_ reader: LineReader) {
        func add(_ token: Int) -> Int {
            // A number is read once, even if it is a figure as well.
            let known = self.tokens.firstIndex(of: token)
            if known == nil { self.append(token, Self.value(token, reader, .none, 0)) }
            let index = known ?? self.values.count - 1
            self.values[index].decides = true
            return index
        }
        func addPair(_ first: Int, _ second: Int) {
            let (a, b) = (reader.clean(first), reader.clean(second))
            self.pairs.append(
                LineMemo.Pair(first: add(first), second: add(second), order: a < b ? -1 : a == b ? 0 : 1))
        }
        for index in 0..<reader.count where Self.isNumber(reader.tokens[index]) {
            let token = reader.tokens[index]
            if index + 2 < reader.count, reader.isSign(index + 1, 0x2F),
                Self.isNumber(reader.tokens[index + 2])
            {
                addPair(index, index + 2)
            } else if reader.text[Int(token.start)] == 0x2D || token.unitEnd > token.end + 1 {
                _ = add(index)
            }
        }
        if let done = reader.doneToken, let total = reader.totalToken { addPair(done, total) }
    }

    private mutating func append(_ token: Int, _ value: MemoValue) {
        self.tokens.append(token)
        self.values.append(value)
    }

    private static func value(
        _ index: Int, _ reader: LineReader, _ field: MemoValue.Field, _ figure: Int
    ) -> MemoValue {
        MemoValue(
            reader.tokens[index], reader.text, value: reader.clean(index), field, figure, keepsExponent: true)
    }

    /// `true` if the lines agree in everything but their values.
    private static func areAlike(_ a: TrainingLine, _ b: TrainingLine) -> Bool {
        guard a.figures.count == b.figures.count, a.titles == b.titles, a.stepRank == b.stepRank,
            a.stepName?.start == b.stepName?.start, a.stepName?.end == b.stepName?.end,
            a.stepTitle == b.stepTitle, a.stepKey == b.stepKey, a.rank == b.rank, a.role == b.role,
            a.hasTime == b.hasTime, a.hasTwoRoles == b.hasTwoRoles, a.isSetting == b.isSetting,
            a.isBest == b.isBest, a.announcesBest == b.announcesBest, a.isCheckpoint == b.isCheckpoint,
            a.rowCount == nil, b.rowCount == nil, a.otherStep?.key == b.otherStep?.key,
            a.otherStep?.start == b.otherStep?.start, a.otherStep?.end == b.otherStep?.end,
            Self.areAlike(a.count, b.count), Self.areAlike(a.epochCount, b.epochCount)
        else { return false }
        return zip(a.figures, b.figures).allSatisfy { a, b in
            a.name.key == b.name.key && a.name.use == b.name.use && a.name.saysOfWhat == b.name.saysOfWhat
                && a.nameStart == b.nameStart && a.nameEnd == b.nameEnd && a.section == b.section
                && a.titleIndex == b.titleIndex && a.row == b.row
        }
    }

    private static func areAlike(_ a: TrainingLine.Count?, _ b: TrainingLine.Count?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        return a.strength == b.strength && a.isBar == b.isBar && a.isTraining == b.isTraining
            && a.isOfEpoch == b.isOfEpoch && a.isExamples == b.isExamples
            && (a.timeLeft == nil) == (b.timeLeft == nil) && (a.rate == nil) == (b.rate == nil)
    }
}
