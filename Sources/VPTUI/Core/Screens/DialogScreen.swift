import Foundation
import VPEngine

/// A question or an error in a box.
enum DialogScreen {
    static func draw(_ dialog: Dialog, _ state: State, of buffer: inout CellBuffer) {
        let (title, lines) = Self.content(dialog, state)
        let screen = buffer.bounds
        let labels = dialog.buttons.map { Self.label($0, dialog) }
        let buttonsWidth = labels.reduce(0) { $0 + DisplayWidth.of($1) + 4 } + 2 * (labels.count - 1)
        let longest = lines.map { $0.reduce(0) { $0 + DisplayWidth.of($1.text) } }.max() ?? 0
        let width = min(
            screen.width - 4, max(50, longest + 6, buttonsWidth + 8, DisplayWidth.of(title) + 8), 92)
        let wrapped = lines.flatMap { Self.wrapped($0, width: width - 6) }
        let height = min(screen.height - 2, wrapped.count + 6)
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(Size(width: width, height: height))
        let isDanger = if case .destroy = dialog.kind { true } else { dialog.buttons.count == 1 }
        let border = Style(isDanger ? .bad : .borderFocused, on: .dialog)
        buffer.fill(area, style: Style(.plain, on: .dialog))
        buffer.box(area, style: border)
        buffer.writeCut(
            " \(title) ", x: area.x + 2, y: area.y, style: border.adding(.bold), limit: area.width - 4)
        var y = area.y + 2
        for line in wrapped where y < area.maxY - 3 {
            var x = area.x + 3
            for span in line {
                x += buffer.writeCut(
                    span.text, x: x, y: y, style: span.style.on(.dialog), limit: area.maxX - 2 - x)
            }
            y += 1
        }
        var x = area.x + max(2, (area.width - buttonsWidth) / 2)
        for (index, label) in labels.enumerated() {
            let isFocused = index == dialog.focusedButton
            let loses = dialog.buttons[index].losesSomething && isDanger
            let surface: Surface = isFocused ? (loses ? .buttonDanger : .buttonFocused) : .button
            let text = isFocused ? "▸ \(label) " : "  \(label)  "
            x += buffer.write(
                text, x: x, y: area.maxY - 3, style: Style(.plain, on: surface), limit: area.maxX - 1 - x)
            if isFocused {
                x += buffer.write(" ", x: x, y: area.maxY - 3, style: Style(.plain, on: surface))
            }
            x += 2
        }
        let hint = dialog.note ?? Self.hint(dialog)
        let hintStyle = Style(dialog.note == nil ? .muted : .warning, on: .dialog)
        let hintWidth = min(area.width - 4, DisplayWidth.of(hint))
        buffer.writeCut(
            hint, x: area.x + (area.width - hintWidth) / 2, y: area.maxY - 2, style: hintStyle,
            limit: area.width - 4)
    }

    private static func label(_ button: Dialog.Button, _ dialog: Dialog) -> String {
        switch (dialog.kind, button) {
        case (.error, _): "Close"
        case (.quit, .cancel): "Stay"
        case (.cancelJob, .cancel), (.cancelAction, .cancel): "Go on"
        case (_, .cancel): "Cancel"
        case (.create, _): "Rent it"
        case (.destroy, .discard): "Destroy, discard results"
        case (.destroy, _): "Destroy"
        case (.stop, _): "Stop it"
        case (.start, _): "Start it"
        case (.cancelJob, _): "Stop the job"
        case (.cancelAction, _): "Cancel it"
        case (.quit, _): "Quit"
        }
    }

    private static func hint(_ dialog: Dialog) -> String {
        switch dialog.kind {
        case .error: "Enter or Esc closes"
        case .destroy: "Tab to a button, then y · Esc cancels"
        default: "y confirms · Tab to a button · Esc cancels"
        }
    }

