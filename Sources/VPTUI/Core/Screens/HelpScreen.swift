import VPEngine

/// The keys of the focused pane, from the key map: in two columns if there is room, filtered by the typed
/// text, and never cut.
enum HelpScreen {
    private enum Line {
        case title(String)
        /// Keys and their effect; the keys are on the first row of the effect.
        case key(String, String)
        case gap
    }

    /// The text, laid out for a screen.
    private struct Page {
        var area: Rect
        var columns: [[Line]]
        var columnWidth: Int
        /// The width of the column of keys.
        var keyWidth: Int

        var height: Int { self.columns.map(\.count).max() ?? 0 }
    }

    private struct Section {
        var title: String
        var rows: [(keys: String, help: String)]
    }

    private static func sections(_ state: State, matching filter: String) -> [Section] {
        var sections = KeyMap.contexts(of: state.keyPane, state.mainContent).map { context in
            Section(
                title: context.title,
                rows: state.keyMap.bindings(in: context).map {
                    ($0.keys.map(\.name).joined(separator: " "), $0.help)
                })
        }
        sections += KeyMap.fixedKeys.map { title, keys in
            Section(title: title, rows: keys.map { ($0.0.joined(separator: " "), $0.1) })
        }
        let words = filter.lowercased().split(separator: " ")
        return sections.compactMap { section in
            let rows = section.rows.filter { row in
                let text = "\(row.keys) \(row.help) \(section.title)".lowercased()
                return words.allSatisfy { text.contains($0) }
            }
            return rows.isEmpty ? nil : Section(title: section.title, rows: rows)
        }
    }

    private static func page(_ state: State, _ help: HelpOverlay) -> Page {
        let body = Rect(state.size).dropFirst(rows: 1).dropLast(rows: 1)
        let isWide = state.size.width >= 120
        let width = min(isWide ? 168 : 84, state.size.width - 4)
        let columnWidth = isWide ? (width - 5) / 2 : width - 4
        // The width without a filter, so that nothing moves while the user types.
        let keyWidth = min(
            20,
            Self.sections(state, matching: "").flatMap(\.rows).map { DisplayWidth.of($0.keys) }.max() ?? 0)
        var blocks: [[Line]] = []
        for section in Self.sections(state, matching: help.field.text) {
            var lines: [Line] = [.title(section.title)]
            for row in section.rows {
                let parts = Wrapping.rows(of: row.help, width: max(12, columnWidth - keyWidth - 2))
                for (index, part) in parts.enumerated() {
                    lines.append(.key(index == 0 ? row.keys : "", part))
                }
            }
            blocks.append(lines)
        }
        let columns = isWide ? Self.balanced(blocks) : [Self.joined(blocks)]
        let height = max(1, columns.map(\.count).max() ?? 0)
        // The filter line has a row of its own.
        let area = body.centred(Size(width: width, height: min(height + 4, body.height)))
        return Page(area: area, columns: columns, columnWidth: columnWidth, keyWidth: keyWidth)
    }

    private static func joined(_ blocks: [[Line]]) -> [Line] { Array(blocks.joined(separator: [.gap])) }

    /// Splits the sections into two columns of similar height.
    private static func balanced(_ blocks: [[Line]]) -> [[Line]] {
        var columns: [[[Line]]] = [[], []]
        for block in blocks {
            let heights = columns.map { Self.joined($0).count }
            columns[heights[0] <= heights[1] ? 0 : 1].append(block)
        }
        return columns.map(Self.joined)
    }

    /// Returns the largest scroll offset.
    static func scrollLimit(_ state: State, _ help: HelpOverlay) -> Int {
        let page = Self.page(state, help)
        return max(0, page.height - Self.rows(page.area).height)
    }

    private static func rows(_ area: Rect) -> Rect { area.inner.dropFirst(rows: 2) }

    static func draw(_ help: HelpOverlay, _ state: State, of buffer: inout CellBuffer) {
        let page = Self.page(state, help)
        let inner = drawBox(page.area, title: "Keys in \(state.focusTitle)", in: &buffer)
        guard !inner.isEmpty else { return }
        let mark = buffer.write("/", x: inner.x + 1, y: inner.y, style: Style(.key, on: .dialog, .bold))
        if help.field.text.isEmpty {
            buffer.writeCut(
                "type to find a key by what it does", x: inner.x + 2 + mark, y: inner.y,
                style: Style(.muted, on: .dialog), limit: inner.width - 4)
        }
        drawField(
            help.field, x: inner.x + 1 + mark, y: inner.y, width: inner.width - 2 - mark, surface: .dialog,
            in: &buffer)
        let rows = Self.rows(page.area)
        if page.height == 0 {
            buffer.writeCut(
                "No key does that. : runs any command of vp.", x: rows.x + 1, y: rows.y,
                style: Style(.muted, on: .dialog), limit: rows.width - 2)
        }
        for (number, column) in page.columns.enumerated() {
            let x = rows.x + 1 + number * (page.columnWidth + 2)
            for (index, line) in column.dropFirst(max(0, help.scroll)).prefix(rows.height).enumerated() {
                let y = rows.y + index
                switch line {
                case .title(let title):
                    buffer.writeCut(
                        title, x: x, y: y, style: Style(.accent, on: .dialog, .bold), limit: page.columnWidth)
                case .key(let keys, let text):
                    buffer.write(
                        keys, x: x + max(0, page.keyWidth - DisplayWidth.of(keys)), y: y,
                        style: Style(.key, on: .dialog, .bold), limit: page.keyWidth)
                    buffer.writeCut(
                        text, x: x + page.keyWidth + 2, y: y, style: Style(.plain, on: .dialog),
                        limit: page.columnWidth - page.keyWidth - 2)
                case .gap: break
                }
            }
        }
        drawScrollbar(
            in: page.area, of: &buffer, first: help.scroll, visible: rows.height, total: page.height,
            style: Style(.borderFocused, on: .dialog))
    }
}
