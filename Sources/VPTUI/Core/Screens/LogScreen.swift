import Foundation
import VPEngine

/// The log of a job, with its figures and its instance's load below.
enum LogScreen {
    /// Returns the area of the lines: the pane without its border, the times and the summary.
    static func textArea(_ state: State, in area: Rect) -> Rect {
        var inner = area.inner.dropLast(rows: Self.summaryHeight(state, area))
        // An empty column separates the lines from the border.
        let gutter = Self.gutter(state, inner) + (inner.width > 30 ? 1 : 0)
        inner.x += gutter
        inner.width -= gutter
        return inner
    }

    private static func gutter(_ state: State, _ inner: Rect) -> Int {
        state.log.showsTimes && inner.width > 30 ? 9 : 0
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let isFocused = state.focus == .main
        let log = state.log
        let inner = area.inner
        let text = Self.textArea(state, in: area)
        buffer.fill(inner)
        drawPane(
            area, number: Pane.main.rawValue, title: Pane.main.title, subtitle: Self.subtitle(state),
            right: Self.corner(log, state), isFocused: isFocused, in: &buffer)
        guard !inner.isEmpty else { return }
        if Self.summaryHeight(state, area) > 0 {
            Self.drawSummary(state, in: inner.row(inner.height - 1), of: &buffer)
        }
        guard log.buffer.count > 0 else {
            buffer.writeCut(
                Self.emptyLine(state), x: inner.x + 1, y: inner.y, style: Style(.muted),
                limit: inner.width - 1)
            return
        }
        let first = Self.drawLines(state, text, of: &buffer)
        Self.drawFooter(log, area, &buffer)
        // The scrollbar shows the position in the whole file, of which the window is a part.
        let scale = max(1, log.size / 1_000_000)
        let last = log.buffer.line(min(log.buffer.endNumber - 1, first + text.height)).offset
        let top = log.buffer.line(first).offset
        if log.size > 0, log.start > 0 || log.buffer.count > text.height {
            drawScrollbar(
                in: area, of: &buffer, first: log.isFollowing ? Int(log.size / scale) : Int(top / scale),
                visible: max(1, Int((last - top) / scale)), total: max(2, Int(log.size / scale)),
                style: Style(isFocused ? .borderFocused : .muted))
        }
    }

    /// Returns the number of the first line on screen.
    private static func drawLines(_ state: State, _ text: Rect, of buffer: inout CellBuffer) -> Int {
        let log = state.log
        let matcher = (log.search?.pattern ?? log.filter?.pattern).flatMap { TextMatcher($0) }
        let hitLine = matcher.flatMap { log.hitLine($0) }
        var position = log.position(text.size)
        let first = position.line
        var y = 0
        var lastTime = ""
        while y < text.height, position.line < log.buffer.endNumber {
            let line = log.buffer.line(position.line)
            let matches = matcher?.matches(in: line.text) ?? []
            if log.showsTimes, text.x >= 9, position.row == 0 || y == 0 {
                let time = log.arrival(of: line.offset).map {
                    Format.clockTime($0, offset: state.settings.secondsFromGMT)
                }
                // The time is shown once for all lines of the same second.
                if let time, time != lastTime {
                    buffer.write(time, x: text.x - 9, y: text.y + y, style: Style(.muted))
                    lastTime = time
                }
            }
            let isHit = position.line == hitLine
            if isHit {
                buffer.fill(text.row(y), style: Style(.plain, on: .selectedElsewhere))
            }
            if log.isWrapped {
                let starts = line.rowStarts(width: text.width)
                for row in max(0, min(position.row, starts.count - 1))..<starts.count where y < text.height {
                    line.draw(
                        from: starts[row], skip: 0, in: text.row(y), of: &buffer, matches: matches,
                        isHit: isHit)
                    y += 1
                }
            } else {
                line.draw(
                    from: 0, skip: log.column, in: text.row(y), of: &buffer, matches: matches, isHit: isHit)
                y += 1
            }
            position = LogState.Position(line: position.line + 1)
        }
        return first
    }

    private static func emptyLine(_ state: State) -> String {
        guard state.log.job != nil else { return "No log is open: l on an instance or a job opens one." }
        if state.log.end == nil || state.log.isLoading { return "Reading…" }
        if let filter = state.log.filter { return "No line has “\(filter.pattern.typed)”. Esc shows all." }
        let isOver = state.log.job.flatMap { state.jobs.row($0) }?.state.isOver == true
        return isOver ? "It printed nothing." : "No output yet."
    }

    private static func subtitle(_ state: State) -> String {
        guard let id = state.log.job else { return "" }
        guard let job = state.jobs.row(id) else { return id.rawValue }
        let mark = StatusWords.mark(job.state)
        let time = StatusWords.elapsed(job, now: state.now).map { " " + TimeSpan.clock($0) } ?? ""
        let isWorthWords = job.state.isOver || StatusWords.processesAtWork(job) != nil
        let ending = isWorthWords ? StatusWords.ending(of: job) : job.state.rawValue
        // A lost connection and an ended job must not look alike.
        let reconnecting = state.action(following: id)?.progress?.stage == .reconnecting
        return "\(id) · \(mark.glyph) \(reconnecting ? "reconnecting" : ending)\(time)"
    }

