import Foundation

/// A table in a log: names in a header, and rows of numbers under it.
final class FigureTable {
    enum Shape { case spaces, pipes, commas }

    struct Column {
        var name: FigureName
        var title: String
    }

    let shape: Shape
    let columns: [Column]
    private let columnCount: Int
    /// Commas separate cells, and a column is about a training: cells may be empty, or be times.
    private let isOfTraining: Bool
    /// The hash of the shape and the titles.
    let key: UInt64
    // The cells and values of the current row; kept to reuse their memory.
    private var rowCells: [Range<Int>] = []
    private var rowValues: [(column: Int, value: LineToken, start: Int)] = []

    /// A number of the current row, and the place in the line from which its token counts.
    struct Meaning {
        var field: MemoValue.Field
        var figure: Int
        var token: LineToken
        var start: Int
    }
    /// The numbers of the current row, in the order in which they were set.
    private(set) var rowMeanings: [Meaning] = []
    /// Whether the current line is a row, or how it is read, depends on more than its shape.
    private(set) var dependsOnDigits = false

    /// Reads the header in the line that `reader` has just read; nil if the line is not a header.
    init?(_ reader: LineReader, _ text: UnsafePointer<UInt8>, _ length: Int) {
        guard reader.line.figures.isEmpty, !reader.line.isSetting, Self.mayBeHeader(reader) else {
            return nil
        }
        let end = Self.headerEnd(reader, length)
        var shape = Shape.spaces
        var cells: [Range<Int>] = []
        if let first = Self.firstByte(text, end), first == 0x7C || first == 0xE2 {
            shape = .pipes
            cells = Self.cells(text, end, shape, wide: true)
        } else {
            shape = .commas
            cells = Self.cells(text, end, shape, wide: true)
            if cells.count < 3 || cells.contains(where: { text[$0].contains(0x20) }) {
                shape = .spaces
                cells = Self.cells(text, end, shape, wide: true)
            }
            if cells.count < 3 {
                let narrow = Self.cells(text, end, shape, wide: false)
                cells = narrow.count >= 3 && Self.areAllKnown(narrow, reader, text) ? narrow : []
            }
        }
        guard cells.count >= 3, cells.count <= 64 else { return nil }
        var titles = cells.map { String(decoding: text[$0], as: UTF8.self) }
        if titles.count(where: FigureGrammar.lossColumns.contains) > 1, titles.contains("Epoch") {
            titles = titles.map { FigureGrammar.lossColumns.contains($0) ? $0 + "_loss" : $0 }
        }
        let columns = titles.map { Self.column($0, reader.names) }
        let known = columns.count { $0.name.use == .figure && $0.name.kind.isEvidence }
        guard known > 0 else { return nil }
        self.shape = shape
        self.columns = columns
        self.columnCount = columns.count
        self.isOfTraining =
            shape == .commas
            && columns.contains {
                $0.name.use == .epoch || $0.name.use == .step || $0.name.kind == .lr || $0.name.role != .none
            }
        self.key = FigureName.key("\(shape) \(columns.map(\.title).joined(separator: "|"))")
    }

    /// `true` for a line of words only, at least three, one of them a measure.
    private static func mayBeHeader(_ reader: LineReader) -> Bool {
        var words = 0
        var end = reader.count
        for index in 0..<reader.count {
            let token = reader.tokens[index]
            switch token.kind {
            case .word: words += 1
            case .sign where token.sign == 0x3A:
                guard words >= 3 else { return false }
                end = index
            case .sign: break
            case .number, .notNumber, .clock, .junk: return false
            }
            if end < reader.count { break }
        }
        // The meaning of words is looked up last: a file of random letters has countless words.
        guard words >= 2 else { return false }
        var losses = 0
        return (0..<end).contains { index in
            guard reader.isWord(index) else { return false }
            let name = reader.names[reader.slot(index, index)]
            if name.use == .extra, FigureGrammar.lossColumns.contains(reader.word(at: index)) { losses += 1 }
            return name.use == .figure && name.kind.isEvidence || losses > 1
        }
    }