    private static func content(_ dialog: Dialog, _ state: State) -> (String, [[Span]]) {
        switch dialog.kind {
        case .create(let offer, let request): Self.create(offer, request, state)
        case .destroy(let id, let report): Self.destroy(id, report, state)
        case .stop(let id): Self.stop(id, state)
        case .start(let id): Self.start(id, state)
        case .cancelAction(let id): Self.cancelAction(id, state)
        case .cancelJob(let job, _):
            (
                "Stop \(job)",
                [
                    [Span("The command and all its children get TERM, then KILL.")],
                    [Span("What it has written so far stays on the instance; d brings it here.", .muted)],
                ]
            )
        case .quit: Self.quit(state)
        case .error(let words):
            (
                words.title,
                (words.detail.map { [[Span($0)], []] } ?? []) + [[Span("→ ", .accent), Span(words.advice)]]
            )
        }
    }

    private static func create(_ offer: Offer, _ request: CreateRequest, _ state: State) -> (String, [[Span]])
    {
        let gpu = InstancesScreen.gpu(offer.gpuName, offer.gpuCount)
        var lines: [[Span]] = [
            [
                Span(gpu, .accent, .bold), Span("  \(Format.memory(offer.gpuMemoryBytes)) each"),
                Span(offer.location.map { " · \($0)" } ?? "", .muted),
            ],
            [
                Span(Format.hourly(offer.price), .money, .bold),
                Span(
                    "  ·  \(Format.dollars(offer.price.dollarsPerDay)) a day, from now until it is destroyed"),
            ],
            [
                Span("image ", .muted), Span(request.image ?? state.settings.defaults.image),
            ],
            [Span("disk ", .muted), Span(Format.bytes(request.query.diskBytes))],
        ]
        if let balance = state.balances.first(where: { $0.platform == offer.platform }) {
            let rate = offer.price.dollarsPerHour
            let hours = rate > 0 ? balance.dollars / rate : 0
            lines.append([
                Span("balance ", .muted), Span(Format.dollars(balance.dollars), .money),
                Span(
                    rate > 0 ? ", enough for \(Format.fixed(hours, 0)) h of it" : "",
                    hours < 1 ? .bad : .muted),
            ])
        }
        if offer.isInterruptible { lines.append([Span("Spot: the platform may take it away.", .warning)]) }
        return ("Rent from \(offer.platform.displayName)", lines)
    }

