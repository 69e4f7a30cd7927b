import VPEngine

/// One column of one row. A cluster that is two columns wide owns its cell and the empty cell after it.
public struct Cell: Hashable, Sendable {
    public var text: Character
    /// 1 or 2; 0 for the second half of a wide cluster.
    public var width: UInt8
    public var style: Style

    public init(text: Character = " ", width: UInt8 = 1, style: Style = .plain) {
        self.text = text
        self.width = width
        self.style = style
    }
}

/// A screen in memory. Views write to it; writing outside is clipped, and only printable text gets in:
/// control and bidirectional characters in names, messages and logs are removed here.
public struct CellBuffer: Hashable, Sendable {
    public let size: Size
    public private(set) var cells: [Cell]
    /// The position of the terminal's cursor; nil hides it.
    public var cursor: Point?

    public init(size: Size) {
        self.size = size
        self.cells = Array(repeating: Cell(), count: size.width * size.height)
    }

    public var bounds: Rect { Rect(self.size) }

    public subscript(x: Int, y: Int) -> Cell {
        self.cells[y * self.size.width + x]
    }

    public func row(_ y: Int) -> ArraySlice<Cell> {
        self.cells[(y * self.size.width)..<((y + 1) * self.size.width)]
    }

    /// Writes `text` from (`x`, `y`) on and returns its width in columns, at most `limit`.
    ///
    /// A wide cluster that would cross the limit or the edge becomes blank rather than half a character: for
    /// `日本` with a limit of 3, `日` and one blank are drawn.
    @discardableResult
    public mutating func write(
        _ text: some StringProtocol, x: Int, y: Int, style: Style = .plain, limit: Int = .max
    ) -> Int {
        guard y >= 0, y < self.size.height, limit > 0 else { return 0 }
        var column = 0
        for character in text {
            let width = DisplayWidth.of(character)
            if width == 0 { continue }
            if column + width > limit {
                if column < limit { self.put(" ", width: 1, x: x + column, y: y, style: style) }
                return min(limit, column + 1)
            }
            self.put(character, width: width, x: x + column, y: y, style: style)
            column += width
            if x + column >= self.size.width { break }
        }
        return column
    }

    /// Like `write`, with `…` in the last column if the text was cut.
    @discardableResult
    public mutating func writeCut(
        _ text: some StringProtocol, x: Int, y: Int, style: Style = .plain, limit: Int
    ) -> Int {
        guard limit > 0 else { return 0 }
        if DisplayWidth.of(text) <= limit {
            return self.write(text, x: x, y: y, style: style, limit: limit)
        }
        let used = self.write(text, x: x, y: y, style: style, limit: limit - 1)
        return used + self.write("…", x: x + used, y: y, style: style, limit: limit - used)
    }

    public mutating func fill(_ area: Rect, _ character: Character = " ", style: Style = .plain) {
        for y in max(0, area.y)..<max(0, area.y, min(self.size.height, area.maxY)) {
            for x in max(0, area.x)..<max(0, area.x, min(self.size.width, area.maxX)) {
                self.put(character, width: 1, x: x, y: y, style: style)
            }
        }
    }

    /// Gives every cell of `area` another surface and keeps its text.
    public mutating func cover(_ area: Rect, with surface: Surface) {
        for y in max(0, area.y)..<max(0, area.y, min(self.size.height, area.maxY)) {
            for x in max(0, area.x)..<max(0, area.x, min(self.size.width, area.maxX)) {
                let index = y * self.size.width + x
                if self.cells[index].style.surface == .base { self.cells[index].style.surface = surface }
            }
        }
    }

    /// Draws a border just inside `area`.
    public mutating func box(_ area: Rect, style: Style) {
        guard area.width >= 2, area.height >= 2 else { return }
        for x in (area.x + 1)..<(area.maxX - 1) {
            self.put("─", width: 1, x: x, y: area.y, style: style)
            self.put("─", width: 1, x: x, y: area.maxY - 1, style: style)
        }
        for y in (area.y + 1)..<(area.maxY - 1) {
            self.put("│", width: 1, x: area.x, y: y, style: style)
            self.put("│", width: 1, x: area.maxX - 1, y: y, style: style)
        }
        self.put("╭", width: 1, x: area.x, y: area.y, style: style)
        self.put("╮", width: 1, x: area.maxX - 1, y: area.y, style: style)
        self.put("╰", width: 1, x: area.x, y: area.maxY - 1, style: style)
        self.put("╯", width: 1, x: area.maxX - 1, y: area.maxY - 1, style: style)
    }

    mutating func put(_ character: Character, width: Int, x: Int, y: Int, style: Style) {
        guard x >= 0, y >= 0, y < self.size.height, x < self.size.width else { return }
        let index = y * self.size.width + x
        guard x + width <= self.size.width else {
            self.clearHalves(x: x, index: index)
            self.cells[index] = Cell(style: style)
            return
        }
        self.clearHalves(x: x, index: index)
        if width == 2 {
            self.clearHalves(x: x + 1, index: index + 1)
            self.cells[index + 1] = Cell(text: " ", width: 0, style: style)
        }
        self.cells[index] = Cell(text: character, width: UInt8(width), style: style)
    }

    /// Overwriting one half of a wide cluster blanks the other.
    private mutating func clearHalves(x: Int, index: Int) {
        if self.cells[index].width == 0, x > 0 {
            self.cells[index - 1] = Cell(style: self.cells[index - 1].style)
        } else if self.cells[index].width == 2, x + 1 < self.size.width {
            self.cells[index + 1] = Cell(style: self.cells[index + 1].style)
        }
    }

    /// Replaces everything outside ASCII, for terminals and locales that show nothing else.
    public mutating func foldToASCII() {
        for index in self.cells.indices where !self.cells[index].text.isASCII {
            let folded = Self.asciiTwins[self.cells[index].text] ?? "?"
            if self.cells[index].width == 2 {
                self.cells[index + 1] = Cell(text: folded, width: 1, style: self.cells[index].style)
            }
            self.cells[index].text = folded
            self.cells[index].width = 1
        }
    }

    private static let asciiTwins: [Character: Character] = [
        "─": "-", "│": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "└": "+", "▲": "^", "▼": "v", "├": "+",
        "┤": "+", "┼": "+", "┬": "+",
        "┴": "+", "━": "=", "╸": "=", "▸": ">", "▶": ">", "●": "*", "◐": "~", "◌": ".", "○": "o", "■": "#",
        "✗": "x", "✓": "v", "⚠": "!", "⇡": "^", "⇣": "v", "↑": "^", "↓": "v", "←": "<", "→": ">", "·": "|",
        "…": "~", "×": "x", "≤": "<", "≥": ">", "█": "#", "▌": "#", "▍": "#", "▏": "#", "░": ".", "–": "-",
        "—": "-", "‘": "'", "’": "'", "“": "\"", "”": "\"", "⟳": "@", "◆": "*", "◇": "-", "⏸": "=", "▐": "#",
        "┃": "#", "°": " ", "▰": "#", "▱": "-", "↘": "\\", "↗": "/", "◔": "o", "‹": "<", "›": ">",
        "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "∞": "8", "↷": ">",
    ]
}
