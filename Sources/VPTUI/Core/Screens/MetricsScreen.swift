import Foundation
import VPEngine

/// The figures that a job's output shows: one large curve, and a line for each of the others.
enum MetricsScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let inner = area.inner
        let series = state.metrics.series
        buffer.fill(inner)
        drawPane(
            area, number: Pane.main.rawValue, title: "Metrics", subtitle: state.metrics.job?.rawValue ?? "",
            right: [Span("m ", .key), Span("log", .muted)], isFocused: state.focus == .main, in: &buffer)
        guard !inner.isEmpty else { return }
        guard !series.isEmpty else {
            let lines = [
                state.metrics.end == nil ? "Reading the log…" : "No figures yet.",
                "Found by themselves: losses, rates, accuracies, speeds and steps, as most programs",
                "that train print them. vp metrics says the same.",
            ]
            for (index, line) in lines.enumerated() where index < inner.height {
                buffer.writeCut(
                    line, x: inner.x + 1, y: inner.y + index, style: Style(index == 0 ? .plain : .muted),
                    limit: inner.width - 2)
            }
            return
        }
        let selected = max(0, min(state.metrics.selected, series.count - 1))
        var y = inner.y
        if state.metrics.reading.figures.progress != nil {
            Self.drawProgress(state, in: inner.row(0), of: &buffer, &y)
        }
        Self.drawAlarms(state, inner, of: &buffer, &y)
        let rows = inner.maxY - y
        let listHeight = min(series.count, max(1, rows / 3))
        Self.drawCurve(
            series[selected], state,
            in: Rect(x: inner.x, y: y, width: inner.width, height: rows - listHeight - 1), of: &buffer)
        let top = max(0, min(selected - listHeight + 1, series.count - listHeight))
        for row in 0..<listHeight where inner.maxY - listHeight + row > y {
            Self.draw(
                series[top + row], state, isSelected: top + row == selected,
                in: Rect(x: inner.x, y: inner.maxY - listHeight + row, width: inner.width, height: 1),
                of: &buffer)
        }
    }

    /// What the open log's report says now; nil where the job is not known.
    private static func report(_ state: State) -> TrainingReport? {
        let reading = state.metrics.reading
        guard let job = state.metrics.job, let row = state.jobs.row(job) else { return nil }
        return reading.report(of: row, now: state.now)
    }

    /// `64`, and `  640/1000  15.5 it/s  23 s left  $1.84 at the end`.
    static func progress(_ state: State) -> (percent: Int, rest: String)? {
        guard let progress = state.metrics.reading.figures.progress else { return nil }
        let report = Self.report(state)
        var text = "  \(Format.short(progress.done))/\(Format.short(progress.total))"
        if let rate = progress.perSecond { text += "  \(Format.short(rate)) it/s" }
        if let left = report?.secondsLeft
            ?? (report == nil ? state.metrics.reading.figures.writtenSecondsLeft : nil), left > 0
        {
            text += "  \(TimeSpan.text(left.rounded())) left"
        }
        if let dollars = report?.finishDollars { text += "  \(Format.dollars(dollars)) at the end" }
        return (Int(saturating: progress.fraction * 100), text)
    }

    private static func drawProgress(
        _ state: State, in area: Rect, of buffer: inout CellBuffer, _ y: inout Int
    ) {
        guard let progress = state.metrics.reading.figures.progress, let words = Self.progress(state) else {
            return
        }
        var x = area.x + 1
        let width = max(8, min(40, area.width / 3))
        drawBar(progress.fraction, x: x, y: area.y, width: width, surface: .base, in: &buffer)
        x += width
        x += buffer.write(
            " \(words.percent) %", x: x, y: area.y, style: Style(.plain, on: .base, .bold),
            limit: area.maxX - x)
        buffer.writeCut(words.rest, x: x, y: area.y, style: Style(.muted), limit: area.maxX - 1 - x)
        y += 1
    }

    private static func drawAlarms(_ state: State, _ area: Rect, of buffer: inout CellBuffer, _ y: inout Int)
    {
        guard let alarm = Self.report(state)?.alarms.first, y < area.maxY - 4 else { return }
        buffer.writeCut(alarm.words, x: area.x + 1, y: y, style: Style(.bad), limit: area.width - 2)
        y += 1
    }

    private static func drawCurve(
        _ series: FigureSeries, _ state: State, in area: Rect, of buffer: inout CellBuffer
    ) {
        guard area.height >= 3, area.width >= 24 else { return }
        let axis = 11
        let plot = Rect(
            x: area.x + axis, y: area.y + 1, width: area.width - axis - 1, height: area.height - 1)
        buffer.writeCut(
            series.name, x: area.x + 1, y: area.y, style: Style(.accent, on: .base, .bold), limit: axis + 20)
        let facts =
            "now \(series.newest) · least \(Format.short(series.minimum)) · "
            + "most \(Format.short(series.maximum)) · \(Format.plural(series.count, "figure"))"
        let width = min(area.width - DisplayWidth.of(series.name) - 4, DisplayWidth.of(facts))
        buffer.writeCut(facts, x: area.maxX - width - 1, y: area.y, style: Style(.muted), limit: width)
        let values = series.drawn
        let rows = Plot.rows(
            values, width: plot.width, height: plot.height, state.settings.plotting)
        let low = values.min() ?? 0
        let high = values.max() ?? 1
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
        _ series: FigureSeries, _ state: State, isSelected: Bool, in area: Rect, of buffer: inout CellBuffer
    ) {
        let surface: Surface =
            isSelected ? (state.focus == .main ? .selected : .selectedElsewhere) : .base
        if isSelected { buffer.fill(area, style: Style(.plain, on: surface)) }
        let value = series.last.isFinite ? Format.short(series.last) : "nan"
        let nameWidth = min(20, area.width / 3)
        buffer.writeCut(
            series.name, x: area.x + 1, y: area.y, style: Style(isSelected ? .plain : .muted, on: surface),
            limit: nameWidth)
        buffer.write(
            value, x: area.x + nameWidth + max(2, 12 - value.count), y: area.y,
            style: Style(.plain, on: surface, .bold))
        let start = area.x + nameWidth + 14
        guard area.maxX - 1 > start else { return }
        let curve = Plot.sparkline(series.drawn, width: area.maxX - 1 - start, state.settings.plotting)
        buffer.write(curve, x: start, y: area.y, style: Style(.accent, on: surface))
    }
}
