import Foundation

/// Numbers as text. The only place that uses C's formats: each of them is a constant here,
/// and nothing that came from outside is ever part of one.
package enum Figures {
    /// `0.354` for three places; `–` where there is no number that anybody could read.
    package static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "–" }
        return String(format: "%.*f", max(0, min(9, places)), value)
    }

    /// As short as it can be: `1`, `0.5`, `1e+06`.
    package static func short(_ value: Double) -> String {
        value.isFinite ? String(format: "%g", value) : "–"
    }

    /// At least two digits: `07`.
    package static func twoDigits(_ value: Int) -> String {
        (0..<10).contains(value) ? "0\(value)" : "\(value)"
    }

    /// `$0.71`
    package static func dollars(_ value: Double, _ places: Int = 2) -> String {
        "$" + Self.fixed(value, places)
    }
}
