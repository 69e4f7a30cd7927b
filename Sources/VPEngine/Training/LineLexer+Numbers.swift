import Foundation

/// Reads numbers, and text that resembles one: times, dates, versions, ranges.
extension LineLexer {
    @inline(__always)
    func isDigit(_ index: Int) -> Bool {
        index < self.length && self.text[index] &- 0x30 < 10
    }

    /// Returns the number that begins at `start`; nil if it does not end, with its unit, at `end`.
    func number(at start: Int, isNegative: Bool, until end: Int) -> Double? {
        var token = LineToken(
            kind: .sign, space: 2, isQuoted: false, start: Int32(truncatingIfNeeded: start), end: 0,
            unitEnd: 0)
        self.number(&token, start, start, isNegative)
        guard Int(token.unitEnd) == end, token.kind == .number || token.kind == .clock else { return nil }
        return token.value
    }

    func number(_ token: inout LineToken, _ tokenStart: Int, _ start: Int, _ isNegative: Bool) {
        let text = self.text
        var index = start
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        while self.isDigit(index) {
            if digits < 19 {
                mantissa = mantissa &* 10 &+ UInt64(text[index] &- 0x30)
            } else {
                exponent += 1
            }
            if mantissa > 0 { digits += 1 }
            index += 1
        }
        let whole = index - start
        if whole > 0, whole <= 3, index < self.length, text[index] == 0x2C {
            self.thousands(start, &index, &mantissa, &digits)
        }
        if index < self.length, text[index] == 0x2E,
            self.isDigit(index + 1) || !self.isJoined(index + 1)
        {
            index += 1
            token.isFraction = true
            while self.isDigit(index) {
                if digits < 19 {
                    mantissa = mantissa &* 10 &+ UInt64(text[index] &- 0x30)
                    exponent -= 1
                }
                if mantissa > 0 { digits += 1 }
                index += 1
            }
        }
        if index < self.length, text[index] | 0x20 == 0x65 { self.exponent(&index, &exponent, &token) }
        let value = digits <= DecimalPowers.digitLimit ? self.powers.value(mantissa, exponent) : nil
        let number = value ?? self.slowValue(start, index)
        token.value = isNegative ? -number : number
        let next = index < self.length ? text[index] : 0
        let kind = self.classes[Int(next)]
        if next == 0x3A, !isNegative, self.isDigit(index + 1) {
            self.clock(&token, start, index)
        } else if next == 0x2E || next == 0x2D || next == 0x2F || next == 0x5F,
            self.isDate(&token, start, index)
        {
            return
        } else if kind & ByteClass.unit != 0, next != 0x2F || self.isLetter(index + 1) {
            self.unit(&token, index)
        } else {
            self.finish(&token, .number, index, index)
        }
    }

    func isLetter(_ index: Int) -> Bool {
        index < self.length && self.classes[Int(self.text[index])] & ByteClass.letter != 0
    }

    func isJoined(_ index: Int) -> Bool {
        index < self.length
            && self.classes[Int(self.text[index])] & (ByteClass.letter | ByteClass.joint) != 0
    }

    /// Reads `1,076,303`, whose first digits begin at `start`: groups of three digits,
    /// not followed by another digit.
    func thousands(_ start: Int, _ index: inout Int, _ mantissa: inout UInt64, _ digits: inout Int) {
        var end = index
        var value = mantissa
        while end < self.length, self.text[end] == 0x2C, self.isDigit(end + 1), self.isDigit(end + 2),
            self.isDigit(end + 3), !self.isDigit(end + 4)
        {
            for place in 1...3 { value = value &* 10 &+ UInt64(self.text[end + place] &- 0x30) }
            end += 4
        }
        if end > index {
            self.groupHeads.append(start..<index)
            if end - index >= 16 { self.isOdd = true }
        }
        guard end > index, mantissa > 0, value < 1 << 53 else { return }
        digits += end - index
        index = end
        mantissa = value
    }

    func exponent(_ index: inout Int, _ exponent: inout Int, _ token: inout LineToken) {
        var end = index + 1
        var isNegative = false
        if end < self.length, self.text[end] == 0x2D || self.text[end] == 0x2B {
            isNegative = self.text[end] == 0x2D
            end += 1
        }
        guard self.isDigit(end) else { return }
        var value = 0
        while self.isDigit(end) {
            value = min(9999, value * 10 + Int(self.text[end] &- 0x30))
            end += 1
        }
        exponent += isNegative ? -value : value
        token.isFraction = true
        index = end
    }

