import Foundation

/// Numbers as text. Only this type uses C's formats: each of them is a constant here, and no text from
/// outside is ever part of one.
package enum Figures {
    /// Formats `0.354` for three places; `–` for a value that is not finite or too large to read.
    package static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        return String(format: "%.*f", max(0, min(9, places)), value)
    }

    /// Formats a number as briefly as possible: `1`, `0.5`, `1e+06`.
    package static func short(_ value: Double) -> String {
        value.isFinite ? String(format: "%g", value) : "–"
    }

    /// Formats a number with at least two digits: `07`.
    package static func twoDigits(_ value: Int) -> String {
        (0..<10).contains(value) ? "0\(value)" : "\(value)"
    }

    /// Formats an amount: `$0.71`.
    package static func dollars(_ value: Double, _ places: Int = 2) -> String {
        "$" + Self.fixed(value, places)
    }
}
