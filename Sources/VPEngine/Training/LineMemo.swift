import Foundation

/// Remembers lines by their shape, so that a similar line need not be read again.
///
/// A training prints the same line again and again; only its numbers differ. The result for one line tells
/// the result for another of the same shape, so only the numbers of the other are read. A shape is the text
/// with all digits alike. It is compared byte by byte, and so are the digits in names and exponents; the
/// order of two numbers around a slash, and whether a number is 0, must be the same, too. A line that differs
/// in any of this is read in full.
final class LineMemo {
    /// Longer lines are always read in full.
    private static let longest = 4096
    private static let entryCount = 2048
    private static let shapeCount = 1 << 13
    private static let ways = 4

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
        /// The hash of the shape; 0 for a free entry.
        var hash: UInt64 = 0
        /// The line does not report on a training.
        var isEmpty = false
        var length = 0
        /// The original text, followed by its shape.
        var bytes: UnsafeMutablePointer<UInt8>?
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
    /// Shapes that were seen once; most of those never occur again.
    private let seen: UnsafeMutablePointer<UInt64>
    private let powers: UnsafeMutablePointer<Double>
    /// Shapes that cannot be remembered.
    private let unfit: UnsafeMutablePointer<UInt64>
    /// The hash of the line that was looked up last.
    private var hash: UInt64 = 0
    private let shape: UnsafeMutablePointer<UInt8>
    private var turn = 0

