import Foundation

/// Splits a line without escape sequences into tokens. Its memory is allocated once.
final class LineLexer {
    static let limit = 1 << 14

    let tokens: UnsafeMutablePointer<LineToken>
    let classes = ByteClass.table
    private let words = GrammarWords()
    @exclusivity(unchecked) private(set) var count = 0
    /// The text of the current line.
    @exclusivity(unchecked) private(set) var text = UnsafePointer<UInt8>(ByteClass.table)
    @exclusivity(unchecked) private(set) var length = 0

    /// The tokens depend on more than the positions of digits.
    @exclusivity(unchecked) var isOdd = false
    /// The leading digit groups of numbers with commas.
    @exclusivity(unchecked) var groupHeads: [Range<Int>] = []

    let powers = DecimalPowers()

    init() {
        self.tokens = .allocate(capacity: Self.limit)
    }

    deinit {
        self.tokens.deallocate()
    }

    func prepare(_ text: UnsafePointer<UInt8>, _ length: Int) {
        self.text = text
        self.length = length
    }

    func read(_ text: UnsafePointer<UInt8>, _ length: Int) {
        self.prepare(text, length)
        self.isOdd = false
        if !self.groupHeads.isEmpty { self.groupHeads.removeAll(keepingCapacity: true) }
        let table = self.classes
        var count = 0
        var index = 0
        var space: UInt8 = 2
        var isQuoted = false
        while index < length, count < Self.limit - 1 {
            let byte = text[index]
            let kind = table[Int(byte)]
            if kind & ByteClass.space != 0 {
                space = byte == 0x20 && space == 0 ? 1 : 2
                index += 1
                continue
            }
            if kind & ByteClass.quote != 0 {
                isQuoted = true
                index += 1
                continue
            }
            var token = LineToken(
                kind: .sign, space: space, isQuoted: isQuoted, start: Int32(truncatingIfNeeded: index),
                end: 0,
                unitEnd: 0)
            if kind & ByteClass.letter != 0 {
                self.word(&token, index, count)
            } else if kind & ByteClass.digit != 0 {
                self.number(&token, index, index, false)
            } else if byte == 0x2D || byte == 0x2B || byte == 0x2E {
                self.signed(&token, index, count)
            } else if byte == 0x2F || byte == 0x7E {
                self.slash(&token, index)
            } else {
                self.punctuation(&token, index)
            }
            index = Int(token.unitEnd)
            (self.tokens + count).initialize(to: token)
            count += 1
            space = 0
            isQuoted = false
        }
        self.count = count
    }

    // MARK: Signs

    private func punctuation(_ token: inout LineToken, _ start: Int) {
        var end = start + 1
        let byte = self.text[start]
        token.sign = byte
        if byte >= 0x80 {
            // Bars, bullets and arrows; a run of the same sign is one token.
            token.sign = LineToken.bar
            end = start + (byte >= 0xE0 ? 3 : 2)
            while end < self.length, self.text[end] == byte { end += 3 }
            end = min(end, self.length)
        } else if byte == 0x3D || byte == 0x23 || byte == 0x2A {
            while end < self.length, self.text[end] == byte { end += 1 }
            // `=====>....` is a bar, and so is a run of signs.
            if end - start > 1 { token.sign = byte == 0x3D && end - start == 2 ? 0x21 : LineToken.bar }
        }
        self.finish(&token, .sign, end, end)
    }

