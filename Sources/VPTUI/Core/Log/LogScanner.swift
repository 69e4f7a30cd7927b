import Foundation

/// Where the bytes of a log come from: a file, or an array in tests.
public protocol LogSource: Sendable {
    func size() -> Int64
    /// Reads at most what `buffer` takes, from `offset`; 0 at the end.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// Lines to keep: those that a pattern accepts, and some around each.
public struct LogFilter: Hashable, Sendable {
    public var pattern: TextPattern
    /// Lines before and after each that are kept as well.
    public var context: Int

    public init(_ pattern: TextPattern, context: Int = 0) {
        self.pattern = pattern
        self.context = context
    }
}

/// A part of a log, in whole lines but for the last.
public struct LogPart: Hashable, Sendable {
    public struct Chunk: Hashable, Sendable {
        public var offset: Int64
        public var bytes: [UInt8]

        public init(offset: Int64, bytes: [UInt8]) {
            self.offset = offset
            self.bytes = bytes
        }
    }

    /// Ascending; with a filter there are gaps between them.
    public var chunks: [Chunk]
    /// What was looked at: from here up to `end`.
    public var start: Int64
    public var end: Int64
    /// The size of the whole log then.
    public var size: Int64
    /// Nothing was left to look at. `end` may be less than `size` all the same: a last line without an end is
    /// looked at again by a filter.
    public var reachesEnd: Bool

    public init(chunks: [Chunk], start: Int64, end: Int64, size: Int64, reachesEnd: Bool) {
        self.chunks = chunks
        self.start = start
        self.end = end
        self.size = size
        self.reachesEnd = reachesEnd
    }
}

/// Reads and searches a log in blocks, however large it is: nothing of it is kept, and no index is needed.
///
/// A line that is longer than a block counts as several.
public final class LogScanner {
    public static let blockBytes = 1 << 20
    /// As much of an unfiltered log as is read at once.
    public static let partBytes: Int64 = 256 << 10
    /// As many lines of a filtered one.
    private static let partLines = 400

    private let source: any LogSource
    public let size: Int64
    private let block = UnsafeMutableRawBufferPointer.allocate(
        byteCount: LogScanner.blockBytes, alignment: 64)
    private let isCancelled: () -> Bool

    /// - Parameter isCancelled: asked between blocks; what is returned after a yes means nothing.
    public init(_ source: any LogSource, isCancelled: @escaping () -> Bool = { false }) {
        self.source = source
        self.size = source.size()
        self.isCancelled = isCancelled
    }

    deinit { self.block.deallocate() }

    // MARK: Parts

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
            start = self.lineStart(of: self.size - Self.partBytes)
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
        // The last line may still grow: it is looked at again.
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

    // MARK: Search

    /// The start of the nearest line that both patterns accept: after `offset`, or before it.
    public func find(_ matcher: TextMatcher, filter: TextMatcher?, from offset: Int64, isForward: Bool)
        -> Int64?
    {
        var hit: Int64?
        if isForward {
            self.forEachBlock(from: self.lineEnd(after: max(0, offset)), to: self.size) { start, block in
                Self.forEachMatch(matcher, and: filter, in: block) { line in
                    hit = start + Int64(line.lowerBound)
                    return false
                }
                return hit == nil
            }
        } else {
            let end = offset >= self.size ? self.size : self.lineStart(of: offset)
            self.forEachBlockBackward(from: end) { start, block in
                Self.forEachMatch(matcher, and: filter, in: block) { line in
                    hit = start + Int64(line.lowerBound)
                    return true
                }
                return hit == nil
            }
        }
        return hit.map { self.lineStart(of: $0) }
    }

    /// Counts matching lines from `start` on, block by block: `body` gets where a block begins and ends, and
    /// where in it the matching lines begin. False ends it.
    public func count(
        _ matcher: TextMatcher, filter: TextMatcher?, from start: Int64,
        _ body: (_ start: Int64, _ end: Int64, _ hits: [Int32]) -> Bool
    ) {
        self.forEachBlock(from: start, to: self.size) { offset, block in
            var hits: [Int32] = []
            Self.forEachMatch(matcher, and: filter, in: block) { line in
                hits.append(Int32(line.lowerBound))
                return true
            }
            return body(offset, offset + Int64(block.count), hits)
        }
    }

    /// Hands over the whole log, or what of it `filter` keeps, in pieces.
    public func forEachKept(_ filter: TextMatcher?, _ body: (UnsafeRawBufferPointer) -> Bool) {
        self.forEachBlock(from: 0, to: self.size) { _, block in
            guard let filter else { return body(block) }
            var goesOn = true
            Self.forEachMatch(filter, in: block) { line in
                goesOn = body(UnsafeRawBufferPointer(rebasing: block[line]))
                return goesOn
            }
            return goesOn
        }
    }

    /// Calls `body` with whole lines, from the one that begins at `start`.
    public func forEachBlock(
        from start: Int64, to end: Int64, _ body: (Int64, UnsafeRawBufferPointer) -> Bool
    ) {
        var offset = start
        while offset < end, !self.isCancelled() {
            let wanted = Int(min(Int64(self.block.count), end - offset))
            let count = self.read(at: offset, wanted)
            guard count > 0 else { return }
            var length = count
            if offset + Int64(count) < end,
                let last = Self.lastNewline(UnsafeRawBufferPointer(self.block), count)
            {
                length = last + 1
            }
            guard body(offset, UnsafeRawBufferPointer(rebasing: self.block[..<length])) else { return }
            offset += Int64(length)
        }
    }

