import Foundation

/// A second reader of terminal input, made another way: one pattern for each kind of sequence,
/// matched against the whole input at once, where the decoder of the dashboard goes byte by byte.
enum ReferenceDecoder {
    /// What is read of `input`, as names: `a`, `up`, `paste(4)`.
    static func names(_ input: String) -> [String] {
        var names: [String] = []
        var rest = input[...]
        while !rest.isEmpty {
            if let match = rest.prefixMatch(of: Self.paste) {
                names.append("paste(\(match.1.utf8.count))")
                rest = rest[match.range.upperBound...]
            } else if let end = Self.unknown.lazy.compactMap({ rest.prefixMatch(of: $0)?.range.upperBound })
                .first
            {
                let sequence = String(rest[..<end])
                if let name = Self.known[sequence] { names.append(name) }
                rest = rest[end...]
            } else {
                names.append(Self.known[String(rest.first!)] ?? String(rest.first!))
                rest = rest.dropFirst()
            }
        }
        return names
    }

    nonisolated(unsafe) private static let paste = /\u{1B}\[200~((?s:.*?))\u{1B}\[201~/
    nonisolated(unsafe) private static let unknown = [
        // Mouse of X10, strings, control sequences, single shifts, Alt.
        try! Regex("\u{1B}\\[M(?s:...)"), try! Regex("\u{1B}\\][^\u{07}\u{1B}]*(?:\u{07}|\u{1B}\\\\)"),
        try! Regex("\u{1B}[PX^_][^\u{1B}]*\u{1B}\\\\"), try! Regex("\u{1B}\\[\\[[A-Z]"),
        try! Regex("\u{1B}\\[[0-?]*[ -/]*[@-~]"), try! Regex("\u{1B}O[0-9;]*[@-~]"),
        try! Regex("\u{1B}[ -/]+[0-~]"), try! Regex("\u{1B}[0-~é日]"),
    ]

    static let known: [String: String] = [
        "\u{1B}[A": "up", "\u{1B}OA": "up", "\u{1B}[B": "down", "\u{1B}OB": "down", "\u{1B}[C": "right",
        "\u{1B}OC": "right", "\u{1B}[D": "left", "\u{1B}OD": "left", "\u{1B}[H": "home", "\u{1B}OH": "home",
        "\u{1B}[F": "end", "\u{1B}OF": "end", "\u{1B}[1~": "home", "\u{1B}[4~": "end", "\u{1B}[3~": "delete",
        "\u{1B}[5~": "pageUp", "\u{1B}[6~": "pageDown", "\u{1B}[Z": "backTab", "\u{1B}OP": "F1",
        "\u{1B}[15~": "F5", "\u{1B}[24~": "F12", "\u{1B}[25~": "F13", "\u{1B}[[C": "F3", "\r": "enter",
        "\t": "tab", "\u{7F}": "backspace", "\u{01}": "ctrl-a",
    ]
}
