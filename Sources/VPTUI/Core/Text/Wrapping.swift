import VPEngine

/// Lines broken at spaces, for boxes and columns.
enum Wrapping {
    /// Breaks a line of one long span at spaces; lines of several spans are short by construction.
    static func rows(of line: [Span], width: Int) -> [[Span]] {
        let total = line.reduce(0) { $0 + DisplayWidth.of($1.text) }
        guard total > width, let last = line.last else { return [line] }
        let head = Array(line.dropLast())
        let headWidth = head.reduce(0) { $0 + DisplayWidth.of($1.text) }
        var rows: [[Span]] = []
        var current = ""
        var room = max(8, width - headWidth)
        for word in last.text.split(separator: " ", omittingEmptySubsequences: false) {
            let candidate = current.isEmpty ? String(word) : current + " " + word
            if DisplayWidth.of(candidate) > room, !current.isEmpty {
                var row = rows.isEmpty ? head : []
                row.append(Span(current, last.style.role, last.style.attributes))
                rows.append(row)
                room = max(8, width)
                current = String(word)
            } else {
                current = candidate
            }
        }
        rows.append((rows.isEmpty ? head : []) + [Span(current, last.style.role, last.style.attributes)])
        return rows
    }

    /// The same for text of one style.
    static func rows(of text: String, width: Int) -> [String] {
        Self.rows(of: [Span(text)], width: width).map { $0.map(\.text).joined() }
    }
}
