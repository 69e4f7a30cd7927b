/// One line of a job's output: printable text, and from which byte on which style holds.
public struct LogLine: Hashable, Sendable {
    public struct Run: Hashable, Sendable {
        /// Offset in the text's UTF-8.
        public var start: Int
        public var style: Style

        public init(start: Int, style: Style) {
            self.start = start
            self.style = style
        }
    }

    public var text: String
    /// Ascending by `start`; empty where all is plain.
    public var runs: [Run]
    /// Every byte is one column, which spares the width table.
    public let isASCII: Bool

    public init(text: String, runs: [Run] = []) {
        self.text = text
        self.runs = runs
        self.isASCII = text.utf8.allSatisfy { $0 < 0x80 }
    }

    /// UTF-8 offsets at which each row begins when the line is wrapped at `width` columns. A wide character
    /// that does not fit starts the next row.
    public func rowStarts(width: Int) -> [Int] {
        guard width > 0 else { return [0] }
        if self.isASCII { return Array(stride(from: 0, to: max(1, self.text.utf8.count), by: width)) }
        var starts = [0]
        var column = 0
        var offset = 0
        for character in self.text {
            let columns = DisplayWidth.of(character)
            if column + columns > width, column > 0 {
                starts.append(offset)
                column = 0
            }
            column += columns
            offset += character.utf8.count
        }
        return starts
    }

    public func rowCount(width: Int) -> Int {
        guard width > 0 else { return 1 }
        if self.isASCII { return max(1, (self.text.utf8.count + width - 1) / width) }
        return self.rowStarts(width: width).count
    }

    /// Draws what follows byte `start`, skipping `skip` columns, on one row of `area`.
    func draw(
        from start: Int, skip: Int, in area: Rect, of buffer: inout CellBuffer, matches: [Range<Int>]
    ) {
        var column = -skip
        var offset = start
        var run = self.runs.lastIndex { $0.start <= start }.map { $0 + 1 } ?? 0
        var style = run > 0 ? self.runs[run - 1].style : .plain
        var match = matches.firstIndex { $0.upperBound > start } ?? matches.count
        let utf8 = self.text.utf8
        var index = utf8.index(utf8.startIndex, offsetBy: min(start, utf8.count))
        if self.isASCII, skip > 0 {
            // A line of a megabyte scrolled to its middle is not walked from its beginning.
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
            let drawn = isMatch ? style.on(.match) : style
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

/// Finding text in lines.
public enum LogSearch {
    /// UTF-8 ranges of `needle` in `text`; ASCII letters match in either case unless the needle has a capital.
    public static func matches(of needle: String, in text: String) -> [Range<Int>] {
        let wanted = Array(needle.utf8)
        guard !wanted.isEmpty else { return [] }
        let isExact = needle.contains(where: \.isUppercase)
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= wanted.count else { return [] }
            var found: [Range<Int>] = []
            var start = 0
            outer: while start + wanted.count <= bytes.count {
                for index in 0..<wanted.count {
                    var byte = bytes[start + index]
                    if !isExact, 0x41...0x5A ~= byte { byte |= 0x20 }
                    if byte != wanted[index] {
                        start += 1
                        continue outer
                    }
                }
                found.append(start..<(start + wanted.count))
                start += wanted.count
            }
            return found
        }
    }
}
