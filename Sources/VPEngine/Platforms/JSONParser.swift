/// Reads JSON text into `JSONValue`.
///
/// Foundation has two readers and neither fits: `JSONSerialization` gives `NSNumber`, which cannot tell `true`
/// from `1`, and a recursive `Decodable` makes `JSONDecoder` try every type on every value with a thrown error
/// for each miss, which costs tens of milliseconds on one page of offers.
///
/// It is strict about structure, so that a truncated body is an error, and lenient inside: raw control
/// characters in strings, broken UTF-8, and the `NaN` and `Infinity` that Python servers write (read as null).
package struct JSONParser {
    package struct Failure: Error, Hashable, Sendable {
        /// Byte at which reading stopped.
        package let offset: Int
    }

    /// A hostile body of a million brackets must not exhaust the stack.
    private static let depthLimit = 128

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        let result: Result<JSONValue, Failure> = bytes.withUnsafeBufferPointer { buffer in
            var parser = JSONParser(bytes: buffer)
            do throws(Failure) {
                return .success(try parser.parseDocument())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private mutating func parseDocument() throws(Failure) -> JSONValue {
        if self.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
        let value = try self.parseValue()
        self.skipSpaces()
        guard self.position == self.bytes.count else { throw self.failure() }
        return value
    }

    private mutating func parseValue() throws(Failure) -> JSONValue {
        self.skipSpaces()
        guard let byte = self.peek() else { throw self.failure() }
        switch byte {
        case UInt8(ascii: "{"): return try self.parseObject()
        case UInt8(ascii: "["): return try self.parseArray()
        case UInt8(ascii: "\""): return .string(try self.parseString())
        case UInt8(ascii: "t"): return try self.parseWord("true", as: .bool(true))
        case UInt8(ascii: "f"): return try self.parseWord("false", as: .bool(false))
        case UInt8(ascii: "n"): return try self.parseWord("null", as: .null)
        case UInt8(ascii: "N"): return try self.parseWord("NaN", as: .null)
        case UInt8(ascii: "I"): return try self.parseWord("Infinity", as: .null)
        default: return try self.parseNumber()
        }
    }

    private mutating func parseObject() throws(Failure) -> JSONValue {
        try self.enter()
        var members: [String: JSONValue] = [:]
        self.skipSpaces()
        if self.take(UInt8(ascii: "}")) { return self.leave(.object(members)) }
        while true {
            self.skipSpaces()
            guard self.peek() == UInt8(ascii: "\"") else { throw self.failure() }
            let key = try self.parseString()
            self.skipSpaces()
            guard self.take(UInt8(ascii: ":")) else { throw self.failure() }
            members[key] = try self.parseValue()
            self.skipSpaces()
            if self.take(UInt8(ascii: ",")) { continue }
            if self.take(UInt8(ascii: "}")) { return self.leave(.object(members)) }
            throw self.failure()
        }
    }

    private mutating func parseArray() throws(Failure) -> JSONValue {
        try self.enter()
        var elements: [JSONValue] = []
        self.skipSpaces()
        if self.take(UInt8(ascii: "]")) { return self.leave(.array(elements)) }
        while true {
            elements.append(try self.parseValue())
            self.skipSpaces()
            if self.take(UInt8(ascii: ",")) { continue }
            if self.take(UInt8(ascii: "]")) { return self.leave(.array(elements)) }
            throw self.failure()
        }
    }

    private mutating func parseString() throws(Failure) -> String {
        self.position += 1
        let start = self.position
        while let byte = self.peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            self.position += 1
        }
        // Most strings have no escape and are copied in one go.
        if self.take(UInt8(ascii: "\"")) {
            return String(decoding: self.bytes[start..<self.position - 1], as: UTF8.self)
        }
        var text = Array(self.bytes[start..<self.position])
        while let byte = self.peek() {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try self.parseEscape(into: &text)
            default: text.append(byte)
            }
        }
        throw self.failure()
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(Failure) {
        guard let byte = self.peek() else { throw self.failure() }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try self.parseUnicodeEscape()).utf8)
        default: throw self.failure()
        }
    }

    /// The four digits after `\u`, and a second escape where the first is half of a surrogate pair. A half
    /// without its other half becomes the replacement character.
    private mutating func parseUnicodeEscape() throws(Failure) -> Character {
        let first = try self.parseHexadecimal()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        let mark = self.position
        if first < 0xDC00, self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")) {
            let second = try self.parseHexadecimal()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return Character(scalar)
            }
        }
        self.position = mark
        return "\u{FFFD}"
    }

    private mutating func parseHexadecimal() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw self.failure()
            }
            value = value << 4 | UInt32(digit)
            self.position += 1
        }
        return value
    }

    private mutating func parseNumber() throws(Failure) -> JSONValue {
        let start = self.position
        let isNegative = self.take(UInt8(ascii: "-"))
        if isNegative, self.peek() == UInt8(ascii: "I") { return try self.parseWord("Infinity", as: .null) }
        var whole = 0
        while let digit = self.peekDigit(), self.position - start < 16 {
            whole = whole * 10 + digit
            self.position += 1
        }
        guard self.position > start + (isNegative ? 1 : 0) else { throw self.failure() }
        // Plain integers are most numbers of a page, and need no general conversion.
        guard let next = self.peek(), JSONParser.isPartOfNumber(next) else {
            return .number(Double(isNegative ? -whole : whole))
        }
        while let byte = self.peek(), JSONParser.isPartOfNumber(byte) { self.position += 1 }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        guard let number = Double(text) else { throw Failure(offset: start) }
        return number.isFinite ? .number(number) : .null
    }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private mutating func parseWord(_ word: StaticString, as value: JSONValue) throws(Failure) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.take(word.utf8Start[index]) else { throw self.failure() }
        }
        return value
    }

    private mutating func enter() throws(Failure) {
        self.depth += 1
        guard self.depth <= JSONParser.depthLimit else { throw self.failure() }
        self.position += 1
    }

    private mutating func leave(_ value: JSONValue) -> JSONValue {
        self.depth -= 1
        return value
    }

    private mutating func skipSpaces() {
        while let byte = self.peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    private func peek() -> UInt8? {
        self.position < self.bytes.count ? self.bytes[self.position] : nil
    }

    private func peekDigit() -> Int? {
        guard let byte = self.peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        return Int(byte - UInt8(ascii: "0"))
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.peek() == byte else { return false }
        self.position += 1
        return true
    }

    private func failure() -> Failure { Failure(offset: self.position) }
}
