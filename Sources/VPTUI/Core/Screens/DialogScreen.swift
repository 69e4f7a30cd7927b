import Foundation
import VPEngine

/// A question or an error in a box.
enum DialogScreen {
    private struct Placement {
        var title: String
        var lines: [[Span]]
        var area: Rect
        /// Where each button begins and how wide it is.
        var buttons: [(label: String, x: Int, width: Int)]
    }

    private static func placement(_ dialog: Dialog, _ state: State) -> Placement {
        let (title, lines) = Self.content(dialog, state)
        let screen = Rect(state.size)
        let labels = dialog.buttons.map { Self.label($0, dialog) }
        let buttonsWidth = labels.reduce(0) { $0 + DisplayWidth.of($1) + 4 } + 2 * (labels.count - 1)
        let longest = lines.map { $0.reduce(0) { $0 + DisplayWidth.of($1.text) } }.max() ?? 0
        let width = min(
            screen.width - 4, max(50, longest + 6, buttonsWidth + 8, DisplayWidth.of(title) + 8), 92)
        let wrapped = Self.fitted(
            lines.flatMap { Self.wrapped($0, width: width - 6) }, height: screen.height - 8)
        let height = min(screen.height - 2, wrapped.count + 6)
        let area = screen.dropFirst(rows: 1).dropLast(rows: 1).centred(Size(width: width, height: height))
        var x = area.x + max(2, (area.width - buttonsWidth) / 2)
        let buttons = labels.map { label in
            let width = DisplayWidth.of(label) + 4
            defer { x += width + 2 }
            return (label: label, x: x, width: width)
        }
        return Placement(title: title, lines: wrapped, area: area, buttons: buttons)
    }

    /// Its sentences and its buttons, for lines in place of a screen.
    static func plain(_ dialog: Dialog, _ state: State) -> (title: String, lines: [String], buttons: [String])
    {
        let (title, lines) = Self.content(dialog, state)
        return (
            title, lines.map { $0.map(\.text).joined() }.filter { !$0.isEmpty },
            dialog.buttons.map { Self.label($0, dialog) }
        )
    }

    /// The button that is drawn at `point`.
    static func button(at point: Point, _ dialog: Dialog, _ state: State) -> Int? {
        let placement = Self.placement(dialog, state)
        guard point.y == placement.area.maxY - 3 else { return nil }
        return placement.buttons.firstIndex { point.x >= $0.x && point.x < $0.x + $0.width }
    }

    static func draw(_ dialog: Dialog, _ state: State, of buffer: inout CellBuffer) {
        let placement = Self.placement(dialog, state)
        let area = placement.area
        let isDanger = if case .destroy = dialog.kind { true } else { dialog.buttons.count == 1 }
        let border = Style(isDanger ? .bad : .borderFocused, on: .dialog)
        buffer.fill(area, style: Style(.plain, on: .dialog))
        buffer.box(area, style: border)
        buffer.writeCut(
            " \(placement.title) ", x: area.x + 2, y: area.y, style: border.adding(.bold),
            limit: area.width - 4)
        var y = area.y + 2
        for line in placement.lines where y < area.maxY - 3 {
            var x = area.x + 3
            for span in line {
                x += buffer.writeCut(
                    span.text, x: x, y: y, style: span.style.on(.dialog), limit: area.maxX - 2 - x)
            }
            y += 1
        }
        for (index, button) in placement.buttons.enumerated() {
            let isFocused = index == dialog.focusedButton
            let loses = dialog.buttons[index].losesSomething && isDanger
            let surface: Surface = isFocused ? (loses ? .buttonDanger : .buttonFocused) : .button
            let text = isFocused ? "▸ \(button.label)  " : "  \(button.label)  "
            buffer.write(
                text, x: button.x, y: area.maxY - 3, style: Style(.plain, on: surface),
                limit: area.maxX - 1 - button.x)
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
        case (.cancelJobs, .cancel), (.cancelAction, .cancel): "Go on"
        case (_, .cancel): "Cancel"
        case (.create, _): "Rent it"
        case (.destroy, .discard): "Destroy, discard results"
        case (.destroy(let ids, _), _): ids.count == 1 ? "Destroy" : "Destroy \(ids.count)"
        case (.stop(let ids), _): ids.count == 1 ? "Stop it" : "Stop \(ids.count)"
        case (.start(let ids), _): ids.count == 1 ? "Start it" : "Start \(ids.count)"
        case (.conflicts, _): "Send the rest"
        case (.cancelJobs(let targets), _): targets.count == 1 ? "Stop the job" : "Stop \(targets.count) jobs"
        case (.runAgain(let jobs), _): jobs.count == 1 ? "Run it again" : "Run \(jobs.count) again"
        case (.cancelAction, _): "Cancel it"
        case (.extendLease, _): "Give it that lease"
        case (.quit, _): "Quit"
        }
    }

