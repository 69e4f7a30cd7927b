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

    /// Returns the hash of a line's raw bytes: two words at a time, so that neither computation
    /// waits for the other.
    static func hash(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var (a, b) = (
            0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: count), 0xc2b2_ae3d_27d4_eb4f as UInt64
        )
        let bytes = UnsafeRawPointer(text)
        var index = 0
        while index &+ 16 <= count {
            a = (a ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* 0xd6e8_feb8_6659_fd93
            b =
                (b ^ bytes.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self))
                &* 0xa076_1d64_78bd_642f
            a ^= a &>> 32
            b ^= b &>> 29
            index &+= 16
        }
        while index < count {
            a = (a ^ UInt64(text[index])) &* 0xd6e8_feb8_6659_fd93
            a ^= a &>> 32
            index &+= 1
        }
        let hash = (a ^ b) &* 0x9e37_79b9_7f4a_7c15
        return hash == 0 ? 1 : hash
    }
}