    /// Reads a minus, a plus or a point, as part of a number or alone.
    private func signed(_ token: inout LineToken, _ start: Int, _ count: Int) {
        let byte = self.text[start]
        token.sign = byte
        let next = start + 1 < self.length ? self.text[start + 1] : 0
        // In `1-682` the minus is not the sign of a number.
        let isApart = token.space > 0 || count == 0 || self.tokens[count - 1].kind == .sign
        if isApart || token.isQuoted {
            if self.classes[Int(next)] & ByteClass.digit != 0 {
                self.number(&token, start, byte == 0x2E ? start : start + 1, byte == 0x2D)
                return
            }
            if byte != 0x2E, next == 0x2E, start + 2 < self.length,
                self.classes[Int(self.text[start + 2])] & ByteClass.digit != 0
            {
                self.number(&token, start, start + 1, byte == 0x2D)
                return
            }
            let second = start + 2 < self.length ? self.text[start + 2] : 0
            if byte == 0x2E, next == 0x2F || (next == 0x2E && second == 0x2F) {
                self.junk(&token, start)
                return
            }
            if byte != 0x2E, next | 0x20 == 0x6E || next | 0x20 == 0x69,
                let end = self.notNumber(start + 1)
            {
                self.finish(&token, .notNumber, end, end)
                return
            }
        }
        var end = start + 1
        while end < self.length, self.text[end] == byte { end += 1 }
        if end - start > 1 { token.sign = LineToken.bar }
        self.finish(&token, .sign, end, end)
    }

    /// Reads a slash: the beginning of a path, or a sign between two numbers.
    private func slash(_ token: inout LineToken, _ start: Int) {
        let next = start + 1 < self.length ? self.text[start + 1] : 0
        let isLetter = self.classes[Int(next)] & ByteClass.letter != 0
        if isLetter, token.space > 0 || token.isQuoted || start == 0 {
            self.junk(&token, start)
        } else {
            token.sign = self.text[start]
            self.finish(&token, .sign, start + 1, start + 1)
        }
    }

    /// Skips everything up to the next space, quotation mark, or sign that ends a cell or a bracket.
    func junk(_ token: inout LineToken, _ start: Int) {
        var end = start
        while end < self.length {
            let byte = self.text[end]
            if self.classes[Int(byte)] & (ByteClass.space | ByteClass.quote) != 0 { break }
            if byte == 0x29 || byte == 0x5D || byte == 0x7D || byte == 0x2C || byte == 0x3B || byte == 0x7C {
                break
            }
            end += 1
        }
        self.finish(&token, .junk, max(end, start + 1), max(end, start + 1))
    }

    func finish(_ token: inout LineToken, _ kind: LineToken.Kind, _ end: Int, _ unitEnd: Int) {
        token.kind = kind
        token.end = Int32(truncatingIfNeeded: end)
        token.unitEnd = Int32(truncatingIfNeeded: unitEnd)
    }

    // MARK: Words

    private func word(_ token: inout LineToken, _ start: Int, _ count: Int) {
        let text = self.text
        let table = self.classes
        var end = start + 1
        var lastJoint = -1
        var hasSlash = false
        while end < self.length {
            let byte = text[end]
            let kind = table[Int(byte)]
            if kind & (ByteClass.letter | ByteClass.digit) != 0 {
                end += 1
            } else if kind & ByteClass.joint != 0, end + 1 < self.length,
                table[Int(text[end + 1])] & (ByteClass.letter | ByteClass.digit) != 0
            {
                lastJoint = end
                if byte == 0x2F { hasSlash = true }
                end += 2
            } else if byte == 0x27, self.isGenitive(end) {
                end += 2
            } else {
                break
            }
        }
        let length = end - start
        if length >= 3, length <= 8, text[start] | 0x20 == 0x6E || text[start] | 0x20 == 0x69,
            let valueEnd = self.notNumber(start), valueEnd == end
        {
            self.finish(&token, .notNumber, end, end)
            return
        }
        let next = end < self.length ? text[end] : 0
        if lastJoint > 0, self.isFile(start, lastJoint, end) || (hasSlash && next == 0x2F) {
            // A file name, perhaps with a line number after it.
            self.junk(&token, start)
            return
        }
        if next == 0x3A, end + 1 < self.length {
            if text[end + 1] == 0x2F, end + 2 < self.length, text[end + 2] == 0x2F {
                self.junk(&token, start)
                return
            }
            if table[Int(text[end + 1])] & ByteClass.digit != 0,
                self.isPlace(start, lastJoint, end, count, token)
            {
                self.junk(&token, start)
                return
            }
        }
        self.finish(&token, .word, end, end)
    }

