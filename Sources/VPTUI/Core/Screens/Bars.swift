import Foundation
import VPEngine

/// The top line: what is being spent, what is left, what is wrong, the time.
enum BurnLine {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard !area.isEmpty else { return }
        buffer.fill(area, style: Style(.plain, on: .bar))
        let right = Self.right(state)
        let rightWidth = right.reduce(0) { $0 + DisplayWidth.of($1.text) }
        var x = area.x + 1
        let end = area.maxX - rightWidth - 2
        for (index, part) in Self.parts(state).enumerated() {
            let text = (index == 0 ? "" : " · ") + part.map(\.text).joined()
            // A part that does not fit is left out whole: half a figure is a wrong figure.
            guard x + DisplayWidth.of(text) <= end else { break }
            if index > 0 { x += buffer.write(" · ", x: x, y: area.y, style: Style(.muted, on: .bar)) }
            for span in part { x += buffer.write(span.text, x: x, y: area.y, style: span.style.on(.bar)) }
        }
        var rightX = max(area.x, area.maxX - rightWidth - 1)
        for span in right {
            rightX += buffer.write(span.text, x: rightX, y: area.y, style: span.style.on(.bar))
        }
    }

    private static func parts(_ state: State) -> [[Span]] {
        let run = state.runningPrice
        let parked = state.parkedDollarsPerDay
        var parts: [[Span]] = [
            [
                Span("run ", .muted),
                Span(
                    "$" + Format.fixed(run.dollarsPerHour, 2) + "/h",
                    run.dollarsPerHour > 0 ? .money : .muted,
                    run.dollarsPerHour > 0 ? .bold : []),
            ],
            [
                Span("parked ", .muted),
                Span("$" + Format.fixed(parked, 2) + "/day", parked > 0 ? .warning : .muted),
            ],
        ]
        if !state.balances.isEmpty {
            let sum = state.balances.reduce(0) { $0 + $1.dollars }
            parts.append([Span("balance ", .muted), Span(Format.dollars(sum), sum < 1 ? .bad : .money)])
        }
        if let hours = state.hoursLeft {
            let text =
                hours < 1
                ? "\(Int(hours * 60)) min" : hours < 500 ? "\(Int(hours)) h" : "\(Int(hours / 24)) days"
            parts.append([Span("\(text) left", hours < 3 ? .bad : hours < 12 ? .warning : .plain)])
        }
        return parts
    }

    private static func right(_ state: State) -> [Span] {
        var spans: [Span] = []
        if state.settings.isReadOnly { spans.append(Span("read-only  ", .warning)) }
        let alarms = state.alarms
        if let worst = alarms.first {
            let room = state.size.width - 76
            let text = room > 20 ? String(worst.prefix(room)) : Format.plural(alarms.count, "alarm")
            spans.append(Span("⚠ \(text)  ", .bad, .bold))
            if alarms.count > 1, room > 20 { spans.append(Span("+\(alarms.count - 1)  ", .bad)) }
        }
        spans.append(Span(Format.timeOfDay(state.now, offset: state.settings.secondsFromGMT)))
        return spans
    }
}

