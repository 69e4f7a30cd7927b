import DequeModule
import VPEngine

/// A part of a job's output as lines, built from bytes as they arrive.
///
/// Colours are kept, and other escape sequences are dropped; `\r` starts the line over (so a progress bar
/// is one live line), rows to which the cursor moves up are written again (so several bars are one live
/// region), and invalid UTF-8 becomes U+FFFD. Memory is bounded by lines and by bytes; the whole
/// log is in the file that the engine keeps, and each line knows its offset in that file.
public struct LogBuffer: Equatable, Sendable {
    public static let maximumLines = 20_000
    public static let maximumBytes = 6 << 20
    /// A longer line is split.
    public static let maximumLineBytes = 1 << 20
    /// The most rows of a live region: more than a screen has.
    static let maximumRegion = 200
    /// Longer rows are no progress bars, and no part of a live region.
    static let maximumRegionRowBytes = 4096

    private var lines: Deque<LogLine> = []
    private var bytes = 0
    /// The row under the cursor: the unfinished line, or a row of the live region.
    private var live = LogRow()
    /// That row as a line, if it is so long that making the line takes time.
    private var longLive: LogLine?
    /// The rows of the live region below the cursor, the lowest first;
    /// empty if the cursor is on the last row.
    private var below: [LogRow] = []
    /// The number of the first line to which the cursor may move up: lines before it are from elsewhere.
    private var regionStart = 0
    /// The file offset at which the next byte belongs.
    public private(set) var endOffset: Int64 = 0
    /// A `\r` came, or the cursor moved: the next character clears the line.
    private var isReturned = false
    private var style = Style.plain
    private var escape = EscapeState.none
    /// The number of the oldest line in the buffer. Lines keep their numbers when others are added at either
    /// end, so this may be negative.
    public private(set) var firstNumber = 0

    private enum EscapeState: Hashable, Sendable {
        case none
        /// After ESC.
        case begun
        /// Inside `ESC [ …`, collecting parameters.
        case control([UInt8])
        /// Inside OSC, DCS, APC, PM or SOS, until BEL or ST.
        case string
        case stringEscape
        /// One more byte belongs to the sequence, as in `ESC ( B`.
        case oneMore
        /// After a byte of 0xC2: U+0080…U+009F are control characters.
        case c2
    }

    public init() {}

    /// The number of lines, including the unfinished ones.
    public var count: Int { self.lines.count + self.liveCount }
    /// One past the newest line's number.
    public var endNumber: Int { self.firstNumber + self.count }
    /// The number of the first line that may still change.
    public var liveNumber: Int { self.firstNumber + self.lines.count }
    /// The number of unfinished lines. The lowest does not count before it has text.
    private var liveCount: Int {
        guard let lowest = self.below.first else { return self.live.bytes.isEmpty ? 0 : 1 }
        return 1 + self.below.count - (lowest.bytes.isEmpty ? 1 : 0)
    }

    /// Returns the line with that number, or an empty one if it is no longer in the buffer.
    public func line(_ number: Int) -> LogLine {
        let index = number - self.firstNumber
        if index >= 0, index < self.lines.count { return self.lines[index] }
        let row = index - self.lines.count
        guard row >= 0, row < self.liveCount else { return LogLine(text: "") }
        return row == 0 ? self.longLive ?? self.live.line : self.below[self.below.count - row].line
    }

