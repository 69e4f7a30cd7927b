import Foundation

/// A search text for a list or a log, as it was typed: words, or `~` and a regular expression; `!` before
/// either negates it.
public struct TextPattern: Hashable, Sendable {
    public var text: String
    public var isRegex: Bool
    public var isNegated: Bool

    public init(_ typed: some StringProtocol) {
        var rest = Substring(typed)
        self.isNegated = rest.hasPrefix("!") && rest.count > 1
        if self.isNegated { rest = rest.dropFirst() }
        self.isRegex = rest.hasPrefix("~") && rest.count > 1
        if self.isRegex { rest = rest.dropFirst() }
        self.text = String(rest)
    }

    public var isEmpty: Bool { self.text.isEmpty }

    /// The pattern as it is typed.
    public var typed: String { (self.isNegated ? "!" : "") + (self.isRegex ? "~" : "") + self.text }

    /// The reason why the pattern cannot be used, as a sentence; nil if it can.
    public var problem: String? {
        self.isRegex && TextMatcher(self) == nil ? "“\(self.text)” is not a regular expression" : nil
    }
}

/// A compiled pattern.
///
/// Regular expressions are POSIX extended ones, as for `grep -E`, and match either case unless they contain a
/// capital. The compiled form is never written to after `init`, and `regexec` may be called from several
/// threads at once (POSIX), so the class is safe to share.
public final class TextMatcher: @unchecked Sendable {
    private enum Kind {
        case bytes(ByteNeedle)
        case regex(UnsafeMutablePointer<regex_t>)
    }

    public let pattern: TextPattern
    private let kind: Kind

    /// nil if the regular expression is invalid.
    public init?(_ pattern: TextPattern) {
        self.pattern = pattern
        guard pattern.isRegex else {
            self.kind = .bytes(ByteNeedle(pattern.text))
            return
        }
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        let cases = pattern.text.contains(where: \.isUppercase) ? 0 : REG_ICASE
        guard regcomp(compiled, pattern.text, REG_EXTENDED | cases) == 0 else {
            compiled.deallocate()
            return nil
        }
        self.kind = .regex(compiled)
    }

    deinit {
        if case .regex(let compiled) = self.kind {
            regfree(compiled)
            compiled.deallocate()
        }
    }

    /// A needle for searching many lines at once; nil if each line must be tested separately.
    var needle: ByteNeedle? {
        if case .bytes(let needle) = self.kind, !self.pattern.isNegated { needle } else { nil }
    }

    /// Returns the first match at or after `start`, ignoring negation.
    func firstMatch(in text: UnsafeRawBufferPointer, from start: Int = 0) -> Range<Int>? {
        switch self.kind {
        case .bytes(let needle):
            return needle.firstIndex(in: text, from: start).map { $0..<($0 + needle.count) }
        case .regex(let compiled):
            guard let base = text.baseAddress, start <= text.count else { return nil }
            var match = regmatch_t(rm_so: regoff_t(start), rm_eo: regoff_t(text.count))
            let flags = REG_STARTEND | (start > 0 ? REG_NOTBOL : 0)
            guard
                regexec(compiled, base.assumingMemoryBound(to: CChar.self), 1, &match, flags) == 0,
                match.rm_so >= 0
            else { return nil }
            return Int(match.rm_so)..<Int(match.rm_eo)
        }
    }

    /// `true` if the pattern selects the line.
    func accepts(_ text: UnsafeRawBufferPointer) -> Bool {
        (self.firstMatch(in: text) != nil) != self.pattern.isNegated
    }

    public func accepts(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { self.accepts(UnsafeRawBufferPointer($0)) }
    }

    /// Returns the UTF-8 ranges to highlight in `text`; none for a negated pattern.
    public func matches(in text: String) -> [Range<Int>] {
        guard !self.pattern.isNegated, !self.pattern.isEmpty else { return [] }
        var text = text
        return text.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            var found: [Range<Int>] = []
            var start = 0
            // A line may contain a megabyte of matches, and a row shows only a few.
            while found.count < 4096, let match = self.firstMatch(in: bytes, from: start) {
                guard !match.isEmpty else {
                    start = match.upperBound + 1
                    continue
                }
                found.append(match)
                start = match.upperBound
            }
            return found
        }
    }
}
