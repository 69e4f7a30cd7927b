import DequeModule
import VPEngine

/// A part of a job's output as lines, built from bytes as they arrive.
///
/// Colours are kept and all other escape sequences are dropped; `\r` starts the line over (so a progress bar
/// is one live line), and invalid UTF-8 becomes U+FFFD. Memory is bounded by lines and by bytes; the whole
/// log is in the file that the engine keeps, and each line knows its offset in that file.
public struct LogBuffer: Equatable, Sendable {
    public static let maximumLines = 20_000
    public static let maximumBytes = 6 << 20
    /// A longer line is split.
    public static let maximumLineBytes = 1 << 20

    private var lines: Deque<LogLine> = []
    private var bytes = 0
    private var live: [UInt8] = []
    /// The file offsets at which the unfinished line began and the next byte belongs.
    private var liveOffset: Int64 = 0
    public private(set) var endOffset: Int64 = 0
    private var liveRuns: [LogLine.Run] = []
    /// A `\r` came: the next character clears the line.
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

    /// The number of lines, including the unfinished one.
    public var count: Int { self.lines.count + (self.hasLive ? 1 : 0) }
    /// One past the newest line's number.
    public var endNumber: Int { self.firstNumber + self.count }
    private var hasLive: Bool { !self.live.isEmpty }

    /// Returns the line with that number, or an empty one if it is no longer in the buffer.
    public func line(_ number: Int) -> LogLine {
        let index = number - self.firstNumber
        if index >= 0, index < self.lines.count { return self.lines[index] }
        if index == self.lines.count, self.hasLive { return self.liveLine }
        return LogLine(text: "")
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
        if low == self.lines.count, self.hasLive, self.liveOffset <= offset { low += 1 }
        return self.firstNumber + max(0, low - 1)
    }

    /// The file offset of the first line.
    public var startOffset: Int64 { self.lines.first?.offset ?? self.liveOffset }

    /// Adds bytes from elsewhere in the file; a new line begins with them.
    public mutating func append(_ new: [UInt8], at offset: Int64) {
        if offset != self.endOffset {
            if self.hasLive { self.finishLine() }
            self.endOffset = offset
            self.liveOffset = offset
            self.escape = .none
            self.style = .plain
            self.isReturned = false
        }
        self.append(new)
    }

    /// Drops the lines that begin at `offset` or later, so that reading can continue from there.
    public mutating func drop(from offset: Int64) {
        if self.hasLive || self.endOffset > offset {
            self.live.removeAll(keepingCapacity: true)
            self.liveRuns.removeAll(keepingCapacity: true)
            self.isReturned = false
            self.escape = .none
            self.style = .plain
        }
        while let last = self.lines.last, last.offset >= offset {
            self.bytes -= Self.cost(last)
            self.lines.removeLast()
        }
        self.endOffset = offset
        self.liveOffset = offset
    }

    /// Adds the lines of `earlier` before these. If that exceeds the limits, the newest lines are dropped.
    public mutating func prepend(_ earlier: LogBuffer) {
        var earlier = earlier
        if earlier.hasLive { earlier.finishLine() }
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
        defer { self.endOffset = base + Int64(new.count) }
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
            self.live.removeAll(keepingCapacity: true)
            self.liveRuns.removeAll(keepingCapacity: true)
        }
        if (self.liveRuns.last?.style ?? .plain) != self.style {
            self.liveRuns.append(LogLine.Run(start: self.live.count, style: self.style))
        }
        self.live.append(contentsOf: text)
        if self.live.count > Self.maximumLineBytes { self.finishLine() }
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
                if byte == UInt8(ascii: "m") { self.style = SGR.applied(parameters, to: self.style) }
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
        case 0x08: self.removeLast()
        case 0x09: self.appendTab()
        case 0x1B: self.escape = .begun
        case 0xC2: self.escape = .c2
        default: break
        }
    }

    private mutating func appendTab() {
        let column =
            self.isReturned ? 0 : DisplayWidth.of(String(decoding: self.live, as: UTF8.self))
        for _ in 0..<(8 - column % 8) { self.appendByte(0x20) }
    }

    /// Removes the last character: a backspace, with which a spinner replaces its picture by the next.
    private mutating func removeLast() {
        guard !self.isReturned else { return }
        while let byte = self.live.popLast(), byte & 0xC0 == 0x80 {}
        self.liveRuns.removeAll { $0.start > self.live.count }
    }

    private mutating func finishLine() {
        let line = self.liveLine.foldingFinishedBar()
        self.isReturned = false
        self.live.removeAll(keepingCapacity: true)
        self.liveRuns.removeAll(keepingCapacity: true)
        self.liveOffset = self.endOffset
        self.lines.append(line)
        self.bytes += Self.cost(line)
        while self.isTooLarge {
            self.bytes -= Self.cost(self.lines.removeFirst())
            self.firstNumber += 1
        }
    }

    private var liveLine: LogLine {
        let text = String(decoding: self.live, as: UTF8.self)
        // A replacement character is longer than the byte it replaces, which would shift the runs after it.
        guard text.utf8.count == self.live.count else {
            let runs = self.liveRuns.map { run in
                let head = String(decoding: self.live[..<run.start], as: UTF8.self)
                return LogLine.Run(start: head.utf8.count, style: run.style)
            }
            return LogLine(text: text, runs: runs, offset: self.liveOffset)
        }
        return LogLine(text: text, runs: self.liveRuns, offset: self.liveOffset)
    }
}
