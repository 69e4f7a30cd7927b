import DequeModule

/// The newest lines of one job's output, from bytes as they come.
///
/// Colours are kept, every other escape sequence is swallowed, `\r` starts its line over (so a progress bar is
/// one live line), invalid UTF-8 becomes U+FFFD. Memory is bounded by lines and by bytes; the whole log is in
/// the file that the engine keeps.
public struct LogBuffer: Equatable, Sendable {
    public static let maximumLines = 20_000
    public static let maximumBytes = 16 << 20
    /// A line longer than this goes on as another.
    public static let maximumLineBytes = 1 << 20

    private var lines: Deque<LogLine> = []
    private var bytes = 0
    private var live: [UInt8] = []
    private var liveRuns: [LogLine.Run] = []
    /// The next character after `\r` clears the line.
    private var isReturned = false
    private var style = Style.plain
    private var escape = EscapeState.none
    /// The number of the oldest line still held, counted from the start of what was read.
    public private(set) var firstNumber = 0

    private enum EscapeState: Hashable, Sendable {
        case none
        /// After ESC.
        case begun
        /// Inside `ESC [ …`, collecting parameters.
        case control([UInt8])
        /// Inside OSC, DCS, APC, PM or SOS: until BEL or ST.
        case string
        case stringEscape
        /// One more byte belongs to the sequence: `ESC ( B`.
        case oneMore
        /// A byte of 0xC2: U+0080…U+009F are controls.
        case c2
    }

    public init() {}

    /// Lines held, the unfinished one included.
    public var count: Int { self.lines.count + (self.hasLive ? 1 : 0) }
    /// One past the newest line's number.
    public var endNumber: Int { self.firstNumber + self.count }
    private var hasLive: Bool { !self.live.isEmpty }

    /// The line numbered `number`, or an empty one when it is no longer held.
    public func line(_ number: Int) -> LogLine {
        let index = number - self.firstNumber
        if index >= 0, index < self.lines.count { return self.lines[index] }
        if index == self.lines.count, self.hasLive { return self.liveLine }
        return LogLine(text: "")
    }

    public mutating func append(_ new: [UInt8]) {
        new.withUnsafeBufferPointer { new in
            var index = 0
            while index < new.count {
                if self.escape == .none {
                    let start = index
                    while index < new.count, Self.isText(new[index]) { index += 1 }
                    if index > start { self.appendText(new[start..<index]) }
                    guard index < new.count else { break }
                }
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
                // A line end inside a broken sequence still ends the line.
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
            // No terminal would show what an unended string swallows for ever; a new line ends it.
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
                // Replaced here and not left for the line's end: an escape sequence may come between this
                // byte and one that would complete it to a control character.
                for byte in "\u{FFFD}".utf8 { self.appendByte(byte) }
                if Self.isText(byte) { self.appendByte(byte) } else { self.consumePlain(byte) }
            }
        }
    }

    private mutating func consumePlain(_ byte: UInt8) {
        switch byte {
        case 0x0A: self.finishLine()
        case 0x0D: self.isReturned = true
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

    private mutating func finishLine() {
        let line = self.liveLine
        self.isReturned = false
        self.live.removeAll(keepingCapacity: true)
        self.liveRuns.removeAll(keepingCapacity: true)
        self.lines.append(line)
        self.bytes += line.text.utf8.count + 64
        while self.lines.count > Self.maximumLines || self.bytes > Self.maximumBytes, self.lines.count > 1 {
            self.bytes -= self.lines.removeFirst().text.utf8.count + 64
            self.firstNumber += 1
        }
    }

    private var liveLine: LogLine {
        let text = String(decoding: self.live, as: UTF8.self)
        // A repaired byte is longer than the byte was, which would shift the runs behind it.
        guard text.utf8.count == self.live.count else {
            let runs = self.liveRuns.map { run in
                let head = String(decoding: self.live[..<run.start], as: UTF8.self)
                return LogLine.Run(start: head.utf8.count, style: run.style)
            }
            return LogLine(text: text, runs: runs)
        }
        return LogLine(text: text, runs: self.liveRuns)
    }
}

/// Select Graphic Rendition: what `ESC [ … m` does to a style.
enum SGR {
    static func applied(_ parameters: [UInt8], to style: Style) -> Style {
        // Private sequences such as `ESC [ > 4 m` have nothing to do with colour.
        guard parameters.allSatisfy({ 0x30...0x3B ~= $0 }) else { return style }
        var numbers = parameters.split(
            separator: UInt8(ascii: ";"), omittingEmptySubsequences: false
        ).map { Int(String(decoding: $0.prefix(5), as: UTF8.self)) ?? 0 }[...]
        var style = style
        while let number = numbers.popFirst() {
            switch number {
            case 0: style = .plain
            case 1: style.attributes.insert(.bold)
            case 2: style.attributes.insert(.dim)
            case 3: style.attributes.insert(.italic)
            case 4: style.attributes.insert(.underline)
            case 7: style.attributes.insert(.reverse)
            case 21, 22: style.attributes.subtract([.bold, .dim])
            case 23: style.attributes.remove(.italic)
            case 24: style.attributes.remove(.underline)
            case 27: style.attributes.remove(.reverse)
            case 30...37: style.role = .ansi(number - 30)
            case 38: Self.extended(&numbers).map { style.role = $0 }
            case 39: style.role = .plain
            case 90...97: style.role = .ansi(number - 90 + 8)
            // Backgrounds are the theme's: a log that sets both could hide its own text.
            case 48: _ = Self.extended(&numbers)
            default: break
            }
        }
        return style
    }

    private static func extended(_ numbers: inout ArraySlice<Int>) -> Role? {
        switch numbers.popFirst() {
        case 5:
            guard let index = numbers.popFirst() else { return nil }
            if index < 16 { return .ansi(index) }
            if index >= 232 { return index < 244 ? .brightBlack : .white }
            let cube = max(0, min(215, index - 16))
            return Self.nearest(red: cube / 36 * 51, green: cube / 6 % 6 * 51, blue: cube % 6 * 51)
        case 2:
            guard let red = numbers.popFirst(), let green = numbers.popFirst(),
                let blue = numbers.popFirst()
            else { return nil }
            return Self.nearest(red: red, green: green, blue: blue)
        default: return nil
        }
    }

    /// The classic colour with the same strong components; the theme gives it a readable shade.
    private static func nearest(red: Int, green: Int, blue: Int) -> Role {
        let strongest = max(red, green, blue)
        if strongest - min(red, green, blue) < 40 {
            return strongest < 96 ? .brightBlack : strongest < 220 ? .white : .brightWhite
        }
        let half = strongest * 6 / 10
        let bits = (red > half ? 1 : 0) | (green > half ? 2 : 0) | (blue > half ? 4 : 0)
        return .ansi(bits + (strongest > 200 ? 8 : 0))
    }
}
