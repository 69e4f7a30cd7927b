import Foundation

/// Reads JSON text into `JSONValue`, through Foundation.
package enum JSONParser {
    package struct Failure: Error, Hashable, Sendable {
        /// Foundation's own words; they quote nothing of the text.
        package let reason: String
    }

    /// Strict about structure: a truncated body is an error, and never a shorter document.
    package static func parse(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        // One broken character in a host's own words must not cost the whole list: it is replaced.
        let text = Data(String(decoding: bytes, as: UTF8.self).utf8)
        do {
            return Self.value(of: try JSONSerialization.jsonObject(with: text, options: .fragmentsAllowed))
        } catch {
            throw Failure(reason: "\((error as NSError).userInfo[NSDebugDescriptionErrorKey] ?? "no JSON")")
        }
    }

    private static func value(of object: Any) -> JSONValue {
        switch object {
        case let members as [String: Any]: .object(members.mapValues(Self.value))
        case let elements as [Any]: .array(elements.map(Self.value))
        case let string as String: .string(string)
        // Booleans are numbers too; their C type alone tells them apart.
        case let number as NSNumber where String(cString: number.objCType) == "c": .bool(number.boolValue)
        case let number as NSNumber: .number(number.doubleValue)
        default: .null
        }
    }
}
