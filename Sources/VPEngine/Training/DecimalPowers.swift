/// Powers of ten, to make a number of the digits that were read.
///
/// The tables are made once and never freed. A value holds pointers to them, because reading a static costs
/// as much as the computation itself.
struct DecimalPowers {
    /// The most digits that a mantissa can have: any of so many fits into 64 bits.
    static let digitLimit = 19
    /// A Double can hold these powers of ten exactly.
    private static let exactLimit = 22
    /// The powers of five that fit into 64 bits.
    private static let fiveLimit = 27

    nonisolated(unsafe) private static let tens: UnsafePointer<Double> =
        Self.table(Self.exactLimit, 10)
    nonisolated(unsafe) private static let wholeTens: UnsafePointer<UInt64> =
        Self.table(Self.digitLimit, 10)
    nonisolated(unsafe) private static let fives: UnsafePointer<UInt64> = Self.table(Self.fiveLimit, 5)

    private static func table<Number: Numeric>(_ limit: Int, _ base: Number) -> UnsafePointer<Number> {
        let table = UnsafeMutablePointer<Number>.allocate(capacity: limit + 1)
        table.initialize(to: 1)
        for index in 0..<limit { (table + index + 1).initialize(to: table[index] * base) }
        return UnsafePointer(table)
    }

    private let tens = Self.tens
    /// 10 to the power of 0...19.
    let wholeTens = Self.wholeTens
    private let fives = Self.fives

    /// Returns the Double nearest to `mantissa` x 10^`exponent`; nil if 64 bits do not suffice to find it.
    @inline(__always)
    func value(_ mantissa: UInt64, _ exponent: Int) -> Double? {
        if mantissa < 1 << 53, exponent >= -Self.exactLimit, exponent <= Self.exactLimit {
            // Both are whole numbers that a Double can hold, and a single operation rounds once.
            return exponent < 0
                ? Double(mantissa) / self.tens[-exponent] : Double(mantissa) * self.tens[exponent]
        }
        return self.longValue(mantissa, exponent)
    }

    private func longValue(_ mantissa: UInt64, _ exponent: Int) -> Double? {
        if mantissa == 0 || exponent == 0 { return Double(mantissa) }
        guard exponent < 0, exponent >= -Self.fiveLimit else { return nil }
        // Divided by the power of five; the power of two changes only the exponent of the Double.
        let five = self.fives[-exponent]
        let (up, fiveUp) = (mantissa.leadingZeroBitCount, five.leadingZeroBitCount)
        let top = mantissa &<< UInt64(up)
        let (quotient, rest) = (five &<< UInt64(fiveUp)).dividingFullWidth((top &>> 1, top &<< 63))
        // The quotient has at least 62 bits. Its lowest says whether there is a rest, so that the conversion
        // rounds as if all bits were there.
        let rounded = Double(rest == 0 ? quotient : quotient | 1)
        // A power of two as a Double: its exponent, and nothing else.
        return rounded * Double(bitPattern: UInt64(1023 - 63 + fiveUp - up + exponent) &<< 52)
    }
}
