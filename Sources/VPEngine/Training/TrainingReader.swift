import Foundation

/// Reads a training's figures from a program's output as it arrives.
///
/// It takes bytes in pieces of any size, and its memory does not grow with the log. Each state of a bar that
/// `\\r` redraws counts as a line. It is not thread-safe: use it from one thread at a time.
public final class TrainingReader {
    /// The most bytes of a line that are examined.
    static let lineLimit = 1 << 18
    private static let emptyCount = 4096
    private static let headerCount = 256

    private let lines = LineReader()
    private let filter = LineFilter()
    /// nil in tests that read every line in full.
    private let memo: LineMemo?
    private let patterns: PatternReader?
    /// Table headers that have occurred, by the hash of their line.
    @exclusivity(unchecked) private var headers = [FigureTable?](repeating: nil, count: headerCount)
    private let headerHashes: UnsafeMutablePointer<UInt64>
    /// Hashes of lines that contained nothing.
    private let empty: UnsafeMutablePointer<UInt64>
    private let stateMemory: UnsafeMutablePointer<TrainingState>
    private var state: TrainingState {
        @inline(__always) unsafeAddress { UnsafePointer(self.stateMemory) }
        @inline(__always) unsafeMutableAddress { self.stateMemory }
    }

    /// A copy of the state's value: reading it from the state would copy the state.
    @exclusivity(unchecked) private var isInBlock = false
    @exclusivity(unchecked) private var isAfterEvaluation = false
    @exclusivity(unchecked) private var table: FigureTable? {
        didSet {
            self.hasTable = self.table != nil
            self.hasPipes = self.table?.shape == .pipes || self.otherTable?.shape == .pipes
        }
    }
    /// Properties of the open tables, so that most lines can be skipped without looking at them.
    @exclusivity(unchecked) private var hasTable = false
    @exclusivity(unchecked) private var hasPipes = false
    /// The number of lines since the table's last row.
    @exclusivity(unchecked) private var tableAge = 0
    /// The table before this one.
    @exclusivity(unchecked) private var otherTable: FigureTable?
    /// The figures of a box of names and values until it ends: its step may be at the bottom.
    @exclusivity(unchecked) private var box: FigureBox?
    @exclusivity(unchecked) private var visible: UnsafeMutablePointer<UInt8>
    /// The incomplete line at the end of the input.
    @exclusivity(unchecked) private var partial: [UInt8] = []

    /// - Parameter patterns: figures that the user defined, in addition to those of the grammar.
    public convenience init(patterns: [FigurePattern] = []) { self.init(patterns: patterns, remembers: true) }

    /// - Parameter remembers: if a line occurred before with other numbers, only its numbers are read.
    package init(patterns: [FigurePattern], remembers: Bool) {
        self.memo = remembers ? LineMemo() : nil
        self.patterns = PatternReader(patterns)
        self.stateMemory = .allocate(capacity: 1)
        self.stateMemory.initialize(to: TrainingState())
        self.empty = .allocate(capacity: Self.emptyCount)
        self.empty.initialize(repeating: 0, count: Self.emptyCount)
        self.headerHashes = .allocate(capacity: Self.headerCount)
        self.headerHashes.initialize(repeating: 0, count: Self.headerCount)
        // Eight bytes more, so that a word can be loaded at the end.
        self.visible = .allocate(capacity: Self.lineLimit + 8)
        self.visible.initialize(repeating: 0, count: Self.lineLimit + 8)
    }

    deinit {
        self.stateMemory.deinitialize(count: 1)
        self.stateMemory.deallocate()
        self.visible.deallocate()
        self.empty.deallocate()
        self.headerHashes.deallocate()
    }

    public func read(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        let count = bytes.count
        var index = 0
        if !self.partial.isEmpty {
            let end = LineBytes.end(start, 0, count)
            self.keep(start, end)
            guard end < count else { return }
            self.partial.withUnsafeBufferPointer { self.readLine($0.baseAddress!, $0.count, $0.count) }
            self.partial.removeAll(keepingCapacity: true)
            index = end + 1
        }
        while index < count {
            var lineStart = index
            if !self.looksAtEachLine {
                guard let found = self.filter.find(start + index, count - index) else {
                    index = LineBytes.start(start, count, from: index)
                    break
                }
                lineStart = LineBytes.start(start, index + found, from: index)
            }
            let end = LineBytes.end(start, lineStart, count)
            index = lineStart
            guard end < count else { break }
            self.readLine(start + lineStart, end - lineStart, count - lineStart)
            index = end + 1
        }
        if index < count { self.keep(start + index, count - index) }
    }

