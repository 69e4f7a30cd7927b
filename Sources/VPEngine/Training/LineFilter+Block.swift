extension LineFilter {
    /// What is known of 64 bytes after one pass over them.
    struct Block {
        /// A bit for each byte that is a letter.
        private(set) var letters: UInt64 = 0
        let hasCapitals: Bool
        /// `ss` or `cy` stands somewhere, as at the end of `loss` and `accuracy`.
        let mayHaveMeasure: Bool

        /// `LineFilter.margin` bytes are read.
        @inline(__always)
        init(_ text: UnsafePointer<UInt8>) {
            var capitals = SIMD16<UInt8>()
            var ends = SIMD16<UInt8>()
            var index = 0
            while index < 64 {
                let block = Self.load(text + index)
                let letter = Self.letter(block)
                let isLetter: LineShape.Mask = letter .< SIMD16(repeating: 26)
                self.letters |= Self.packed(isLetter) &<< UInt64(truncatingIfNeeded: index)
                let isCapital: LineShape.Mask = (block &- SIMD16(repeating: 0x41)) .< SIMD16(repeating: 26)
                capitals |= SIMD16<UInt8>().replacing(with: 1, where: isCapital)
                let next = Self.letter(Self.load(text + index + 1))
                // The numbers of `s`, `c` and `y` in the alphabet.
                let isDouble: LineShape.Mask = (letter ^ next) .== SIMD16()
                let isS: LineShape.Mask = letter .== SIMD16(repeating: 18)
                let isC: LineShape.Mask = letter .== SIMD16(repeating: 2)
                let isY: LineShape.Mask = next .== SIMD16(repeating: 24)
                ends |= SIMD16<UInt8>().replacing(with: 1, where: (isS .& isDouble) .| (isC .& isY))
                index &+= 16
            }
            self.hasCapitals = Self.hasAny(capitals)
            self.mayHaveMeasure = Self.hasAny(ends)
        }

        @inline(__always)
        private static func load(_ text: UnsafePointer<UInt8>) -> SIMD16<UInt8> {
            UnsafeRawPointer(text).loadUnaligned(as: SIMD16<UInt8>.self)
        }

        /// Returns the number of each letter in the alphabet, from 0; above 25 for other bytes.
        @inline(__always)
        private static func letter(_ block: SIMD16<UInt8>) -> SIMD16<UInt8> {
            (block & SIMD16(repeating: 0xDF)) &- SIMD16(repeating: 0x41)
        }

        @inline(__always)
        private static func hasAny(_ block: SIMD16<UInt8>) -> Bool {
            let words = unsafeBitCast(block, to: SIMD2<UInt64>.self)
            return words[0] | words[1] != 0
        }

        /// Returns a bit for each of 64 bytes that is a capital, or a sign that shares its bit.
        static func withoutSmall(_ text: UnsafePointer<UInt8>) -> UInt64 {
            var capitals: UInt64 = 0
            var index = 0
            while index < 64 {
                let block = Self.load(text + index)
                let isCapital: LineShape.Mask = (block & SIMD16(repeating: 0x20)) .== SIMD16()
                capitals |= Self.packed(isCapital) &<< UInt64(truncatingIfNeeded: index)
                index &+= 16
            }
            return capitals
        }

        /// Returns a bit for each of sixteen marks.
        @inline(__always)
        private static func packed(_ marks: LineShape.Mask) -> UInt64 {
            let bits = LineShape.bits(marks)
            let (low, high) = (bits[0] & 0x8040_2010_0804_0201, bits[1] & 0x8040_2010_0804_0201)
            return (low &* 0x0101_0101_0101_0101) &>> 56 | ((high &* 0x0101_0101_0101_0101) &>> 56) &<< 8
        }
    }
}
