import Foundation

/// One JSON value, with accessors that tolerate the platforms' known variations.
///
/// Both APIs write numbers as strings, strings as numbers, and null for anything; new fields appear without
/// notice. Reading by name with a lenient accessor keeps one such surprise from failing a whole row, which a
/// synthesised `Decodable` would do.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// Ids are integers far below 2^53, so a `Double` holds every number exactly that matters here.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value of `key`; `.null` if there is none or this is no object.
    package subscript(key: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[key] ?? .null
    }

    package var object: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    package var array: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var isNull: Bool { self == .null }

    /// A string, or a finite number written out; nil if it holds nothing but white space.
    package var text: String? {
        switch self {
        case .string(let string): string.contains { !$0.isWhitespace } ? string : nil
        case .number(let number): number.isFinite ? JSONValue.format(number) : nil
        case .null, .bool, .array, .object: nil
        }
    }

    /// A finite number, also from a string such as `" 0.35"`.
    package var double: Double? {
        switch self {
        case .number(let number):
            return number.isFinite ? number : nil
        case .string(let string):
            guard let number = Double(string.trimmingSpaces()), number.isFinite else { return nil }
            return number
        case .null, .bool, .array, .object:
            return nil
        }
    }

    /// A number within `range`; nil if there is none.
    package func number(in range: NumberRange<Double>) -> Double? { range.check(self.double) }

    /// A whole number that a double holds exactly.
    package var int: Int? { NumberRange(-(1 << 53)...1 << 53).read(self.double) }

    /// A whole number within `range`.
    package func whole<Value: FixedWidthInteger & Sendable>(in range: NumberRange<Value>) -> Value? {
        range.read(self.double)
    }

    /// A boolean, also from `0`, `1`, `"true"`, `"False"`, `"yes"`.
    package var bool: Bool? {
        switch self {
        case .bool(let value):
            return value
        case .number(let number):
            return number == 1 ? true : number == 0 ? false : nil
        case .string(let string):
            switch string.trimmingSpaces().lowercased() {
            case "true", "1", "yes": return true
            case "false", "0", "no": return false
            default: return nil
            }
        case .null, .array, .object:
            return nil
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

extension JSONValue {
    /// This value as JSON text, keys in order, so that a request can be compared byte by byte.
    package var encoded: String {
        // Foundation can write every value here: `foundationObject` makes no other.
        let data = try? JSONSerialization.data(
            withJSONObject: self.foundationObject,
            options: [.sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes])
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    private var foundationObject: Any {
        switch self {
        case .null: NSNull()
        case .bool(let value): NSNumber(value: value)
        // JSON has no way to write a number that is not finite.
        case .number(let number): number.isFinite ? NSNumber(value: number) : NSNull()
        case .string(let string): string
        case .array(let elements): elements.map(\.foundationObject)
        case .object(let members): members.mapValues(\.foundationObject)
        }
    }

    /// Writes whole numbers without a fraction: an id must not become `31415.0` in a path.
    fileprivate static func format(_ number: Double) -> String {
        // Beyond 2^53 not every whole number has a double of its own.
        Int(exactly: number).flatMap { $0.magnitude < 1 << 53 ? String($0) : nil } ?? String(number)
    }
}

extension StringProtocol {
    /// Returns the text without white space at both ends, newlines included.
    package func trimmingSpaces() -> String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view = view.dropFirst() }
        while let last = view.last, last.isWhitespace { view = view.dropLast() }
        return String(view)
    }
}
