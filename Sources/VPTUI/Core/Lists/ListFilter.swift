import Foundation

/// Which rows of a list are shown: every word must hold.
///
/// `word` is anywhere in the row, `gpu:word` in one column, `price:<0.6` compares a number, `~word` is a
/// regular expression, `!` before any of these leaves rows out.
struct ListFilter: Sendable {
    private enum Test: Sendable {
        case anywhere(TextMatcher)
        case column(Int, TextMatcher)
        case number(Int, Comparison, Double, isNegated: Bool)
    }

    private enum Comparison: Sendable { case less, lessOrEqual, greater, greaterOrEqual, equal }

    private let tests: [Test]
    /// What could not be understood, as a sentence.
    let problem: String?

    var isEmpty: Bool { self.tests.isEmpty }

    /// - Parameter columns: what a row calls its values, in the order of their numbers.
    init(_ text: String, columns: [String]) {
        var tests: [Test] = []
        var problem: String?
        for word in text.split(separator: " ") {
            if let test = Self.test(word, columns) {
                tests.append(test)
            } else {
                problem = TextPattern(word).problem ?? "“\(word)” is no filter"
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

    func accepts(_ row: some ListRow, columnCount: Int) -> Bool {
        self.tests.allSatisfy { test in
            switch test {
            case .anywhere(let matcher):
                let isFound = (0..<columnCount).contains { column in
                    if case .text(let text) = row.value(column) {
                        Self.isFound(matcher, text)
                    } else {
                        false
                    }
                }
                return isFound != matcher.pattern.isNegated
            case .column(let column, let matcher):
                switch row.value(column) {
                case .text(let text): return matcher.accepts(text)
                case .number(let number): return matcher.accepts(Format.fixed(number, 3))
                case .nothing: return matcher.pattern.isNegated
                }
            case .number(let column, let comparison, let wanted, let isNegated):
                guard case .number(let number) = row.value(column) else { return isNegated }
                return Self.holds(number, comparison, wanted) != isNegated
            }
        }
    }

    private static func isFound(_ matcher: TextMatcher, _ text: String) -> Bool {
        var text = text
        return text.withUTF8 { matcher.firstMatch(in: UnsafeRawBufferPointer($0)) != nil }
    }

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
