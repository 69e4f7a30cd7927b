import Foundation

/// Remembers lines by their shape, so that a similar line need not be read again.
///
/// A training prints the same line again and again; only its numbers differ. The result for one line tells
/// the result for another of the same shape, so only the numbers of the other are read. A shape is the text
/// with all digits alike. It is compared byte by byte, and so are the digits in names and exponents; the
/// order of two numbers around a slash, and whether a number is 0, must be the same, too. A line that differs
/// in any of this is read in full.
final class LineMemo {
    /// The hashes of one set of entries fill a cache line.
    private static let ways = 8

    /// Two values with a slash between them.
    struct Pair {
        var first: Int
        var second: Int
        /// -1, 0 or 1 if the first is less than, equal to or greater than the second.
        var order: Int
    }

    struct Literal {
        var start: Int
        var count: Int
    }

    struct Entry {
        /// The line has no word of the grammar, and is read only where every line is.
        var isWordless = false
        var length = 0
        /// The open tables of which no line of this shape is a row; see `OpenTables.key`.
        var noRowOf: UInt64 = 0
        /// No line of this shape is one of a `FigureBox`.
        var isOfNoBox = false
        /// The open tables of which the line is a row, and whether it is one of the older of both; 0 for a
        /// line of its own.
        var rowOf: UInt64 = 0
        var isOfOtherTable = false
        /// The original text, followed by its shape.
        var bytes: UnsafeMutablePointer<UInt8>?
        /// nil for a line that does not report on a training.
        var line: UnsafeMutablePointer<TrainingLine>?
        var plan = Plan()
        /// No line of this shape reports on a training, whatever its digits are.
        var isSilent: Bool { self.line == nil && self.plan.values.isEmpty && self.plan.literals.isEmpty }
    }

    /// Uses memory of its own: arrays would be reference-counted for each line.
    struct Plan {
        var values = UnsafeMutableBufferPointer<MemoValue>(start: nil, count: 0)
        var pairs = UnsafeMutableBufferPointer<Pair>(start: nil, count: 0)
        var literals = UnsafeMutableBufferPointer<Literal>(start: nil, count: 0)

        init() {}

        init(_ plan: MemoPlan) {
            self.values = Self.copy(plan.values)
            self.pairs = Self.copy(plan.pairs)
            self.literals = Self.copy(plan.literals)
        }

        private static func copy<Element>(_ elements: [Element]) -> UnsafeMutableBufferPointer<Element> {
            let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
            _ = copy.initialize(from: elements)
            return copy
        }

        func deallocate() {
            self.values.deallocate()
            self.pairs.deallocate()
            self.literals.deallocate()
        }
    }

    private let entries: UnsafeMutablePointer<Entry>
    /// The hash of each entry's shape; 0 for a free entry.
    private let hashes: UnsafeMutablePointer<UInt64>
    /// Shapes that were seen once; most of those never occur again.
    private let seen: HashBook
    /// Shapes that cannot be remembered.
    private let unfit: HashBook
    private let powers = DecimalPowers()
    /// The most numbers of a line that is remembered.
    private static let numberLimit = 4096
    /// The numbers of the current line.
    private let numbers: UnsafeMutablePointer<Double>
    private let shape: LineShape
    private let entryCount: Int
    private var turn = 0

    /// Creates a memory for the lines whose shape is in `shape`.
    ///
    /// - Parameters:
    ///   - entries: The number of lines that it remembers, a power of two.
    ///   - shapes: The number of shapes that are known as seen or unfit, a power of two.
    init(_ shape: LineShape, entries: Int = 2048, shapes: Int = 1 << 13) {
        self.shape = shape
        self.entryCount = entries
        self.seen = HashBook(count: shapes)
        self.unfit = HashBook(count: shapes)
        self.entries = .allocate(capacity: entries)
        self.entries.initialize(repeating: Entry(), count: entries)
        self.hashes = .allocate(capacity: entries)
        self.hashes.initialize(repeating: 0, count: entries)
        self.numbers = .allocate(capacity: Self.numberLimit)
    }

