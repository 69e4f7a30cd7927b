import Foundation

/// The source of a log's bytes: a file, or an array in tests.
public protocol LogSource: Sendable {
    func size() -> Int64
    /// Reads at most as many bytes from `offset` as `buffer` holds; returns 0 at the end.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// Reads and searches a log of any size in blocks, without an index and without keeping any of it.
///
/// A line that is longer than a block is treated as several lines.
public final class LogScanner {
    public static let blockBytes = 1 << 20

    private let source: any LogSource
    public let size: Int64
    private let block = UnsafeMutableRawBufferPointer.allocate(
        byteCount: LogScanner.blockBytes, alignment: 64)
    private let isCancelled: () -> Bool

    /// - Parameter isCancelled: called between blocks; once it returns `true`, results are meaningless.
    public init(_ source: any LogSource, isCancelled: @escaping () -> Bool = { false }) {
        self.source = source
        self.size = source.size()
        self.isCancelled = isCancelled
    }

    deinit { self.block.deallocate() }

    // MARK: Search

    /// Returns the start of the nearest line after or before `offset` that both patterns accept.
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

    /// Counts matching lines from `start` on, block by block. `body` gets the bounds of a block and the
    /// offsets in it at which matching lines begin; it returns `false` to stop.
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

    /// Passes the whole log to `body` in pieces, or only the lines that `filter` keeps.
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

    /// Calls `body` with blocks of whole lines, beginning at `start`.
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

    func forEachBlockBackward(from end: Int64, _ body: (Int64, UnsafeRawBufferPointer) -> Bool) {
        var end = end
        // A match is usually near, so the first block is short.
        var size: Int64 = 64 << 10
        while end > 0, !self.isCancelled() {
            let begin = max(0, end - size)
            size = Int64(self.block.count)
            let count = self.read(at: begin, Int(end - begin))
            guard count == Int(end - begin) else { return }
            var start = 0
            // The first line is complete only at the start of the file; elsewhere it belongs
            // to the block before.
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

    /// Returns the start of the line that contains byte `offset`. It searches at most one block.
    public func lineStart(of offset: Int64) -> Int64 {
        var end = max(0, min(offset, self.size))
        let limit = max(0, end - Int64(Self.blockBytes))
        // Most lines are short.
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

    /// Returns the end of the line that contains byte `offset`, including its newline.
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

    func bytes(from start: Int64, to end: Int64) -> [UInt8] {
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

    /// Calls `body` with the range of each line in `block` that both matchers accept, including its newline.
    ///
    /// Lines are matched as they look on screen: escape sequences and text overwritten after
    /// `\r` do not count.
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

    /// Returns the last newline before `end`. The C library of Linux has `memrchr`, but declares it
    /// only for GNU programs.
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
