import Foundation

/// Reads the figures of a training out of what its program prints, as it comes.
///
/// Takes bytes in pieces of any size; memory is the same however long the log is.
/// Each state of a bar that `\r` redraws counts as a line. Not safe to share: one thread at a time.
public final class TrainingReader {
    /// Of a longer line the rest is not looked at.
    static let lineLimit = 1 << 18
    private static let emptyCount = 4096

    private let lines = LineReader()
    private let filter = LineFilter()
    private let patterns: PatternReader?
    /// Headers of tables that were seen, by the hash of their line.
    @exclusivity(unchecked) private var headers: [UInt64: FigureTable] = [:]
    /// Hashes of lines in which there was nothing.
    private let empty: UnsafeMutablePointer<UInt64>
    private let stateMemory: UnsafeMutablePointer<TrainingState>
    private var state: TrainingState {
        @inline(__always) unsafeAddress { UnsafePointer(self.stateMemory) }
        @inline(__always) unsafeMutableAddress { self.stateMemory }
    }

    /// As the state has it: asking that for it copies all of it.
    @exclusivity(unchecked) private var isInBlock = false
    @exclusivity(unchecked) private var table: FigureTable?
    /// Figures of a box of names and values, until it ends: its step may stand at its foot.
    @exclusivity(unchecked) private var box: TrainingLine?
    @exclusivity(unchecked) private var visible: UnsafeMutablePointer<UInt8>
    /// The end of what was read that is no whole line yet.
    @exclusivity(unchecked) private var partial: [UInt8] = []

    /// - Parameter patterns: figures that the user taught us, beside those of the grammar.
    public init(patterns: [FigurePattern] = []) {
        self.patterns = PatternReader(patterns)
        self.stateMemory = .allocate(capacity: 1)
        self.stateMemory.initialize(to: TrainingState())
        self.empty = .allocate(capacity: Self.emptyCount)
        self.empty.initialize(repeating: 0, count: Self.emptyCount)
        // Eight more, so that a word can be loaded at the end.
        self.visible = .allocate(capacity: Self.lineLimit + 8)
        self.visible.initialize(repeating: 0, count: Self.lineLimit + 8)
    }

    deinit {
        self.stateMemory.deinitialize(count: 1)
        self.stateMemory.deallocate()
        self.visible.deallocate()
        self.empty.deallocate()
    }

    public func read(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        let count = bytes.count
        var index = 0
        if !self.partial.isEmpty {
            let end = Self.lineEnd(start, 0, count)
            self.keep(start, end)
            guard end < count else { return }
            self.partial.withUnsafeBufferPointer { self.readLine($0.baseAddress!, $0.count) }
            self.partial.removeAll(keepingCapacity: true)
            index = end + 1
        }
        while index < count {
            var lineStart = index
            if !self.looksAtEachLine {
                guard let found = self.filter.find(start + index, count - index) else {
                    index = Self.lineStart(start, count, from: index)
                    break
                }
                lineStart = Self.lineStart(start, index + found, from: index)
            }
            let end = Self.lineEnd(start, lineStart, count)
            index = lineStart
            guard end < count else { break }
            self.readLine(start + lineStart, end - lineStart)
            index = end + 1
        }
        if index < count { self.keep(start + index, count - index) }
    }

    /// Rows of a table have no words; under a heading a blank line counts.
    private var looksAtEachLine: Bool {
        self.patterns != nil || self.table != nil || self.box != nil || self.isInBlock
    }

    /// Where the line begins that `index` is in, not before `first`.
    private static func lineStart(_ start: UnsafePointer<UInt8>, _ index: Int, from first: Int) -> Int {
        var begin = index
        while begin > first, start[begin - 1] != 0x0A, start[begin - 1] != 0x0D { begin -= 1 }
        return begin
    }

    public func read(_ bytes: [UInt8]) { bytes.withUnsafeBytes { self.read($0) } }

    /// How far the run is, by whole lines; nothing before it is sure that this is a training.
    public var progress: TrainingProgress? { self.state.hasStarted ? self.state.progress.current : nil }

