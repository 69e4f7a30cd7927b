import VPEngine

/// A column of a list.
struct Column {
    var title: String
    /// The minimum width; with less room the column is omitted.
    var minimum: Int
    /// The maximum width, unless the column grows.
    var maximum: Int
    var isRightAligned = false
    /// The cells are shown whole or not at all: half an id or platform is useless.
    var isWhole = false
    /// The name of the list's order by this column.
    var order: String?
    /// The column takes the remaining room.
    var grows = false
    /// Columns with a higher number are omitted first on a narrow screen.
    var priority = 0
    /// Omitted if it is empty in every row.
    var isOptional = false
}

struct Span {
    var text: String
    var style: Style
    /// Begins a part, which extends to the next such span. It is shown whole, or omitted.
    var beginsPart = false
    /// Of a span that begins a part: parts with a lower rank are kept longer.
    /// The span itself is the gap before the part.
    var rank = 0

    init(_ text: String, _ role: Role = .plain, _ attributes: TextAttributes = []) {
        self.text = text
        self.style = Style(role, .base, attributes)
    }
}

extension Span {
    /// A figure of a cell.
    struct Part {
        var spans: [Span]
        /// Parts with a lower rank are kept longer.
        var rank: Int
        /// The blank columns before it.
        var gap = 2
    }

    /// Returns figures as a cell that loses the least important ones on a narrow screen.
    static func parts(_ parts: [Part]) -> [Span] {
        parts.filter { !$0.spans.isEmpty }.enumerated().flatMap { index, part in
            var gap = Span(String(repeating: " ", count: index == 0 ? 0 : part.gap))
            gap.beginsPart = true
            gap.rank = part.rank
            return [gap] + part.spans
        }
    }

    /// Returns figures by importance, as a cell that loses them from the right.
    static func parts(_ parts: [[Span]]) -> [Span] {
        Self.parts(parts.enumerated().map { Part(spans: $1, rank: $0) })
    }
}

extension Style {
    fileprivate init(_ role: Role, _ surface: Surface, _ attributes: TextAttributes) {
        self.init(role, on: surface, attributes)
    }
}

/// A table of rows, one of them selected.
struct TableView {
    var columns: [Column]
    var isFocused: Bool

    /// Returns the table with an arrow in the title of the column by which the list is ordered.
    func ordered(by name: String, rising: Bool) -> TableView {
        var table = self
        for index in table.columns.indices where table.columns[index].order == name {
            table.columns[index].title += rising ? "↑" : "↓"
        }
        return table
    }

    /// The empty columns to the right of a cell, at most.
    private static let air = 2

    /// Returns the cell without the parts that do not fit; a cell without parts stays as it is.
    ///
    /// Parts are taken by rank until one does not fit. If not even the first fits,
    /// the most important one that does is shown: a cell with any figure says more than a blank one.
    private static func fitting(_ cells: [Span], _ width: Int) -> [Span] {
        func columns(_ spans: some Sequence<Span>) -> Int {
            spans.reduce(0) { $0 + DisplayWidth.of($1.text) }
        }
        guard cells.contains(where: \.beginsPart), columns(cells) > width else { return cells }
        var parts: [ArraySlice<Span>] = []
        for index in cells.indices {
            if cells[index].beginsPart || parts.isEmpty {
                parts.append(cells[index...index])
            } else {
                parts[parts.count - 1] = cells[parts[parts.count - 1].startIndex...index]
            }
        }
        /// Returns the spans of the parts, without the gap before the first.
        func joined(_ places: [Int]) -> [Span] {
            let places = places.sorted()
            return places.enumerated().flatMap { index, place in
                var spans = Array(parts[place])
                guard spans[0].beginsPart else { return spans }
                if index == 0 { return Array(spans.dropFirst()) }
                // A narrow gap joins a part to the one before it, which may be omitted.
                if places[index - 1] != place - 1 { spans[0].text = "  " }
                return spans
            }
        }
        var shown: [Int] = []
        let byRank = parts.indices.sorted {
            (parts[$0].first?.rank ?? 0, $0) < (parts[$1].first?.rank ?? 0, $1)
        }
        for place in byRank {
            if columns(joined(shown + [place])) <= width {
                shown.append(place)
            } else if !shown.isEmpty {
                break
            }
        }
        return joined(shown)
    }