    /// `true` if a line can be a row, whatever its digits: as many cells as columns, or a bar after them.
    func hasEnoughCells(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        var cells = 0
        var index = 0
        switch self.shape {
        case .pipes:
            while index < length, text[index] == 0x20 { index += 1 }
            // A wide bar takes three bytes.
            guard index < length, text[index] == 0x7C || text[index] == 0xE2 else { return false }
            while index < length, cells <= self.columnCount + 1 {
                let isBar = text[index] == 0x7C || (text[index] == 0xE2 && Self.isBoxBar(text, index, length))
                if isBar { cells += 1 }
                index += 1
            }
            // There is one bar more than cells if the last cell is closed.
            return cells == self.columnCount + 1
        case .commas:
            while index < length, text[index] == 0x20 { index += 1 }
            guard index < length, text[index] &- 0x30 < 10 || text[index] == 0x2D else { return false }
            while index < length, cells < self.columnCount {
                if text[index] == 0x2C { cells += 1 }
                index += 1
            }
            return cells == self.columnCount - 1
        case .spaces:
            while index < length, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
            guard index < length else { return false }
            // A row begins with a number, or with a word for the mean of all rows.
            let first = text[index]
            guard first &- 0x30 < 10 || first == 0x2D || (index > 2 && Self.isFirstLetter(first)) else {
                return false
            }
            // `2026-03-02`, `10:11:12`: most lines that begin with a digit.
            var end = index + 1
            while end < length, text[end] > 0x20 {
                if text[end] == 0x3A || (text[end] == 0x2D && text[end - 1] &- 0x30 < 10) { return false }
                end += 1
            }
            var isInside = false
            while index < length {
                let isSpace = text[index] == 0x20 || text[index] == 0x09
                if !isSpace, !isInside {
                    // A bar follows the row: `640:  50%|█████     | 8/16`.
                    if cells == self.columnCount { return self.endsInColon(text, index) }
                    cells += 1
                }
                isInside = !isSpace
                index += 1
            }
            return cells == self.columnCount
        }
    }

    private static func isBoxBar(_ text: UnsafePointer<UInt8>, _ index: Int, _ length: Int) -> Bool {
        index + 2 < length && text[index + 1] == 0x94 && (text[index + 2] == 0x82 || text[index + 2] == 0x83)
    }

    /// `true` if the cell before `index` ends in a colon.
    private func endsInColon(_ text: UnsafePointer<UInt8>, _ index: Int) -> Bool {
        var end = index
        while end > 0, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        return end > 0 && text[end - 1] == 0x3A
    }

    /// Returns the end of the header: YOLO writes a bar after it.
    private static func headerEnd(_ reader: LineReader, _ length: Int) -> Int {
        for index in 0..<reader.count {
            let token = reader.tokens[index]
            if token.kind == .sign, token.sign == 0x3A { return Int(token.start) }
        }
        return length
    }

    private static func firstByte(_ text: UnsafePointer<UInt8>, _ length: Int) -> UInt8? {
        for index in 0..<length where text[index] != 0x20 && text[index] != 0x09 { return text[index] }
        return nil
    }

    private static func areAllKnown(
        _ cells: [Range<Int>], _ reader: LineReader, _ text: UnsafePointer<UInt8>
    ) -> Bool {
        cells.allSatisfy { cell in
            let name = reader.names[reader.names.find(text + cell.lowerBound, cell.count)]
            return name.use == .figure || name.use == .step || name.use == .epoch
        }
    }

    private static func column(_ title: String, _ names: FigureNames) -> Column {
        var title = title
        if title.hasSuffix(")"), !title.contains("(") { title.removeLast() }
        if title.contains("("), !title.contains(")") {
            title = title.replacingOccurrences(of: "(", with: " ")
        }
        let alias = ["#": "step", "E": "epoch"][title] ?? title
        guard !alias.isEmpty else { return Column(name: FigureName(), title: "") }
        let slot = names.find(alias)
        return Column(name: names[slot], title: names.title(slot))
    }

