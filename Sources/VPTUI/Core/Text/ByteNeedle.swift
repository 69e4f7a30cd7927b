/// Searches bytes for a short text; ASCII letters match in either case unless the text has a capital.
///
/// Candidates are found by three of the needle's bytes, at eight places per word and four words at a time,
/// which makes searching a whole log nearly as fast as reading it; only candidates are compared in full. With
/// only two bytes, too many lines of a log would have a candidate.
struct ByteNeedle: Hashable, Sendable {
    private let bytes: [UInt8]
    /// 0x20 for a letter that matches in either case, else 0.
    private let folds: [UInt8]

    init(_ text: String) {
        let isExact = text.contains(where: \.isUppercase)
        self.bytes = Array(text.utf8)
        self.folds = self.bytes.map { !isExact && 0x61...0x7A ~= $0 ? 0x20 : 0 }
    }

    var count: Int { self.bytes.count }

    /// Returns the offset of the first match at or after `start`.
    func firstIndex(in text: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        let length = self.bytes.count
        guard length > 0, start >= 0, text.count - start >= length, let base = text.baseAddress else {
            return nil
        }
        let first = self.anchor(0)
        let second = self.anchor(length / 2)
        let third = self.anchor(length - 1)
        /// Returns a bit for each of eight places; the lowest set bit is a place at which all
        /// three bytes match.
        @inline(__always) func candidates(_ place: UnsafeRawPointer) -> UInt64 {
            let differences = first.differences(place) | second.differences(place) | third.differences(place)
            return (differences &- 0x0101_0101_0101_0101) & ~differences & 0x8080_8080_8080_8080
        }
        let end = text.count - length
        var index = start
        while index + 7 <= end {
            // The compiler vectorises this loop.
            while index + 31 <= end {
                let place = base + index
                let any =
                    candidates(place) | candidates(place + 8) | candidates(place + 16)
                    | candidates(place + 24)
                if any != 0 { break }
                index += 32
            }
            guard index + 7 <= end else { break }
            let found = candidates(base + index)
            guard found != 0 else {
                index += 8
                continue
            }
            index += found.trailingZeroBitCount / 8
            if self.matches(text, at: index) { return index }
            index += 1
        }
        while index <= end {
            if self.matches(text, at: index) { return index }
            index += 1
        }
        return nil
    }

    /// A byte of the needle, repeated eight times.
    ///
    /// Uses integers rather than `SIMD32`, for which this compiler extracts every lane separately.
    private struct Anchor {
        let bytes: UInt64
        let folds: UInt64
        let offset: Int

        /// Returns zero in each of the eight bytes that matches the needle's, for a match that begins
        /// `offset` bytes earlier.
        @inline(__always)
        func differences(_ place: UnsafeRawPointer) -> UInt64 {
            (place.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self) | self.folds) ^ self.bytes
        }
    }

    private func anchor(_ offset: Int) -> Anchor {
        let everywhere: UInt64 = 0x0101_0101_0101_0101
        return Anchor(
            bytes: UInt64(self.bytes[offset]) * everywhere, folds: UInt64(self.folds[offset]) * everywhere,
            offset: offset)
    }

    private func matches(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        for offset in 0..<self.bytes.count
        where (text[index + offset] | self.folds[offset]) != self.bytes[offset] {
            return false
        }
        return true
    }
}