    /// Whether a loss is no number, by whole lines.
    public var hasNotNumber: Bool { self.state.book.hasNotNumber || self.state.otherRanksNotNumber != nil }

    /// What the log says so far. With `withRest`, the line that has no end yet counts as well:
    /// the newest state of a bar has none until the next.
    public func figures(withRest: Bool = true) -> TrainingFigures {
        let kept = (self.state, self.table, self.box, self.isInBlock)
        if withRest, !self.partial.isEmpty {
            let rest = self.partial
            rest.withUnsafeBufferPointer { self.readLine($0.baseAddress!, $0.count) }
        }
        self.endBox()
        defer { (self.state, self.table, self.box, self.isInBlock) = kept }
        return self.state.figures()
    }

    private func keep(_ start: UnsafePointer<UInt8>, _ count: Int) {
        let room = Self.lineLimit - self.partial.count
        if room > 0 {
            self.partial.append(contentsOf: UnsafeBufferPointer(start: start, count: min(room, count)))
        }
    }

    /// Of the line that begins at `index`: where it ends, or `count`.
    private static func lineEnd(_ start: UnsafePointer<UInt8>, _ index: Int, _ count: Int) -> Int {
        let rest = count - index
        let feed = memchr(start + index, 0x0A, rest).map {
            UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - start
        }
        let end = feed ?? count
        return memchr(start + index, 0x0D, end - index).map {
            UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - start
        }
            ?? end
    }

    // MARK: A line

    private func readLine(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        let hash = FigureNames.hash(bytes, min(count, Self.lineLimit))
        let place = Int(truncatingIfNeeded: hash >> 44) & (Self.emptyCount - 1)
        // The same warning a thousand times is read once.
        if self.empty[place] == hash, self.patterns == nil, self.table == nil, self.box == nil {
            if !self.isInBlock || count == 0 || bytes[0] == 0x20 || bytes[0] == 0x09 { return }
            self.endBlock()
            return
        }
        let length = VisibleBytes.copy(bytes, min(count, Self.lineLimit), to: self.visible)
        let text = UnsafePointer(self.visible)
        guard length >= 3 else {
            if length == 0 { self.endBlock() }
            return
        }
        let taught = self.patterns?.read(text, length) ?? []
        defer { for (name, value) in taught { self.state.add(taught: name, value, self.lines.names) } }
        if let table = self.headers[hash] {
            // The same header again, as some write it over each epoch's rows.
            self.endBox()
            self.table = table
            return
        }
        if self.readTable(text, length, hash) { return }
        self.lines.read(text, length)
        if self.box != nil { self.endBox() }
        if self.lines.line.figures.isEmpty {
            if self.readHeading(text, length, hash) { return }
            if self.lines.line.saysNothing {
                if text[0] != 0x20, text[0] != 0x09 { self.endBlock() }
                self.empty[place] = hash
                return
            }
        }
        let isIndented = text[0] == 0x20 || text[0] == 0x09 || text[0] == 0x2A || text[0] == 0x7C
        self.isInBlock = self.state.add(&self.lines.line, hash, isIndented: isIndented) {
            [names = self.lines.names] figure, line in
            Self.title(figure, line, names, text)
        }
    }

    private static func title(
        _ figure: TrainingLine.Figure, _ line: TrainingLine, _ names: FigureNames,
        _ text: UnsafePointer<UInt8>
    ) -> String {
        if figure.titleIndex >= 0 { return names.title(names.find(line.titles[figure.titleIndex])) }
        let count = Int(figure.nameEnd - figure.nameStart)
        guard count > 0 else { return "step" }
        return names.title(names.find(text + Int(figure.nameStart), count))
    }

    private func endBlock() {
        guard self.isInBlock else { return }
        self.isInBlock = false
        self.state.endBlock()
    }

