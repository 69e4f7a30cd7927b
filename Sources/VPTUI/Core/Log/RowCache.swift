import Synchronization

/// The rows of a line at the width at which they were last asked for: a frame asks several times,
/// and to count a line of a megabyte takes milliseconds.
final class RowCache: Sendable {
    private let rows = Mutex<(width: Int, starts: [Int])?>(nil)

    /// Returns the starts of the rows at `width`, counted by `count` unless they are known.
    func starts(_ width: Int, _ count: () -> [Int]) -> [Int] {
        if let known = self.rows.withLock({ $0?.width == width ? $0?.starts : nil }) { return known }
        let starts = count()
        self.rows.withLock { $0 = (width, starts) }
        return starts
    }
}

/// A scalar that never combines with another such scalar into one character: letters of Latin, Greek and
/// Cyrillic, ideographs, kana, Hangul syllables, what boxes and graphs are drawn with.
struct SimpleScalar {
    /// Bytes in UTF-8.
    let length: Int
    /// Columns on the screen.
    let width: Int

    /// nil for any other scalar, and at the end of `bytes`.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) {
        guard offset < bytes.count else { return nil }
        let first = UInt32(bytes[offset])
        switch first {
        case 0x20..<0x7F: (self.length, self.width) = (1, 1)
        case 0xC2..<0xE0 where offset + 1 < bytes.count:
            switch (first & 0x1F) << 6 | UInt32(bytes[offset + 1]) & 0x3F {
            case 0xA0..<0xAD, 0xAE..<0x300, 0x370..<0x483, 0x48A..<0x530:
                (self.length, self.width) = (2, 1)
            default: return nil
            }
        case 0xE2..<0xEE where offset + 2 < bytes.count:
            let second = UInt32(bytes[offset + 1]) & 0x3F
            switch (first & 0x0F) << 12 | second << 6 | UInt32(bytes[offset + 2]) & 0x3F {
            case 0x2010..<0x2028, 0x2500..<0x25A0, 0x2800..<0x2900: (self.length, self.width) = (3, 1)
            case 0x3041..<0x3097, 0x30A1..<0x30FF, 0x4E00..<0xA000, 0xAC00..<0xD7A4:
                (self.length, self.width) = (3, 2)
            default: return nil
            }
        default: return nil
        }
    }
}
