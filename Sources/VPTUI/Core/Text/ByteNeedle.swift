/// Finds a few bytes in many, ASCII letters in either case unless the wanted text has a capital.
///
/// Candidates are found 32 at a time by three of their bytes, which is what makes a search of a whole log as fast
/// as reading it; only those are compared in full. Of two bytes alone, a line of a log has a candidate too often.
struct ByteNeedle: Hashable, Sendable {
    private let bytes: [UInt8]
    /// 0x20 for a letter that may be of either case, else 0.
    private let folds: [UInt8]

    init(_ text: String) {
        let isExact = text.contains(where: \.isUppercase)
        self.bytes = Array(text.utf8)
        self.folds = self.bytes.map { !isExact && 0x61...0x7A ~= $0 ? 0x20 : 0 }
    }

    var count: Int { self.bytes.count }

    /// Where the first match at or after `start` begins.
    func firstIndex(in text: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        let length = self.bytes.count
        guard length > 0, start >= 0, text.count - start >= length else { return nil }
        let end = text.count - length
        let middle = length / 2
        let first = self.anchor(0)
        let second = self.anchor(middle)
        let third = self.anchor(length - 1)
        var index = start
        while index + 31 <= end {
            let candidates =
                first.lanes(text, index) .& second.lanes(text, index + middle)
                .& third.lanes(text, index + length - 1)
            if any(candidates) {
                for candidate in index..<(index + 32) where self.matches(text, at: candidate) {
                    return candidate
                }
            }
            index += 32
        }
        while index <= end {
            if self.matches(text, at: index) { return index }
            index += 1
        }
        return nil
    }

    /// A byte of it in both cases. Compared with each rather than folded: an "or" of two vectors of bytes is no
    /// instruction to this compiler but a loop, thirty times as slow.
    private struct Anchor {
        let lower: SIMD32<UInt8>
        let upper: SIMD32<UInt8>

        @inline(__always)
        func lanes(_ text: UnsafeRawBufferPointer, _ index: Int) -> SIMDMask<SIMD32<Int8>> {
            let bytes = text.loadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self)
            return (bytes .== self.lower) .| (bytes .== self.upper)
        }
    }

    private func anchor(_ place: Int) -> Anchor {
        let byte = self.bytes[place]
        return Anchor(
            lower: SIMD32(repeating: byte),
            upper: SIMD32(repeating: self.folds[place] == 0 ? byte : byte & 0xDF))
    }

    private func matches(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        for offset in 0..<self.bytes.count
        where (text[index + offset] | self.folds[offset]) != self.bytes[offset] {
            return false
        }
        return true
    }
}
