/// Finds a few bytes in many, ASCII letters in either case unless the wanted text has a capital.
///
/// Candidates are found 32 at a time by their first and last byte, which is what makes a search of a whole
/// log as fast as reading it; only those are compared in full.
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
        let first = SIMD32<UInt8>(repeating: self.bytes[0])
        let last = SIMD32<UInt8>(repeating: self.bytes[length - 1])
        let firstFold = SIMD32<UInt8>(repeating: self.folds[0])
        let lastFold = SIMD32<UInt8>(repeating: self.folds[length - 1])
        var index = start
        while index + 31 <= end {
            let heads = text.loadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self) | firstFold
            let tails =
                text.loadUnaligned(fromByteOffset: index + length - 1, as: SIMD32<UInt8>.self) | lastFold
            if any((heads .== first) .& (tails .== last)) {
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

    private func matches(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        for offset in 0..<self.bytes.count
        where (text[index + offset] | self.folds[offset]) != self.bytes[offset] {
            return false
        }
        return true
    }
}
