import VPEngine

/// A prompt for a line of text in a box, with earlier lines.
enum PromptScreen {
    static func draw(_ prompt: Prompt, _ state: State, of buffer: inout CellBuffer) {
        let screen = buffer.bounds
        let shown = prompt.history.prefix(max(0, min(6, screen.height - 10)))
        let width = max(56, min(96, screen.width * 2 / 3))
        let help = Self.help(prompt, state).flatMap { Wrapping.rows(of: $0, width: width - 4) }
        let problem = prompt.problem.map { Wrapping.rows(of: $0, width: width - 4) }
        let height = 4 + help.count + (shown.isEmpty ? 0 : shown.count + 1) + (problem?.count ?? 0)
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(
            Size(width: width, height: height))
        let border = Style(.borderFocused, on: .dialog)
        buffer.fill(area, style: Style(.plain, on: .dialog))
        buffer.box(area, style: border)
        buffer.writeCut(
            " \(Self.title(prompt, state)) ", x: area.x + 2, y: area.y, style: border.adding(.bold),
            limit: area.width - 4)
        let mark = buffer.write(
            Self.mark(prompt), x: area.x + 2, y: area.y + 1, style: Style(.key, on: .dialog, .bold))
        drawField(
            prompt.field, x: area.x + 2 + mark, y: area.y + 1, width: area.width - 4 - mark, surface: .dialog,
            in: &buffer)
        var y = area.y + 2
        for line in problem ?? [] where y < area.maxY - 1 {
            buffer.writeCut(line, x: area.x + 2, y: y, style: Style(.bad, on: .dialog), limit: area.width - 4)
            y += 1
        }
        y += 1
        for line in help where y < area.maxY - 1 {
            buffer.writeCut(
                line, x: area.x + 2, y: y, style: Style(.muted, on: .dialog), limit: area.width - 4)
            y += 1
        }
        guard !shown.isEmpty else { return }
        y += 1
        for (index, entry) in shown.enumerated() where y < area.maxY - 1 {
            let isChosen = prompt.historyIndex == index
            let surface: Surface = isChosen ? .selected : .dialog
            if isChosen {
                buffer.fill(
                    Rect(x: area.x + 1, y: y, width: area.width - 2, height: 1),
                    style: Style(.plain, on: surface))
            }
            buffer.writeCut(
                "\(isChosen ? "▸" : "↑") \(entry)", x: area.x + 2, y: y,
                style: Style(isChosen ? .plain : .muted, on: surface), limit: area.width - 4)
            y += 1
        }
    }

    static func title(_ prompt: Prompt, _ state: State) -> String {
        switch prompt.kind {
        case .run(let ids) where ids.count == 1:
            let name = state.instances.row(ids[0])?.name
            return "Run on \(ids[0])" + (name.map { " · \($0)" } ?? "")
        case .run(let ids): return "Run on \(ids.count) instances"
        case .rename(let id): return "Name of \(id)"
        case .lease(let id): return "Lease of \(id)"
        case .forward(let id): return "Local port to \(id)"
        case .writeLog(let job): return "Write the log of \(job) to"
        case .goToTime: return "Go to the output of"
        case .offerQuery: return "Search for offers"
        case .filter, .search, .keepLines: return ""
        }
    }

    private static func mark(_ prompt: Prompt) -> String {
        if case .run = prompt.kind { "$ " } else { "" }
    }

    private static func leaseHelp(_ id: InstanceID, _ state: State) -> [String] {
        let lease = state.instances.row(id)?.lease
        let end = lease?.terms.ending == .stop ? "stopped" : "destroyed"
        let now = lease?.endsAt.map { "It is \(end) \(state.moment($0)) unless it is used" }
        return [
            "\(now ?? "It has no lease").", "A new lease from now on: 4h, 2d, 1h30m.",
            Self.renewal(lease, state),
            "The possible cost is shown before you confirm.",
        ]
    }

    /// Says what renews a lease, and until when.
    static func renewal(_ lease: Lease?, _ state: State) -> String {
        let cap = lease?.capEndsAt.map { ", until \(state.moment($0)) at most" } ?? ""
        return "A job, vp and an open dashboard renew it\(cap)."
    }

    private static func help(_ prompt: Prompt, _ state: State) -> [String] {
        switch prompt.kind {
        case .run:
            [
                "The project is uploaded first, and the results are downloaded after. The job survives a disconnect.",
                "With `--max-cost 2` before the command, the job ends at $2 and its results are downloaded.",
            ]
        case .offerQuery:
            [
                "4090 x2       two of that GPU; without a name, any",
                "<0.6  >24G    at most $0.60/h, 24 GB a GPU or more",
                "runpod        only that platform; or vast",
                "rel>0.98      reliability of 98 % or more",
                "in:US,CA      countries",
                "cuda>12  disk:80  spot",
            ]
        case .lease(let id): self.leaseHelp(id, state)
        case .rename: ["The new name is set on the platform as well."]
        case .forward: ["8888, or 9000:8888 for local port 9000. `close 8888` stops forwarding."]
        case .writeLog:
            [
                state.log.filter == nil
                    ? "Writes the whole log. A file that exists is not replaced."
                    : "Writes only the lines kept by the filter. A file that exists is not replaced."
            ]
        case .goToTime: ["12:30, or 12:30:15: the time at which the output arrived."]
        case .filter, .search, .keepLines: []
        }
    }
}
