import VPEngine

/// The list under the curves, with a line for each figure of the log.
enum MetricsList {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let series = state.metrics.series
        guard area.height > 0, !series.isEmpty else { return }
        let selected = max(0, min(state.metrics.selected, series.count - 1))
        let top = max(0, min(selected - area.height + 1, series.count - area.height))
        let shown = series[top..<min(series.count, top + area.height)]
        let nameWidth = min(shown.map { DisplayWidth.of($0.name) }.max() ?? 0, max(12, area.width / 2 - 14))
        for (row, one) in shown.enumerated() {
            Self.draw(
                one, state, isSelected: top + row == selected, nameWidth, in: area.row(row), of: &buffer)
        }
        let hidden = series.count - shown.count
        guard hidden > 0 else { return }
        let words = " \(hidden) more "
        buffer.write(
            words, x: area.maxX - 1 - words.count, y: area.maxY - 1,
            style: Style(.muted, on: selected == top + shown.count - 1 ? Self.surface(state) : .base))
    }

    private static func surface(_ state: State) -> Surface {
        state.focus == .main ? .selected : .selectedElsewhere
    }

    private static func draw(
        _ series: FigureSeries, _ state: State, isSelected: Bool, _ nameWidth: Int, in area: Rect,
        of buffer: inout CellBuffer
    ) {
        let surface: Surface = isSelected ? Self.surface(state) : .base
        if isSelected { buffer.fill(area, style: Style(.plain, on: surface)) }
        let value = series.last.isFinite ? Format.short(series.last) : "nan"
        buffer.writeCut(
            series.name, x: area.x + 1, y: area.y, style: Style(isSelected ? .plain : .muted, on: surface),
            limit: nameWidth)
        buffer.write(
            value, x: area.x + nameWidth + max(2, 12 - value.count), y: area.y,
            style: Style(series.last.isFinite ? .plain : .bad, on: surface, .bold))
        let start = area.x + nameWidth + 14
        guard area.maxX - 1 > start else { return }
        let values = series.drawn
        let range = CurveScale.robustRange(values).map { $0.low...$0.high }
        let curve = Plot.sparkline(
            values, width: area.maxX - 1 - start, range: range, stretches: true, state.settings.plotting)
        buffer.write(curve, x: start, y: area.y, style: Style(.accent, on: surface))
    }
}
