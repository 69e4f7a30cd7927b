/// Tells whether letters occur in a text in their order, and how good the match is.
///
/// Written here because the maintained Swift packages for this bring an index or an interface with them;
/// forty lines rank a hundred verbs.
enum FuzzyMatch {
    /// Returns a score, higher for a better match; nil if a letter is missing. Starts of words, runs and an
    /// early start count.
    static func score(_ wanted: String, in text: String) -> Int? {
        let wanted = Array(wanted.lowercased().unicodeScalars)
        let text = Array(text.lowercased().unicodeScalars)
        guard !wanted.isEmpty else { return 0 }
        var best: Int?
        // The first letter may occur several times, and the best match need not begin at
        // its first occurrence.
        for start in text.indices where text[start] == wanted[0] {
            if let score = Self.score(wanted, in: text, from: start), score > best ?? .min { best = score }
        }
        return best
    }

    private static func score(_ wanted: [Unicode.Scalar], in text: [Unicode.Scalar], from start: Int) -> Int?
    {
        var score = -start
        var index = start
        var previous = -2
        for letter in wanted {
            guard let found = text[index...].firstIndex(of: letter) else { return nil }
            if found == previous + 1 { score += 8 }
            if found == 0 || text[found - 1] == "-" || text[found - 1] == " " { score += 6 }
            score -= found - index
            previous = found
            index = found + 1
        }
        return score - (text.count - wanted.count) / 4
    }
}
