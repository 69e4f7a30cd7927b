import Foundation

/// Remembers lines by their shape, so that a similar line need not be read again.
///
/// A training prints the same line again and again; only its numbers differ. The result for one line tells
/// the result for another of the same shape, so only the numbers of the other are read. A shape is the text
/// with all digits alike. It is compared byte by byte, and so are the digits in names and exponents; the
/// order of two numbers around a slash, and whether a number is 0, must be the same, too. A line that differs
/// in any of this is read in full.
final class LineMemo {
    private static let entryCount = 2048
    private static let shapeCount = 1 << 13
    /// The hashes of one set of entries fill a cache line.
    private static let ways = 8

    /// A number of the line, and its meaning.
    struct Value {
        enum Field: UInt8 {
            case none, figure, step, otherStep, epoch
            case done, total, left, rate, inverseRate, epochDone, epochTotal, timeLeft
        }

        var field: Field
        var isNegative: Bool
        /// The number is digits, a point and digits, with nothing that changes its value.
        var isSimple: Bool
        /// The meaning of other numbers depends on whether this one is 0.
        var decides = false
        var isZero: Bool
        /// The factor for a part of a time, in seconds; for an inverse rate, the dividend.
        var factor = 1.0
        var wholeDigits: UInt8
        var fractionDigits: UInt8
        /// Neither part has more than eight digits, so each is read as one word.
        var isShort: Bool { self.wholeDigits <= 8 && self.fractionDigits <= 8 }
        /// The index of the figure.
        var index: UInt16
        /// The start of the digits, and the end of the number with its unit.
        var start: Int32
        var end: Int32
    }

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
        /// The original text, followed by its shape.
        var bytes: UnsafeMutablePointer<UInt8>?
        /// nil for a line that does not report on a training.
        var line: UnsafeMutablePointer<TrainingLine>?
        var plan = Plan()
    }

    /// Uses memory of its own: arrays would be reference-counted for each line.
    struct Plan {
        var values = UnsafeMutableBufferPointer<Value>(start: nil, count: 0)
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
    private let seen: UnsafeMutablePointer<UInt64>
    private let powers: UnsafeMutablePointer<Double>
    /// Shapes that cannot be remembered.
    private let unfit: UnsafeMutablePointer<UInt64>
    private let shape: LineShape
    private var turn = 0

    /// Creates a memory for the lines whose shape is in `shape`.
    init(_ shape: LineShape) {
        self.shape = shape
        self.entries = .allocate(capacity: Self.entryCount)
        self.entries.initialize(repeating: Entry(), count: Self.entryCount)
        self.hashes = .allocate(capacity: Self.entryCount)
        self.hashes.initialize(repeating: 0, count: Self.entryCount)
        self.seen = .allocate(capacity: Self.shapeCount)
        self.seen.initialize(repeating: 0, count: Self.shapeCount)
        self.unfit = .allocate(capacity: Self.shapeCount)
        self.unfit.initialize(repeating: 0, count: Self.shapeCount)
        self.powers = .allocate(capacity: 23)
        var power = 1.0
        for index in 0..<23 {
            (self.powers + index).initialize(to: power)
            power *= 10
        }
    }

    deinit {
        for index in 0..<Self.entryCount { Self.free(&self.entries[index]) }
        self.entries.deinitialize(count: Self.entryCount)
        self.entries.deallocate()
        self.hashes.deallocate()
        self.seen.deallocate()
        self.unfit.deallocate()
        self.powers.deallocate()
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

    /// Returns the place of the first entry for the current shape; nil if there is none.
    @inline(__always)
    func place() -> Int? {
        let hash = self.shape.hash
        guard hash != 0 else { return nil }
        let first = self.firstPlace
        for place in first..<(first &+ Self.ways) where self.hashes[place] == hash && self.isSame(place) {
            return place
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
            guard self.hashes[other] == self.shape.hash, self.isSame(other) else { continue }
            let finding = self.filled(self.entries + other, text, lexer)
            if case .unknown = finding { continue }
            return finding
        }
        return .unknown
    }

    @inline(__always)
    private var firstPlace: Int {
        Int(truncatingIfNeeded: self.shape.hash &>> 32) & (Self.entryCount - 1) & ~(Self.ways - 1)
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
        for pair in plan.pairs {
            guard let first = self.number(plan.values[pair.first], text, lexer),
                let second = self.number(plan.values[pair.second], text, lexer),
                Self.order(first, second) == pair.order
            else { return .unknown }
        }
        guard let line = entry.pointee.line else {
            for value in plan.values {
                guard let number = self.number(value, text, lexer), (number == 0) == value.isZero else {
                    return .unknown
                }
            }
            return .empty
        }
        let isFilled = line.pointee.figures.withUnsafeMutableBufferPointer { figures in
            self.fill(line, figures, plan.values, text, lexer)
        }
        return isFilled ? .line(line) : .unknown
    }

    @inline(__always)
    private func fill(
        _ line: UnsafeMutablePointer<TrainingLine>,
        _ figures: UnsafeMutableBufferPointer<TrainingLine.Figure>,
        _ values: UnsafeMutableBufferPointer<Value>, _ text: UnsafePointer<UInt8>, _ lexer: LineLexer
    ) -> Bool {
        var secondsLeft = 0.0
        for value in values {
            guard let number = self.number(value, text, lexer), number.isFinite,
                !value.decides || (number == 0) == value.isZero
            else { return false }
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
            case .timeLeft:
                secondsLeft += number * value.factor
                guard secondsLeft < LineReader.longestTimeLeft else { return false }
                line.pointee.timeLeft = secondsLeft
            }
        }
        return true
    }

    @inline(__always)
    private func number(_ value: Value, _ text: UnsafePointer<UInt8>, _ lexer: LineLexer) -> Double? {
        guard value.isSimple else {
            return lexer.number(at: Int(value.start), isNegative: value.isNegative, until: Int(value.end))
        }
        if value.isShort {
            let whole = Self.digits(text + Int(value.start), Int(value.wholeDigits))
            guard value.fractionDigits > 0 else { return value.isNegative ? -Double(whole) : Double(whole) }
            let fraction = Self.digits(
                text + Int(value.start) + Int(value.wholeDigits) + 1, Int(value.fractionDigits))
            let power = self.powers[Int(value.fractionDigits)]
            let number = (Double(whole) * power + Double(fraction)) / power
            return value.isNegative ? -number : number
        }
        var mantissa: UInt64 = 0
        var place = text + Int(value.start)
        for _ in 0..<value.wholeDigits {
            mantissa = mantissa &* 10 &+ UInt64(place[0] &- 0x30)
            place += 1
        }
        guard value.fractionDigits > 0 else {
            return value.isNegative ? -Double(mantissa) : Double(mantissa)
        }
        place += 1
        for _ in 0..<value.fractionDigits {
            mantissa = mantissa &* 10 &+ UInt64(place[0] &- 0x30)
            place += 1
        }
        // The result is exact: both are whole numbers that a Double can hold, and a single
        // operation rounds once.
        let number = Double(mantissa) / self.powers[Int(value.fractionDigits)]
        return value.isNegative ? -number : number
    }

    /// Returns the number that at most eight digits make, all at once: pairs, then fours, then all eight.
    @inline(__always)
    private static func digits(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        guard count > 0 else { return 0 }
        let unused = UInt64(truncatingIfNeeded: 8 &- count) &* 8
        var word = UnsafeRawPointer(text).loadUnaligned(as: UInt64.self) &<< unused
        word &= 0x0F0F_0F0F_0F0F_0F0F
        word = (word &* (10 << 8 + 1)) &>> 8 & 0x00FF_00FF_00FF_00FF
        word = (word &* (100 << 16 + 1)) &>> 16 & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: (word &* (10000 << 32 + 1)) &>> 32)
    }

    /// Only a few bytes: a function call would cost more than the comparison.
    @inline(__always)
    private static func isSame(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for index in 0..<count where a[index] != b[index] { return false }
        return true
    }

    private static func order(_ a: Double, _ b: Double) -> Int { a < b ? -1 : a == b ? 0 : 1 }

    // MARK: Remembering

    private var shapePlace: Int { Int(truncatingIfNeeded: self.shape.hash >> 20) & (Self.shapeCount - 1) }

    /// `true` if the current shape has occurred before and is worth remembering.
    func isKnownShape() -> Bool {
        let hash = self.shape.hash
        guard hash != 0 else { return false }
        let place = self.shapePlace
        if self.unfit[place] == hash { return false }
        if self.seen[place] == hash { return true }
        self.seen[place] = hash
        return false
    }

    /// Remembers the result for the line of the current shape: `line`, and `tainted`, the result for the same
    /// tokens with marked numbers. nil for a line that does not report on a training.
    func remember(
        _ text: UnsafePointer<UInt8>, _ reader: LineReader, isWordless: Bool,
        _ lines: (clean: TrainingLine, tainted: TrainingLine)?
    ) {
        guard self.shape.hash != 0 else { return }
        guard !reader.lexer.isOdd, let plan = MemoPlan(reader, lines) else {
            self.unfit[self.shapePlace] = self.shape.hash
            return
        }
        let length = self.shape.length
        var entry = Entry()
        entry.isWordless = isWordless
        entry.plan = Plan(plan)
        if let lines {
            entry.line = .allocate(capacity: 1)
            entry.line?.initialize(to: lines.clean)
        }
        entry.length = length
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * length)
        memcpy(bytes, text, length)
        memcpy(bytes + length, self.shape.bytes, length)
        entry.bytes = bytes
        let first = self.firstPlace
        // If no entry is free, entries are replaced in turn.
        let place = (first..<(first + Self.ways)).first { self.hashes[$0] == 0 } ?? first + self.turn
        self.turn = (self.turn + 1) % Self.ways
        Self.free(&self.entries[place])
        self.entries[place] = entry
        self.hashes[place] = self.shape.hash
    }
}