    private static func hint(_ dialog: Dialog) -> String {
        switch dialog.kind {
        case .error: "Enter or Esc closes"
        case .destroy: "Tab to a button, then y · Esc cancels"
        case .create, .stop, .start, .cancelJobs, .runAgain, .cancelAction, .conflicts, .extendLease, .quit:
            "y confirms · Tab to a button · Esc cancels"
        }
    }

    private static func content(_ dialog: Dialog, _ state: State) -> (String, [[Span]]) {
        switch dialog.kind {
        case .create(let offer, let request): Self.create(offer, request, state)
        case .destroy(let ids, let reports) where ids.count == 1:
            Self.destroy(ids[0], reports[ids[0]] ?? .asking, state)
        case .destroy(let ids, let reports): Self.destroy(ids, reports, state)
        case .stop(let ids): Self.stop(ids, state)
        case .start(let ids): Self.start(ids, state)
        case .conflicts(_, let paths): Self.conflicts(paths)
        case .cancelAction(let id): Self.cancelAction(id, state)
        case .extendLease(let id, let seconds): Self.extendLease(id, seconds, state)
        case .cancelJobs(let targets):
            (
                targets.count == 1 ? "Stop \(targets[0].job)" : "Stop \(targets.count) jobs",
                (targets.count == 1 ? [] : targets.prefix(8).map { [Span("● \($0.job) on \($0.instance)")] })
                    + [
                        [Span("The command and all its children get TERM, then KILL.")],
                        [Span("What it has written so far stays on the instance; d brings it here.", .muted)],
                    ]
            )
        case .runAgain(let jobs):
            (
                jobs.count == 1 ? "Run \(jobs[0].id) again" : "Run \(jobs.count) jobs again",
                jobs.prefix(8).map {
                    [Span("● \($0.instance)  ", .accent), Span(String($0.command.shellText.prefix(200)))]
                } + [
                    [],
                    [
                        Span(
                            "The project is synced first; what the command writes there is overwritten.",
                            .muted)
                    ],
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
        if let limit = request.query.maximumPrice ?? state.settings.defaults.maximumPrice {
            let isTyped = limit != state.settings.defaults.maximumPrice
            lines.append([
                Span("limit ", .muted), Span(Format.hourly(limit), .money),
                Span(isTyped ? ", as the query says" : ", as the settings say", .muted),
            ])
        }
        if let balance = state.money.balances.first(where: { $0.platform == offer.platform }) {
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
            lines.append([
                Span("● \(job.wordsWhileOpen(at: state.now)), will be ended with it.", .warning, .bold)
            ])
        }
        switch report {
        case .asking: lines.append([Span("Comparing its files with the ones here…", .muted)])
        case .known(let results) where results.isSafe:
            // A job goes on making results while the question is on screen.
            let words = running.isEmpty ? "is here." : "so far is here; Destroy looks once more."
            lines.append([Span("✓ Every result \(words)", .good)])
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

    /// Several at once: a line for each.
    private static func destroy(
        _ ids: [InstanceID], _ reports: [InstanceID: Dialog.UnsafeReport], _ state: State
    ) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for id in ids.prefix(10) {
            let instance = state.instances.row(id)
            var line = [
                Span(id.rawValue, .accent, .bold),
                Span("  \(instance?.name ?? "") \(instance?.gpuName ?? "")  ", .muted),
            ]
            switch reports[id] ?? .asking {
            case .asking: line.append(Span("comparing…", .muted))
            case .known(let results) where results.isSafe: line.append(Span("✓ every result is here", .good))
            case .known(let results):
                line.append(
                    Span(
                        "⚠ \(Format.plural(results.files, "file")), \(Format.bytes(results.bytes)) not here",
                        .bad, .bold))
            case .unknown(let error): line.append(Span("⚠ \(ErrorWords(error).title)", .bad))
            }
            lines.append(line)
            for job in state.jobs.rows.filter({ $0.instance == id && !$0.state.isOver }).prefix(1) {
                lines.append([
                    Span(
                        "    ● \(job.wordsWhileOpen(at: state.now)), will be ended with it.", .warning, .bold)
                ])
            }
        }
        if ids.count > 10 { lines.append([Span("… and \(ids.count - 10) more", .muted)]) }
        lines += [[], [Span("Destroy brings results first, and leaves alone where that fails.")]]
        lines.append([Span("Discard gives them up.", .muted)])
        return ("Destroy \(ids.count) instances", lines)
    }

    private static func conflicts(_ paths: [String]) -> (String, [[Span]]) {
        var lines: [[Span]] = [
            [Span("Changed here and on the instance since they last agreed:", .warning, .bold)]
        ]
        lines += paths.prefix(8).map { [Span("    \($0)")] }
        if paths.count > 8 { lines.append([Span("    … and \(paths.count - 8) more", .muted)]) }
        lines += [[], [Span("These are not sent and not overwritten; the rest is. F shows the whole plan.")]]
        return ("\(Format.plural(paths.count, "file")) changed on both sides", lines)
    }

    private static func stop(_ ids: [InstanceID], _ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for instance in ids.prefix(6).compactMap({ state.instances.row($0) }) {
            let disk = instance.diskBytes.map { "its disk of \(Format.bytes($0))" } ?? "its disk"
            lines.append([
                Span(instance.name ?? instance.id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "),
                Span("\(disk) goes on costing money", .warning),
            ])
        }
        if ids.count > 6 { lines.append([Span("… and \(ids.count - 6) more", .muted)]) }
        lines.append([
            Span("Stopping is not free: disks cost money every day until they are destroyed.", .warning)
        ])
        lines.append([Span("The GPU goes back to the market and may be taken when you start again.")])
        for job in state.jobs.rows.filter({ ids.contains($0.instance) && !$0.state.isOver }).prefix(3) {
            lines.append([
                Span("● \(job.wordsWhileOpen(at: state.now)), will be ended with it.", .warning, .bold)
            ])
        }
        return (ids.count == 1 ? "Stop \(ids[0])" : "Stop \(ids.count) instances", lines)
    }

    private static func start(_ ids: [InstanceID], _ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = ids.prefix(6).compactMap { state.instances.row($0) }.map { instance in
            [
                Span(instance.name ?? instance.id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "),
                Span("stopped, it costs \(Format.hourly(instance.price))", .muted),
            ]
        }
        lines.append([Span("It costs its full price again from now on.")])
        lines.append([Span("Where the GPU has been taken, it stays stopped and that is said.", .muted)])
        return (ids.count == 1 ? "Start \(ids[0])" : "Start \(ids.count) instances", lines)
    }

    private static func extendLease(
        _ id: InstanceID, _ seconds: Double, _ state: State
    ) -> (String, [[Span]]) {
        guard let instance = state.instances.row(id) else { return ("Extend the lease of \(id)", []) }
        let ends: Span
        if let end = instance.leaseEndsAt {
            let left = end.timeIntervalSince(state.now)
            ends =
                left > 0
                ? Span("its lease ends in \(Format.age(left))", .warning)
                : Span("its lease has run out", .bad)
        } else {
            ends = Span("it has no lease: it runs until you end it", .bad)
        }
        var lines: [[Span]] = [
            [Span(instance.name ?? id.rawValue, .accent, .bold), Span("  \(instance.gpuName)  "), ends],
            [],
            [
                Span("\(Format.age(seconds)) from now on: "),
                Span("\(Format.dollars(instance.price.cost(of: seconds))) at most", .money, .bold),
                Span(", at \(Format.hourly(instance.price)).", .muted),
            ],
            [Span("A running job and this dashboard renew it, up to its hard limit.", .muted)],
        ]
        if let weakness = instance.lease?.weakness {
            lines.append([Span("It cannot end itself now: \(weakness). That is tried again.", .warning)])
        }
        return ("Extend the lease of \(id)", lines)
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
        case .run, .start, .stop, .destroy, .cancel, .attach: break
        }
        return ("Cancel the \(record.action.verb)", lines)
    }

    private static func quit(_ state: State) -> (String, [[Span]]) {
        var lines: [[Span]] = []
        for record in state.activeActions.prefix(5) {
            let word =
                switch record.action {
                case .run, .attach, .destroy: "goes on without the dashboard"
                case .create, .sync, .download, .start, .stop, .cancel: "is cut off"
                }
            lines.append([
                Span("\(StatusWords.glyph(record.action)) \(record.action.verb) ", .accent),
                Span(ActionsStrip.subject(record, state)), Span("  \(word)", .muted),
            ])
        }
        for pending in state.pendingDestroys {
            lines.append([
                Span("◇ destroy \(pending.instance)", .bad), Span("  goes on without the dashboard", .muted),
            ])
        }
        if lines.isEmpty { lines.append([Span("✓ All of it has ended meanwhile.", .good)]) }
        lines.append([])
        lines.append([Span("Jobs on instances go on; `vp attach` or the dashboard finds them again.")])
        lines.append([Span("Instances stay and cost money until they are destroyed.", .warning)])
        return ("Quit while something is going on", lines)
    }

    /// On a low screen blank lines go first, then what stands in the middle: the question and the last sentences,
    /// which say what will happen, stay.
    private static func fitted(_ lines: [[Span]], height: Int) -> [[Span]] {
        guard lines.count > height, height > 0 else { return lines }
        let full = lines.filter { !$0.isEmpty }
        guard full.count > height else { return full }
        let tail = height / 2
        return full.prefix(height - tail - 1) + [[Span("…", .muted)]] + full.suffix(tail)
    }

    /// Breaks a line of one long span at spaces; lines of several spans are short by construction.
    static func wrapped(_ line: [Span], width: Int) -> [[Span]] {
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
