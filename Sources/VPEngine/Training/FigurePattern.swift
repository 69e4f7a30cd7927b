import Dispatch
import Foundation

/// A figure that the user defined: a name, and an expression whose first group is the number.
public struct FigurePattern: Hashable, Sendable {
    public let name: String
    public let expression: String

    /// nil if `expression` is not a valid regular expression.
    public init?(name: String, expression: String) {
        guard (try? NSRegularExpression(pattern: expression)) != nil else { return nil }
        self.name = name
        self.expression = expression
    }
}

/// Looks for the user's own figures in lines.
final class PatternReader {
    /// The longest line that is searched, in bytes, and the most time that a search may take,
    /// in seconds: some texts would keep an expression busy without end.
    private static let longest = 4096
    private static let patience = 0.02

    private let patterns: [(pattern: FigurePattern, expression: NSRegularExpression)]
    private let lexer = LineLexer()

    init?(_ patterns: [FigurePattern]) {
        self.patterns = patterns.compactMap { pattern in
            (try? NSRegularExpression(pattern: pattern.expression)).map { (pattern, $0) }
        }
        if self.patterns.isEmpty { return nil }
    }

    /// Returns each of the user's figures in a line, with its name.
    func read(_ text: UnsafePointer<UInt8>, _ length: Int) -> [(name: String, value: Double)] {
        guard length <= Self.longest else { return [] }
        let line = String(decoding: UnsafeBufferPointer(start: text, count: length), as: UTF8.self)
        return self.patterns.compactMap { pattern, expression in
            self.match(expression, line).flatMap { self.number($0) }.map { (pattern.name, $0) }
        }
    }

    private func match(_ expression: NSRegularExpression, _ line: String) -> String? {
        var found: String?
        let end = DispatchTime.now() + Self.patience
        let whole = NSRange(line.startIndex..., in: line)
        expression.enumerateMatches(in: line, options: .reportProgress, range: whole) { result, _, stop in
            if let result {
                let range = result.range(at: result.numberOfRanges > 1 ? 1 : 0)
                found = Range(range, in: line).map { String(line[$0]) }
                stop.pointee = true
            } else if DispatchTime.now() > end {
                stop.pointee = true
            }
        }
        return found
    }

    /// Reads a number in the spellings that are accepted elsewhere: `1,076`, `14.2K`, `nan`.
    private func number(_ text: String) -> Double? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return nil }
            self.lexer.read(base, bytes.count)
            guard self.lexer.count == 1 else { return nil }
            switch self.lexer.tokens[0].kind {
            case .number: return self.lexer.tokens[0].value
            case .notNumber: return .nan
            case .word, .clock, .junk, .sign: return nil
            }
        }
    }
}
