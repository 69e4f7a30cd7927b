import Foundation

/// A JSON value whose objects keep the order of their keys, and whose missing values are written as `null`.
///
/// `JSONEncoder` sorts or shuffles keys and omits nil values, but scripts need the same keys every time.
enum JSON: Hashable {
    case null
    case flag(Bool)
    case integer(Int64)
    case number(Double)
    /// A number with all its digits: a learning rate may be 1e-12.
    case exact(Double)
    case text(String)
    case list([JSON])
    case object([Member])

    struct Member: Hashable {
        var key: String
        var value: JSON
    }

    static func object(_ members: KeyValuePairs<String, JSON>) -> JSON {
        .object(members.map { Member(key: $0.key, value: $0.value) })
    }

    static func text(_ text: String?) -> JSON { text.map { .text($0) } ?? .null }
    static func number(_ number: Double?) -> JSON { number.map { .number($0) } ?? .null }
    static func exact(_ number: Double?) -> JSON { number.map { .exact($0) } ?? .null }
    static func integer(_ number: Int64?) -> JSON { number.map { .integer($0) } ?? .null }
    /// A date, or `null` outside the range of ISO 8601's years.
    static func date(_ date: Date?) -> JSON {
        guard let date, (-62_135_769_600...253_402_300_799).contains(date.timeIntervalSince1970) else {
            return .null
        }
        return .text(Units.timestamp(date))
    }

    /// The value on one line.
    var line: String {
        var text = ""
        self.write(to: &text, indent: nil)
        return text
    }

    /// The value laid out for reading.
    var document: String {
        var text = ""
        self.write(to: &text, indent: 0)
        return text
    }

    private func write(to text: inout String, indent: Int?) {
        switch self {
        case .null: text += "null"
        case .flag(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .number(let number):
            // JSON has no infinity. Whole numbers are written without a fraction,
            // and amounts of money without the noise of binary fractions.
            guard number.isFinite else { text += "null"; return }
            // The noise is behind the ninth decimal of small numbers; a large number times 1e9 may overflow.
            let rounded = abs(number) < 1e6 ? (number * 1e9).rounded() / 1e9 : number
            let whole = Int64(exactly: rounded).flatMap { $0.magnitude < 1_000_000_000_000_000 ? $0 : nil }
            text += whole.map { String($0) } ?? "\(rounded)"
        case .exact(let number):
            let whole = Int64(exactly: number).flatMap { $0.magnitude < 1_000_000_000_000_000 ? $0 : nil }
            text += number.isFinite ? whole.map { String($0) } ?? "\(number)" : "null"
        case .text(let string): Self.write(string, to: &text)
        case .list(let values):
            Self.write(values, "[", "]", to: &text, indent: indent) { value, text, indent in
                value.write(to: &text, indent: indent)
            }
        case .object(let members):
            Self.write(members, "{", "}", to: &text, indent: indent) { member, text, indent in
                Self.write(member.key, to: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent)
            }
        }
    }

    private static func write<Element>(
        _ elements: [Element], _ open: String, _ close: String, to text: inout String, indent: Int?,
        element write: (Element, inout String, Int?) -> Void
    ) {
        guard !elements.isEmpty else {
            text += open + close
            return
        }
        let inner = indent.map { $0 + 2 }
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: " ", count: inner) }
            write(element, &text, inner)
        }
        if let indent { text += "\n" + String(repeating: " ", count: indent) }
        text += close
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
