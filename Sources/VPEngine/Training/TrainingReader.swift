import Foundation

/// Reads a training's figures from a program's output as it arrives.
///
/// It takes bytes in pieces of any size, and its memory does not grow with the log. Each state of a bar that
/// `\\r` redraws counts as a line. It is not thread-safe: use it from one thread at a time.
public final class TrainingReader {
    private static let visibleCount = LineBytes.limit + LineFilter.margin

    private let lines = LineReader()
    private let filter = LineFilter()
    /// The shape of the current line.
    private let shape = LineShape()
    private let memo: LineMemo
    private let rows: RowMemo
    /// `false` in tests that read every line in full.
    private let remembers: Bool
    private let patterns: PatternReader?
    private let headers = KnownHeaders()
    /// Hashes of lines that contained nothing.
    private let empty = HashBook(count: 4096)
    /// Shapes of lines that change nothing, such as those without a word of the grammar: most lines of most
    /// programs. Each is mixed with the tables that were open.
    private let silent = HashBook(count: 8192)
    private let stateMemory: UnsafeMutablePointer<TrainingState>
    private var state: TrainingState {
        @inline(__always) unsafeAddress { UnsafePointer(self.stateMemory) }
        @inline(__always) unsafeMutableAddress { self.stateMemory }
    }

    /// A copy of the state's value: reading it from the state would copy the state.
    @exclusivity(unchecked) private var isInBlock = false
    @exclusivity(unchecked) private var isAfterEvaluation = false
    @exclusivity(unchecked) private var tables = OpenTables()
    /// The figures of a box of names and values until it ends: its step may be at the bottom.
    @exclusivity(unchecked) private var box: FigureBox? {
        didSet { self.hasBox = self.box != nil }
    }
    @exclusivity(unchecked) private var hasBox = false
    @exclusivity(unchecked) private var visible: UnsafeMutablePointer<UInt8>
    /// nil while every line is read.
    @exclusivity(unchecked) private var shapeCounts: ShapeCounts?
    /// The incomplete line at the end of the input.
    @exclusivity(unchecked) private var partial: [UInt8] = []
    /// The input goes on in the middle of a line, which is not read.
    @exclusivity(unchecked) private var isInsideLine = false

    /// - Parameter patterns: figures that the user defined, in addition to those of the grammar.
    public convenience init(patterns: [FigurePattern] = []) { self.init(patterns: patterns, remembers: true) }

    /// - Parameter remembers: if a line occurred before with other numbers, only its numbers are read.
    package init(patterns: [FigurePattern], remembers: Bool) {
        self.memo = LineMemo(self.shape)
        self.rows = RowMemo(self.shape)
        self.remembers = remembers
        self.patterns = PatternReader(patterns)
        self.stateMemory = .allocate(capacity: 1)
        self.stateMemory.initialize(to: TrainingState())
        self.visible = .allocate(capacity: Self.visibleCount)
        self.visible.initialize(repeating: 0, count: Self.visibleCount)
    }

    deinit {
        self.stateMemory.deinitialize(count: 1)
        self.stateMemory.deallocate()
        self.visible.deallocate()
    }

    public func read(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        let count = bytes.count
        var index = 0
        if self.isInsideLine {
            index = LineBytes.end(start, 0, count) + 1
            guard index <= count else { return }
            self.isInsideLine = false
        } else if !self.partial.isEmpty {
            let end = LineBytes.end(start, 0, count)
            self.keep(start, end)
            guard end < count else { return }
            self.readPartial()
            self.partial.removeAll(keepingCapacity: true)
            index = end + 1
        }
        while index < count, let length = self.readLine(start + index, count - index) { index += length + 1 }
        if index < count { self.keep(start + index, count - index) }
    }

    /// Passes over a part of the input: what comes next begins in the middle of a line.
    public func skip() {
        self.isInsideLine = true
        self.partial.removeAll(keepingCapacity: true)
        self.endBox()
        self.endBlock()
    }

    /// Reads at most `count` lines of each shape from now on, until the next call.
    /// What a line above said of the ones under it holds as if all were read; the numbers of figures and
    /// their means do not.
    public func spare(linesOfAShape count: Int) {
        if self.shapeCounts == nil { self.shapeCounts = ShapeCounts() }
        self.shapeCounts?.begin(limit: count)
    }

    private func readPartial() {
        let line = self.partial + [0x0A]
        line.withUnsafeBufferPointer { _ = self.readLine($0.baseAddress!, $0.count) }
    }

