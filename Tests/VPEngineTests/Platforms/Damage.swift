import VPEngine
import VPTestSupport

/// Ways in which an answer can be other than it should be.
enum Damage {
    /// What any member may turn into. Words that did not exist when a client was written are among them.
    static let replacements: [JSONValue] = [
        nil, true, false, 0, -1, 1e300, -1e300, 3.7, 1e18, "", "x", "-1", "1e999", "NaN", [], [nil], [[:]],
        [:],
        ["x": nil], .string(String(repeating: "9", count: 400)), "\u{0}\u{1B}[2J", "FROZEN_SOLID",
        "-oProxyCommand=x", "0x1p4", " 7 ", "\u{1F4A5}\u{202E}", [1, [2, [3]]],
    ]

    /// Every number as text.
    static func quoted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .number: .string(value.text ?? "")
        case .array(let elements): .array(elements.map(self.quoted))
        case .object(let members): .object(members.mapValues(self.quoted))
        default: value
        }
    }

    /// How many values `value` holds, itself included.
    static func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let elements): 1 + elements.reduce(0) { $0 + self.count($1) }
        case .object(let members): 1 + members.values.reduce(0) { $0 + self.count($1) }
        default: 1
        }
    }

    /// `value` with the one at `position`, counted depth first, replaced; nil takes a member out.
    static func replacing(_ position: Int, of value: JSONValue, with other: JSONValue?) -> JSONValue {
        var left = position
        return self.replacing(&left, of: value, with: other) ?? .null
    }

    private static func replacing(_ left: inout Int, of value: JSONValue, with other: JSONValue?)
        -> JSONValue?
    {
        defer { left -= 1 }
        if left == 0 { return other }
        switch value {
        case .array(let elements):
            return .array(
                elements.compactMap { element in
                    left -= 1
                    let changed = self.replacing(&left, of: element, with: other)
                    left += 1
                    return changed
                })
        case .object(let members):
            var changed: [String: JSONValue] = [:]
            for (key, member) in members.sorted(by: { $0.key < $1.key }) {
                left -= 1
                changed[key] = self.replacing(&left, of: member, with: other)
                left += 1
            }
            return .object(changed)
        default: return value
        }
    }

    /// A few bytes lost, added or changed.
    static func garbled(_ body: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = body
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: position)
            default:
                let end = min(bytes.count, position + Int.random(in: 1...40, using: &random))
                bytes.removeSubrange(position..<end)
            }
        }
        return bytes
    }

    /// Any JSON at all.
    static func nonsense(depth: Int, using random: inout SeededGenerator) -> JSONValue {
        let names = [
            "id", "pods", "instances", "offers", "success", "error", "msg", "detail", "keys", "data", "x",
        ]
        switch Int.random(in: 0..<(depth > 0 ? 4 : 2), using: &random) {
        case 2:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    self.nonsense(depth: depth - 1, using: &random)
                })
        case 3:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                members[names[Int.random(in: 0..<names.count, using: &random)]] = self.nonsense(
                    depth: depth - 1, using: &random)
            }
            return .object(members)
        default: return self.replacements[Int.random(in: 0..<self.replacements.count, using: &random)]
        }
    }

    /// One way out of all of them, made from a whole answer.
    static func any(of sample: String, using random: inout SeededGenerator) -> [UInt8] {
        let body = Array(sample.utf8)
        let value = (try? JSONParser.parse(body)) ?? .null
        func replaced(_ value: JSONValue, _ times: Int) -> JSONValue {
            var value = value
            for _ in 0..<times {
                let position = Int.random(in: 0..<self.count(value), using: &random)
                let other = Int.random(in: 0...self.replacements.count, using: &random)
                value = self.replacing(
                    position, of: value,
                    with: other < self.replacements.count ? self.replacements[other] : nil)
            }
            return value
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: return Array(replaced(value, 1).encoded.utf8)
        case 2: return Array(replaced(value, Int.random(in: 2...6, using: &random)).encoded.utf8)
        case 3: return Array(replaced(self.quoted(value), 1).encoded.utf8)
        case 4: return self.garbled(body, using: &random)
        case 5: return Array(body.prefix(Int.random(in: 0..<body.count, using: &random)))
        case 6: return Array(self.nonsense(depth: 4, using: &random).encoded.utf8)
        default:
            return (0..<Int.random(in: 0...200, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
        }
    }
}