    // MARK: Cells

    /// Returns the cells of a line, without surrounding spaces. If they are `wide`, a single space does
    /// not separate cells.
    static func cells(_ text: UnsafePointer<UInt8>, _ length: Int, _ shape: Shape, wide: Bool)
        -> [Range<Int>]
    {
        var cells: [Range<Int>] = []
        Self.cut(text, length, shape, wide: wide, into: &cells)
        return cells
    }

    private static func cut(
        _ text: UnsafePointer<UInt8>, _ length: Int, _ shape: Shape, wide: Bool,
        into cells: inout [Range<Int>]
    ) {
        cells.removeAll(keepingCapacity: true)
        var start = 0
        func close(_ end: Int, keepsEmpty: Bool) {
            var (first, last) = (start, end)
            while first < last, text[first] == 0x20 || text[first] == 0x09 { first += 1 }
            while last > first, text[last - 1] == 0x20 || text[last - 1] == 0x09 { last -= 1 }
            if first < last || keepsEmpty { cells.append(first..<last) }
        }
        var index = 0
        switch shape {
        case .pipes:
            var isInside = false
            while index < length {
                let isBar = text[index] == 0x7C
                let isBox =
                    text[index] == 0xE2 && index + 2 < length && text[index + 1] == 0x94
                    && (text[index + 2] == 0x82 || text[index + 2] == 0x83)
                if isBar || isBox {
                    if isInside { close(index, keepsEmpty: true) }
                    isInside = true
                    start = index + (isBox ? 3 : 1)
                    index = start
                } else {
                    index += 1
                }
            }
        case .commas:
            while index < length {
                if text[index] == 0x2C {
                    close(index, keepsEmpty: true)
                    start = index + 1
                }
                index += 1
            }
            close(length, keepsEmpty: true)
        case .spaces:
            while index < length {
                let isTab = text[index] == 0x09
                let isGap =
                    isTab
                    || (text[index] == 0x20 && (!wide || (index + 1 < length && text[index + 1] <= 0x20)))
                if isGap {
                    close(index, keepsEmpty: false)
                    start = index + 1
                }
                index += 1
            }
            close(length, keepsEmpty: false)
        }
    }

    // MARK: Rows

    /// `true` for the first letter of one of `FigureGrammar.meanWords`.
    private static func isFirstLetter(_ byte: UInt8) -> Bool {
        byte == 0x61 || byte == 0x6D || byte == 0x6F || byte == 0x74
    }

