import VPEngine

enum JobsScreen {
    static func pane(_ state: State, area: Rect) -> ListPane<Job> {
        let running = state.jobs.rows.count { $0.state == .running }
        var subtitle = state.jobs.rows.isEmpty ? "" : Format.count(state.jobs.rows.count)
        if state.mayHaveMoreJobs { subtitle += "+" }
        if running > 0 { subtitle += " · \(running) running" }
        return ListPane(
            pane: .jobs, area: area, list: state.jobs,
            table: TableView(columns: Self.columns(state), isFocused: state.focus == .jobs),
            subtitle: subtitle,
            banner: nil, emptyLines: Self.emptyLines, isStale: { _ in false },
            spans: { Self.spans($0, state) })
    }

    private static let columns = [
        Column(title: "job", minimum: 8, maximum: 30, isWhole: true, order: "newest"),
        Column(title: "state", minimum: 11, maximum: 16, order: "state"),
        Column(title: "time", minimum: 8, maximum: 9, isRightAligned: true, priority: 1),
        Column(title: "cost", minimum: 5, maximum: 7, isRightAligned: true, order: "cost", priority: 2),
        Column(title: "command", minimum: 8, maximum: 48, grows: true, priority: 3),
        Column(title: "on", minimum: 6, maximum: 24, isWhole: true, order: "on", priority: 4),
    ]

    /// Returns the columns. A training's row shows its progress in place of its command,
    /// and the title says so.
    private static func columns(_ state: State) -> [Column] {
        var columns = Self.columns
        if state.jobs.rows.contains(where: { Self.life($0, state) != nil }),
            let index = columns.firstIndex(where: { $0.title == "command" })
        {
            columns[index].title = "progress"
        }
        return columns
    }

    private static func spans(_ job: Job, _ state: State) -> [[Span]] {
        let mark = StatusWords.mark(job.state)
        var word = job.state.rawValue
        if job.state == .failed, let status = job.exitStatus { word = "exit \(status)" }
        if let count = StatusWords.processesAtWork(job) { word = "background ×\(count)" }
        if job.state == .running, job.record?.connection == .reconnecting { word = "reconnecting" }
        if state.action(following: job.id)?.isCancelling == true { word = "stopping" }
        if job.state == .cancelled, job.record?.limitReached != nil { word = "limit" }
        let isShown = state.log.job == job.id && state.mainContent == .log
        return [
            [Span(job.id.rawValue, isShown ? .accent : .plain, isShown ? .bold : [])],
            [Span("\(mark.glyph) \(word)", mark.role)],
            [Span(StatusWords.elapsed(job, now: state.now).map { TimeSpan.clock($0) } ?? "–", .muted)],
            [Span(Self.dollars(job, state).map { Format.dollars($0) } ?? "–", .money)],
            Self.life(job, state) ?? Self.command(job, state),
            [Span(job.instance.rawValue, .muted)],
        ]
    }

    /// Returns the command, behind a note if the results of a job that is over are still to come.
    private static func command(_ job: Job, _ state: State) -> [Span] {
        let command = [Span(job.command.shellText, .muted)]
        guard state.awaitsResults(of: job) else { return command }
        return [Span("⇣ not here ", .warning)] + command
    }

    /// Returns the progress of a job that trains, nil for others: `loss 0.037 ↘  14/60 ▰▰▱▱▱ 23 %  0:41 left
    /// $1.84 at the end`.
    private static func life(_ job: Job, _ state: State) -> [Span]? {
        guard !job.state.isOver, let report = state.training(of: job) else { return nil }
        var parts: [Span.Part] = []
        if let alarm = report.alarms.first {
            parts.append(.init(spans: [Span("✗ \(alarm.kind.rawValue)", .bad, .bold)], rank: 0))
        }
        if let loss = report.figures.mainLoss {
            let value = loss.last.isFinite ? Format.short(loss.last) : "nan"
            let spans = [
                Span("loss ", .muted), Span(value, loss.last.isFinite ? .plain : .bad),
                Span(" \(loss.arrow)", loss.arrow == "↗" ? .warning : .good),
            ]
            parts.append(.init(spans: spans, rank: 1))
        }
        if let progress = report.figures.progress {
            let whole = progress.whole
            let filled = Int(saturating: (whole.share * 5).rounded())
            let steps = "\(Format.compact(whole.done))/\(Format.compact(whole.total))"
            let bar = [
                Span(String(repeating: "▰", count: filled), .accent),
                Span(String(repeating: "▱", count: 5 - filled), .muted),
            ]
            parts += [
                .init(spans: [Span(steps, .muted)], rank: 5), .init(spans: bar, rank: 4, gap: 1),
                .init(spans: [Span("\(Int(saturating: whole.share * 100)) %")], rank: 2, gap: 1),
            ]
        }
        if let left = report.secondsLeft, left > 0 {
            parts.append(.init(spans: [Span("\(TimeSpan.countdown(left)) left")], rank: 3))
        }
        if let dollars = report.finishDollars {
            let spans = [Span(Format.dollars(dollars), .money), Span(" at the end", .muted)]
            parts.append(.init(spans: spans, rank: 6))
        }
        return parts.isEmpty ? nil : Span.parts(parts)
    }

    /// Returns the job's cost so far, if it is known or the job runs on an instance with a known price.
    static func dollars(_ job: Job, _ state: State) -> Double? {
        if let dollars = job.dollars { return dollars }
        guard !job.state.isOver, let instance = state.instances.row(job.instance),
            let elapsed = StatusWords.elapsed(job, now: state.now)
        else { return nil }
        return instance.price.cost(of: elapsed)
    }

    private static let emptyLines = ["No job has run yet.", "r on an instance: sync, run, results back."]
}
