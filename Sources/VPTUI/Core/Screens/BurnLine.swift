import Foundation
import VPEngine

/// The top line: what is being spent, what is left, what is wrong, the time.
/// Figures and alarms are the engine's.
enum BurnLine {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard !area.isEmpty else { return }
        buffer.fill(area, style: Style(.plain, on: .bar))
        let placed = Self.placed(state, in: area)
        for (span, x) in placed.left + placed.right {
            buffer.writeCut(
                span.text, x: x, y: area.y, style: span.style.on(.bar), limit: area.maxX - 1 - x)
        }
        if let alarm = placed.alarm {
            buffer.writeCut(
                alarm.span.text, x: alarm.x, y: area.y, style: alarm.span.style.on(.bar), limit: alarm.width)
        }
    }

    /// A click there lists the alarms.
    static func isOnAlarm(_ point: Point, _ state: State) -> Bool {
        guard let alarm = Self.placed(state, in: Layout(state).burn).alarm else { return false }
        return point.x >= alarm.x && point.x < alarm.x + alarm.width
    }

    private struct Placed {
        var left: [(Span, x: Int)] = []
        var alarm: (span: Span, x: Int, width: Int)?
        var right: [(Span, x: Int)] = []
    }

    /// Fewer columns than that say nothing of an alarm: it is counted then.
    private static let leastWords = 24
    /// What the figures may not take from an alarm that is counted: `⚠ 12 alarms`.
    private static let countWidth = 11

    private static func placed(_ state: State, in area: Rect) -> Placed {
        var placed = Placed()
        let right = Self.right(state, room: area.width - 76)
        let rightWidth = right.reduce(0) { $0 + DisplayWidth.of($1.text) }
        let rightX = max(area.x, area.maxX - rightWidth - 1)
        var x = rightX
        for span in right {
            placed.right.append((span, x))
            x += DisplayWidth.of(span.text)
        }
        let alarms = state.alarms
        x = area.x + 1
        let end = rightX - 1 - (alarms.isEmpty ? 0 : Self.countWidth + 2)
        for (index, part) in Self.parts(state).enumerated() {
            let text = (index == 0 ? "" : " · ") + part.map(\.text).joined()
            // A part that does not fit is left out whole: half a figure is a wrong figure.
            guard x + DisplayWidth.of(text) <= end else { break }
            if index > 0 {
                placed.left.append((Span(" · ", .muted), x))
                x += 3
            }
            for span in part {
                placed.left.append((span, x))
                x += DisplayWidth.of(span.text)
            }
        }
        guard let worst = alarms.first else { return placed }
        let role = StatusWords.mark(worst.kind).role
        let room = rightX - 2 - (x + 2)
        let more = alarms.count > 1 ? " +\(alarms.count - 1)" : ""
        var text = "⚠ \(Format.plural(alarms.count, "alarm"))"
        if room >= Self.leastWords + DisplayWidth.of(more) {
            // The count stays where the words are cut.
            text = "⚠ \(worst.words)"
            let limit = room - DisplayWidth.of(more)
            if DisplayWidth.of(text) > limit { text = DisplayWidth.cut(text, to: limit - 1) + "…" }
            text += more
        }
        let width = min(DisplayWidth.of(text), max(0, room))
        placed.alarm = (Span(text, role, .bold), rightX - 2 - width, width)
        return placed
    }

    private static func parts(_ state: State) -> [[Span]] {
        let report = state.moneyReport
        let run = report.runningDollarsPerHour
        let parked = report.parkedDollarsPerDay
        var parts: [[Span]] = [
            [
                Span("run ", .muted),
                Span("$" + Format.fixed(run, 2) + "/h", run > 0 ? .money : .muted, run > 0 ? .bold : []),
            ],
            [
                Span("parked ", .muted),
                Span("$" + Format.fixed(parked, 2) + "/day", parked > 0 ? .warning : .muted),
            ],
        ]
        if let balance = report.balanceDollars {
            parts.append([
                Span("balance ", .muted), Span(Format.dollars(balance), balance < 1 ? .bad : .money),
            ])
        }
        if let hours = report.hoursLeft {
            let text =
                hours < 1
                ? "\(Int(saturating: hours * 60)) min"
                : hours < 500 ? "\(Int(saturating: hours)) h" : "\(Int(saturating: hours / 24)) days"
            let isAlarm = report.alarms.contains { $0.kind == .lowBalance }
            parts.append([Span("\(text) left", isAlarm ? .bad : hours < 12 ? .warning : .plain)])
        }
        if let limit = report.dollarsPerDay {
            let isAlarm = report.alarms.contains { $0.kind == .budget }
            parts.append([
                Span("today ", .muted), Span(Format.dollars(report.spentToday), isAlarm ? .bad : .money),
                Span(" of \(Format.dollars(limit))", .muted),
            ])
        } else if report.spentToday >= 0.005 {
            parts.append([Span("today ", .muted), Span(Format.dollars(report.spentToday))])
        }
        return parts
    }

    /// Platforms that do not answer, and the time.
    private static func right(_ state: State, room: Int) -> [Span] {
        var spans: [Span] = []
        if state.settings.isReadOnly { spans.append(Span("read-only  ", .warning)) }
        for trouble in state.platformTroubles {
            let words = ErrorWords.brief(trouble)
            let isRoomy = state.alarms.isEmpty && DisplayWidth.of(words) <= room
            spans.append(Span("✗ \(isRoomy ? words : trouble.platform.displayName)  ", .bad, .bold))
        }
        spans.append(Span(Format.timeOfDay(state.now, offset: state.settings.secondsFromGMT)))
        return spans
    }
}