    private func forEachBlockBackward(from end: Int64, _ body: (Int64, UnsafeRawBufferPointer) -> Bool) {
        var end = end
        // What is looked for is mostly near: the first look is short.
        var size: Int64 = 64 << 10
        while end > 0, !self.isCancelled() {
            let begin = max(0, end - size)
            size = Int64(self.block.count)
            let count = self.read(at: begin, Int(end - begin))
            guard count == Int(end - begin) else { return }
            var start = 0
            // The first line is whole only at the file's start; elsewhere it belongs to the block before.
            if begin > 0, let first = Self.firstNewline(UnsafeRawBufferPointer(self.block), 0, count),
                first + 1 < count
            {
                start = first + 1
            }
            guard body(begin + Int64(start), UnsafeRawBufferPointer(rebasing: self.block[start..<count]))
            else {
                return
            }
            end = begin + Int64(start)
        }
    }

    // MARK: Lines

    /// Where the line that holds byte `offset` begins. At most a block is looked through for it.
    public func lineStart(of offset: Int64) -> Int64 {
        var end = max(0, min(offset, self.size))
        let limit = max(0, end - Int64(Self.blockBytes))
        // A line is short as a rule.
        var step: Int64 = 4096
        while end > limit {
            let begin = max(limit, end - step)
            let count = self.read(at: begin, Int(end - begin))
            if let last = Self.lastNewline(UnsafeRawBufferPointer(self.block), count) {
                return begin + Int64(last) + 1
            }
            end = begin
            step = Int64(self.block.count)
        }
        return limit == 0 ? 0 : max(0, min(offset, self.size))
    }

    /// Where the line that holds byte `offset` ends, its newline included.
    public func lineEnd(after offset: Int64) -> Int64 {
        var start = max(0, min(offset, self.size))
        let limit = min(self.size, start + Int64(Self.blockBytes))
        var step: Int64 = 4096
        while start < limit {
            let count = self.read(at: start, Int(min(step, limit - start)))
            guard count > 0 else { break }
            if let first = Self.firstNewline(UnsafeRawBufferPointer(self.block), 0, count) {
                return start + Int64(first) + 1
            }
            start += Int64(count)
            step = Int64(self.block.count)
        }
        return limit
    }

    private func bytes(from start: Int64, to end: Int64) -> [UInt8] {
        guard end > start else { return [] }
        let source = self.source
        return [UInt8](unsafeUninitializedCapacity: Int(end - start)) { buffer, count in
            let target = UnsafeMutableRawBufferPointer(buffer)
            while count < target.count {
                let got = source.read(
                    at: start + Int64(count), into: UnsafeMutableRawBufferPointer(rebasing: target[count...]))
                guard got > 0 else { return }
                count += got
            }
        }
    }

    private func read(at offset: Int64, _ wanted: Int) -> Int {
        guard wanted > 0 else { return 0 }
        let target = UnsafeMutableRawBufferPointer(rebasing: self.block[..<min(wanted, self.block.count)])
        var count = 0
        while count < target.count {
            let got = self.source.read(
                at: offset + Int64(count), into: UnsafeMutableRawBufferPointer(rebasing: target[count...]))
            guard got > 0 else { break }
            count += got
        }
        return count
    }

    // MARK: Matching

    /// Calls `body` with the range of each line in `block` that both accept, its newline included.
    ///
    /// Lines are matched as they are seen: escape sequences, and what `\r` has overwritten, do not count.
    static func forEachMatch(
        _ matcher: TextMatcher, and filter: TextMatcher? = nil, in block: UnsafeRawBufferPointer,
        _ body: (Range<Int>) -> Bool
    ) {
        guard let base = block.baseAddress, !block.isEmpty else { return }
        let isPlain = memchr(base, 0x1B, block.count) == nil && memchr(base, 0x0D, block.count) == nil
        if isPlain, filter == nil, let needle = matcher.needle {
            var index = 0
            while let hit = needle.firstIndex(in: block, from: index) {
                let start = Self.lastNewline(block, hit).map { $0 + 1 } ?? 0
                let end = (Self.firstNewline(block, hit, block.count) ?? block.count - 1) + 1
                guard body(max(index, start)..<end) else { return }
                index = end
            }
            return
        }
        var scratch: [UInt8] = []
        var start = 0
        while start < block.count {
            let newline = Self.firstNewline(block, start, block.count) ?? block.count
            let line = UnsafeRawBufferPointer(rebasing: block[start..<newline])
            let accepts: (UnsafeRawBufferPointer) -> Bool = {
                matcher.accepts($0) && filter?.accepts($0) != false
            }
            let isKept =
                isPlain || !VisibleText.needsStripping(line)
                ? accepts(line)
                : {
                    VisibleText.strip(line, into: &scratch)
                    return scratch.withUnsafeBytes(accepts)
                }()
            let end = min(block.count, newline + 1)
            if isKept, !body(start..<end) { return }
            start = end
        }
    }

    private static func firstNewline(_ block: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Int? {
        guard let base = block.baseAddress, end > start else { return nil }
        return memchr(base + start, 0x0A, end - start).map { UnsafeRawPointer($0) - base }
    }

    /// The last one before `end`. The C library of Linux has `memrchr`, but shows it to GNU programs only.
    private static func lastNewline(_ block: UnsafeRawBufferPointer, _ end: Int) -> Int? {
        let newline = SIMD32<UInt8>(repeating: 0x0A)
        var end = end
        while end >= 32 {
            if any(block.loadUnaligned(fromByteOffset: end - 32, as: SIMD32<UInt8>.self) .== newline) {
                break
            }
            end -= 32
        }
        while end > 0 {
            end -= 1
            if block[end] == 0x0A { return end }
        }
        return nil
    }
}
