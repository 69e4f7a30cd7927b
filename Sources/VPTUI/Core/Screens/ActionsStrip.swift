import Foundation
import VPEngine

/// A row for each action that is running, queued or has just ended, and for each destroy
/// that is counting down.
enum ActionsStrip {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        var y = area.y
        for pending in state.pendingDestroys where y < area.maxY {
            let left = max(0, pending.due.timeIntervalSince(state.now))
            let x =
                area.x + 1
                + buffer.write(
                    "◇ destroy \(pending.instance) in \(Int(saturating: left.rounded(.up))) s ",
                    x: area.x + 1, y: y,
                    style: Style(.bad, on: .base, .bold))
            let rest = buffer.write("z", x: x + 1, y: y, style: Style(.key, on: .base, .bold))
            let together = state.pendingDestroys.count { $0.due == pending.due }
            buffer.write(
                together > 1 ? "takes all \(together) back" : "takes it back", x: x + rest + 2, y: y,
                style: Style(.muted))
            y += 1
        }
        for record in state.listedActions.prefix(max(0, area.maxY - y)) {
            Self.draw(record, state, Rect(x: area.x, y: y, width: area.width, height: 1), &buffer)
            y += 1
        }
    }

    static func draw(
        _ record: ActionRecord, _ state: State, _ area: Rect, on surface: Surface = .base,
        _ buffer: inout CellBuffer
    ) {
        let tone = Self.tone(record)
        var x = area.x + 1
        let end = area.maxX - 1
        func put(_ text: String, _ role: Role, _ attributes: TextAttributes = [], _ b: inout CellBuffer) {
            x += b.writeCut(
                text, x: x, y: area.y, style: Style(role, on: surface, attributes), limit: end - x)
        }
        put("\(StatusWords.glyph(record.action)) \(record.action.verb) ", tone, .bold, &buffer)
        put(Self.subject(record, state) + "  ", .plain, [], &buffer)
        put(Self.words(record) + " ", tone, [], &buffer)
        if record.isActive, let transfer = record.progress?.transfer {
            if let fraction = transfer.fraction {
                let width = max(8, min(30, area.width / 6))
                if end - x > width + 24 {
                    drawBar(fraction, x: x, y: area.y, width: width, surface: surface, in: &buffer)
                    x += width
                }
                put(" \(Int(saturating: fraction * 100))%", .plain, .bold, &buffer)
            }
            put(
                " \(Format.bytes(transfer.bytes)) of \(Format.bytes(transfer.totalBytes))", .muted, [],
                &buffer)
            if let rate = transfer.bytesPerSecond {
                put(" · \(Format.bytes(Int64(saturating: rate)))/s", .muted, [], &buffer)
            }
            if let left = transfer.secondsLeft {
                put(" · \(TimeSpan.countdown(left)) left", .muted, [], &buffer)
            }
        }
        let hasClock = record.isActive && record.phase == .running && record.progress?.transfer == nil
        let clock = hasClock ? "  \(TimeSpan.clock(state.now.timeIntervalSince(record.startedAt)))" : ""
        if record.isActive, let detail = record.progress?.detail, !detail.isEmpty {
            // A long command gives way to the time.
            x += buffer.writeCut(
                " \(detail)", x: x, y: area.y, style: Style(.muted, on: surface),
                limit: max(0, end - x - DisplayWidth.of(clock)))
        }
        put(clock, .muted, [], &buffer)
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
        case .sync, .run, .download, .start, .stop, .destroy, .cancel, .attach:
            guard let id = record.action.instance else { return "" }
            let name = state.instances.row(id)?.name
            let subject = name.map { "\(id) \($0)" } ?? id.rawValue
            // Of those that wait, nothing else tells them apart.
            guard record.phase == .queued, case .run(_, let request) = record.action,
                let command = request.command
            else { return subject }
            return "\(subject): \(DisplayWidth.cut(command.shellText, to: 40))"
        }
    }

    static func words(_ record: ActionRecord) -> String {
        switch record.phase {
        case .queued: "waits for its turn"
        case .running: record.isCancelling ? "stopping" : record.progress?.stage.words ?? "starting"
        case .ended(.succeeded, _): "done"
        case .ended(.failed(let error), _): "failed: \(ErrorWords(error).title)"
        case .ended(.cancelled, _): "cancelled"
        }
    }

    /// The action's state, short enough for a table cell.
    static func brief(_ record: ActionRecord) -> [Span] {
        let tone = Self.tone(record)
        let glyph = StatusWords.glyph(record.action)
        guard record.phase == .running else { return [Span("\(glyph) \(record.action.verb) waits", .muted)] }
        if let fraction = record.progress?.transfer?.fraction {
            let filled = Int(saturating: (fraction * 8).rounded())
            return [
                Span("\(glyph) ", tone), Span(String(repeating: "━", count: filled), .barFilled),
                Span(String(repeating: "─", count: 8 - filled), .barEmpty),
                Span(" \(Int(saturating: fraction * 100))%", tone),
            ]
        }
        if record.progress?.stage == .running, let job = record.job { return [Span("\(glyph) \(job)", tone)] }
        return [Span("\(glyph) \(Self.words(record))", tone)]
    }
}