    /// Returns the widths of the columns for cells as wide as `contents`; 0 omits a column.
    ///
    /// Columns are omitted, the least important first, until the others fit at their minimum width; the least
    /// important is also omitted if the most important would be cut. Remaining room goes to the most
    /// important columns first, to those with a priority of 3 or more from left to right, and finally to the
    /// column that grows.
    func widths(total: Int, contents: [Int]) -> [Int] {
        let ideal = zip(self.columns, contents).map { column, content in
            column.isOptional && content == 0
                ? 0
                : max(
                    min(column.minimum, column.title.count),
                    min(max(column.maximum, column.title.count), max(content, column.title.count)))
        }
        var widths = zip(self.columns, ideal).map { $0.isWhole ? $1 : min($0.minimum, $1) }
        func sum(_ widths: [Int]) -> Int {
            let shown = widths.filter { $0 > 0 }
            return shown.reduce(0, +) + max(0, shown.count - 1)
        }
        let byImportance = self.columns.indices.sorted {
            (self.columns[$0].priority, $0) < (self.columns[$1].priority, $1)
        }
        for index in byImportance.reversed() {
            let priority = self.columns[index].priority
            let wanted = widths.indices.map {
                widths[$0] > 0 && self.columns[$0].priority <= 1 ? ideal[$0] : widths[$0]
            }
            if priority > 0 && sum(widths) > total || priority >= 4 && sum(wanted) > total {
                widths[index] = 0
            }
        }
        let byUrgency = self.columns.indices.sorted {
            (min(3, self.columns[$0].priority), $0) < (min(3, self.columns[$1].priority), $1)
        }
        for index in byUrgency where widths[index] > 0 {
            widths[index] += max(0, min(ideal[index] - widths[index], total - sum(widths)))
        }
        if let index = self.columns.firstIndex(where: { $0.grows }), widths[index] > 0 {
            // More room than the longest cell needs would only separate the columns.
            let room = contents[index] + Self.air - widths[index]
            widths[index] += max(0, min(room, total - sum(widths)))
        }
        return widths
    }

    /// Draws titles and rows. `rows` holds the visible rows only; `selected` is one of them or none, `marked`
    /// some of them.
    func draw(
        _ rows: [[[Span]]], selected: Int?, marked: Set<Int> = [], isStale: (Int) -> Bool, header: Rect,
        area: Rect, in buffer: inout CellBuffer
    ) {
        guard !area.isEmpty else { return }
        let contents = self.columns.indices.map { column in
            rows.map { row in row[column].reduce(0) { $0 + DisplayWidth.of($1.text) } }.max() ?? 0
        }
        // The first column shows the mark of the selection.
        let widths = self.widths(total: area.width - 2, contents: contents)
        if !header.isEmpty {
            var x = header.x + 1
            for (column, width) in zip(self.columns, widths) where width > 0 {
                let text = column.title
                let start = column.isRightAligned ? max(0, width - text.count) : 0
                buffer.write(text, x: x + start, y: header.y, style: Style(.muted), limit: width - start)
                x += width + 1
            }
        }
        for (index, row) in rows.enumerated() where index < area.height {
            let y = area.y + index
            let isSelected = index == selected
            let surface: Surface = isSelected ? (self.isFocused ? .selected : .selectedElsewhere) : .base
            if isSelected {
                buffer.fill(area.row(index), style: Style(.plain, on: surface))
                buffer.write(
                    self.isFocused ? "▌" : " ", x: area.x, y: y, style: Style(.accent, on: surface, .bold))
            }
            if marked.contains(index) {
                buffer.write("◆", x: area.x, y: y, style: Style(.key, on: surface, .bold))
            }
            let isStale = isStale(index)
            var x = area.x + 1
            for (cells, (column, width)) in zip(row, zip(self.columns, widths)) where width > 0 {
                let content = cells.reduce(0) { $0 + DisplayWidth.of($1.text) }
                var used = column.isRightAligned ? max(0, width - content) : 0
                for span in Self.fitting(cells, width) where used < width {
                    var style = span.style.on(surface)
                    if isStale { style = style.adding(.dim) }
                    used += buffer.writeCut(span.text, x: x + used, y: y, style: style, limit: width - used)
                }
                x += width + 1
            }
        }
    }
}

/// Draws a mark on the right border of `area` for the visible part of a long list.
func drawScrollbar(
    in area: Rect, of buffer: inout CellBuffer, first: Int, visible: Int, total: Int, style: Style
) {
    let track = area.inner.height
    guard total > visible, visible > 0, track > 1 else { return }
    let length = max(1, min(track - 1, track * visible / total))
    let room = track - length
    let start = total == visible ? 0 : (first * room + (total - visible) / 2) / (total - visible)
    for row in 0..<length {
        buffer.write(
            "┃", x: area.maxX - 1, y: area.inner.y + min(track - 1, max(0, start) + row), style: style)
    }
}

/// Draws a progress bar: `━━━━━━╸────`.
func drawBar(_ fraction: Double, x: Int, y: Int, width: Int, surface: Surface, in buffer: inout CellBuffer) {
    guard width > 0 else { return }
    let halves = Int(saturating: (max(0, min(1, fraction)) * Double(width * 2)).rounded())
    for column in 0..<width {
        let filled = halves - column * 2
        let text = filled >= 2 ? "━" : filled == 1 ? "╸" : "─"
        buffer.write(
            text, x: x + column, y: y, style: Style(filled > 0 ? .barFilled : .barEmpty, on: surface))
    }
}
