import Foundation

/// Finds the end of a line of any length, and hashes it.
enum LineBytes {
    /// The most bytes of a line that are examined.
    static let limit = 1 << 18

    /// Returns the end of the line that begins at `index`, or `count`.
    static func end(_ start: UnsafePointer<UInt8>, _ index: Int, _ count: Int) -> Int {
        let rest = count - index
        let feed = memchr(start + index, 0x0A, rest).map {
            UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - start
        }
        let end = feed ?? count
        return memchr(start + index, 0x0D, end - index).map {
            UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) - start
        }
            ?? end
    }

    /// Returns the hash of a line's raw bytes.
    static func hash(_ text: UnsafeBufferPointer<UInt8>) -> UInt64 {
        let bytes = UnsafeRawBufferPointer(text)
        let count = text.count
        var hash = 0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: count)
        func add(_ first: UInt64, _ second: UInt64) {
            let product = (first ^ 0xc2b2_ae3d_27d4_eb4f).multipliedFullWidth(by: second ^ hash)
            hash = product.high ^ product.low
        }
        func word(_ index: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
        var index = 0
        while index &+ 16 <= count {
            add(word(index), word(index &+ 8))
            index &+= 16
        }
        if count >= 16 {
            // The rest, together with some bytes before it.
            add(word(count &- 16), word(count &- 8))
        } else {
            while index < count {
                add(UInt64(text[index]), 0)
                index &+= 1
            }
        }
        return hash | 1
    }
}