    init() {
        self.entries = .allocate(capacity: Self.entryCount)
        self.entries.initialize(repeating: Entry(), count: Self.entryCount)
        self.seen = .allocate(capacity: Self.shapeCount)
        self.seen.initialize(repeating: 0, count: Self.shapeCount)
        self.unfit = .allocate(capacity: Self.shapeCount)
        self.unfit.initialize(repeating: 0, count: Self.shapeCount)
        self.shape = .allocate(capacity: Self.longest + 8)
        self.shape.initialize(repeating: 0, count: Self.longest + 8)
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
        self.seen.deallocate()
        self.unfit.deallocate()
        self.shape.deallocate()
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

    /// Returns the remembered result for a line. Eight bytes after its end must be readable.
    func find(_ text: UnsafePointer<UInt8>, _ length: Int, _ lexer: LineLexer) -> Finding {
        self.hash = 0
        guard length <= Self.longest else { return .unknown }
        self.measure(text, length)
        let first = Int(truncatingIfNeeded: self.hash >> 32) & (Self.entryCount - 1) & ~(Self.ways - 1)
        for slot in first..<(first + Self.ways) where self.entries[slot].hash == self.hash {
            let entry = self.entries + slot
            guard entry.pointee.length == length, let bytes = entry.pointee.bytes,
                memcmp(self.shape, bytes + length, length) == 0
            else { continue }
            // Another entry of the same shape may match in the deciding numbers.
            let finding = self.filled(entry, text, bytes, lexer)
            if case .unknown = finding { continue }
            return finding
        }
        return .unknown
    }

    /// Computes the shape, the text with digits as 0 bytes, and its hash.
    private func measure(_ text: UnsafePointer<UInt8>, _ length: Int) {
        var hash: UInt64 = 0x51_7c_c1_b7_27_22_0a_95 ^ UInt64(truncatingIfNeeded: length)
        var index = 0
        let zero = SIMD16<UInt8>(repeating: 0x30)
        let ten = SIMD16<UInt8>(repeating: 10)
        while index &+ 16 <= length {
            let bytes = UnsafeRawPointer(text + index).loadUnaligned(as: SIMD16<UInt8>.self)
            let kept = bytes.replacing(with: 0, where: (bytes &- zero) .< ten)
            UnsafeMutableRawPointer(self.shape + index).storeBytes(of: kept, as: SIMD16<UInt8>.self)
            let words = unsafeBitCast(kept, to: SIMD2<UInt64>.self)
            hash = (hash ^ words[0]) &* 0x9e37_79b9_7f4a_7c15
            hash = (hash ^ words[1] ^ (hash &>> 32)) &* 0xd6e8_feb8_6659_fd93
            hash ^= hash &>> 29
            index &+= 16
        }
        while index < length {
            var word = UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
            let rest = length &- index
            if rest < 8 { word &= (1 &<< UInt64(truncatingIfNeeded: rest &* 8)) &- 1 }
            // The high bit is set in each byte that is not a digit.
            let turned = word ^ 0x3030_3030_3030_3030
            let others =
                (((turned & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7676_7676_7676_7676) | turned)
                & 0x8080_8080_8080_8080
            word &= (others &>> 7) &* 0xFF
            UnsafeMutableRawPointer(self.shape + index).storeBytes(of: word, as: UInt64.self)
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash &>> 32
            index &+= 8
        }
        self.hash = hash == 0 ? 1 : hash
    }

    /// Returns the line of an entry with the numbers of `text`; unknown if the deciding numbers differ.
    private func filled(
        _ entry: UnsafeMutablePointer<Entry>, _ text: UnsafePointer<UInt8>, _ bytes: UnsafePointer<UInt8>,
        _ lexer: LineLexer
    ) -> Finding {
        let plan = entry.pointee.plan
        for literal in plan.literals
        where !Self.isSame(text + literal.start, bytes + literal.start, literal.count) { return .unknown }
        if entry.pointee.isEmpty { return .empty }
        guard let line = entry.pointee.line else { return .unknown }
        lexer.prepare(text, entry.pointee.length)
        for pair in plan.pairs {
            guard let first = self.number(plan.values[pair.first], text, lexer),
                let second = self.number(plan.values[pair.second], text, lexer),
                Self.order(first, second) == pair.order
            else { return .unknown }
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

    /// Only a few bytes: a function call would cost more than the comparison.
    @inline(__always)
    private static func isSame(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        for index in 0..<count where a[index] != b[index] { return false }
        return true
    }

    private static func order(_ a: Double, _ b: Double) -> Int { a < b ? -1 : a == b ? 0 : 1 }

    // MARK: Remembering

    private var shapePlace: Int { Int(truncatingIfNeeded: self.hash >> 20) & (Self.shapeCount - 1) }

    /// `true` if the line that was looked up last has occurred before and is worth remembering.
    func isKnownShape() -> Bool {
        guard self.hash != 0 else { return false }
        let place = self.shapePlace
        if self.unfit[place] == self.hash { return false }
        if self.seen[place] == self.hash { return true }
        self.seen[place] = self.hash
        return false
    }

    /// Remembers the result for the line that was looked up last: `line`, and `tainted`, the result for the
    /// same tokens with marked numbers. nil for a line that does not report on a training.
    func remember(
        _ text: UnsafePointer<UInt8>, _ length: Int, _ reader: LineReader,
        _ lines: (clean: TrainingLine, tainted: TrainingLine)?
    ) {
        guard self.hash != 0 else { return }
        guard !reader.lexer.isOdd, let plan = MemoPlan(reader, lines) else {
            self.unfit[self.shapePlace] = self.hash
            return
        }
        var entry = Entry()
        entry.plan = Plan(plan)
        if let lines {
            entry.line = .allocate(capacity: 1)
            entry.line?.initialize(to: lines.clean)
        } else {
            entry.isEmpty = true
        }
        entry.hash = self.hash
        entry.length = length
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * length)
        memcpy(bytes, text, length)
        memcpy(bytes + length, self.shape, length)
        entry.bytes = bytes
        let first = Int(truncatingIfNeeded: self.hash >> 32) & (Self.entryCount - 1) & ~(Self.ways - 1)
        // If no entry is free, entries are replaced in turn.
        let slot = (first..<(first + Self.ways)).first { self.entries[$0].hash == 0 } ?? first + self.turn
        self.turn = (self.turn + 1) % Self.ways
        Self.free(&self.entries[slot])
        self.entries[slot] = entry
    }
}
