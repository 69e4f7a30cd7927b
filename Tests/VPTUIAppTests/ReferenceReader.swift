/// A second reader of what a terminal sends, which knows the whole input at once and matches one pattern for
/// each kind of sequence, where the dashboard goes byte by byte.
enum ReferenceReader {
    /// A character, or the name of a key that edits a text.
    enum Key: Hashable {
        case character(Character)
        case paste(String)
        case left, right, home, end, backspace, delete
    }

    static func keys(of input: String) -> [Key] {
        var keys: [Key] = []
        var rest = Substring(input)
        while let first = rest.first {
            if let match = rest.prefixMatch(of: Self.paste) {
                keys.append(.paste(String(match.1)))
                rest = rest[match.range.upperBound...]
            } else if first == "\u{1B}", let end = Self.end(of: rest) {
                if let key = Self.editing[String(rest[..<end])] { keys.append(key) }
                rest = rest[end...]
            } else {
                if first == "\u{7F}" {
                    keys.append(.backspace)
                } else if first.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) {
                    keys.append(.character(first))
                }
                rest = rest.dropFirst()
            }
        }
        return keys
    }

    private static func end(of rest: Substring) -> Substring.Index? {
        Self.sequences.lazy.compactMap { rest.prefixMatch(of: $0)?.range.upperBound }.first
    }

    nonisolated(unsafe) private static let paste = /\u{1B}\[200~((?s:.*?))\u{1B}\[201~/
    nonisolated(unsafe) private static let sequences = [
        try! Regex("\u{1B}\\[M(?s:...)"), try! Regex("\u{1B}\\][^\u{07}\u{1B}]*(?:\u{07}|\u{1B}\\\\)"),
        try! Regex("\u{1B}[PX^_][^\u{1B}]*\u{1B}\\\\"), try! Regex("\u{1B}\\[\\[[A-Z]"),
        try! Regex("\u{1B}\\[[0-?]*[ -/]*[@-~]"), try! Regex("\u{1B}O[0-9;]*[@-~]"),
        try! Regex("\u{1B}[ -/]+[0-~]"), try! Regex("\u{1B}[0-~é]"),
    ]

    private static let editing: [String: Key] = [
        "\u{1B}[D": .left, "\u{1B}OD": .left, "\u{1B}[C": .right, "\u{1B}OC": .right, "\u{1B}[H": .home,
        "\u{1B}OH": .home, "\u{1B}[F": .end, "\u{1B}OF": .end, "\u{1B}[3~": .delete,
    ]
}

/// A line of text and its cursor, as every editor has them.
struct TextModel {
    private(set) var characters: [Character] = []
    private var cursor = 0

    mutating func apply(_ key: ReferenceReader.Key) {
        switch key {
        case .character(let character):
            self.characters.insert(character, at: self.cursor)
            self.cursor += 1
        case .paste(let text):
            // What would steer a terminal is no text.
            for character in text where character != "\u{1B}" { self.apply(.character(character)) }
        case .left: self.cursor = max(0, self.cursor - 1)
        case .right: self.cursor = min(self.characters.count, self.cursor + 1)
        case .home: self.cursor = 0
        case .end: self.cursor = self.characters.count
        case .backspace:
            guard self.cursor > 0 else { return }
            self.cursor -= 1
            self.characters.remove(at: self.cursor)
        case .delete:
            if self.cursor < self.characters.count { self.characters.remove(at: self.cursor) }
        }
    }
}
