import VPEngine

/// A line of text asked for in a box, with what was typed before.
enum PromptScreen {
    static func draw(_ prompt: Prompt, _ state: State, of buffer: inout CellBuffer) {
        let screen = buffer.bounds
        let shown = prompt.history.prefix(max(0, min(6, screen.height - 10)))
        let help = Self.help(prompt, state)
        let height = 4 + help.count + (shown.isEmpty ? 0 : shown.count + 1) + (prompt.problem == nil ? 0 : 1)
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(
            Size(width: max(56, min(96, screen.width * 2 / 3)), height: height))
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
        if let problem = prompt.problem {
            buffer.writeCut(
                problem, x: area.x + 2, y: y, style: Style(.bad, on: .dialog), limit: area.width - 4)
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
        case .forward(let id): return "Local port to \(id)"
        case .writeLog(let job): return "Write the log of \(job) to"
        case .goToTime: return "Go to what came at"
        case .offerQuery: return "Offers: what is wanted"
        case .filter, .search, .keepLines: return ""
        }
    }

    private static func mark(_ prompt: Prompt) -> String {
        if case .run = prompt.kind { "$ " } else { "" }
    }

    private static func help(_ prompt: Prompt, _ state: State) -> [String] {
        switch prompt.kind {
        case .run:
            [
                "Sends the project first, brings the results back after. The job survives a disconnect.",
                "`--max-cost 2` before it ends the job at $2, and brings its results.",
            ]
        case .offerQuery:
            [
                "4090 x2        GPU and how many of them",
                "<0.6  >24G     at most $0.60 an hour, at least 24 GB a GPU",
                "rel>0.98 in:US,CA cuda>12 disk:80 spot",
            ]
        case .rename: ["The platform is told as well."]
        case .forward: ["8888, or 9000:8888 for another port here. `close 8888` ends it."]
        case .writeLog:
            [
                state.log.filter == nil
                    ? "The whole log, as it came. A file that exists is not replaced."
                    : "Only the lines that are kept. A file that exists is not replaced."
            ]
        case .goToTime: ["12:30, or 12:30:15: what the dashboard saw arrive."]
        case .filter, .search, .keepLines: []
        }
    }
}