    /// Returns the number of the line that contains byte `offset` of the file, or of the
    /// nearest line before it.
    public func number(at offset: Int64) -> Int {
        var low = 0
        var high = self.lines.count
        while low < high {
            let middle = (low + high) / 2
            if self.lines[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        if low == self.lines.count {
            let rows = [self.live] + self.below.reversed()
            low += rows.prefix(self.liveCount).prefix { $0.offset <= offset }.count
        }
        return self.firstNumber + max(0, low - 1)
    }

    /// The file offset of the first line.
    public var startOffset: Int64 { self.lines.first?.offset ?? self.live.offset }

    /// Adds bytes from elsewhere in the file; a new line begins with them.
    public mutating func append(_ new: [UInt8], at offset: Int64) {
        if offset != self.endOffset {
            self.finishAll()
            self.regionStart = self.liveNumber
            self.endOffset = offset
            self.live.offset = offset
            self.escape = .none
            self.style = .plain
            self.isReturned = false
        }
        self.append(new)
    }

    /// Drops the lines that begin at `offset` or later, so that reading can continue from there.
    public mutating func drop(from offset: Int64) {
        self.moveToLowest()
        if !self.live.bytes.isEmpty || self.endOffset > offset {
            self.live.clear()
            self.longLive = nil
            self.isReturned = false
            self.escape = .none
            self.style = .plain
        }
        while let last = self.lines.last, last.offset >= offset {
            self.bytes -= Self.cost(last)
            self.lines.removeLast()
        }
        self.endOffset = offset
        self.live.offset = offset
    }

    /// Adds the lines of `earlier` before these. If that exceeds the limits, the newest lines are dropped.
    public mutating func prepend(_ earlier: LogBuffer) {
        var earlier = earlier
        earlier.finishAll()
        self.lines.prepend(contentsOf: earlier.lines)
        self.firstNumber -= earlier.lines.count
        self.bytes += earlier.bytes
        var end: Int64?
        while self.isTooLarge, let last = self.lines.last {
            end = last.offset
            self.bytes -= Self.cost(last)
            self.lines.removeLast()
        }
        if let end { self.drop(from: end) }
    }

    private var isTooLarge: Bool {
        (self.lines.count > Self.maximumLines || self.bytes > Self.maximumBytes) && self.lines.count > 1
    }

    private static func cost(_ line: LogLine) -> Int { line.text.utf8.count + 64 }

    public mutating func append(_ new: [UInt8]) {
        let base = self.endOffset
        defer {
            self.endOffset = base + Int64(new.count)
            self.longLive = self.live.bytes.count > LogLine.longBytes ? self.live.line : nil
        }
        new.withUnsafeBufferPointer { new in
            var index = 0
            while index < new.count {
                if self.escape == .none {
                    let start = index
                    while index < new.count, Self.isText(new[index]) { index += 1 }
                    if index > start {
                        self.endOffset = base + Int64(index)
                        self.appendText(new[start..<index])
                    }
                    guard index < new.count else { break }
                }
                self.endOffset = base + Int64(index) + 1
                self.consume(new[index])
                index += 1
            }
        }
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F && byte != 0xC2
    }

    private mutating func appendText(_ text: Slice<UnsafeBufferPointer<UInt8>>) {
        if self.isReturned {
            self.isReturned = false
            self.live.clear()
        }
        self.live.append(text, self.style)
        if self.live.bytes.count > Self.maximumLineBytes { self.finishLine() }
    }

    private mutating func appendByte(_ byte: UInt8) {
        withUnsafePointer(to: byte) { pointer in
            self.appendText(UnsafeBufferPointer(start: pointer, count: 1)[...])
        }
    }

    private mutating func consume(_ byte: UInt8) {
        switch self.escape {
        case .none: self.consumePlain(byte)
        case .begun:
            switch byte {
            case UInt8(ascii: "["): self.escape = .control([])
            case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"),
                UInt8(ascii: "_"):
                self.escape = .string
            case 0x20...0x2F: self.escape = .oneMore
            case 0x1B: break
            case UInt8(ascii: "M"):
                self.escape = .none
                self.apply(.up(1))
            default:
                self.escape = .none
                // A newline within a broken sequence still ends the line.
                if byte < 0x20 { self.consumePlain(byte) }
            }
        case .control(var parameters):
            switch byte {
            case 0x20...0x3F where parameters.count < 64:
                parameters.append(byte)
                self.escape = .control(parameters)
            case 0x40...0x7E:
                self.escape = .none
                if byte == UInt8(ascii: "m") {
                    self.style = SGR.applied(parameters, to: self.style)
                } else if let move = LogCursorMove(parameters, final: byte) {
                    self.apply(move)
                }
            default:
                self.escape = .none
                if byte < 0x20 { self.consumePlain(byte) }
            }
        case .string:
            switch byte {
            case 0x07: self.escape = .none
            case 0x1B: self.escape = .stringEscape
            // A terminal would swallow everything after an unterminated string; here a newline ends it.
            case 0x0A:
                self.escape = .none
                self.consumePlain(byte)
            default: break
            }
        case .stringEscape:
            self.escape = byte == UInt8(ascii: "\\") ? .none : .begun
            if self.escape == .begun { self.consume(byte) }
        case .oneMore: self.escape = .none
        case .c2:
            self.escape = .none
            switch byte {
            case 0x9B: self.escape = .control([])
            case 0x90, 0x98, 0x9D, 0x9E, 0x9F: self.escape = .string
            case 0x80...0x9F: break
            case 0xA0...0xBF:
                self.appendByte(0xC2)
                self.appendByte(byte)
            default:
                // The byte is replaced here rather than at the end of the line: an escape sequence may
                // separate it from a byte that would complete it to a control character.
                for byte in "\u{FFFD}".utf8 { self.appendByte(byte) }
                if Self.isText(byte) { self.appendByte(byte) } else { self.consumePlain(byte) }
            }
        }
    }

    private mutating func consumePlain(_ byte: UInt8) {
        switch byte {
        case 0x0A: self.finishLine()
        case 0x0D: self.isReturned = true
        case 0x08: if !self.isReturned { self.live.removeLast() }
        case 0x09: self.appendTab()
        case 0x1B: self.escape = .begun
        case 0xC2: self.escape = .c2
        default: break
        }
    }

    private mutating func appendTab() {
        let column =
            self.isReturned ? 0 : DisplayWidth.of(String(decoding: self.live.bytes, as: UTF8.self))
        for _ in 0..<(8 - column % 8) { self.appendByte(0x20) }
    }

    /// Moves the cursor within the live region, which grows upward.
    private mutating func apply(_ move: LogCursorMove) {
        switch move {
        case .up(let rows):
            for _ in 0..<min(rows, Self.maximumRegion) {
                guard self.below.count < Self.maximumRegion, let above = self.lines.last,
                    self.liveNumber > self.regionStart,
                    max(above.text.utf8.count, self.live.bytes.count) <= Self.maximumRegionRowBytes
                else { break }
                self.lines.removeLast()
                self.bytes -= Self.cost(above)
                self.below.append(self.live)
                self.live = LogRow(above)
            }
            self.isReturned = true
        case .down(let rows):
            for _ in 0..<min(rows, self.below.count) { self.finishLine() }
            self.isReturned = true
        case .eraseRow: self.live.clear()
        case .eraseRest(let andBelow):
            if self.isReturned { self.live.clear() }
            if andBelow { self.below.removeAll() }
        }
    }

    /// Ends the row under the cursor, which goes to the next row: of the live region, or a new one.
    private mutating func finishLine() {
        let line = self.live.line.foldingFinishedBar()
        if let next = self.below.popLast() {
            self.live = next
            self.isReturned = true
        } else {
            self.live.clear()
            self.live.offset = self.endOffset
            self.isReturned = false
        }
        self.lines.append(line)
        self.bytes += Self.cost(line)
        while self.isTooLarge {
            self.bytes -= Self.cost(self.lines.removeFirst())
            self.firstNumber += 1
        }
    }

    /// Ends the live region.
    private mutating func moveToLowest() {
        while !self.below.isEmpty { self.finishLine() }
    }

    private mutating func finishAll() {
        self.moveToLowest()
        if !self.live.bytes.isEmpty { self.finishLine() }
    }
}
