import Foundation

/// The platform's query language: conditions on columns, order, limit.
struct VastSearch {
    /// The server never answers more rows than this, whatever the request says.
    static let mostRows = 64

    struct Invalid: Error { let message: String }

    private struct Condition {
        let column: String
        let comparison: Comparison
        let operand: JSON
    }

    private enum Comparison: String {
        case eq, neq, gt, gte, lt, lte, `in`, notin
    }

    private var conditions: [Condition] = []

    /// `filters` maps columns to `{"operator": value}`; anything else in it is ignored.
    init(filters: [String: JSON]) throws(Invalid) {
        for (column, tests) in filters {
            guard case .object(let tests) = tests else { continue }
            for (name, operand) in tests {
                guard let comparison = Comparison(rawValue: name) else {
                    throw Invalid(message: "\(name) is not a valid search op")
                }
                self.conditions.append(Condition(column: column, comparison: comparison, operand: operand))
            }
        }
    }

    /// Adds the documented defaults for columns that `filters` does not name.
    static func withDefaults(_ filters: [String: JSON]) -> [String: JSON] {
        let standard: [String: JSON] = [
            "verified": ["eq": true], "rentable": ["eq": true], "rented": ["eq": false],
        ]
        return standard.merging(filters) { $1 }
    }

    /// `isPlain` compares every column as it is shown, as the list of instances does.
    func matches(_ row: [String: JSON], isPlain: Bool = false) -> Bool {
        self.conditions.allSatisfy { condition in
            let column = condition.column
            guard let value = isPlain ? row[column] : Self.value(of: column, in: row) else {
                // An unknown column decides nothing, and neither does a column without a value.
                return true
            }
            return Self.holds(value, condition.comparison, condition.operand, column: condition.column)
        }
    }

    /// Sorts rows by `order`, pairs of column and direction, the first pair first.
    static func sort(_ rows: [[String: JSON]], by order: JSON?) -> [[String: JSON]] {
        var pairs = order?.elements ?? []
        // One pair may come without the outer list.
        if case .string? = pairs.first { pairs = [.array(pairs)] }
        let keys = pairs.compactMap { pair -> (column: String, ascending: Bool)? in
            guard let column = pair.elements?.first?.text else { return nil }
            return (column, pair.elements?.last?.text?.lowercased() != "desc")
        }
        guard !keys.isEmpty else { return rows }
        return rows.sorted { left, right in
            for key in keys {
                guard let first = left[key.column], let second = right[key.column], first != second else {
                    continue
                }
                if let isLess = Self.isLess(first, second) { return isLess == key.ascending }
            }
            return false
        }
    }

    private static func value(of column: String, in row: [String: JSON]) -> JSON? {
        switch column {
        // The server finds nothing with a filter on `id`; the column to use is `ask_contract_id`.
        case "id": .null
        case "verified": .bool(row["verification"] == "verified")
        case "datacenter": .bool(row["hosting_type"] == 1)
        case "external": .bool(row["external"]?.flag ?? false)
        // Countries are requested by their two letters, which end the text.
        case "geolocation": .string(String((row["geolocation"]?.text ?? "").suffix(2)))
        default: row[column]
        }
    }

    private static func holds(_ value: JSON, _ comparison: Comparison, _ operand: JSON, column: String)
        -> Bool
    {
        switch comparison {
        case .eq: return Self.isSame(value, operand)
        case .neq: return !Self.isSame(value, operand)
        case .in: return Self.list(operand).contains { Self.isSame(value, $0) }
        case .notin: return !Self.list(operand).contains { Self.isSame(value, $0) }
        case .gt: return Self.isLess(operand, value) == true
        case .lt: return Self.isLess(value, operand) == true
        case .gte: return Self.isSame(value, operand) || Self.isLess(operand, value) == true
        case .lte: return Self.isSame(value, operand) || Self.isLess(value, operand) == true
        }
    }

    /// `in` takes a list, or its text, `[US,CA]`, as typed on a command line.
    private static func list(_ operand: JSON) -> [JSON] {
        if case .string(let text) = operand {
            return text.trimmingCharacters(in: CharacterSet(charactersIn: "[] ")).split(separator: ",").map {
                .string($0.trimmingCharacters(in: .whitespaces))
            }
        }
        return operand.elements ?? [operand]
    }

    private static func isSame(_ left: JSON, _ right: JSON) -> Bool {
        if left.isNull || right.isNull { return left.isNull && right.isNull }
        if case .bool(let flag) = left { return right.flag == flag }
        if case .bool(let flag) = right { return left.flag == flag }
        if case .string(let text) = left, let other = right.text { return text == other }
        if let first = left.double, let second = right.double { return first == second }
        return left == right
    }

    /// nil if the two cannot be compared.
    private static func isLess(_ left: JSON, _ right: JSON) -> Bool? {
        if let first = left.double, let second = right.double { return first < second }
        if case .string(let first) = left, case .string(let second) = right { return first < second }
        return nil
    }
}
