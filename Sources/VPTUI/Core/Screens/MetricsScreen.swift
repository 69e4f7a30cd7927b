import Foundation
import VPEngine

/// The figures in a job's output: large curves, and a line for each of the others.
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
                "vp recognises losses, learning rates, accuracies, speeds",
                "and steps in the usual formats; so does `vp metrics`.",
            ]
            for (index, line) in lines.enumerated() where index < inner.height {
                buffer.writeCut(
                    line, x: inner.x + 1, y: inner.y + index, style: Style(index == 0 ? .plain : .muted),
                    limit: inner.width - 2)
            }
            return
        }
        let parts = Self.parts(state, in: inner)
        if state.metrics.reading.figures.progress != nil {
            Self.drawProgress(state, in: parts.progress, of: &buffer)
        }
        if let alarm = Self.report(state)?.alarms.first, !parts.alarm.isEmpty {
            buffer.writeCut(
                alarm.words, x: inner.x + 1, y: parts.alarm.y, style: Style(.bad), limit: inner.width - 2)
        }
        Self.drawCurves(state, parts, of: &buffer)
        if state.metrics.options.showsTable {
            MetricsTable.draw(state, in: parts.list, of: &buffer)
        } else {
            MetricsList.draw(state, in: parts.list, of: &buffer)
        }
    }

    // MARK: Parts

    /// The parts of the pane, from top to bottom.
    struct Parts: Equatable {
        var progress: Rect
        var alarm: Rect
        var head: Rect
        /// The legend, with each curve's value at the cursor.
        var legend: Rect
        var chart: Rect
        var load: Rect
        var list: Rect
    }

    /// Returns the area of the curves on screen; nil if the pane does not show them.
    static func plot(_ state: State) -> Rect? {
        guard let main = Layout(state).main, state.mainContent == .metrics else { return nil }
        let plot = CurveChart.plot(in: Self.parts(state, in: main.inner).chart)
        return plot.isEmpty ? nil : plot
    }

    static func parts(_ state: State, in inner: Rect) -> Parts {
        var rest = inner
        func take(_ rows: Int) -> Rect {
            let rows = max(0, min(rows, rest.height))
            let part = Rect(x: rest.x, y: rest.y, width: rest.width, height: rows)
            rest = rest.dropFirst(rows: rows)
            return part
        }
        let progress = take(state.metrics.reading.figures.progress == nil ? 0 : 1)
        let alarm = take(rest.height > 6 && Self.report(state)?.alarms.isEmpty == false ? 1 : 0)
        let wanted =
            state.metrics.options.showsTable
            ? MetricsTable.rows(state) : min(state.metrics.series.count, max(1, rest.height / 4))
        let list = min(wanted, max(1, rest.height - 8))
        let hasLegend = rest.height - list >= 8 && Self.needsLegend(state)
        let hasLoad = rest.height - list >= 12 && Self.load(state) != nil
        let head = take(1)
        let legend = take(hasLegend ? 1 : 0)
        let chart = take(rest.height - list - (hasLoad ? 1 : 0))
        let load = take(hasLoad ? 1 : 0)
        return Parts(
            progress: progress, alarm: alarm, head: head, legend: legend, chart: chart, load: load,
            list: rest)
    }

    /// One curve without a cursor needs no row that tells it from others.
    private static func needsLegend(_ state: State) -> Bool {
        if state.metrics.cursor != nil || !state.overlaidJobs.isEmpty { return true }
        return state.metrics.selectedSeries.flatMap { state.metrics.reading.figures.partner(of: $0) } != nil
    }

    // MARK: Progress

    /// Returns the current report on the open log; nil if the job is unknown.
    static func report(_ state: State) -> TrainingReport? {
        let reading = state.metrics.reading
        guard let job = state.metrics.job, let row = state.jobs.row(job) else { return nil }
        return reading.report(of: row, now: state.now)
    }

    /// Returns the progress in parts, the most important first: `64 %`, `640/1000`, `15.5 it/s`, `0:23 left`,
    /// `$1.84 at the end`. It is that of the whole training, as in the job's row, if the log tells it.
    static func progress(_ state: State) -> [String] {
        guard let progress = state.metrics.reading.figures.progress else { return [] }
        let report = Self.report(state)
        let whole = progress.whole
        var parts = [
            "\(Int(saturating: whole.share * 100)) %",
            "\(Format.compact(whole.done))/\(Format.compact(whole.total))",
        ]
        if let left = report?.secondsLeft
            ?? (report == nil ? state.metrics.reading.figures.writtenSecondsLeft : nil), left > 0
        {
            parts.append("\(TimeSpan.countdown(left)) left")
        }
        if let dollars = report?.finishDollars { parts.append("\(Format.dollars(dollars)) at the end") }
        if let rate = progress.perSecond {
            parts.append("\(Format.short(rate)) it/s")
        }
        return parts
    }

    private static func drawProgress(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard let progress = state.metrics.reading.figures.progress else { return }
        var x = area.x + 1
        let width = max(8, min(40, area.width / 3))
        drawBar(progress.whole.share, x: x, y: area.y, width: width, surface: .base, in: &buffer)
        x += width
        for (index, part) in Self.progress(state).enumerated() {
            let text = (index == 0 ? " " : "  ") + part
            // Half a figure is a wrong figure.
            guard x + DisplayWidth.of(text) < area.maxX else { return }
            x += buffer.write(
                text, x: x, y: area.y,
                style: index == 0 ? Style(.plain, on: .base, .bold) : Style(.muted))
        }
    }

    // MARK: Curves

    private static func drawCurves(_ state: State, _ parts: Parts, of buffer: inout CellBuffer) {
        guard let series = state.metrics.selectedSeries, let chart = MetricsChart(state) else { return }
        let head = parts.head
        let used = buffer.writeCut(
            series.name, x: head.x + 1, y: head.y, style: Style(.accent, on: .base, .bold),
            limit: max(12, head.width / 3))
        Self.write(
            Self.facts(series, chart, state), rightIn: head, from: head.x + used + 3, of: &buffer)
        if !parts.legend.isEmpty {
            var x = parts.legend.x + 1
            for span in Self.legend(chart) {
                x += buffer.writeCut(
                    span.text, x: x, y: parts.legend.y, style: span.style, limit: parts.legend.maxX - 1 - x)
            }
        }
        chart.chart.draw(in: parts.chart, state.settings.plotting, of: &buffer)
        if !parts.load.isEmpty { Self.drawLoad(state, chart, in: parts.load, of: &buffer) }
    }

    /// Writes facts at the right end of a row; those that do not fit are omitted, the last first.
    private static func write(_ facts: [Span], rightIn area: Rect, from x: Int, of buffer: inout CellBuffer) {
        var facts = facts
        func width() -> Int { facts.reduce(0) { $0 + DisplayWidth.of($1.text) + 3 } - 3 }
        while facts.count > 1, area.maxX - 1 - width() < x { facts.removeLast() }
        var x = max(x, area.maxX - 1 - width())
        for (index, fact) in facts.enumerated() {
            if index > 0 { x += buffer.write(" · ", x: x, y: area.y, style: Style(.muted)) }
            x += buffer.writeCut(fact.text, x: x, y: area.y, style: fact.style, limit: area.maxX - 1 - x)
        }
    }

    private static func facts(_ series: FigureSeries, _ chart: MetricsChart, _ state: State) -> [Span] {
        let options = state.metrics.options
        var facts = [
            Span("now \(series.newest)", series.last.isFinite ? .plain : .bad, .bold)
        ]
        if let best = series.best {
            facts.append(
                Span("best \(Format.short(best.value)) at \(Format.short(best.step))", .muted))
        } else if series.minimum <= series.maximum {
            facts.append(
                Span("\(Format.short(series.minimum)) to \(Format.short(series.maximum))", .muted))
        }
        if chart.chart.clipped.count > 0 {
            let sign = chart.chart.clipped.farthest > chart.chart.y.high ? "▲" : "▼"
            facts.append(
                Span(
                    "\(sign) \(chart.chart.clipped.count) beyond, to \(Format.short(chart.chart.clipped.farthest))",
                    .warning))
        }
        if options.weight > 0 { facts.append(Span("EMA \(Format.short(options.weight))", .muted)) }
        if options.isLog { facts.append(Span(chart.chart.y.isLog ? "log" : "no log: not above 0", .muted)) }
        if chart.isOtherAxis { facts.append(Span("no \(options.x.rawValue) known", .muted)) }
        facts.append(Span(Format.plural(series.count, "figure"), .muted))
        if !chart.chart.marks.isEmpty {
            facts.append(Span("◆ \(Format.plural(chart.chart.marks.count, "checkpoint"))", .muted))
        }
        return facts
    }

    /// Returns the legend: `step 640   a loss 0.412   b val_loss 0.51   c train-6 0.47`.
    private static func legend(_ chart: MetricsChart) -> [Span] {
        let curves = chart.chart.curves
        guard curves.count > 1 || chart.chart.cursor != nil else { return [] }
        var spans: [Span] = []
        if let cursor = chart.chart.cursor {
            let at =
                chart.chart.x.unit == .seconds
                ? TimeSpan.text(cursor.rounded()) : Format.short(cursor.rounded())
            spans.append(Span("\(chart.xName) \(at)   ", .key, .bold))
        }
        for curve in curves {
            if curves.count > 1 { spans.append(Span("\(curve.letter) ", curve.role, .bold)) }
            spans.append(Span(curve.name, curves.count > 1 ? curve.role : .muted))
            if let cursor = chart.chart.cursor, let index = curve.nearest(cursor) {
                let point = curve.points[index]
                spans.append(Span(" \(Format.short(point.value))", .plain, .bold))
                if curve.smoothed != nil {
                    spans.append(Span(" (\(Format.short(curve.shown(index))))", .muted))
                }
            }
            spans.append(Span("   "))
        }
        return spans
    }

    // MARK: Load

    /// Returns the load of the GPU that runs the job.
    private static func load(_ state: State) -> TelemetryState.Track? {
        guard let job = state.metrics.job, let instance = state.jobs.row(job)?.instance,
            let track = state.telemetry.track(instance), !track.history.shares.isEmpty
        else { return nil }
        return track
    }

    private static func drawLoad(
        _ state: State, _ chart: MetricsChart, in area: Rect, of buffer: inout CellBuffer
    ) {
        guard let track = Self.load(state) else { return }
        let plot = CurveChart.plot(in: Rect(x: area.x, y: area.y, width: area.width, height: 3))
        let now = track.gpu.last.map { " \(Int(saturating: ($0 * 100).rounded())) %" } ?? ""
        let label = "GPU\(now)"
        buffer.write(
            label, x: plot.x - 2 - label.count, y: area.y, style: Style(.muted), limit: CurveChart.labelWidth)
        buffer.write("│", x: plot.x - 1, y: area.y, style: Style(.border))
        let shades: [Character] =
            state.settings.plotting == .ascii
            ? ["_", ".", "-", "=", "#"] : ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        let columns = track.history.columns(plot.width) { chart.share(at: $0) }
        for (column, share) in columns.enumerated() {
            guard let share else { continue }
            let level = max(0, min(shades.count - 1, Int(saturating: share * Double(shades.count))))
            buffer.write(
                String(shades[level]), x: plot.x + column, y: area.y,
                style: Style(share < 0.05 ? .warning : .good))
        }
    }
}