    /// Reads a row that has enough cells into `reader.line`; returns `false` if the line is not a row of this
    /// table. `title` is set to the row's name if the first cell is a word.
    func read(_ reader: LineReader, _ text: UnsafePointer<UInt8>, _ length: Int, title: inout String?)
        -> Bool
    {
        Self.cut(text, length, self.shape, wide: false, into: &self.rowCells)
        self.dependsOnDigits = false
        self.rowMeanings.removeAll(keepingCapacity: true)
        if self.shape == .spaces, self.rowCells.count > self.columns.count {
            // A bar follows the row: `640:  50%|█████     | 8/16`.
            let last = self.rowCells[self.columns.count - 1]
            guard text[last.upperBound - 1] == 0x3A else { return false }
            self.rowCells.removeLast(self.rowCells.count - self.columns.count)
            self.rowCells[self.columns.count - 1] = last.lowerBound..<(last.upperBound - 1)
        }
        guard self.rowCells.count == self.columns.count else { return false }
        self.rowValues.removeAll(keepingCapacity: true)
        var count: TrainingLine.Count?
        for column in self.rowCells.indices {
            let cell = self.rowCells[column]
            guard !cell.isEmpty else {
                guard self.shape == .pipes || self.isOfTraining else { return false }
                continue
            }
            reader.lexer.read(text + cell.lowerBound, cell.count)
            if reader.lexer.isOdd || !reader.lexer.groupHeads.isEmpty { self.dependsOnDigits = true }
            let tokens = reader.lexer.tokens
            if reader.lexer.count == 1 {
                switch tokens[0].kind {
                case .number, .notNumber:
                    self.rowValues.append((column, tokens[0], cell.lowerBound))
                    continue
                case .clock: continue
                case .word, .junk, .sign: break
                }
            } else if reader.lexer.count == 3, tokens[0].kind == .number, tokens[2].kind == .number,
                tokens[1].sign == 0x2F, tokens[1].kind == .sign
            {
                if self.columns[column].name.use == .epoch || self.columns[column].name.use == .step {
                    self.rowValues.append((column, tokens[0], cell.lowerBound))
                    let strength: TrainingLine.Count.Strength =
                        self.columns[column].name.use == .epoch ? .row : .step
                    count = TrainingLine.Count(
                        done: tokens[0].value, total: tokens[2].value, strength: strength, isTraining: true)
                    self.mean(.rowDone, tokens[0], cell.lowerBound)
                    self.mean(.rowTotal, tokens[2], cell.lowerBound)
                } else if column == 0, self.shape == .spaces {
                    // `2/50` begins the row of another table.
                    return false
                }
                continue
            }
            // `2025-11-07 06:12:10`
            if column > 0, self.isOfTraining,
                (0..<reader.lexer.count).allSatisfy({ tokens[$0].kind != .word })
            {
                continue
            }
            guard column == 0 || self.shape == .pipes else { return false }
            if column == 0 { title = String(decoding: text[cell], as: UTF8.self) }
        }
        if title != nil, self.shape != .pipes {
            guard FigureGrammar.meanWords.contains(title?.lowercased() ?? "")
            else {
                return false
            }
            title = nil
        }
        return self.fill(&reader.line, count, isTrials: title != nil)
    }

    private func fill(
        _ line: inout TrainingLine, _ count: TrainingLine.Count?, isTrials: Bool
    ) -> Bool {
        line.reset()
        for (column, token, start) in self.rowValues {
            let name = self.columns[column].name
            let value = token.kind == .notNumber ? Double.nan : token.value
            switch name.use {
            case .epoch:
                line.epoch = value.isFinite ? value : nil
                self.mean(.epoch, token, start)
            case .step where value.isFinite && value == value.rounded():
                if token.isFraction { self.dependsOnDigits = true }
                line.step = value
                line.stepRank = isTrials ? 0 : name.rank
                line.stepTitle = self.columns[column].title
                line.stepKey = name.key
                self.mean(.step, token, start)
                if isTrials { self.add(name, column, value, &line) }
            // A trial's parameters are not a curve of one training.
            case .figure where !(isTrials && name.kind == .lr):
                self.mean(.figure, token, start, line.figures.count)
                self.add(name, column, value, &line)
            case .extra where token.isFraction && token.unitEnd == token.end && !isTrials:
                self.mean(.figure, token, start, line.figures.count)
                self.add(name, column, value, &line)
            default: break
            }
        }
        line.rowCount = count
        return line.figures.contains { $0.name.use == .figure }
    }

    /// Notes the meaning of a number. Elsewhere in the same column, it is a word or not a number.
    private func mean(_ field: MemoValue.Field, _ token: LineToken, _ start: Int, _ figure: Int = 0) {
        guard token.kind == .number else { return }
        self.rowMeanings.append(Meaning(field: field, figure: figure, token: token, start: start))
    }

    private func add(_ name: FigureName, _ column: Int, _ value: Double, _ line: inout TrainingLine) {
        line.figures.append(
            TrainingLine.Figure(
                name: name, nameStart: 0, nameEnd: 0, section: .none, titleIndex: line.titles.count,
                value: value))
        line.titles.append(self.columns[column].title)
    }
}

extension UnsafePointer<UInt8> {
    fileprivate subscript(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: self + range.lowerBound, count: range.count)
    }
}
