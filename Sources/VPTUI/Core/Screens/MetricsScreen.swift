import Foundation
import VPEngine

/// The figures that a job's output shows: one large curve, and a line for each of the others.
enum MetricsScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let inner = area.inner
        let metrics = state.metrics.metrics
        buffer.fill(inner)
        drawPane(
            area, number: Pane.main.rawValue, title: "Metrics", subtitle: state.metrics.job?.rawValue ?? "",
            right: [Span("m ", .key), Span("log", .muted)], isFocused: state.focus == .main, in: &buffer)
        guard !inner.isEmpty else { return }
        guard !metrics.series.isEmpty else {
            let lines = [
                state.metrics.end == nil ? "Reading the log…" : "No figures yet.",
                "Found by themselves: loss, lr, it/s, step and the like, of tqdm, Hugging Face,",
                "Lightning, key=value and key: value.",
            ]
            for (index, line) in lines.enumerated() where index < inner.height {
                buffer.writeCut(
                    line, x: inner.x + 1, y: inner.y + index, style: Style(index == 0 ? .plain : .muted),
                    limit: inner.width - 2)
            }
            return
        }
        let selected = max(0, min(state.metrics.selected, metrics.series.count - 1))
        var y = inner.y
        if let progress = metrics.progress { Self.draw(progress, in: inner.row(0), of: &buffer, &y) }
        let rows = inner.maxY - y
        let listHeight = min(metrics.series.count, max(1, rows / 3))
        Self.drawCurve(
            metrics.series[selected], state,
            in: Rect(x: inner.x, y: y, width: inner.width, height: rows - listHeight - 1), of: &buffer)
        let top = max(0, min(selected - listHeight + 1, metrics.series.count - listHeight))
        for row in 0..<listHeight where inner.maxY - listHeight + row > y {
            Self.draw(
                metrics.series[top + row], state, isSelected: top + row == selected,
                in: Rect(x: inner.x, y: inner.maxY - listHeight + row, width: inner.width, height: 1),
                of: &buffer)
        }
    }

    private static func draw(
        _ progress: JobProgress, in area: Rect, of buffer: inout CellBuffer, _ y: inout Int
    ) {
        guard let fraction = progress.fraction else { return }
        var x = area.x + 1
        let width = max(8, min(40, area.width / 3))
        drawBar(fraction, x: x, y: area.y, width: width, surface: .base, in: &buffer)
        x += width
        x += buffer.write(
            " \(Int(saturating: fraction * 100)) %", x: x, y: area.y, style: Style(.plain, on: .base, .bold),
            limit: area.maxX - x)
        var text = "  \(progress.text)"
        if let rate = progress.perSecond { text += "  \(Format.short(rate)) it/s" }
        if let left = progress.timeLeft { text += "  \(left) left" }
        buffer.writeCut(text, x: x, y: area.y, style: Style(.muted), limit: area.maxX - 1 - x)
        y += 1
    }

    private static func drawCurve(
        _ series: MetricSeries, _ state: State, in area: Rect, of buffer: inout CellBuffer
    ) {
        guard area.height >= 3, area.width >= 24 else { return }
        let axis = 11
        let plot = Rect(
            x: area.x + axis, y: area.y + 1, width: area.width - axis - 1, height: area.height - 1)
        buffer.writeCut(
            series.name, x: area.x + 1, y: area.y, style: Style(.accent, on: .base, .bold), limit: axis + 20)
        let facts =
            "now \(Format.short(series.last)) · least \(Format.short(series.minimum)) · "
            + "most \(Format.short(series.maximum)) · \(Format.plural(series.count, "figure"))"
        let width = min(area.width - DisplayWidth.of(series.name) - 4, DisplayWidth.of(facts))
        buffer.writeCut(facts, x: area.maxX - width - 1, y: area.y, style: Style(.muted), limit: width)
        let rows = Plot.rows(
            series.values, width: plot.width, height: plot.height, state.settings.plotting)
        let low = series.values.min() ?? 0
        let high = series.values.max() ?? 1
        for (index, row) in rows.enumerated() {
            let isEdge = index == 0 || index == rows.count - 1 || index == rows.count / 2
            if isEdge {
                let share = rows.count > 1 ? Double(index) / Double(rows.count - 1) : 0
                let label = Format.short(high - (high - low) * share)
                buffer.write(
                    label, x: area.x + max(1, axis - 1 - label.count), y: plot.y + index,
                    style: Style(.muted),
                    limit: axis - 1)
            }
            buffer.write("│", x: plot.x - 1, y: plot.y + index, style: Style(.border))
            buffer.write(row, x: plot.x, y: plot.y + index, style: Style(.accent), limit: plot.width)
        }
    }

    private static func draw(
        _ series: MetricSeries, _ state: State, isSelected: Bool, in area: Rect, of buffer: inout CellBuffer
    ) {
        let surface: Surface =
            isSelected ? (state.focus == .main ? .selected : .selectedElsewhere) : .base
        if isSelected { buffer.fill(area, style: Style(.plain, on: surface)) }
        let value = Format.short(series.last)
        let nameWidth = min(20, area.width / 3)
        buffer.writeCut(
            series.name, x: area.x + 1, y: area.y, style: Style(isSelected ? .plain : .muted, on: surface),
            limit: nameWidth)
        buffer.write(
            value, x: area.x + nameWidth + max(2, 12 - value.count), y: area.y,
            style: Style(.plain, on: surface, .bold))
        let start = area.x + nameWidth + 14
        guard area.maxX - 1 > start else { return }
        let curve = Plot.sparkline(series.values, width: area.maxX - 1 - start, state.settings.plotting)
        buffer.write(curve, x: start, y: area.y, style: Style(.accent, on: surface))
    }
}
