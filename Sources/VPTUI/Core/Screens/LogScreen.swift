import VPEngine

/// The log of one job.
enum LogScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let isFocused = state.focus == .main
        let log = state.log
        let inner = area.inner
        let size = Size(width: inner.width, height: inner.height)
        buffer.fill(inner)
        drawPane(
            area, number: Pane.main.rawValue, title: Pane.main.title, subtitle: Self.subtitle(state),
            right: Self.corner(log), isFocused: isFocused, in: &buffer)
        guard !inner.isEmpty else { return }
        guard log.buffer.count > 0 else {
            buffer.writeCut(
                log.isLoading ? "Reading…" : "No output yet.", x: inner.x + 1, y: inner.y,
                style: Style(.muted),
                limit: inner.width - 1)
            return
        }
        var position = log.position(size)
        let first = position
        var y = 0
        while y < inner.height, position.line < log.buffer.endNumber {
            let line = log.buffer.line(position.line)
            let matches = LogSearch.matches(of: log.search, in: line.text)
            if log.isWrapped {
                let starts = line.rowStarts(width: inner.width)
                for row in max(0, min(position.row, starts.count - 1))..<starts.count where y < inner.height {
                    line.draw(
                        from: starts[row], skip: 0, in: inner.row(y), of: &buffer, matches: matches)
                    y += 1
                }
            } else {
                line.draw(from: 0, skip: log.column, in: inner.row(y), of: &buffer, matches: matches)
                y += 1
            }
            position = LogState.Position(line: position.line + 1)
        }
        if log.hit != nil || log.column > 0 { Self.drawFooter(log, area, &buffer) }
        drawScrollbar(
            in: area, of: &buffer, first: first.line - log.buffer.firstNumber, visible: inner.height,
            total: log.buffer.count, style: Style(isFocused ? .borderFocused : .muted))
    }

    private static func subtitle(_ state: State) -> String {
        guard let id = state.log.job else { return "" }
        guard let job = state.jobs.row(id) else { return id.rawValue }
        let mark = StatusWords.mark(job.state)
        let time = StatusWords.elapsed(job, now: state.now).map { " " + Format.clock($0) } ?? ""
        let ending = job.state.isOver ? StatusWords.ending(of: job) : job.state.rawValue
        // A lost connection and an ended job must not look alike.
        let reconnecting = state.action(following: id)?.progress?.stage == .reconnecting
        return "\(id) · \(mark.glyph) \(reconnecting ? "reconnecting" : ending)\(time)"
    }

    private static func corner(_ log: LogState) -> [Span] {
        if log.isFollowing { return [Span("following", .good)] }
        if log.newLines == 0 { return [Span("paused", .warning)] }
        return [Span("paused, \(Format.count(log.newLines)) new", .warning)]
    }

    private static func drawFooter(_ log: LogState, _ area: Rect, _ buffer: inout CellBuffer) {
        var text = ""
        if log.hit != nil, !log.search.isEmpty {
            text = " /\(log.search)  \(log.hitPosition) of \(log.hitTotal) "
        }
        if log.column > 0 { text += " column \(log.column + 1) " }
        let width = min(area.width - 6, DisplayWidth.of(text))
        buffer.writeCut(
            text, x: area.maxX - width - 2, y: area.maxY - 1, style: Style(.warning), limit: width)
    }
}