    /// `true` for an apostrophe as in `training's auc`.
    private func isGenitive(_ index: Int) -> Bool {
        index + 2 < self.length && self.text[index + 1] == 0x73 && self.text[index + 2] == 0x20
    }

    private func isFile(_ start: Int, _ joint: Int, _ end: Int) -> Bool {
        guard self.text[joint] == 0x2E, end - joint <= 12 else { return false }
        return self.words.uses(self.text + joint + 1, end - joint - 1).contains(.file)
    }

    /// `true` for a position in source code: `trainer.loop:train_step:88`, `(trainer:737)`,
    /// `callbacks:143 >>`.
    private func isPlace(_ start: Int, _ joint: Int, _ end: Int, _ count: Int, _ token: LineToken)
        -> Bool
    {
        var digits = end + 1
        while digits < self.length, self.classes[Int(self.text[digits])] & ByteClass.digit != 0 {
            digits += 1
        }
        let next = digits < self.length ? self.text[digits] : 0x20
        guard token.space == 0 || joint > 0, next != 0x2E, next | 0x20 != 0x65 else { return false }
        let previous = start > 0 ? self.text[start - 1] : 0
        if previous == 0x3A, start > 1,
            self.classes[Int(self.text[start - 2])] & ByteClass.letter != 0
        {
            // `INFO:root:step:0/1770` is not a position in source code.
            let isApart = next == 0x20 && digits + 1 < self.length && self.text[digits + 1] != 0x2D
            let isNamed =
                isApart || next == 0x2F || next == 0x2C || next == 0x3B || next == 0x7C || next == 0x09
            guard isNamed else { return true }
            let word = self.lowercased(start, end)
            return FigureGrammar.steps[word] == nil && !FigureGrammar.epochWords.contains(word)
        }
        if previous == 0x5B || previous == 0x28, next == 0x5D || next == 0x29 || next == 0x3A {
            // `[step:12]` is not one either.
            let word = self.lowercased(start, end)
            return FigureGrammar.steps[word] == nil && !FigureGrammar.epochWords.contains(word)
        }
        guard joint > 0, self.text[joint] == 0x2E else { return false }
        if next == 0x3A || next == 0x5D || next == 0x29 { return true }
        guard next == 0x20, digits + 1 < self.length else { return false }
        return self.text[digits + 1] == 0x2D || self.text[digits + 1] == 0x3E
    }

    func lowercased(_ start: Int, _ end: Int) -> String {
        String(
            decoding: UnsafeBufferPointer(start: self.text + start, count: end - start), as: UTF8.self
        )
        .lowercased()
    }

    /// Returns the end of a `nan`, `inf` or `infinity` that begins at `start`.
    func notNumber(_ start: Int) -> Int? {
        func matches(_ word: StaticString) -> Bool {
            guard start + word.utf8CodeUnitCount <= self.length else { return false }
            for index in 0..<word.utf8CodeUnitCount
            where self.text[start + index] | 0x20 != word.utf8Start[index] { return false }
            return true
        }
        var end: Int
        if matches("infinity") {
            end = start + 8
        } else if matches("nan") || matches("inf") {
            end = start + 3
        } else {
            return nil
        }
        // Some programs pad it like a number: `nan.0`.
        if end + 1 < self.length, self.text[end] == 0x2E, self.text[end + 1] == 0x30 {
            end += 2
            while end < self.length, self.text[end] == 0x30 { end += 1 }
        }
        guard end < self.length else { return end }
        return self.classes[Int(self.text[end])] & (ByteClass.letter | ByteClass.digit) == 0
            ? end : nil
    }
}