/// The bottom line: the keys of what has the focus, or the text being typed.
enum HintBar {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard !area.isEmpty else { return }
        buffer.fill(area, style: Style(.plain, on: .bar))
        if case .prompt(let prompt) = state.overlay, prompt.isInline {
            let count = Self.count(prompt, state)
            let x =
                area.x + 1 + buffer.write("/", x: area.x + 1, y: area.y, style: Style(.key, on: .bar, .bold))
            drawField(
                prompt.field, x: x, y: area.y, width: area.width - 4 - count.count, surface: .bar, in: &buffer
            )
            buffer.write(
                count, x: area.maxX - 1 - count.count, y: area.y, style: Style(.muted, on: .bar))
            return
        }
        // Help and the way out are always there, whatever else fits.
        let fixed = Self.fixedHints(state)
        let fixedWidth = fixed.reduce(0) { $0 + Self.width($1) + 2 }
        let end = Self.draw(
            Self.hints(state), x: area.x + 1, end: area.maxX - 1 - fixedWidth, y: area.y, &buffer)
        Self.draw(fixed, x: max(end, area.maxX - 1 - fixedWidth + 2), end: area.maxX - 1, y: area.y, &buffer)
    }

    private typealias Hint = (key: String, word: String)

    private static func width(_ hint: Hint) -> Int {
        DisplayWidth.of(hint.key) + 1 + DisplayWidth.of(hint.word)
    }

    @discardableResult
    private static func draw(_ hints: [Hint], x: Int, end: Int, y: Int, _ buffer: inout CellBuffer) -> Int {
        var x = x
        for hint in hints {
            guard x + Self.width(hint) <= end else { break }
            x += buffer.write(hint.key, x: x, y: y, style: Style(.key, on: .bar, .bold))
            x += 1 + buffer.write(hint.word, x: x + 1, y: y, style: Style(.plain, on: .bar))
            x += 2
        }
        return x
    }

    private static func fixedHints(_ state: State) -> [Hint] {
        guard state.overlay == nil else { return [] }
        return state.keyMap.bindings(in: .everywhere).compactMap { binding in
            guard let hint = binding.hint, let key = binding.keys.first else { return nil }
            return (key.name, hint)
        }
    }

    private static func hints(_ state: State) -> [Hint] {
        switch state.overlay {
        case .dialog(let dialog):
            if case .error = dialog.kind { return [("Enter", "close")] }
            return [("Tab", "next button"), ("y", "confirm"), ("Esc", "cancel")]
        case .prompt: return [("Enter", "go"), ("↑", "history"), ("Esc", "cancel")]
        case .help: return [("j k", "scroll"), ("Esc", "close")]
        case nil: break
        }
        var hints: [Hint] = []
        if !state.pendingDestroys.isEmpty { hints.append(("z", "undo destroy")) }
        for context in KeyMap.contexts(of: state.focus) where context != .everywhere {
            for binding in state.keyMap.bindings(in: context) {
                guard let hint = binding.hint, let key = binding.keys.first else { continue }
                if state.settings.isReadOnly, binding.command.changesSomething { continue }
                hints.append((key.name, hint))
            }
        }
        return hints
    }

    private static func count(_ prompt: Prompt, _ state: State) -> String {
        guard case .filter(let pane) = prompt.kind else { return "" }
        switch pane {
        case .instances: return "\(state.instances.shown.count) of \(state.instances.rows.count)"
        case .offers: return "\(state.offers.shown.count) of \(state.offers.rows.count)"
        case .jobs: return "\(state.jobs.shown.count) of \(state.jobs.rows.count)"
        case .main: return ""
        }
    }
}

/// Draws the part of a text field around its cursor, and puts the terminal's cursor there.
func drawField(
    _ field: TextField, x: Int, y: Int, width: Int, surface: Surface, in buffer: inout CellBuffer
) {
    guard width > 1 else { return }
    var head = field.text.prefix(field.cursor)
    var shift = 0
    while DisplayWidth.of(head) > width - 1, !head.isEmpty {
        head = head.dropFirst()
        shift += 1
    }
    buffer.write(field.text.dropFirst(shift), x: x, y: y, style: Style(.plain, on: surface), limit: width)
    buffer.cursor = Point(x: x + DisplayWidth.of(head), y: y)
}

/// One row for each action that runs, waits or has just ended, and for each destroy that counts down.
enum ActionsStrip {
    static func rowCount(_ state: State) -> Int { state.pendingDestroys.count + Self.records(state).count }

    /// What runs comes before what has ended. Only looking at a job is no work worth a row.
    private static func records(_ state: State) -> [ActionRecord] {
        let shown = state.actions.filter { if case .attach = $0.action { false } else { true } }
        return shown.filter(\.isActive) + shown.filter { !$0.isActive }
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        var y = area.y
        for pending in state.pendingDestroys where y < area.maxY {
            let left = max(0, pending.due.timeIntervalSince(state.now))
            let x =
                area.x + 1
                + buffer.write(
                    "✗ destroy \(pending.instance) in \(Int(left.rounded(.up))) s ", x: area.x + 1, y: y,
                    style: Style(.bad, on: .base, .bold))
            let rest = buffer.write("z", x: x + 1, y: y, style: Style(.key, on: .base, .bold))
            buffer.write("takes it back", x: x + rest + 2, y: y, style: Style(.muted))
            y += 1
        }
        for record in Self.records(state).prefix(max(0, area.maxY - y)) {
            Self.draw(record, state, Rect(x: area.x, y: y, width: area.width, height: 1), &buffer)
            y += 1
        }
    }

