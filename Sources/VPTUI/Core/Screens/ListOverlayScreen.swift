import Foundation
import VPEngine

/// The history of calls and commands, the list of actions, and the alarms.
enum ListOverlayScreen {
    static func draw(_ list: ListOverlay, _ state: State, of buffer: inout CellBuffer) {
        let area = Layout.listBox(buffer.size, count: state.count(of: list))
        switch list.kind {
        case .history: Self.drawHistory(list, state, area, &buffer)
        case .actions: Self.drawActions(list, state, area, &buffer)
        case .alarms: AlarmsScreen.draw(list, state, of: &buffer)
        }
    }

    private static func drawHistory(
        _ list: ListOverlay, _ state: State, _ area: Rect, _ buffer: inout CellBuffer
    ) {
        let title = list.showsCalls ? "Actions and requests" : "Actions"
        let inner = drawBox(area, title: title, in: &buffer)
        let entries = state.history.shown(in: list)
        if list.isTyping || !list.field.text.isEmpty {
            let last = Rect(x: inner.x, y: area.maxY - 1, width: inner.width, height: 1)
            let mark = buffer.write(" /", x: last.x + 1, y: last.y, style: Style(.key, on: .dialog, .bold))
            if list.isTyping {
                drawField(
                    list.field, x: last.x + 1 + mark, y: last.y, width: min(40, last.width - 4),
                    surface: .dialog, in: &buffer)
            } else {
                buffer.writeCut(
                    "\(list.field.text) ", x: last.x + 1 + mark, y: last.y,
                    style: Style(.warning, on: .dialog), limit: min(40, last.width - 4))
            }
        }
        guard !entries.isEmpty else {
            let calls = state.history.entries.count
            let words =
                calls == 0
                ? "Nothing yet."
                : list.field.text.isEmpty
                    ? "Nothing yet. p shows the \(Format.plural(calls, "question")) to the platforms."
                    : "Nothing matches “\(list.field.text)”. Esc shows all."
            buffer.writeCut(
                words, x: inner.x + 1, y: inner.y, style: Style(.muted, on: .dialog), limit: inner.width - 2)
            return
        }
        // The last row shows the line that would be copied.
        let rows = max(1, inner.height - 1)
        for row in 0..<min(rows, max(0, entries.count - list.top)) {
            let entry = entries[list.top + row]
            let isSelected = list.top + row == list.selected
            let surface: Surface = isSelected ? .selected : .dialog
            let y = inner.y + row
            if isSelected { buffer.fill(inner.row(row), style: Style(.plain, on: surface)) }
            var x = inner.x + 1
            x += buffer.write(
                Format.clockTime(entry.date, offset: state.settings.secondsFromGMT) + "  ", x: x, y: y,
                style: Style(.muted, on: surface))
            let (word, role): (String, Role) =
                switch entry.status {
                case .running: ("…", .accent)
                case .good(let word): (word, .good)
                case .bad(let word): (word, .bad)
                }
            let time = entry.duration.map { Self.duration($0) } ?? ""
            let statusWidth = min(24, DisplayWidth.of(word)) + 8
            buffer.writeCut(
                entry.text, x: x, y: y, style: Style(entry.isCall ? .muted : .plain, on: surface),
                limit: inner.maxX - statusWidth - 3 - x)
            buffer.writeCut(
                word, x: inner.maxX - statusWidth - 1, y: y, style: Style(role, on: surface, .bold), limit: 24
            )
            buffer.write(
                time, x: inner.maxX - 1 - time.count, y: y, style: Style(.muted, on: surface))
        }
        if entries.indices.contains(list.selected), inner.height > 2 {
            buffer.writeCut(
                "y copies: \(entries[list.selected].line)", x: inner.x + 1, y: inner.maxY - 1,
                style: Style(.key, on: .dialog), limit: inner.width - 2)
        }
        drawScrollbar(
            in: area, of: &buffer, first: list.top, visible: rows, total: entries.count,
            style: Style(.borderFocused, on: .dialog))
    }

    private static func duration(_ seconds: TimeInterval) -> String {
        seconds < 1
            ? "\(Int(saturating: seconds * 1000)) ms"
            : seconds < 100 ? Format.fixed(seconds, 1) + " s" : TimeSpan.brief(seconds)
    }

    private static func drawActions(
        _ list: ListOverlay, _ state: State, _ area: Rect, _ buffer: inout CellBuffer
    ) {
        let inner = drawBox(area, title: "Actions in progress", in: &buffer)
        let records = state.listedActions
        guard !records.isEmpty else {
            buffer.write(
                "Nothing is going on.", x: inner.x + 1, y: inner.y, style: Style(.muted, on: .dialog))
            return
        }
        for (row, record) in records.dropFirst(list.top).prefix(inner.height).enumerated() {
            let isSelected = list.top + row == list.selected
            let surface: Surface = isSelected ? .selected : .dialog
            if isSelected { buffer.fill(inner.row(row), style: Style(.plain, on: surface)) }
            ActionsStrip.draw(record, state, inner.row(row), on: surface, &buffer)
        }
    }
}

/// Scrollable text in a box.
enum TextOverlayScreen {
    static func draw(_ text: TextOverlay, of buffer: inout CellBuffer) {
        let area = Layout.textBox(buffer.size, text)
        let inner = drawBox(area, title: text.title, isBad: text.isBad, in: &buffer)
        for (row, line) in text.lines.dropFirst(text.scroll).prefix(inner.height).enumerated() {
            buffer.writeCut(
                line, x: inner.x + 1, y: inner.y + row, style: Style(.plain, on: .dialog),
                limit: inner.width - 2)
        }
        drawScrollbar(
            in: area, of: &buffer, first: text.scroll, visible: inner.height, total: text.lines.count,
            style: Style(.borderFocused, on: .dialog))
    }
}
