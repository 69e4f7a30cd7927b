/// One line of text being edited.
public struct TextField: Hashable, Sendable {
    public private(set) var text: String
    /// The cursor's position in characters from the start.
    public private(set) var cursor: Int

    public init(_ text: String = "") {
        self.text = text
        self.cursor = text.count
    }

    public var isAtEnd: Bool { self.cursor == self.text.count }

    public mutating func replace(with text: String) {
        self = TextField(text)
    }

    /// Inserts text at the cursor. A combining character becomes part of the character before it.
    public mutating func insert(_ string: String) {
        let printable = String(
            String.UnicodeScalarView(
                string.unicodeScalars.map { $0.value == 10 || $0.value == 13 || $0.value == 9 ? " " : $0 }
                    .filter { $0.value >= 0x20 && $0.value != 0x7F && !(0x80...0x9F ~= $0.value) }))
        let head = String(self.text.prefix(self.cursor)) + printable
        self.text = head + self.text.dropFirst(self.cursor)
        self.cursor = min(head.count, self.text.count)
    }

    /// Applies an editing key; returns `false` if it is not one.
    public mutating func apply(_ key: Key) -> Bool {
        switch key {
        case .character(let character): self.insert(String(character))
        case .backspace, .control("h"): self.remove(self.cursor - 1..<self.cursor)
        case .delete, .control("d"): self.remove(self.cursor..<self.cursor + 1)
        case .left, .control("b"): self.cursor = max(0, self.cursor - 1)
        case .right, .control("f"): self.cursor = min(self.text.count, self.cursor + 1)
        case .home, .control("a"): self.cursor = 0
        case .end, .control("e"): self.cursor = self.text.count
        case .control("u"): self.remove(0..<self.cursor)
        case .control("k"): self.remove(self.cursor..<self.text.count)
        case .control("w"): self.removeWord()
        default: return false
        }
        return true
    }

    private mutating func remove(_ range: Range<Int>) {
        let range = range.clamped(to: 0..<self.text.count)
        guard !range.isEmpty else { return }
        self.text = String(self.text.prefix(range.lowerBound)) + self.text.dropFirst(range.upperBound)
        self.cursor = min(range.lowerBound, self.text.count)
    }

    private mutating func removeWord() {
        let head = Array(self.text.prefix(self.cursor))
        var start = head.count
        while start > 0, head[start - 1] == " " { start -= 1 }
        while start > 0, head[start - 1] != " " { start -= 1 }
        self.remove(start..<self.cursor)
    }
}