    private static func destroy(
        _ id: InstanceID, _ report: Dialog.UnsafeReport, _ state: State
    ) -> (String, [[Span]]) {
        guard let instance = state.instances.row(id) else { return ("Destroy \(id)", []) }
        var facts =
            "\(InstancesScreen.gpu(instance.gpuName, instance.gpuCount)) · \(instance.status.rawValue)"
        if let created = instance.createdAt {
            let age = max(0, state.now.timeIntervalSince(created))
            facts += " · rented \(age < 60 ? "<1m" : Format.age(age)) ago"
            facts += " · about \(Format.dollars(instance.price.cost(of: (age / 60).rounded(.down) * 60)))"
        }
        var lines: [[Span]] = [[Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(facts)")], []]
        let running = state.jobs.rows.filter { $0.instance == id && !$0.state.isOver }
        for job in running.prefix(3) {
            lines.append([Span("● \(job.id) is still running and will be ended.", .warning, .bold)])
        }
        switch report {
        case .asking: lines.append([Span("Comparing its files with the ones here…", .muted)])
        case .known(let results) where results.isSafe:
            lines.append([Span("✓ Every result is here.", .good)])
        case .known(let results):
            lines.append([
                Span(
                    "⚠ Not here yet: \(Format.plural(results.files, "file")), \(Format.bytes(results.bytes))",
                    .bad,
                    .bold)
            ])
            for name in results.examples.prefix(4) { lines.append([Span("    \(name)", .muted)]) }
            if results.files > 4, results.examples.count > 4 { lines.append([Span("    …", .muted)]) }
            lines.append([
                Span("Destroy brings them first, and does nothing where that fails.")
            ])
            lines.append([Span("Discard gives them up.", .muted)])
        case .unknown(let error):
            lines.append([Span("⚠ Its files cannot be compared: \(ErrorWords(error).title)", .bad)])
            lines.append([Span("Destroy brings results first, and does nothing where that fails.")])
        }
        return ("Destroy \(id.platform.displayName) \(id)", lines)
    }

    private static func stop(_ id: InstanceID, _ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        if let instance = state.instances.row(id) {
            lines.append([Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(instance.gpuName)")])
            let disk = instance.diskBytes.map { "Its disk of \(Format.bytes($0))" } ?? "Its disk"
            lines.append([Span("\(disk) goes on costing money every day until it is destroyed.", .warning)])
        }
        lines.append([Span("The GPU goes back to the market and may be taken when you start again.")])
        for job in state.jobs.rows.filter({ $0.instance == id && !$0.state.isOver }).prefix(3) {
            lines.append([Span("● \(job.id) is still running and will be ended.", .warning, .bold)])
        }
        return ("Stop \(id)", lines)
    }

    private static func start(_ id: InstanceID, _ state: State) -> (String, [[Span]]) {
        guard let instance = state.instances.row(id) else { return ("Start \(id)", []) }
        return (
            "Start \(id)",
            [
                [Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(instance.gpuName)")],
                [
                    Span(
                        "It costs its full price again from now on; stopped, it costs \(Format.hourly(instance.price))."
                    )
                ],
                [Span("Where the GPU has been taken, it stays stopped and that is said.", .muted)],
            ]
        )
    }

    private static func cancelAction(_ id: ActionID, _ state: State) -> (String, [[Span]]) {
        guard let record = state.actions.first(where: { $0.id == id }) else { return ("Cancel", []) }
        var lines: [[Span]] = [
            [
                Span("\(StatusWords.glyph(record.action)) \(record.action.verb) ", .accent),
                Span(ActionsStrip.subject(record, state)),
            ]
        ]
        switch record.action {
        case .sync, .download:
            lines.append([Span("What has arrived stays; the next one resumes there.", .muted)])
        case .create:
            lines.append([Span("An instance that was rented meanwhile is destroyed again.", .muted)])
        default: break
        }
        return ("Cancel the \(record.action.verb)", lines)
    }

    private static func quit(_ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for record in state.activeActions.prefix(5) {
            let word =
                switch record.action {
                case .run, .attach: "goes on without the dashboard"
                default: "is cut off"
                }
            lines.append([
                Span("\(StatusWords.glyph(record.action)) \(record.action.verb) ", .accent),
                Span(ActionsStrip.subject(record, state)), Span("  \(word)", .muted),
            ])
        }
        for pending in state.pendingDestroys {
            lines.append([Span("✗ destroy \(pending.instance)", .bad), Span("  does not happen", .muted)])
        }
        lines.append([])
        lines.append([Span("Jobs on instances go on; `vp attach` or the dashboard finds them again.")])
        lines.append([Span("Instances stay and cost money until they are destroyed.", .warning)])
        return ("Quit while something is going on", lines)
    }

    /// Breaks a line of one long span at spaces; lines of several spans are short by construction.
    private static func wrapped(_ line: [Span], width: Int) -> [[Span]] {
        let total = line.reduce(0) { $0 + DisplayWidth.of($1.text) }
        guard total > width, let last = line.last else { return [line] }
        let head = Array(line.dropLast())
        let headWidth = head.reduce(0) { $0 + DisplayWidth.of($1.text) }
        var rows: [[Span]] = []
        var current = ""
        var room = max(8, width - headWidth)
        for word in last.text.split(separator: " ", omittingEmptySubsequences: false) {
            let candidate = current.isEmpty ? String(word) : current + " " + word
            if DisplayWidth.of(candidate) > room, !current.isEmpty {
                var row = rows.isEmpty ? head : []
                row.append(Span(current, last.style.role, last.style.attributes))
                rows.append(row)
                room = max(8, width)
                current = String(word)
            } else {
                current = candidate
            }
        }
        rows.append((rows.isEmpty ? head : []) + [Span(current, last.style.role, last.style.attributes)])
        return rows
    }
}