    private static func draw(_ record: ActionRecord, _ state: State, _ area: Rect, _ buffer: inout CellBuffer)
    {
        let tone = Self.tone(record)
        var x = area.x + 1
        let end = area.maxX - 1
        func put(_ text: String, _ role: Role, _ attributes: TextAttributes = [], _ b: inout CellBuffer) {
            x += b.writeCut(text, x: x, y: area.y, style: Style(role, on: .base, attributes), limit: end - x)
        }
        put("\(StatusWords.glyph(record.action)) \(record.action.verb) ", tone, .bold, &buffer)
        put(Self.subject(record, state) + "  ", .plain, [], &buffer)
        put(Self.words(record) + " ", tone, [], &buffer)
        if record.isActive, let transfer = record.progress?.transfer {
            if let fraction = transfer.fraction {
                let width = max(8, min(30, area.width / 6))
                if end - x > width + 24 {
                    drawBar(fraction, x: x, y: area.y, width: width, surface: .base, in: &buffer)
                    x += width
                }
                put(" \(Int(fraction * 100))%", .plain, .bold, &buffer)
            }
            put(
                " \(Format.bytes(transfer.bytes)) of \(Format.bytes(transfer.totalBytes))", .muted, [],
                &buffer)
            if let rate = transfer.bytesPerSecond {
                put(" · \(Format.bytes(Int64(rate)))/s", .muted, [], &buffer)
            }
            if let left = transfer.secondsLeft {
                put(" · \(Format.countdown(left)) left", .muted, [], &buffer)
            }
        }
        if record.isActive, let detail = record.progress?.detail, !detail.isEmpty {
            put(" \(detail)", .muted, [], &buffer)
        }
        if record.isActive, record.phase == .running, record.progress?.transfer == nil {
            put("  \(Format.clock(state.now.timeIntervalSince(record.startedAt)))", .muted, [], &buffer)
        }
    }

    private static func tone(_ record: ActionRecord) -> Role {
        switch record.phase {
        case .queued: .muted
        case .running: record.isCancelling ? .warning : .accent
        case .ended(.succeeded, _): .good
        case .ended(.failed, _): .bad
        case .ended(.cancelled, _): .warning
        }
    }

    static func subject(_ record: ActionRecord, _ state: State) -> String {
        switch record.action {
        case .create(let request):
            guard let id = request.offer else { return request.query.gpu ?? "cheapest that fits" }
            return state.offers.row(id).map { InstancesScreen.gpu($0.gpuName, $0.gpuCount) } ?? id.rawValue
        default:
            guard let id = record.action.instance else { return "" }
            let name = state.instances.row(id)?.name
            return name.map { "\(id) \($0)" } ?? id.rawValue
        }
    }

    private static func words(_ record: ActionRecord) -> String {
        switch record.phase {
        case .queued: "waits for its turn"
        case .running: record.isCancelling ? "stopping" : record.progress?.stage.words ?? "starting"
        case .ended(.succeeded, _): "done"
        case .ended(.failed(let error), _): "failed: \(ErrorWords(error).title)"
        case .ended(.cancelled, _): "cancelled"
        }
    }

    /// The same in a table's cell.
    static func brief(_ record: ActionRecord) -> [Span] {
        let tone = Self.tone(record)
        let glyph = StatusWords.glyph(record.action)
        guard record.phase == .running else { return [Span("\(glyph) \(record.action.verb) waits", .muted)] }
        if let fraction = record.progress?.transfer?.fraction {
            let filled = Int((fraction * 8).rounded())
            return [
                Span("\(glyph) ", tone), Span(String(repeating: "━", count: filled), .barFilled),
                Span(String(repeating: "─", count: 8 - filled), .barEmpty),
                Span(" \(Int(fraction * 100))%", tone),
            ]
        }
        if record.progress?.stage == .running, let job = record.job { return [Span("\(glyph) \(job)", tone)] }
        return [Span("\(glyph) \(Self.words(record))", tone)]
    }
}

/// Sentences that stay for a few seconds, at the lower right.
enum Toasts {
    static func draw(_ state: State, above bottom: Int, of buffer: inout CellBuffer) {
        var y = bottom - 1
        for toast in state.toasts.reversed() where y > 1 {
            let width = min(state.size.width - 4, DisplayWidth.of(toast.text) + 2)
            let x = state.size.width - width - 2
            buffer.fill(Rect(x: x, y: y, width: width, height: 1), style: Style(.plain, on: .dialog))
            buffer.writeCut(
                toast.text, x: x + 1, y: y, style: Style(toast.role, on: .dialog, .bold), limit: width - 2)
            y -= 1
        }
    }
}