    /// `true` if every line must be examined: table rows have no words, and under a heading a
    /// blank line matters.
    private var looksAtEachLine: Bool { self.needsEachLine || !self.tables.isEmpty }

    private var needsEachLine: Bool { self.patterns != nil || self.hasBox || self.isInBlock }

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
        let kept = (self.state, self.tables, self.box, self.isInBlock, self.isAfterEvaluation)
        if withRest, !self.partial.isEmpty { self.readPartial() }
        self.endBox()
        defer {
            (self.state, self.tables, self.box, self.isInBlock, self.isAfterEvaluation) = kept
        }
        return self.state.figures()
    }

    private func keep(_ start: UnsafePointer<UInt8>, _ count: Int) {
        let room = LineBytes.limit - self.partial.count
        if room > 0 {
            self.partial.append(contentsOf: UnsafeBufferPointer(start: start, count: min(room, count)))
        }
    }

    // MARK: A line

    /// Reads the line that begins at `start`, and returns its length; nil if it does not end within `count`
    /// bytes.
    @inline(__always)
    private func readLine(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        guard self.shape.read(start, count) else { return nil }
        let (length, hash) = (self.shape.length, self.shape.hash)
        if hash != 0, self.silent.contains(hash ^ self.tables.key), !self.needsEachLine {
            self.tables.passOver()
        } else if self.shapeCounts == nil || self.isToBeRead(hash) {
            self.examine(start, min(length, LineBytes.limit), count)
        }
        return length
    }

    private func isToBeRead(_ hash: UInt64) -> Bool {
        hash == 0 || self.needsEachLine || self.isAfterEvaluation || self.shapeCounts?.admits(hash) != false
    }

    /// Notes that lines of a shape change nothing while these tables are open, whatever their digits are.
    private func noteSilent(_ shapeHash: UInt64) {
        if shapeHash != 0 { self.silent.add(shapeHash ^ self.tables.key) }
    }

    /// Reads the line whose shape was just found. `readable` bytes can be read from its start on.
    private func examine(_ start: UnsafePointer<UInt8>, _ count: Int, _ readable: Int) {
        let shapeHash = self.shape.hash
        var (text, length) = (start, count)
        if self.shape.hasEscape || readable < count + LineFilter.margin {
            // Without escape sequences, and with bytes after it that can be read.
            length = VisibleBytes.copy(start, count, to: self.visible)
            self.visible[length] = 0x0A
            text = UnsafePointer(self.visible)
            _ = self.shape.read(text, length + 1)
        }
        guard length >= 3 else {
            if length == 0 { self.endBlock() }
            return
        }
        let place = self.remembers ? self.memo.place() : nil
        if !self.looksAtEachLine,
            place.map({ self.memo[$0].isWordless }) ?? !self.filter.accepts(text, length)
        {
            self.noteSilent(shapeHash)
            return
        }
        self.read(
            CurrentLine(
                text: text, length: length, shapeHash: shapeHash,
                written: UnsafeBufferPointer(start: start, count: count), place: place))
        if let patterns {
            for (name, value) in patterns.read(text, length) {
                self.state.add(taught: name, value, self.lines.names)
            }
        }
    }

    private func read(_ current: CurrentLine) {
        if self.headers.mayHold(current.shapeHash), let table = self.headers.table(current.hash) {
            // The same header again: some programs print it before each epoch's rows.
            self.endBox()
            self.tables.open(table)
            return
        }
        if current.place == nil, !self.looksAtEachLine, self.isKnownEmpty(current) { return }
        if self.readTable(current) { return }
        if self.hasBox { self.endBox() }
        var finding = LineMemo.Finding.unknown
        if let place = current.place {
            finding = self.memo.find(current.text, from: place, self.lines.lexer)
        }
        switch finding {
        case .empty:
            if !current.isSpaced { self.endBlock() }
            if let place = current.place, self.memo[place].isSilent,
                self.tables.isEmpty || self.memo[place].noRowOf == self.tables.key
            {
                self.noteSilent(current.shapeHash)
            }
        case .line(let line)
        where self.isInBlock || (self.isAfterEvaluation && current.isIndented)
            || line.pointee.weakRole != .none:
            // The lines above may change the role of these figures.
            var line = line.pointee
            self.take(&line, current)
        case .line(let line):
            self.take(&line.pointee, current)
        case .unknown:
            self.readAnew(current)
        }
    }

    /// `true` if the same text was read before and contained nothing: a warning that is printed a thousand
    /// times is read twice, the second time to remember its shape.
    private func isKnownEmpty(_ current: CurrentLine) -> Bool {
        self.empty.contains(current.hash)
            && (current.place != nil || !self.remembers || !self.memo.isKnownShape())
    }

    private func readAnew(_ current: CurrentLine) {
        if self.isKnownEmpty(current) {
            if !current.isSpaced { self.endBlock() }
            return
        }
        if self.remembers, let role = self.headers.role(current.hash) {
            self.beginBlock(role)
            return
        }
        self.lines.read(current.text, current.length)
        if self.lines.line.figures.isEmpty {
            if self.readHeading(current) { return }
            if self.lines.line.saysNothing, !self.lines.line.isCheckpoint {
                if !current.isSpaced { self.endBlock() }
                self.empty.add(current.hash)
                self.remember(current) { nil }
                return
            }
        }
        self.remember(current) { self.lines.readMarked() }
        self.take(&self.lines.line, current)
    }

    private func remember(
        _ current: CurrentLine, _ lines: () -> (clean: TrainingLine, tainted: TrainingLine)?
    ) {
        guard self.remembers, self.memo.isKnownShape() else { return }
        let isWordless = !self.filter.accepts(current.text, current.length)
        self.memo.remember(current.text, self.lines, isWordless: isWordless, lines())
    }

    private func take(_ line: inout TrainingLine, _ current: CurrentLine) {
        if line.isCheckpoint { self.state.addCheckpoint(line) }
        if line.figures.isEmpty, line.saysNothing {
            if !current.isSpaced { self.endBlock() }
            return
        }
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(
            &line, current.written, isIndented: current.isIndented, LineNames(current.text, self.lines.names))
    }

    private func beginBlock(_ role: FigureRole) {
        self.state.begin(block: role)
        self.isInBlock = true
    }

    private func endBlock() {
        guard self.isInBlock else { return }
        self.isInBlock = false
        self.state.endBlock()
    }

    /// Reads the header of a table or of a block: `***** eval metrics *****`, `Evaluation results:`.
    private func readHeading(_ current: CurrentLine) -> Bool {
        if let table = FigureTable(self.lines, current.text, current.length) {
            self.tables.open(table)
            self.headers.add(table, current)
            return true
        }
        guard let role = self.lines.headingRole else { return false }
        self.headers.add(role, current)
        self.beginBlock(role)
        return true
    }

    // MARK: Tables

    /// Returns `true` if the line is a row of the open table, or of a box of names and values.
    private func readTable(_ current: CurrentLine) -> Bool {
        let text = current.text
        if current.place.map({ self.memo[$0].isOfNoBox }) != true {
            if self.readBox(text, current.length) { return true }
            if let place = current.place { self.memo[place].isOfNoBox = true }
        }
        guard self.tables.expectsRow() else { return false }
        let key = self.tables.key
        if let place = current.place, self.memo[place].noRowOf == key { return false }
        if self.remembers, let row = self.rows.find(text, key, self.lines.lexer) {
            self.tables.noteRow(isOfOtherTable: row.isOfOtherTable)
            if self.isInBlock {
                // The heading above may change the role of these figures.
                var line = row.line.pointee
                self.take(row: &line, current)
            } else {
                self.take(row: &row.line.pointee, current)
            }
            return true
        }
        switch self.tables.read(self.lines, text, current.length) {
        case .no: return false
        case .never:
            if let place = current.place { self.memo[place].noRowOf = key }
            return false
        case .row(let title, let isOfOtherTable):
            self.lines.line.role = .none
            if let title {
                self.name(title)
            } else if self.remembers, let table = self.tables.table {
                self.rows.remember(text, self.lines.line, of: table, key, isOfOtherTable: isOfOtherTable)
            }
            self.take(row: &self.lines.line, current)
            return true
        }
    }

    private func take(row: inout TrainingLine, _ current: CurrentLine) {
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(
            &row, current.written, isIndented: false, LineNames())
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
        if !self.hasBox { self.box = FigureBox() }
        self.box?.add(cells, text, self.lines)
        return true
    }

    private func endBox() {
        guard self.hasBox, var box = self.box?.line else { return }
        self.box = nil
        guard !box.figures.isEmpty, box.hasPlace else { return }
        (self.isInBlock, self.isAfterEvaluation) = self.state.add(&box, nil, isIndented: false, LineNames())
    }
}
