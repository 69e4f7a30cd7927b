import VPEngine

/// A line of a log that may still change: the newest line, or a line of a live region.
struct LogRow: Equatable, Sendable {
    var bytes: [UInt8] = []
    var runs: [LogLine.Run] = []
    /// The file offset of the row's first byte.
    var offset: Int64 = 0

    init(offset: Int64 = 0) {
        self.offset = offset
    }

    init(_ line: LogLine) {
        self.bytes = Array(line.text.utf8)
        self.runs = line.runs
        self.offset = line.offset
    }

    mutating func clear() {
        self.bytes.removeAll(keepingCapacity: true)
        self.runs.removeAll(keepingCapacity: true)
    }

    mutating func append(_ text: some Collection<UInt8>, _ style: Style) {
        if (self.runs.last?.style ?? .plain) != style {
            self.runs.append(LogLine.Run(start: self.bytes.count, style: style))
        }
        self.bytes.append(contentsOf: text)
    }

    /// Removes the last character: a backspace, with which a spinner replaces its picture by the next.
    mutating func removeLast() {
        while let byte = self.bytes.popLast(), byte & 0xC0 == 0x80 {}
        self.runs.removeAll { $0.start > self.bytes.count }
    }

    var line: LogLine {
        let text = String(decoding: self.bytes, as: UTF8.self)
        // A replacement character is longer than the byte it replaces, which would shift the runs after it.
        guard text.utf8.count == self.bytes.count else {
            let runs = self.runs.map { run in
                let head = String(decoding: self.bytes[..<run.start], as: UTF8.self)
                return LogLine.Run(start: head.utf8.count, style: run.style)
            }
            return LogLine(text: text, runs: runs, offset: self.offset)
        }
        return LogLine(text: text, runs: self.runs, offset: self.offset)
    }
}

/// Cursor movements of a log: programs that draw several progress bars move up to the first and write all
/// of them again.
///
/// The rows over which the cursor moves are a live region. Columns do not count: what is
/// written after a movement begins the row anew, as after `\r`.
enum LogCursorMove: Equatable {
    case up(Int)
    case down(Int)
    case eraseRow
    /// Erases the rest of the row, and with `true` all rows below it as well.
    case eraseRest(andBelow: Bool)

    /// The sequence `ESC [ parameters final`, if it is one of these movements.
    init?(_ parameters: [UInt8], final: UInt8) {
        guard parameters.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        // No region is higher than three digits can say.
        let number = Int(String(decoding: parameters.prefix(4), as: UTF8.self)) ?? 0
        switch (final, number) {
        case (UInt8(ascii: "A"), _), (UInt8(ascii: "F"), _): self = .up(max(1, number))
        case (UInt8(ascii: "B"), _), (UInt8(ascii: "E"), _): self = .down(max(1, number))
        case (UInt8(ascii: "K"), 0): self = .eraseRest(andBelow: false)
        case (UInt8(ascii: "K"), 2): self = .eraseRow
        case (UInt8(ascii: "J"), 0): self = .eraseRest(andBelow: true)
        default: return nil
        }
    }

    /// The rows by which the sequences in `bytes` move the cursor up, all together.
    static func rowsUp(in bytes: ArraySlice<UInt8>) -> Int {
        var rows = 0
        var rest = bytes
        while let escape = rest.firstIndex(of: 0x1B) {
            rest = rest[(escape + 1)...]
            guard rest.first == UInt8(ascii: "[") else { continue }
            rest = rest.dropFirst()
            let parameters = rest.prefix { 0x30...0x3F ~= $0 }.prefix(64)
            rest = rest.dropFirst(parameters.count)
            guard let final = rest.first, case .up(let count)? = Self(Array(parameters), final: final)
            else { continue }
            rows += min(count, LogBuffer.maximumRegion)
        }
        return rows
    }
}