    deinit {
        for index in 0..<self.entryCount { Self.free(&self.entries[index]) }
        self.entries.deinitialize(count: self.entryCount)
        self.entries.deallocate()
        self.hashes.deallocate()
        self.numbers.deallocate()
    }

    private static func free(_ entry: inout Entry) {
        entry.bytes?.deallocate()
        entry.line?.deinitialize(count: 1)
        entry.line?.deallocate()
        entry.plan.deallocate()
        entry = Entry()
    }

    // MARK: Looking

    enum Finding {
        case unknown, empty
        /// The line is valid until the next call.
        case line(UnsafeMutablePointer<TrainingLine>)
    }

    /// Returns the place of the first entry for the current shape, as a row of such tables or as a line of
    /// its own; nil if there is none.
    @inline(__always)
    func place(rowOf tables: UInt64 = 0) -> Int? {
        let hash = self.shape.hash
        guard hash != 0 else { return nil }
        let first = self.firstPlace
        for place in first..<(first &+ Self.ways) {
            let other = self.hashes[place]
            if other == hash, self.entries[place].rowOf == tables, self.isSame(place) { return place }
            // The entries behind a free one are free.
            if other == 0 { return nil }
        }
        return nil
    }

    @inline(__always)
    subscript(_ place: Int) -> Entry {
        unsafeAddress { UnsafePointer(self.entries + place) }
        unsafeMutableAddress { self.entries + place }
    }

    /// Returns the remembered result for a line, from an entry at `place` or one after it. Eight bytes after
    /// the line's end must be readable.
    @inline(__always)
    func find(_ text: UnsafePointer<UInt8>, from place: Int, _ lexer: LineLexer) -> Finding {
        let finding = self.filled(self.entries + place, text, lexer)
        if case .unknown = finding {} else { return finding }
        // Another entry of the same shape may match in the deciding numbers.
        var other = place + 1
        while other < self.firstPlace + Self.ways {
            defer { other += 1 }
            guard self.hashes[other] == self.shape.hash,
                self.entries[other].rowOf == self.entries[place].rowOf, self.isSame(other)
            else { continue }
            let finding = self.filled(self.entries + other, text, lexer)
            if case .unknown = finding { continue }
            return finding
        }
        return .unknown
    }

    @inline(__always)
    private var firstPlace: Int {
        Int(truncatingIfNeeded: self.shape.hash &>> 32) & (self.entryCount &- 1) & ~(Self.ways - 1)
    }

    /// Returns whether the entry at `place` is of the current shape.
    @inline(__always)
    private func isSame(_ place: Int) -> Bool {
        let length = self.entries[place].length
        guard length == self.shape.length, let bytes = self.entries[place].bytes else { return false }
        return memcmp(self.shape.bytes, bytes + length, length) == 0
    }

    /// Returns the line of an entry with the numbers of `text`; unknown if the deciding numbers differ.
    private func filled(
        _ entry: UnsafeMutablePointer<Entry>, _ text: UnsafePointer<UInt8>, _ lexer: LineLexer
    ) -> Finding {
        let plan = entry.pointee.plan
        guard let bytes = entry.pointee.bytes else { return .unknown }
        for literal in plan.literals
        where !Self.isSame(text + literal.start, bytes + literal.start, literal.count) { return .unknown }
        lexer.prepare(text, entry.pointee.length)
        for (index, value) in plan.values.enumerated() {
            guard let number = value.number(text, self.powers, lexer),
                !value.decides || (number == 0) == value.isZero
            else { return .unknown }
            self.numbers[index] = number
        }
        for pair in plan.pairs
        where Self.order(self.numbers[pair.first], self.numbers[pair.second]) != pair.order {
            return .unknown
        }
        guard let line = entry.pointee.line else { return .empty }
        let isFilled = line.pointee.figures.withUnsafeMutableBufferPointer { figures in
            self.fill(line, figures, plan.values)
        }
        return isFilled ? .line(line) : .unknown
    }

