/// Reads JSON text into `JSONValue`, within limits.
///
/// Foundation's parser is not used: it makes several objects of each value on the way, so that 64 MB of
/// `[[],[],…]` take gigabytes, and it limits nothing but the depth.
package enum JSONParser {
    package struct Failure: Error, Hashable, Sendable {
        /// The problem and the byte at which it is; it quotes nothing of the text.
        package let reason: String
    }

    /// The limits of a document.
    package struct Limits: Hashable, Sendable {
        package var depth = 128
        /// The elements of one list, or members of one object.
        package var elements = 100_000
        /// The values of the whole document. Twice as many texts take more than 500 MB.
        package var values = 1_000_000

        package init() {}
    }

    /// Parses strictly: a truncated body is an error, and never a shorter document. A broken character in a
    /// host's own words is replaced, since it must not cost the whole list; a number that no `Double` can
    /// hold becomes null.
    package static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: bytes, limits: limits)
        return try reader.document()
    }
}

/// One pass over one document.
private struct JSONReader {
    let bytes: [UInt8]
    let limits: JSONParser.Limits
    private var position = 0
    private var valueCount = 0

    init(bytes: [UInt8], limits: JSONParser.Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONParser.Failure) -> JSONValue {
        if self.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
        let value = try self.value(depth: 0)
        self.skipSpace()
        guard self.position == self.bytes.count else { throw self.failure("something follows the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONParser.Failure) -> JSONValue {
        self.valueCount += 1
        guard self.valueCount <= self.limits.values else {
            throw self.failure("it has more than \(self.limits.values) values")
        }
        self.skipSpace()
        guard let first = self.peek else { throw self.failure("it is cut off") }
        switch first {
        case UInt8(ascii: "{"): return try self.object(depth: depth + 1)
        case UInt8(ascii: "["): return try self.array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try self.number()
        default: throw self.failure("a value has an unexpected first character")
        }
    }

    // MARK: Containers

    private mutating func array(depth: Int) throws(JSONParser.Failure) -> JSONValue {
        try self.enter(depth)
        var elements: [JSONValue] = []
        if self.take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            guard elements.count < self.limits.elements else {
                throw self.failure("a list has more than \(self.limits.elements) elements")
            }
            elements.append(try self.value(depth: depth))
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "]")) else { throw self.failure("a list is not closed") }
        return .array(elements)
    }

    private mutating func object(depth: Int) throws(JSONParser.Failure) -> JSONValue {
        try self.enter(depth)
        var members: [String: JSONValue] = [:]
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            self.skipSpace()
            guard self.peek == UInt8(ascii: "\"") else { throw self.failure("a member has no name") }
            let name = try self.string()
            guard self.take(UInt8(ascii: ":")) else { throw self.failure("a member has no value") }
            members[name] = try self.value(depth: depth)
            guard members.count <= self.limits.elements else {
                throw self.failure("an object has more than \(self.limits.elements) members")
            }
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "}")) else { throw self.failure("an object is not closed") }
        return .object(members)
    }

    private mutating func enter(_ depth: Int) throws(JSONParser.Failure) {
        guard depth <= self.limits.depth else {
            throw self.failure("it is nested deeper than \(self.limits.depth)")
        }
        self.position += 1
    }

    // MARK: Texts

    private mutating func string() throws(JSONParser.Failure) -> String {
        self.position += 1
        let start = self.position
        // Nearly all strings have no escape, and are copied as they are.
        while let byte = self.peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            self.position += 1
        }
        if self.peek == UInt8(ascii: "\"") {
            defer { self.position += 1 }
            return String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        }
        var text = Array(self.bytes[start..<self.position])
        while let byte = self.peek {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try self.escape()).utf8)
            case 0..<0x20: throw self.failure("a text contains a control character")
            default: text.append(byte)
            }
        }
        throw self.failure("a text is not closed")
    }

    private mutating func escape() throws(JSONParser.Failure) -> Character {
        guard let byte = self.peek else { throw self.failure("a text is not closed") }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw self.failure("an escape is not known")
        }
        var code = try self.hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            guard self.peek == UInt8(ascii: "\\"), self.position + 1 < self.bytes.count,
                self.bytes[self.position + 1] == UInt8(ascii: "u")
            else { throw self.failure("half a character") }
            self.position += 2
            let low = try self.hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw self.failure("half a character") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw self.failure("half a character") }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(JSONParser.Failure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = self.peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw self.failure("an escape is incomplete")
            }
            code = code << 4 | UInt32(digit)
            self.position += 1
        }
        return code
    }

    // MARK: Numbers and words

    private mutating func number() throws(JSONParser.Failure) -> JSONValue {
        let start = self.position
        _ = self.skip(UInt8(ascii: "-"))
        let isZero = self.peek == UInt8(ascii: "0")
        let count = self.skipDigits()
        guard count == 1 || count > 1 && !isZero else { throw self.failure("a number is malformed") }
        var isWhole = true
        if self.skip(UInt8(ascii: ".")) {
            isWhole = false
            guard self.skipDigits() > 0 else { throw self.failure("a number ends with its decimal point") }
        }
        if self.skip(UInt8(ascii: "e")) || self.skip(UInt8(ascii: "E")) {
            isWhole = false
            if !self.skip(UInt8(ascii: "+")) { _ = self.skip(UInt8(ascii: "-")) }
            guard self.skipDigits() > 0 else { throw self.failure("a number has no exponent") }
        }
        let digits = self.bytes[start..<self.position]
        if isWhole, digits.count <= 15 {
            let isNegative = digits.first == UInt8(ascii: "-")
            let sum = digits.dropFirst(isNegative ? 1 : 0).reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return .number(isNegative ? -Double(sum) : Double(sum))
        }
        guard digits.count <= 400, let number = Double(String(decoding: digits, as: UTF8.self)),
            number.isFinite
        else { return .null }
        return .number(number)
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONParser.Failure)
        -> JSONValue
    {
        let end = self.position + word.utf8CodeUnitCount
        guard end <= self.bytes.count,
            word.withUTF8Buffer({ self.bytes[self.position..<end].elementsEqual($0) })
        else { throw self.failure("a word is not true, false or null") }
        self.position = end
        return value
    }

    // MARK: Bytes

    private var peek: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard self.peek == byte else { return false }
        self.position += 1
        return true
    }

    /// Skips white space, and then `byte` if it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        self.skipSpace()
        return self.skip(byte)
    }

    private mutating func skipSpace() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            self.position += 1
        }
    }

    /// Skips digits and returns how many there were.
    private mutating func skipDigits() -> Int {
        let start = self.position
        while let byte = self.peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            self.position += 1
        }
        return self.position - start
    }

    private func failure(_ reason: String) -> JSONParser.Failure {
        JSONParser.Failure(reason: "\(reason) (byte \(self.position))")
    }
}
