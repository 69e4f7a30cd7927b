import Foundation
import GRDB

/// Columns of a row whose values may be of any kind: an earlier version, or a person, may have stored
/// anything.
///
/// GRDB's own subscript traps on a value of another kind.
extension Row {
    func number(_ column: String, _ range: NumberRange<Double>) -> Double? {
        range.check(Double.fromDatabaseValue(self.value(column)))
    }

    func moment(_ column: String) -> Date? { Date(fromOutside: self.number(column, .epoch)) }

    func text(_ column: String) -> String? { String.fromDatabaseValue(self.value(column)) }

    func flag(_ column: String) -> Bool? { Bool.fromDatabaseValue(self.value(column)) }

    func whole(_ column: String) -> Int64? { Int64.fromDatabaseValue(self.value(column)) }

    /// Returns the instance; nil if the row names none, or has an invalid id.
    func instance(_ column: String, on platform: Platform) -> InstanceID? {
        self.text(column).flatMap { InstanceID(platform, fromOutside: $0) }
    }

    private func value(_ column: String) -> DatabaseValue { self[column] ?? .null }
}