    func slowValue(_ start: Int, _ end: Int) -> Double {
        var text = ""
        for index in start..<end where self.text[index] != 0x2C {
            text.unicodeScalars.append(Unicode.Scalar(self.text[index]))
        }
        if text.hasSuffix(".") { text.removeLast() }
        return Double(text) ?? .nan
    }

    /// Reads `00:23`, `1:07:41`, `0:00:20.98`.
    func clock(_ token: inout LineToken, _ start: Int, _ colon: Int) {
        if colon - start > 5 { self.isOdd = true }
        guard !token.isFraction, token.value < 100_000, self.isDigit(colon + 2),
            !self.isDigit(colon + 3)
        else {
            self.junk(&token, start)
            return
        }
        var seconds = token.value
        var index = colon
        var groups = 0
        while groups < 2, index < self.length, self.text[index] == 0x3A, self.isDigit(index + 1),
            self.isDigit(index + 2), !self.isDigit(index + 3)
        {
            seconds =
                seconds * 60 + Double(self.text[index + 1] &- 0x30) * 10
                + Double(self.text[index + 2] &- 0x30)
            index += 3
            groups += 1
        }
        if index < self.length, self.text[index] == 0x2E || self.text[index] == 0x2C,
            self.isDigit(index + 1)
        {
            index += 1
            while self.isDigit(index) { index += 1 }
        }
        if index < self.length, self.text[index] == 0x3A || self.text[index] == 0x5A {
            self.junk(&token, start)
            return
        }
        token.value = seconds
        self.finish(&token, .clock, index, index)
    }

    /// Recognises dates, versions, addresses and ranges, which are skipped as a whole.
    func isDate(_ token: inout LineToken, _ start: Int, _ end: Int) -> Bool {
        let next = self.text[end]
        if next == 0x2F {
            // `10/5005` is a count, `2026/03/02` and `02/Mar/2026` are dates.
            var index = end + 1
            while self.isDigit(index) { index += 1 }
            let second = index - end - 1
            if second > 0, index < self.length, self.text[index] == 0x2F, self.isDigit(index + 1) {
                self.junk(&token, start)
                return true
            }
            if second == 2, end - start == 2, index + 3 < self.length, self.text[index] == 0x20,
                self.isDigit(index + 1), self.isDigit(index + 2), self.text[index + 3] == 0x3A
            {
                self.finish(&token, .junk, index, index)
                return true
            }
            if second == 0, end + 4 < self.length, self.text[end + 4] == 0x2F, self.isDigit(end + 5) {
                self.junk(&token, start)
                return true
            }
            return false
        }
        if next == 0x2E {
            guard token.isFraction, self.isDigit(end + 1) else { return false }
        } else {
            guard end + 1 < self.length,
                self.classes[Int(self.text[end + 1])] & (ByteClass.digit | ByteClass.letter) != 0
            else { return false }
        }
        self.junk(&token, start)
        return true
    }

    /// Reads the letters directly after a number.
    func unit(_ token: inout LineToken, _ start: Int) {
        var end = start
        while end < self.length, self.classes[Int(self.text[end])] & ByteClass.unit != 0 { end += 1 }
        if self.isDigit(end), self.isDuration(start) {
            self.finish(&token, .number, start, end)
            return
        }
        if self.isDigit(end) || (end < self.length && self.text[end] == 0x5F) {
            self.junk(&token, Int(token.start))
            return
        }
        if end == start + 1 { token.value *= Self.factor(ofUnit: self.text[start]) }
        self.finish(&token, .number, start, end)
    }

    /// `true` if the first number of `1d2h`, `2h01m` or `1m23s` ends at `start`.
    /// Each part is a number of its own.
    private func isDuration(_ start: Int) -> Bool {
        let units: StaticString = "dhms"
        var place = 0
        var index = start
        while true {
            while place < 4, index < self.length, units.utf8Start[place] != self.text[index] { place += 1 }
            guard place < 4, index < self.length else { return false }
            place += 1
            index += 1
            guard self.isDigit(index) else { return !self.isJoined(index) }
            while self.isDigit(index) { index += 1 }
        }
    }

    /// Returns the factor of a unit of one letter: `14.2K`.
    static func factor(ofUnit letter: UInt8) -> Double {
        switch letter {
        case 0x4B, 0x6B: 1e3
        case 0x4D: 1e6
        case 0x47, 0x42: 1e9
        case 0x54: 1e12
        default: 1
        }
    }
}
