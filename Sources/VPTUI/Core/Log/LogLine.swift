import VPEngine

/// A line of a job's output: printable text, and the styles with the byte at which each begins.
public struct LogLine: Hashable, Sendable {
    public struct Run: Hashable, Sendable {
        /// The offset in the text's UTF-8.
        public var start: Int
        public var style: Style

        public init(start: Int, style: Style) {
            self.start = start
            self.style = style
        }
    }

    public let text: String
    /// The file offset of the line's first byte.
    public var offset: Int64
    /// Ascending by `start`; empty if the whole line is plain.
    public var runs: [Run]
    /// Every byte is one column wide, so the width table is not needed.
    public let isASCII: Bool
    /// The rows of a long line that is not ASCII.
    private let cache: RowCache?

    public init(text: String, runs: [Run] = [], offset: Int64 = 0) {
        self.text = text
        self.runs = runs
        self.offset = offset
        self.isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        self.cache = !self.isASCII && text.utf8.count > Self.longBytes ? RowCache() : nil
    }

    /// The bytes from which on a line's rows are kept once they have been counted.
    static let longBytes = 4096

    public static func == (lhs: Self, rhs: Self) -> Bool {
        lhs.offset == rhs.offset && lhs.text == rhs.text && lhs.runs == rhs.runs
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.offset)
        hasher.combine(self.text)
    }

    private static let finished = Array("100%|".utf8)

    /// Returns the line without the drawing of a finished progress bar, and keeps its counts and times.
    func foldingFinishedBar() -> LogLine {
        // Bars are short; a line of a megabyte is not looked through.
        guard self.text.utf8.count < 1024 else { return self }
        let bytes = Array(self.text.utf8)
        guard let start = bytes.firstRange(of: Self.finished)?.upperBound,
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "|")), end > start
        else { return self }
        let bar = String(decoding: bytes[start..<end], as: UTF8.self)
        guard bar.allSatisfy({ $0 == "█" || $0 == "#" }) else { return self }
        let cut = (start - 1)..<(end + 1)
        let text = String(decoding: bytes[..<cut.lowerBound] + bytes[cut.upperBound...], as: UTF8.self)
        let runs = self.runs.map { run in
            Run(
                start: run.start >= cut.upperBound
                    ? run.start - cut.count : min(run.start, cut.lowerBound), style: run.style)
        }
        return LogLine(
            text: text, runs: runs.isEmpty ? [Run(start: 0, style: Style(.muted))] : runs, offset: self.offset
        )
    }

    /// Returns the UTF-8 offsets at which rows begin when the line is wrapped at `width` columns. A wide
    /// character that does not fit starts the next row.
    public func rowStarts(width: Int) -> [Int] {
        guard width > 0 else { return [0] }
        if self.isASCII { return Array(stride(from: 0, to: max(1, self.text.utf8.count), by: width)) }
        return self.cache?.starts(width) { self.countedRowStarts(width: width) }
            ?? self.countedRowStarts(width: width)
    }

    private func countedRowStarts(width: Int) -> [Int] {
        var starts = [0]
        var column = 0
        self.forEachCluster { offset, columns in
            if column + columns > width, column > 0 {
                starts.append(offset)
                column = 0
            }
            column += columns
        }
        return starts
    }

    /// Calls `body` with the offset and the width in columns of each character.
    ///
    /// Letters that never combine are handled scalar by scalar;
    /// only a character that may combine with another is examined as a whole,
    /// which takes fifty times as long.
    private func forEachCluster(_ body: (Int, Int) -> Void) {
        var text = self.text
        text.makeContiguousUTF8()
        let utf8 = text.utf8
        _ = utf8.withContiguousStorageIfAvailable { bytes in
            var offset = 0
            while offset < bytes.count {
                let scalar = SimpleScalar(bytes, at: offset)
                let end = offset + (scalar?.length ?? 0)
                if let scalar, end == bytes.count || SimpleScalar(bytes, at: end) != nil {
                    body(offset, scalar.width)
                    offset = end
                } else {
                    let character = text[utf8.index(utf8.startIndex, offsetBy: offset)]
                    body(offset, DisplayWidth.of(character))
                    offset += character.utf8.count
                }
            }
        }
    }

    public func rowCount(width: Int) -> Int {
        guard width > 0 else { return 1 }
        if self.isASCII { return max(1, (self.text.utf8.count + width - 1) / width) }
        return self.rowStarts(width: width).count
    }

    /// Draws the text from byte `start` on, skipping `skip` columns, on one row of `area`.
    func draw(
        from start: Int, skip: Int, in area: Rect, of buffer: inout CellBuffer, matches: [Range<Int>],
        isHit: Bool = false
    ) {
        var column = -skip
        var offset = start
        var run = self.runs.lastIndex { $0.start <= start }.map { $0 + 1 } ?? 0
        var style = run > 0 ? self.runs[run - 1].style : .plain
        var match = matches.firstIndex { $0.upperBound > start } ?? matches.count
        let utf8 = self.text.utf8
        var index = utf8.index(utf8.startIndex, offsetBy: min(start, utf8.count))
        if self.isASCII, skip > 0 {
            // A megabyte-long line that is scrolled to its middle is not traversed from its beginning.
            let skipped = min(skip, utf8.distance(from: index, to: utf8.endIndex))
            index = utf8.index(index, offsetBy: skipped)
            offset += skipped
            column += skipped
        }
        while index < utf8.endIndex, column < area.width {
            let character = self.text[index]
            while run < self.runs.count, self.runs[run].start <= offset {
                style = self.runs[run].style
                run += 1
            }
            while match < matches.count, matches[match].upperBound <= offset { match += 1 }
            let isMatch = match < matches.count && matches[match].contains(offset)
            let width = DisplayWidth.of(character)
            let marked = isHit ? style.on(.match).adding([.bold, .underline]) : style.on(.match)
            let drawn = isMatch ? marked : style
            if width > 0 {
                if column >= 0, column + width <= area.width {
                    buffer.put(character, width: width, x: area.x + column, y: area.y, style: drawn)
                } else if column + width > 0, column < area.width {
                    buffer.put(" ", width: 1, x: area.x + max(0, column), y: area.y, style: drawn)
                }
            }
            column += width
            offset += character.utf8.count
            index = self.text.index(after: index)
        }
    }
}
