import VPEngine

/// The list of alarms, worst first, with the full text of the selected one and what Enter does about it.
enum AlarmsScreen {
    static func draw(_ list: ListOverlay, _ state: State, of buffer: inout CellBuffer) {
        let alarms = state.alarms
        let area = Layout.alarmsBox(buffer.size, count: alarms.count)
        let title = alarms.isEmpty ? "Alarms" : "\(Format.plural(alarms.count, "alarm")), the worst first"
        let inner = drawBox(area, title: title, isBad: !alarms.isEmpty, in: &buffer)
        guard !alarms.isEmpty else {
            buffer.writeCut(
                "✓ Everything looks good.", x: inner.x + 1, y: inner.y, style: Style(.good, on: .dialog),
                limit: inner.width - 2)
            buffer.writeCut(
                "Idle, parked and forgotten instances, leases, credit and the day's limit are watched.",
                x: inner.x + 1, y: inner.y + 1, style: Style(.muted, on: .dialog), limit: inner.width - 2)
            return
        }
        let rows = Layout.page(of: list, state)
        let kindWidth = alarms.map { DisplayWidth.of(StatusWords.mark($0.kind).word) }.max() ?? 0
        for (row, alarm) in alarms.dropFirst(list.top).prefix(rows).enumerated() {
            let isSelected = list.top + row == list.selected
            let surface: Surface = isSelected ? .selected : .dialog
            let y = inner.y + row
            if isSelected { buffer.fill(inner.row(row), style: Style(.plain, on: surface)) }
            let mark = StatusWords.mark(alarm.kind)
            buffer.write(isSelected ? "▸" : " ", x: inner.x, y: y, style: Style(.accent, on: surface, .bold))
            buffer.writeCut(
                "\(mark.glyph) \(mark.word)", x: inner.x + 2, y: y,
                style: Style(mark.role, on: surface, .bold),
                limit: inner.width - 3)
            let x = inner.x + 6 + kindWidth
            buffer.writeCut(
                alarm.words, x: x, y: y, style: Style(.plain, on: surface), limit: inner.maxX - 1 - x)
        }
        drawScrollbar(
            in: Rect(x: area.x, y: area.y, width: area.width, height: rows + 2), of: &buffer, first: list.top,
            visible: rows, total: alarms.count, style: Style(.borderFocused, on: .dialog))
        guard alarms.indices.contains(list.selected) else { return }
        Self.drawDetail(alarms[list.selected], state, below: inner.dropFirst(rows: rows), of: &buffer)
    }

    private static func drawDetail(
        _ alarm: Alarm, _ state: State, below area: Rect, of buffer: inout CellBuffer
    ) {
        guard area.height >= Layout.alarmDetailHeight else { return }
        let action = state.action(for: alarm)
        buffer.write(
            String(repeating: "─", count: area.width), x: area.x, y: area.y,
            style: Style(.borderFocused, on: .dialog))
        let lines = Wrapping.rows(of: alarm.words, width: area.width - 3)
        for (row, line) in lines.prefix(2).enumerated() {
            let isCut = row == 1 && lines.count > 2
            buffer.writeCut(
                line + (isCut ? "…" : ""), x: area.x + 2, y: area.y + 1 + row,
                style: Style(.plain, on: .dialog), limit: area.width - 3)
        }
        for (row, hint) in [("Enter", action.words), ("y", "copies `\(action.line)`")].enumerated() {
            let y = area.y + 3 + row
            buffer.write(hint.0, x: area.x + 2, y: y, style: Style(.key, on: .dialog, .bold))
            buffer.writeCut(
                hint.1, x: area.x + 8, y: y, style: Style(.plain, on: .dialog), limit: area.width - 9)
        }
    }

    /// The alarms as lines, for plain mode: typing a number acts on that alarm.
    static func plain(_ state: State) -> [String] {
        let alarms = state.alarms
        guard !alarms.isEmpty else { return ["No alarms."] }
        return [Format.plural(alarms.count, "alarm")]
            + alarms.enumerated().map { index, alarm in
                "\(index + 1). \(alarm.words). \(index + 1) \(state.action(for: alarm).words)."
            } + ["An empty line closes the list."]
    }
}
