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
            let sum = state.balances.sumOfDollars(of: \.dollars)
            parts.append([Span("balance ", .muted), Span(Format.dollars(sum), sum < 1 ? .bad : .money)])
        }
        if let hours = state.hoursLeft {
            let text =
                hours < 1
                ? "\(Int(saturating: hours * 60)) min"
                : hours < 500 ? "\(Int(saturating: hours)) h" : "\(Int(saturating: hours / 24)) days"
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
