import Foundation
import GRDB

/// Columns of a row as they may be: a version before this one, or a hand, may have stored anything.
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

    /// nil where the row names none, or something that cannot be one.
    func instance(_ column: String, on platform: Platform) -> InstanceID? {
        self.text(column).flatMap { InstanceID(platform, fromOutside: $0) }
    }

    private func value(_ column: String) -> DatabaseValue { self[column] ?? .null }
}
