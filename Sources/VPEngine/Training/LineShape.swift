import Foundation

/// A line's end, its shape and its hashes, found in one pass over its bytes.
///
/// The shape is the text with all digits alike: a program prints the same shape again and again.
/// One value serves all lines, one after the other.
final class LineShape {
    /// Longer lines have no shape.
    static let longest = 4096
    // Mixed into hashes: odd numbers without a pattern in their bits.
    private static let first: UInt64 = 0x9e37_79b9_7f4a_7c15
    private static let second: UInt64 = 0xd6e8_feb8_6659_fd93
    private static let third: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    private static let fourth: UInt64 = 0xa076_1d64_78bd_642f

    /// The text with 0 instead of each digit.
    let bytes: UnsafeMutablePointer<UInt8>
    @exclusivity(unchecked) private(set) var length = 0
    /// The hash of the shape; 0 if the line has none.
    @exclusivity(unchecked) private(set) var hash: UInt64 = 0
    /// The hash of the text.
    @exclusivity(unchecked) private(set) var textHash: UInt64 = 0
    @exclusivity(unchecked) private(set) var hasEscape = false

    init() {
        self.bytes = .allocate(capacity: Self.longest + 16)
        self.bytes.initialize(repeating: 0, count: Self.longest + 16)
    }

    deinit { self.bytes.deallocate() }

    /// Reads the line that begins at `start`. Returns `false` if it does not end within `count` bytes.
    func read(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let zero = SIMD16<UInt8>(repeating: 0x30)
        let ten = SIMD16<UInt8>(repeating: 10)
        let (feed, back) = (SIMD16<UInt8>(repeating: 0x0A), SIMD16<UInt8>(repeating: 0x0D))
        let escape = SIMD16<UInt8>(repeating: 0x1B)
        // Two chains for each hash, so that no computation waits for the other.
        var (shapeA, shapeB) = (Self.first, Self.second)
        var (textA, textB) = (Self.third, Self.fourth)
        var escapes = SIMD2<UInt64>()
        var index = 0
        while index < count, index < Self.longest {
            let block = Self.block(start + index, count &- index)
            let kept = block.replacing(with: 0, where: (block &- zero) .< ten)
            UnsafeMutableRawPointer(self.bytes + index).storeBytes(of: kept, as: SIMD16<UInt8>.self)
            let ends = Self.bits((block .== feed) .| (block .== back))
            var shape = unsafeBitCast(kept, to: SIMD2<UInt64>.self)
            var text = unsafeBitCast(block, to: SIMD2<UInt64>.self)
            var marks = Self.bits(block .== escape)
            let isEnd = ends[0] | ends[1] != 0
            if isEnd {
                let rest = Self.before(ends)
                self.length = index &+ rest.count
                shape &= rest.mask
                text &= rest.mask
                marks &= rest.mask
            }
            escapes |= marks
            shapeA = Self.turned(shapeA ^ shape[0]) &* Self.second
            shapeB = Self.turned(shapeB ^ shape[1]) &* Self.fourth
            textA = Self.turned(textA ^ text[0]) &* Self.second
            textB = Self.turned(textB ^ text[1]) &* Self.fourth
            if isEnd {
                let length = UInt64(truncatingIfNeeded: self.length)
                self.hash = Self.joined(shapeA, shapeB, length)
                self.textHash = Self.joined(textA, textB, length)
                self.hasEscape = escapes[0] | escapes[1] != 0
                return true
            }
            index &+= 16
        }
        return index >= Self.longest && self.readLong(start, count)
    }

    private func readLong(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let end = LineBytes.end(start, 0, count)
        guard end < count else { return false }
        let examined = min(end, LineBytes.limit)
        self.length = end
        self.hash = 0
        self.textHash = LineBytes.hash(start, examined)
        self.hasEscape = memchr(start, 0x1B, examined) != nil
        return true
    }

    /// Returns sixteen bytes; those that are not readable are 0.
    @inline(__always)
    static func block(_ start: UnsafePointer<UInt8>, _ readable: Int) -> SIMD16<UInt8> {
        if readable >= 16 { return UnsafeRawPointer(start).loadUnaligned(as: SIMD16<UInt8>.self) }
        var block = SIMD16<UInt8>()
        withUnsafeMutableBytes(of: &block) { _ = memcpy($0.baseAddress!, start, readable) }
        return block
    }

    /// Returns ones for each byte that is marked.
    @inline(__always)
    static func bits(_ marks: SIMDMask<SIMD16<Int8>>) -> SIMD2<UInt64> {
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

    /// A product moves each bit upwards only.
    @inline(__always)
    private static func turned(_ word: UInt64) -> UInt64 { word &<< 31 | word &>> 33 }

    @inline(__always)
    private static func joined(_ a: UInt64, _ b: UInt64, _ length: UInt64) -> UInt64 {
        let hash = (a ^ Self.turned(b) ^ length &* Self.third) &* Self.first
        return (hash ^ hash &>> 32) | 1
    }
}