    @inline(__always)
    private func fill(
        _ line: UnsafeMutablePointer<TrainingLine>,
        _ figures: UnsafeMutableBufferPointer<TrainingLine.Figure>,
        _ values: UnsafeMutableBufferPointer<MemoValue>
    ) -> Bool {
        var secondsLeft = 0.0
        for (index, value) in values.enumerated() {
            let number = self.numbers[index]
            guard number.isFinite else { return false }
            switch value.field {
            case .none: break
            case .figure: figures[Int(value.index)].value = number
            case .step: line.pointee.step = number
            case .otherStep: line.pointee.otherStep?.value = number
            case .epoch: line.pointee.epoch = number
            case .done: line.pointee.count?.done = number
            case .total: line.pointee.count?.total = number
            case .left: line.pointee.count?.timeLeft = number
            case .rate: line.pointee.count?.rate = number
            case .inverseRate: line.pointee.count?.rate = value.factor / number
            case .epochDone: line.pointee.epochCount?.done = number
            case .epochTotal: line.pointee.epochCount?.total = number
            case .rowDone: line.pointee.rowCount?.done = number
            case .rowTotal: line.pointee.rowCount?.total = number
            case .timeLeft:
                secondsLeft += number * value.factor
                guard secondsLeft < LineReader.longestTimeLeft else { return false }
                line.pointee.timeLeft = secondsLeft
            }
        }
        return true
    }

    /// Only a few bytes: a function call would cost more than the comparison.
    @inline(__always)
    private static func isSame(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for index in 0..<count where a[index] != b[index] { return false }
        return true
    }

    private static func order(_ a: Double, _ b: Double) -> Int { a < b ? -1 : a == b ? 0 : 1 }

    // MARK: Remembering

    /// `true` if the current shape has occurred before and is worth remembering.
    func isKnownShape() -> Bool {
        let hash = self.shape.hash
        guard hash != 0, !self.unfit.contains(hash) else { return false }
        if self.seen.contains(hash) { return true }
        self.seen.add(hash)
        return false
    }

    /// Remembers the result for the line of the current shape: `line`, and `tainted`, the result for the same
    /// tokens with marked numbers. nil for a line that does not report on a training.
    func remember(
        _ text: UnsafePointer<UInt8>, _ reader: LineReader, isWordless: Bool,
        _ lines: (clean: TrainingLine, tainted: TrainingLine)?
    ) {
        guard self.shape.hash != 0 else { return }
        guard !reader.lexer.isOdd, let plan = MemoPlan(reader, lines) else { return self.giveUp() }
        var entry = Entry()
        entry.isWordless = isWordless
        self.remember(text, plan, lines?.clean, entry)
    }

    /// Remembers that lines of the current shape cannot be remembered.
    func giveUp() { self.unfit.add(self.shape.hash) }

    /// Remembers the result for the line of the current shape. The rest of `entry` is filled in.
    func remember(_ text: UnsafePointer<UInt8>, _ plan: MemoPlan, _ line: TrainingLine?, _ entry: Entry) {
        let first = self.firstPlace
        let free = (first..<(first + Self.ways)).first { self.hashes[$0] == 0 }
        // A line without figures takes the place of no other.
        if free == nil, line == nil { return self.giveUp() }
        guard plan.values.count <= Self.numberLimit else { return self.giveUp() }
        let length = self.shape.length
        var entry = entry
        entry.plan = Plan(plan)
        if let line {
            entry.line = .allocate(capacity: 1)
            entry.line?.initialize(to: line)
        }
        entry.length = length
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * length)
        memcpy(bytes, text, length)
        memcpy(bytes + length, self.shape.bytes, length)
        entry.bytes = bytes
        // If no entry is free, entries are replaced in turn.
        let place = free ?? first + self.turn
        self.turn = (self.turn + 1) % Self.ways
        Self.free(&self.entries[place])
        self.entries[place] = entry
        self.hashes[place] = self.shape.hash
    }
}