    private static func corner(_ log: LogState, _ state: State) -> [Span] {
        var spans: [Span] = []
        if let filter = log.filter {
            let context = filter.context > 0 ? " ±\(filter.context)" : ""
            spans += [Span("&\(filter.pattern.typed)\(context)", .key), Span(" · ", .muted)]
        }
        let job = log.job.flatMap { state.jobs.row($0) }
        if log.isFollowing, let job, job.state.isOver {
            // The job is over, so the log no longer follows it.
            let mark = StatusWords.mark(job.state)
            spans.append(Span("ended \(mark.glyph)", mark.role))
        } else if log.isFollowing {
            spans.append(Span("following", .good))
        } else if log.newLines == 0 {
            spans.append(Span("paused", .warning))
        } else {
            spans.append(Span("paused, \(Format.count(log.newLines)) new", .warning))
        }
        return spans
    }

    /// Draws the lower border: the search with its count and position, the column, the
    /// position in a long log.
    private static func drawFooter(_ log: LogState, _ area: Rect, _ buffer: inout CellBuffer) {
        var parts: [String] = []
        if let search = log.search {
            var text = "/\(search.pattern.typed)"
            if search.isLooking {
                text += "  searching…"
            } else if search.hit != nil {
                let total = Format.count(search.total) + (search.counted < 1 ? "+" : "")
                text += "  \(search.position.map { Format.count($0) } ?? "–") of \(total)"
                if search.hasWrapped { text += "  wrapped around" }
            }
            parts.append(text)
        }
        if log.column > 0 { parts.append("column \(log.column + 1)") }
        if !log.isFollowing, log.size > 64 << 10, let top = log.top {
            let offset = log.buffer.line(top.line).offset
            parts.append(
                "at \(Int(saturating: Double(offset) * 100 / Double(max(1, log.size)))) % of \(Format.bytes(log.size))"
            )
        }
        guard !parts.isEmpty else { return }
        let text = " " + parts.joined(separator: " · ") + " "
        let width = min(area.width - 6, DisplayWidth.of(text))
        buffer.writeCut(
            text, x: area.maxX - width - 2, y: area.maxY - 1, style: Style(.warning), limit: width)
    }

    // MARK: Summary

    private static func summaryHeight(_ state: State, _ area: Rect) -> Int {
        guard area.inner.height >= 8, area.inner.width >= 40 else { return 0 }
        return Self.summary(state, width: area.inner.width).isEmpty ? 0 : 1
    }

    private static func drawSummary(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        var x = area.x + 1
        for span in Self.summary(state, width: area.width) {
            x += buffer.writeCut(span.text, x: x, y: area.y, style: span.style, limit: area.maxX - 1 - x)
        }
    }

    /// Returns the summary: `loss ⣀⠤⠒⠉ 0.412  64 %  640/1000  0:23 left  GPU 87 % ⣿⣶ 63°C  VRAM 11/24 GB`.
    private static func summary(_ state: State, width: Int) -> [Span] {
        guard let job = state.log.job else { return [] }
        var parts: [[Span]] = []
        if state.metrics.job == job {
            if let loss = state.metrics.mainSeries, loss.count > 1 {
                let curve = Plot.sparkline(
                    loss.drawn, width: max(6, min(20, width / 8)), state.settings.plotting)
                parts.append([
                    Span("\(loss.name) ", .muted), Span(curve, .accent),
                    Span(" \(loss.newest)", loss.last.isFinite ? .plain : .bad),
                ])
            }
            for (index, part) in MetricsScreen.progress(state).enumerated() {
                parts.append([index == 0 ? Span(part, .plain, .bold) : Span(part, .muted)])
            }
        }
        // The load after the end of a job is that of something else.
        if let row = state.jobs.row(job), !row.state.isOver,
            state.instances.row(row.instance)?.status == .running,
            let track = state.telemetry.track(row.instance), let sample = track.latest,
            state.now.timeIntervalSince(track.date ?? .distantPast) < 15
        {
            parts += TelemetryView.brief(track, sample, state.settings.plotting)
        }
        return Self.joined(parts, width: width - 2)
    }

    /// Joins as many whole parts as fit: half a figure is a wrong figure.
    private static func joined(_ parts: [[Span]], width: Int) -> [Span] {
        var spans: [Span] = []
        var used = 0
        for part in parts {
            let columns = part.reduce(0) { $0 + DisplayWidth.of($1.text) } + (spans.isEmpty ? 0 : 2)
            guard used + columns <= width else { break }
            if !spans.isEmpty { spans.append(Span("  ")) }
            spans += part
            used += columns
        }
        return spans
    }
}
