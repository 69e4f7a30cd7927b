import Foundation

/// A line's end, its shape and the shape's hash, found in one pass over its bytes.
///
/// The shape is the text with all digits alike: a program prints the same shape again and again.
/// One value serves all lines, one after the other.
final class LineShape {
    /// Longer lines have no shape.
    static let longest = 4096
    // Mixed into hashes: odd numbers without a pattern in their bits.
    private static let first: UInt64 = 0x9e37_79b9_7f4a_7c15
    private static let second: UInt64 = 0xd6e8_feb8_6659_fd93
    /// Named, since the compiler takes a slow comparison where the type of its result is not said.
    typealias Mask = SIMDMask<SIMD16<Int8>>
    /// Bytes below a space: the end of a line, tabs, escapes.
    private static let firstText: UInt8 = 0x20

    /// The text with `0` instead of each digit.
    let bytes: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private(set) var length = 0
    /// The hash of the shape; 0 if the line has none.
    @exclusivity(unchecked) private(set) var hash: UInt64 = 0
    @exclusivity(unchecked) private(set) var hasEscape = false

    init() {
        self.bytes = .allocate(capacity: Self.longest + 16)
        self.bytes.initialize(repeating: 0, count: Self.longest + 16)
    }

    deinit { self.bytes.deallocate() }

    /// Reads the line that begins at `start`. Returns `false` if it does not end within `count` bytes.
    @inline(__always)
    func read(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var hash = Self.first
        var escapes: UInt64 = 0
        var index = 0
        let limit = min(count, Self.longest)
        while index &+ 16 <= limit {
            let block = UnsafeRawPointer(start + index).loadUnaligned(as: SIMD16<UInt8>.self)
            if self.read(block, index, &hash, &escapes) { return true }
            index &+= 16
        }
        if limit == Self.longest { return self.readLong(start, count) }
        return index < limit && self.read(Self.block(start + index, limit &- index), index, &hash, &escapes)
    }

    /// Reads sixteen bytes of the line, and returns whether it ends in them.
    @inline(__always)
    private func read(_ block: SIMD16<UInt8>, _ index: Int, _ hash: inout UInt64, _ escapes: inout UInt64)
        -> Bool
    {
        let isDigit: Mask = (block &- SIMD16(repeating: 0x30)) .< SIMD16(repeating: 10)
        let kept = block.replacing(with: 0x30, where: isDigit)
        UnsafeMutableRawPointer(self.bytes + index).storeBytes(of: kept, as: SIMD16<UInt8>.self)
        let words = unsafeBitCast(kept, to: SIMD2<UInt64>.self)
        let controls = Self.bits(kept .< SIMD16(repeating: Self.firstText))
        if controls[0] | controls[1] != 0 {
            let ends = Self.bits(
                (block .== SIMD16(repeating: 0x0A)) .| (block .== SIMD16(repeating: 0x0D)))
            let marks = Self.bits(block .== SIMD16(repeating: 0x1B))
            if ends[0] | ends[1] != 0 {
                let rest = Self.before(ends)
                let length = index &+ rest.count
                self.length = length
                self.hasEscape = escapes | marks[0] & rest.mask[0] | marks[1] & rest.mask[1] != 0
                let whole = Self.mixed(hash, words & rest.mask)
                self.hash = Self.mixed(whole, SIMD2(UInt64(truncatingIfNeeded: length), 0)) | 1
                return true
            }
            escapes |= marks[0] | marks[1]
        }
        hash = Self.mixed(hash, words)
        return false
    }

    /// The upper half of a product depends on all bits of its factors.
    @inline(__always)
    private static func mixed(_ hash: UInt64, _ words: SIMD2<UInt64>) -> UInt64 {
        let product = (words[0] ^ Self.second).multipliedFullWidth(by: words[1] ^ hash)
        return product.high ^ product.low
    }

    private func readLong(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let end = LineBytes.end(start, 0, count)
        guard end < count else { return false }
        let examined = min(end, LineBytes.limit)
        self.length = end
        self.hash = 0
        self.hasEscape = memchr(start, 0x1B, examined) != nil
        return true
    }

    /// Returns less than sixteen bytes, and zeros after them.
    private static func block(_ start: UnsafePointer<UInt8>, _ readable: Int) -> SIMD16<UInt8> {
        var block = SIMD16<UInt8>()
        withUnsafeMutableBytes(of: &block) { _ = memcpy($0.baseAddress!, start, readable) }
        return block
    }

    /// Returns ones for each byte that is marked.
    @inline(__always)
    static func bits(_ marks: Mask) -> SIMD2<UInt64> {
        unsafeBitCast(SIMD16<UInt8>().replacing(with: 0xFF, where: marks), to: SIMD2<UInt64>.self)
    }

    /// Returns the number of bytes before the first marked one, and a mask for them.
    @inline(__always)
    private static func before(_ marks: SIMD2<UInt64>) -> (count: Int, mask: SIMD2<UInt64>) {
        let isFirst = marks[0] != 0
        let bits = (isFirst ? marks[0] : marks[1]).trailingZeroBitCount
        let mask = (1 as UInt64) &<< UInt64(truncatingIfNeeded: bits) &- 1
        return isFirst ? (bits &>> 3, SIMD2(mask, 0)) : (8 &+ bits &>> 3, SIMD2(.max, mask))
    }
}
