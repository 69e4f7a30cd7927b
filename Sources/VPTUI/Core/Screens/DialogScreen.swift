import Foundation
import VPEngine

/// A question or an error in a box.
enum DialogScreen {
    private struct Placement {
        var title: String
        var lines: [[Span]]
        var area: Rect
        /// Each button's column and width.
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
            lines.flatMap { Wrapping.rows(of: $0, width: width - 6) }, height: screen.height - 8)
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

    /// The dialog's sentences and buttons, for plain mode.
    static func plain(_ dialog: Dialog, _ state: State) -> (title: String, lines: [String], buttons: [String])
    {
        let (title, lines) = Self.content(dialog, state)
        return (
            title, lines.map { $0.map(\.text).joined() }.filter { !$0.isEmpty },
            dialog.buttons.map { Self.label($0, dialog) }
        )
    }

    /// Returns the index of the button at `point`.
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
        case (.cancelJobs, .cancel), (.cancelAction, .cancel): "Keep running"
        case (_, .cancel): "Cancel"
        case (.create, _): "Rent it"
        case (.destroy, .discard): "Destroy, discard results"
        case (.destroy(let ids, _), _): ids.count == 1 ? "Destroy" : "Destroy \(ids.count)"
        case (.stop(let ids), _): ids.count == 1 ? "Stop it" : "Stop \(ids.count)"
        case (.start(let ids), _): ids.count == 1 ? "Start it" : "Start \(ids.count)"
        case (.conflicts, _): "Upload the rest"
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
                        [Span("The files written so far stay on the instance; press d to get them.", .muted)],
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
                            "The project is uploaded first; the command overwrites its earlier output on the instance.",
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

    /// On a low screen blank lines are dropped first, then the middle lines; the question and the last
    /// sentences, which say what will happen, stay.
    private static func fitted(_ lines: [[Span]], height: Int) -> [[Span]] {
        guard lines.count > height, height > 0 else { return lines }
        let full = lines.filter { !$0.isEmpty }
        guard full.count > height else { return full }
        let tail = height / 2
        return full.prefix(height - tail - 1) + [[Span("…", .muted)]] + full.suffix(tail)
    }
}