    /// The header of a table, or of a block: `***** eval metrics *****`, `Evaluation results:`.
    private func readHeading(_ text: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64) -> Bool {
        if let table = FigureTable(self.lines, text, length) {
            self.table = table
            if self.headers.count < 16 { self.headers[hash] = table }
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

    /// True where the line is a row of the open table, or of a box of names and values.
    private func readTable(_ text: UnsafePointer<UInt8>, _ length: Int, _ hash: UInt64) -> Bool {
        if self.readBox(text, length) { return true }
        guard self.table != nil else { return false }
        self.table?.age += 1
        if self.table?.age ?? 0 > FigureTable.patience {
            self.table = nil
            return false
        }
        var row: String?
        guard self.table?.read(self.lines, text, length, title: &row) == true else { return false }
        self.table?.age = 0
        self.lines.line.role = .none
        if let row { self.name(row) }
        self.isInBlock = self.state.add(&self.lines.line, hash, isIndented: false) {
            figure, line in
            figure.titleIndex >= 0 ? line.titles[figure.titleIndex] : "step"
        }
        return true
    }

    /// The figures of a table of trials belong to the trial.
    private func name(_ row: String) {
        for index in self.lines.line.figures.indices {
            let place = self.lines.line.figures[index].titleIndex
            let title = row + SeriesBook.rowMark + self.lines.line.titles[place]
            self.lines.line.titles[place] = title
            self.lines.line.figures[index].row = self.lines.line.figures[index].name.key
            self.lines.line.figures[index].name.key = FigureName.key(title)
        }
    }

    /// `|    ep_rew_mean          | 21.3        |`
    private func readBox(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        var start = 0
        while start < length, text[start] == 0x20 { start += 1 }
        guard start < length,
            text[start] == 0x7C || (text[start] == 0xE2 && length > start + 2 && text[start + 1] == 0x94)
        else { return false }
        guard Self.bars(text, length) == 3 else { return false }
        let cells = FigureTable.cells(text, length, .pipes, wide: true)
        guard cells.count == 2, !cells[0].isEmpty else { return false }
        var box = self.box ?? TrainingLine()
        self.box = box
        self.lines.lexer.read(text + cells[1].lowerBound, cells[1].count)
        guard self.lines.lexer.count == 1 else { return true }
        let token = self.lines.lexer.tokens[0]
        guard token.kind == .number || token.kind == .notNumber else { return true }
        let slot = self.lines.names.find(text + cells[0].lowerBound, cells[0].count)
        let name = self.lines.names[slot]
        let title = self.lines.names.title(slot)
        switch name.use {
        case .step where token.kind == .number && !token.isFraction && name.rank >= box.stepRank:
            box.step = token.value
            box.stepRank = name.rank
            box.stepTitle = title
            box.stepKey = name.key
        case .epoch where token.kind == .number: box.epoch = token.value
        case .figure, .extra:
            guard box.figures.count < 256, name.use == .figure || token.kind == .number, !name.isBest
            else {
                break
            }
            let value = token.kind == .notNumber ? Double.nan : token.value
            box.figures.append(
                TrainingLine.Figure(
                    name: name, nameStart: 0, nameEnd: 0, section: .none, titleIndex: box.titles.count,
                    value: value))
            box.titles.append(title)
        default: break
        }
        self.box = box
        return true
    }

    /// How many bars part a line into cells; more than three are not counted.
    private static func bars(_ text: UnsafePointer<UInt8>, _ length: Int) -> Int {
        var bars = 0
        var index = 0
        while index < length, bars < 4 {
            if text[index] == 0x7C || (text[index] == 0xE2 && index + 1 < length && text[index + 1] == 0x94) {
                bars += 1
            }
            index += 1
        }
        return bars
    }

    private func endBox() {
        guard var box = self.box else { return }
        self.box = nil
        guard !box.figures.isEmpty, box.hasPlace else { return }
        self.isInBlock = self.state.add(&box, nil, isIndented: false) { figure, line in
            figure.titleIndex >= 0 ? line.titles[figure.titleIndex] : (line.stepTitle ?? "step")
        }
    }
}
