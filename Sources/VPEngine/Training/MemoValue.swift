import Foundation

/// A number of a remembered line: its meaning, and how its digits stand.
struct MemoValue {
    enum Field: UInt8 {
        case none, figure, step, otherStep, epoch
        case done, total, left, rate, inverseRate, epochDone, epochTotal, timeLeft
        /// The count of a table's row.
        case rowDone, rowTotal
    }

    var field: Field
    /// The index of the figure.
    var index: UInt16
    /// The meaning of other numbers depends on whether this one is 0.
    var decides = false
    var isZero: Bool
    /// The factor for a part of a time, in seconds; for an inverse rate, the dividend.
    var factor = 1.0
    /// The start of the digits, and the end of the number with its unit.
    var start: Int32
    var end: Int32
    private let isNegative: Bool
    /// The number is digits, a point and digits, with an exponent that never changes; or a clock.
    private var isSimple = true
    private var wholeDigits: UInt8 = 0
    private var fractionDigits: UInt8 = 0
    /// Of a clock, the number of parts after the first, of two digits each.
    private var clockParts: UInt8 = 0
    /// The power of ten by which all digits together are multiplied.
    private var exponent: Int16 = 0
    /// The factor of a unit of one letter: `14.2K`.
    private var unit = 1.0

    /// - Parameters:
    ///   - text: The text in which the token's places are counted, which begins at `offset` of the line.
    ///   - value: The token's value.
    ///   - keepsExponent: A line with other digits in the exponent is not taken for the same.
    init(
        _ token: LineToken, _ text: UnsafePointer<UInt8>, at offset: Int = 0, value: Double, _ field: Field,
        _ figure: Int, keepsExponent: Bool
    ) {
        self.field = field
        self.index = UInt16(figure)
        self.isZero = value == 0
        let first = text[Int(token.start)]
        self.isNegative = first == 0x2D
        let start = Int(token.start) + (first == 0x2D || first == 0x2B ? 1 : 0)
        self.start = Int32(start + offset)
        self.end = token.unitEnd + Int32(offset)
        let end = Int(token.end)
        var index = start
        self.wholeDigits = Self.pass(&index, text, end)
        if token.kind == .clock {
            while self.clockParts < 2, index + 2 < end, text[index] == 0x3A {
                index += 3
                self.clockParts += 1
            }
            self.isSimple = self.wholeDigits <= 5 && self.clockParts > 0
            return
        }
        if index < end, text[index] == 0x2E {
            index += 1
            self.fractionDigits = Self.pass(&index, text, end)
        }
        var exponent = 0
        if index < end, text[index] | 0x20 == 0x65, keepsExponent {
            let sign = text[index + 1]
            index += sign == 0x2D || sign == 0x2B ? 2 : 1
            while index < end, text[index] &- 0x30 < 10, exponent < 1000 {
                exponent = exponent * 10 + Int(text[index] &- 0x30)
                index += 1
            }
            if sign == 0x2D { exponent = -exponent }
        }
        self.exponent = Int16(exponent - Int(self.fractionDigits))
        if token.unitEnd == token.end + 1 { self.unit = LineLexer.factor(ofUnit: text[end]) }
        self.isSimple =
            token.kind == .number && index == end
            && Int(self.wholeDigits) + Int(self.fractionDigits) <= DecimalPowers.digitLimit
    }

    /// Passes over digits and returns how many they are.
    private static func pass(_ index: inout Int, _ text: UnsafePointer<UInt8>, _ end: Int) -> UInt8 {
        let start = index
        while index < end, text[index] &- 0x30 < 10 { index += 1 }
        return UInt8(min(255, index - start))
    }

    /// Returns the number in another line of the same shape, of which `lexer` has the text; nil if
    /// something else stands there. Eight bytes after the line's end must be readable.
    @inline(__always)
    func number(_ text: UnsafePointer<UInt8>, _ powers: DecimalPowers, _ lexer: LineLexer) -> Double? {
        guard self.isSimple else {
            return lexer.number(at: Int(self.start), isNegative: self.isNegative, until: Int(self.end))
        }
        let (whole, fraction) = (Int(self.wholeDigits), Int(self.fractionDigits))
        let place = text + Int(self.start)
        var digits = Self.digits(place, whole)
        if self.clockParts > 0 { return self.seconds(Double(digits), place + whole) }
        if fraction > 0 {
            digits = digits &* powers.wholeTens[fraction] &+ Self.digits(place + whole + 1, fraction)
        }
        guard let value = powers.value(digits, Int(self.exponent)) else { return nil }
        return (self.isNegative ? -value : value) * self.unit
    }

    /// Returns the seconds of a clock; `place` is behind its first part.
    private func seconds(_ first: Double, _ place: UnsafePointer<UInt8>) -> Double {
        var seconds = first
        for part in 0..<Int(self.clockParts) {
            let (ten, one) = (place[part * 3 + 1] &- 0x30, place[part * 3 + 2] &- 0x30)
            seconds = seconds * 60 + Double(ten) * 10 + Double(one)
        }
        return seconds
    }

    @inline(__always)
    private static func digits(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        if count <= 8 { return Self.upToEight(text, count) }
        var (value, rest) = (Self.upToEight(text, count & 7), text + (count & 7))
        for _ in 0..<(count &>> 3) {
            value = value &* 100_000_000 &+ Self.upToEight(rest, 8)
            rest += 8
        }
        return value
    }

    /// Returns the number that at most eight digits make, all at once: pairs, then fours, then all eight.
    @inline(__always)
    private static func upToEight(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        guard count > 0 else { return 0 }
        let unused = UInt64(truncatingIfNeeded: 8 &- count) &* 8
        var word = UnsafeRawPointer(text).loadUnaligned(as: UInt64.self) &<< unused
        word &= 0x0F0F_0F0F_0F0F_0F0F
        word = (word &* (10 << 8 + 1)) &>> 8 & 0x00FF_00FF_00FF_00FF
        word = (word &* (100 << 16 + 1)) &>> 16 & 0x0000_FFFF_0000_FFFF
        return (word &* (10000 << 32 + 1)) &>> 32
    }
}