    /// `true` if every line must be examined: table rows have no words, and under a heading a
    /// blank line matters.
    private var looksAtEachLine: Bool {
        self.patterns != nil || self.hasTable || self.box != nil || self.isInBlock
    }

    public func read(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.read($0) } }

    /// The arrival time of the input from now on, in seconds since 1970; NaN if unknown.
    public var arrival: Double {
        get { self.state.time }
        set { self.state.time = newValue }
    }

    /// Called for each figure as it is read: the index of its series among `figures().series`, its
    /// position, and its value.
    func onEachPoint(_ each: @escaping (Int, Double, Double) -> Void) { self.state.tell(each) }

    /// The progress according to complete lines; nil until the log is known to be of a training.
    public var progress: TrainingProgress? { self.state.hasStarted ? self.state.progress.current : nil }

    /// The progress according to a bar that is alone, without any figure in the input.
    public var loneProgress: TrainingProgress? { self.state.progress.lone }

    /// `true` if a loss is not a number, according to complete lines.
    public var hasNotNumber: Bool { self.state.book.hasNotNumber || self.state.otherRanksNotNumber != nil }

    /// Returns the figures read so far. With `withRest`, the incomplete last line counts as well: the newest
    /// state of a bar has no line end until the next.
    public func figures(withRest: Bool = true) -> TrainingFigures {
        let kept = (self.state, self.table, self.otherTable, self.box, self.isInBlock, self.isAfterEvaluation)
        if withRest, !self.partial.isEmpty {
            let rest = self.partial
            rest.withUnsafeBufferPointer { self.readLine($0.baseAddress!, $0.count, $0.count) }
        }
        self.endBox()
        defer {
            (self.state, self.table, self.otherTable, self.box, self.isInBlock, self.isAfterEvaluation) = kept
        }
        return self.state.figures()
    }

    private func keep(_ start: UnsafePointer<UInt8>, _ count: Int) {
        let room = Self.lineLimit - self.partial.count
        if room > 0 {
            self.partial.append(contentsOf: UnsafeBufferPointer(start: start, count: min(room, count)))
        }
    }

    // MARK: A line

    /// Returns the line without escape sequences. A line that has none is read in place, if a word can be
    /// loaded at its end.
    private func visibleText(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ readable: Int) -> (
        UnsafePointer<UInt8>, Int
    ) {
        if readable >= count + 8, memchr(bytes, 0x1B, count) == nil { return (bytes, count) }
        return (UnsafePointer(self.visible), VisibleBytes.copy(bytes, count, to: self.visible))
    }

    /// - Parameter readable: the number of readable bytes from the start of the line on.
    private func readLine(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ readable: Int) {
        let hash = LineBytes.hash(bytes, min(count, Self.lineLimit))
        let place = Int(truncatingIfNeeded: hash >> 44) & (Self.emptyCount - 1)
        // A warning that is printed a thousand times is read once.
        if self.empty[place] == hash, self.patterns == nil, self.table == nil, self.box == nil {
            if !self.isInBlock || count == 0 || bytes[0] == 0x20 || bytes[0] == 0x09 { return }
            self.endBlock()
            return
        }
        let (text, length) = self.visibleText(bytes, min(count, Self.lineLimit), readable)
        guard length >= 3 else {
            if length == 0 { self.endBlock() }
            return
        }
        let taught = self.patterns?.read(text, length) ?? []
        defer { for (name, value) in taught { self.state.add(taught: name, value, self.lines.names) } }
        let headerPlace = Int(truncatingIfNeeded: hash >> 50) & (Self.headerCount - 1)
        if self.headerHashes[headerPlace] == hash, let table = self.headers[headerPlace] {
            // The same header again: some programs print it before each epoch's rows.
            self.endBox()
            self.open(table)
            return
        }
        if self.readTable(text, length, hash) { return }
        if self.box != nil { self.endBox() }
        switch self.memo?.find(text, length, self.lines.lexer) ?? .unknown {
        case .empty:
            if text[0] != 0x20, text[0] != 0x09 { self.endBlock() }
        case .line(let line) where self.isInBlock || (self.isAfterEvaluation && Self.isIndented(text)):
            // The lines above may change the role of these figures.
            var line = line.pointee
            self.take(&line, text, hash)
        case .line(let line):
            self.take(&line.pointee, text, hash)
        case .unknown:
            self.readAnew(text, length, hash, place)
        }
    }

    private func readAnew(_ text: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64, _ place: Int) {
        self.lines.read(text, length)
        if self.lines.line.figures.isEmpty {
            if self.readHeading(text, length, hash) { return }
            if self.lines.line.saysNothing, !self.lines.line.isCheckpoint {
                if text[0] != 0x20, text[0] != 0x09 { self.endBlock() }
                self.empty[place] = hash
                if let memo, memo.isKnownShape() { memo.remember(text, length, self.lines, nil) }
                return
            }
        }
        if let memo, memo.isKnownShape() {
            memo.remember(text, length, self.lines, self.lines.readMarked())
        }
        self.take(&self.lines.line, text, hash)
    }

    private static func isIndented(_ text: UnsafePointer<UInt8>) -> Bool {
        text[0] == 0x20 || text[0] == 0x09 || text[0] == 0x2A || text[0] == 0x7C
    }

    private func take(_ line: inout TrainingLine, _ text: UnsafePointer<UInt8>, _ hash: UInt64) {
        if line.isCheckpoint { self.state.addCheckpoint(line) }
        if line.figures.isEmpty, line.saysNothing {
            if text[0] != 0x20, text[0] != 0x09 { self.endBlock() }
            return
        }
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(
            &line, hash, isIndented: Self.isIndented(text), LineNames(text, self.lines.names))
    }

    private func endBlock() {
        guard self.isInBlock else { return }
        self.isInBlock = false
        self.state.endBlock()
    }

    private func open(_ table: FigureTable) {
        if let old = self.table, old.titles != table.titles { self.otherTable = old }
        self.table = table
        self.tableAge = 0
    }

    /// Reads the header of a table or of a block: `***** eval metrics *****`, `Evaluation results:`.
    private func readHeading(_ text: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64) -> Bool {
        if let table = FigureTable(self.lines, text, length) {
            self.open(table)
            let place = Int(truncatingIfNeeded: hash >> 50) & (Self.headerCount - 1)
            self.headers[place] = table
            self.headerHashes[place] = hash
            return true
        }
        let count = self.lines.count
        guard count >= 2, count <= 10, self.lines.line.step == nil, self.lines.line.count == nil else {
            return false
        }
        let last = count - 1
        let isFramed = self.lines.isSign(0, LineToken.bar) && self.lines.isSign(last, LineToken.bar)
        guard isFramed || self.lines.isSign(last, 0x3A) else { return false }
        for index in 0..<count where self.lines.isWord(index) {
            if self.lines.uses(index).contains(.role),
                let role = FigureGrammar.roles[self.lines.word(at: index)]
            {
                self.state.begin(block: role)
                self.isInBlock = true
                return true
            }
        }
        return false
    }

    // MARK: Tables

    /// Returns `true` if the line is a row of the open table, or of a box of names and values.
    private func readTable(_ text: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64) -> Bool {
        if self.readBox(text, length) { return true }
        guard self.hasTable else { return false }
        self.tableAge += 1
        if self.tableAge > FigureTable.patience {
            self.table = nil
            return false
        }
        guard self.mayBeRow(text, length), let table = self.table else { return false }
        var row: String?
        if !table.read(self.lines, text, length, title: &row) {
            // An evaluation's table may come between two rows of the training's.
            guard let other = self.otherTable, other.read(self.lines, text, length, title: &row),
                self.lines.line.rowCount != nil
            else { return false }
            (self.table, self.otherTable) = (other, table)
        }
        self.tableAge = 0
        self.lines.line.role = .none
        if let row { self.name(row) }
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(
            &self.lines.line, hash, isIndented: false, LineNames())
        return true
    }

    /// `true` if a line begins like a row: with a bar or a number, or far from the left.
    private func mayBeRow(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let first = text[0]
        if first &- 0x30 < 10 || first == 0x2D || first == 0x20 || first == 0x09 { return true }
        return self.hasPipes && (first == 0x7C || first == 0xE2)
    }

    /// Assigns the figures in a table of trials to their trial.
    private func name(_ row: String) {
        for index in self.lines.line.figures.indices {
            let place = self.lines.line.figures[index].titleIndex
            let title = row + SeriesBook.rowMark + self.lines.line.titles[place]
            self.lines.line.titles[place] = title
            self.lines.line.figures[index].row = self.lines.line.figures[index].name.key
            self.lines.line.figures[index].name.key = FigureName.key(title)
        }
    }

    /// Reads a row of a box: `|    ep_rew_mean          | 21.3        |`.
    private func readBox(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        var start = 0
        while start < length, text[start] == 0x20 { start += 1 }
        guard start < length,
            text[start] == 0x7C || (text[start] == 0xE2 && length > start + 2 && text[start + 1] == 0x94)
        else { return false }
        guard let cells = FigureBox.cells(text, length) else { return false }
        if self.box == nil { self.box = FigureBox() }
        self.box?.add(cells, text, self.lines)
        return true
    }

    private func endBox() {
        guard var box = self.box?.line else { return }
        self.box = nil
        guard !box.figures.isEmpty, box.hasPlace else { return }
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(&box, nil, isIndented: false, LineNames())
    }
}
