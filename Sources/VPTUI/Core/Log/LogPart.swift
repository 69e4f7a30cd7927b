import Foundation

/// Selects lines of a log: those that a pattern accepts, and some lines around each.
public struct LogFilter: Hashable, Sendable {
    public var pattern: TextPattern
    /// The number of lines before and after each match that are kept as well.
    public var context: Int

    public init(_ pattern: TextPattern, context: Int = 0) {
        self.pattern = pattern
        self.context = context
    }
}

/// A part of a log, in whole lines except for the last.
public struct LogPart: Hashable, Sendable {
    public struct Chunk: Hashable, Sendable {
        public var offset: Int64
        public var bytes: [UInt8]

        public init(offset: Int64, bytes: [UInt8]) {
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// The lines, ascending; a filter leaves gaps between chunks.
    public var chunks: [Chunk]
    /// The range of the file that was examined, from `start` up to `end`.
    public var start: Int64
    public var end: Int64
    /// The size of the whole log at that time.
    public var size: Int64
    /// Nothing was left to examine. `end` may still be less than `size`: a filter examines a last line
    /// without a newline again.
    public var reachesEnd: Bool

    public init(chunks: [Chunk], start: Int64, end: Int64, size: Int64, reachesEnd: Bool) {
        self.chunks = chunks
        self.start = start
        self.end = end
        self.size = size
        self.reachesEnd = reachesEnd
    }
}

/// Reads the window of lines: some lines around one place, or as many that a filter keeps.
extension LogScanner {
    /// The bytes of an unfiltered log that are read at once.
    public static var partBytes: Int64 { 256 << 10 }
    /// The bytes that are read at the log's end, for which the user waits: several screens.
    private static var pageBytes: Int64 { 64 << 10 }
    /// The lines of a filtered log that are read at once.
    private static var partLines: Int { 400 }

    public func part(_ place: LogReadRequest.Place, filter: LogFilter?) -> LogPart {
        guard let filter, let matcher = TextMatcher(filter.pattern) else { return self.plainPart(place) }
        switch place {
        case .size: return self.plainPart(.size)
        case .end: return self.filtered(before: self.size, matcher, filter.context)
        case .before(let offset):
            return self.filtered(before: min(offset, self.size), matcher, filter.context)
        case .after(let offset): return self.filtered(after: min(offset, self.size), matcher, filter.context)
        case .around(let offset):
            let middle = self.lineStart(of: min(offset, self.size))
            let before = self.filtered(before: middle, matcher, filter.context)
            let after = self.filtered(after: middle, matcher, filter.context)
            return LogPart(
                chunks: Self.merged(before.chunks + after.chunks), start: before.start, end: after.end,
                size: self.size, reachesEnd: after.reachesEnd)
        }
    }

    private func plainPart(_ place: LogReadRequest.Place) -> LogPart {
        let start: Int64
        let end: Int64
        switch place {
        case .size: (start, end) = (self.size, self.size)
        case .end:
            start = self.lineStart(of: self.size - Self.pageBytes)
            end = self.size
        case .before(let offset):
            start = self.lineStart(of: offset - Self.partBytes)
            end = min(offset, self.size)
        case .after(let offset):
            start = min(offset, self.size)
            end = self.lineEnd(after: start + Self.partBytes)
        case .around(let offset):
            start = self.lineStart(of: min(offset, self.size) - Self.partBytes / 2)
            end = self.lineEnd(after: offset + Self.partBytes / 2)
        }
        let bytes = self.bytes(from: start, to: end)
        let read = start + Int64(bytes.count)
        return LogPart(
            chunks: bytes.isEmpty ? [] : [.init(offset: start, bytes: bytes)], start: start, end: read,
            size: self.size, reachesEnd: read >= self.size)
    }

    private func filtered(before end: Int64, _ matcher: TextMatcher, _ context: Int) -> LogPart {
        var ranges: [Range<Int64>] = []
        var start: Int64 = 0
        self.forEachBlockBackward(from: end) { offset, block in
            var found: [Range<Int64>] = []
            Self.forEachMatch(matcher, in: block) { line in
                found.append((offset + Int64(line.lowerBound))..<(offset + Int64(line.upperBound)))
                return true
            }
            start = offset
            ranges = found + ranges
            return ranges.count < Self.partLines
        }
        if ranges.count > Self.partLines {
            ranges.removeFirst(ranges.count - Self.partLines)
            start = ranges[0].lowerBound
        }
        let reachesEnd = end >= self.size
        let last = reachesEnd ? max(start, self.lineStart(of: self.size)) : end
        return self.part(of: ranges, from: start, to: last, reachesEnd: reachesEnd, context)
    }

    private func filtered(after start: Int64, _ matcher: TextMatcher, _ context: Int) -> LogPart {
        var ranges: [Range<Int64>] = []
        var end: Int64?
        self.forEachBlock(from: start, to: self.size) { offset, block in
            Self.forEachMatch(matcher, in: block) { line in
                ranges.append((offset + Int64(line.lowerBound))..<(offset + Int64(line.upperBound)))
                return ranges.count < Self.partLines
            }
            guard ranges.count >= Self.partLines else { return true }
            end = ranges[ranges.count - 1].upperBound
            return false
        }
        // The last line may still grow, so it is examined again later.
        let last = end ?? max(start, self.lineStart(of: self.size))
        return self.part(of: ranges, from: start, to: last, reachesEnd: end == nil, context)
    }

    private func part(
        of ranges: [Range<Int64>], from start: Int64, to end: Int64, reachesEnd: Bool, _ context: Int
    ) -> LogPart {
        var widened: [Range<Int64>] = []
        for range in ranges {
            var (low, high) = (range.lowerBound, range.upperBound)
            for _ in 0..<context where low > 0 { low = self.lineStart(of: low - 1) }
            for _ in 0..<context where high < self.size { high = self.lineEnd(after: high) }
            if let last = widened.last, last.upperBound >= low {
                widened[widened.count - 1] = last.lowerBound..<max(last.upperBound, high)
            } else {
                widened.append(low..<high)
            }
        }
        let chunks = widened.map {
            LogPart.Chunk(offset: $0.lowerBound, bytes: self.bytes(from: $0.lowerBound, to: $0.upperBound))
        }
        return LogPart(chunks: chunks, start: start, end: end, size: self.size, reachesEnd: reachesEnd)
    }

    private static func merged(_ chunks: [LogPart.Chunk]) -> [LogPart.Chunk] {
        var merged: [LogPart.Chunk] = []
        for chunk in chunks {
            guard let last = merged.last else {
                merged.append(chunk)
                continue
            }
            let lastEnd = last.offset + Int64(last.bytes.count)
            if chunk.offset >= lastEnd {
                merged.append(chunk)
            } else if chunk.offset + Int64(chunk.bytes.count) > lastEnd {
                merged[merged.count - 1].bytes += chunk.bytes[Int(lastEnd - chunk.offset)...]
            }
        }
        return merged
    }
}
