/// A filter for the rows of a list: every word of it must match.
///
/// `word` matches anywhere in the row, `gpu:word` in one column, `price:<0.6` compares a number, `~word` is a
/// regular expression, and `!` before any of these excludes the rows that match.
struct ListFilter: Sendable {
    private enum Test: Sendable {
        case anywhere(TextMatcher)
        case column(Int, TextMatcher)
        case number(Int, Comparison, Double, isNegated: Bool)
    }

    private enum Comparison: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal }

    private let tests: [Test]
    /// The reason why the text could not be understood, as a sentence.
    let problem: String?

    var isEmpty: Bool { self.tests.isEmpty }

    /// - Parameter columns: the names of a row's values, in the order of their numbers.
    init(_ text: String, columns: [String]) {
        var tests: [Test] = []
        var problem: String?
        for word in text.split(separator: " ") {
            if let test = Self.test(word, columns) {
                tests.append(test)
            } else {
                problem = TextPattern(word).problem ?? "“\(word)” is not a valid filter"
            }
        }
        self.tests = tests
        self.problem = problem
    }

    private static func test(_ word: Substring, _ columns: [String]) -> Test? {
        let isNegated = word.hasPrefix("!") && word.count > 1
        let rest = isNegated ? word.dropFirst() : word
        if let colon = rest.firstIndex(of: ":") {
            let name = rest[..<colon].lowercased()
            let value = rest[rest.index(after: colon)...]
            if let column = columns.firstIndex(of: name), !value.isEmpty {
                if let (comparison, number) = Self.comparison(value) {
                    return .number(column, comparison, number, isNegated: isNegated)
                }
                return TextMatcher(TextPattern((isNegated ? "!" : "") + value)).map { .column(column, $0) }
            }
        }
        return TextMatcher(TextPattern(word)).map { .anywhere($0) }
    }

    private static func comparison(_ value: Substring) -> (Comparison, Double)? {
        let signs: [(String, Comparison)] = [
            ("<=", .lessOrEqual), (">=", .greaterOrEqual), ("<", .less), (">", .greater), ("=", .equal),
        ]
        for (sign, comparison) in signs where value.hasPrefix(sign) {
            return Double(value.dropFirst(sign.count)).map { (comparison, $0) }
        }
        return nil
    }

    /// Returns for each row whether every test accepts it.
    func kept(_ columns: inout ListColumns) -> [Bool] {
        var kept = Array(repeating: true, count: columns.rowCount)
        for test in self.tests {
            let passed = Self.passed(test, &columns)
            for row in kept.indices where !passed[row] { kept[row] = false }
        }
        return kept
    }

    private static func passed(_ test: Test, _ columns: inout ListColumns) -> [Bool] {
        var found = Array(repeating: false, count: columns.rowCount)
        let isNegated: Bool
        switch test {
        case .anywhere(let matcher):
            for texts in columns.texts { texts.mark(matcher, in: &found) }
            isNegated = matcher.pattern.isNegated
        case .column(let column, let matcher):
            columns.texts(column).mark(matcher, in: &found)
            isNegated = matcher.pattern.isNegated
        case .number(let column, let comparison, let wanted, let negated):
            for (row, number) in (columns.numbers(column) ?? []).enumerated() {
                found[row] = Self.holds(number, comparison, wanted)
            }
            isNegated = negated
        }
        return isNegated ? found.map { !$0 } : found
    }

    /// Compares a number; a missing one (NaN) satisfies no comparison.
    private static func holds(_ number: Double, _ comparison: Comparison, _ wanted: Double) -> Bool {
        switch comparison {
        case .less: number < wanted
        case .lessOrEqual: number <= wanted
        case .greater: number > wanted
        case .greaterOrEqual: number >= wanted
        case .equal: abs(number - wanted) < 1e-9
        }
    }
}
