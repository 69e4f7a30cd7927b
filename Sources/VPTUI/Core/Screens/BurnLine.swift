import Foundation
import VPEngine

/// The top line: spending and how long the credit lasts, each account's credit and the rest of the day's
/// limit, alarms, each platform's state, and the time. Figures and alarms come from the engine.
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

    /// `true` if a click at `point` lists the alarms.
    static func isOnAlarm(_ point: Point, _ state: State) -> Bool {
        guard let alarm = Self.placed(state, in: Layout(state).burn).alarm else { return false }
        return point.x >= alarm.x && point.x < alarm.x + alarm.width
    }

    private struct Placed {
        var left: [(Span, x: Int)] = []
        var alarm: (span: Span, x: Int, width: Int)?
        var right: [(Span, x: Int)] = []
    }

    /// The fewest columns for an alarm's text; with fewer, alarms are only counted.
    private static let leastWords = 24
    /// The columns reserved for the number of alarms: `⚠ 12 alarms`.
    private static let countWidth = 11

    private static func placed(_ state: State, in area: Rect) -> Placed {
        var placed = Placed()
        let right = Self.right(state, room: area.width - 76, isNarrow: area.width < Layout.narrowWidth)
        let rightWidth = Self.width(right)
        let rightX = max(area.x, area.maxX - rightWidth - 1)
        var x = rightX
        for span in right {
            placed.right.append((span, x))
            x += DisplayWidth.of(span.text)
        }
        let alarms = state.alarms
        x = area.x + 1
        let end = rightX - 1 - (alarms.isEmpty ? 0 : Self.countWidth + 2)
        for (index, part) in Self.fitting(state, room: end - x).enumerated() {
            let width = Self.width(part) + (index == 0 ? 0 : 3)
            // A part that does not fit is omitted: half a figure is a wrong figure.
            guard x + width <= end else { break }
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
            // The count stays, even if the text is cut.
            text = "⚠ \(worst.words)"
            let limit = room - DisplayWidth.of(more)
            if DisplayWidth.of(text) > limit { text = DisplayWidth.cut(text, to: limit - 1) + "…" }
            text += more
        }
        let width = min(DisplayWidth.of(text), max(0, room))
        placed.alarm = (Span(text, role, .bold), rightX - 2 - width, width)
        return placed
    }

    private static func width(_ spans: [Span]) -> Int {
        spans.reduce(0) { $0 + DisplayWidth.of($1.text) }
    }

    /// Returns the parts with bars and words if all of them fit, otherwise without.
    private static func fitting(_ state: State, room: Int) -> [[Span]] {
        let full = Self.parts(state, isShort: false)
        let width = full.reduce(0) { $0 + Self.width($1) } + 3 * max(0, full.count - 1)
        return width <= room ? full : Self.parts(state, isShort: true)
    }

    /// Returns the parts, most important first.
    private static func parts(_ state: State, isShort: Bool) -> [[Span]] {
        let report = state.moneyReport
        let run = report.runningDollarsPerHour
        var parts: [[Span]] = [
            [
                Span(isShort ? "" : "run ", .muted),
                Span("$" + Format.fixed(run, 2) + "/h", run > 0 ? .money : .muted, run > 0 ? .bold : []),
            ]
        ]
        if let hours = report.hoursLeft { parts.append(Self.runway(hours, report, isShort: isShort)) }
        parts += Self.balances(state, isShort: isShort)
        if report.parkedDollarsPerDay > 0 {
            parts.append([
                Span("parked ", .muted),
                Span("$" + Format.fixed(report.parkedDollarsPerDay, 2) + (isShort ? "/d" : "/day"), .warning),
            ])
        }
        if let today = Self.today(report, isShort: isShort) { parts.append(today) }
        return parts
    }

    /// Returns the time that the credit lasts. A full bar is a day; the first account to run out ends it.
    private static func runway(_ hours: Double, _ report: MoneyReport, isShort: Bool) -> [Span] {
        let text =
            hours < 1
            ? "\(Int(saturating: hours * 60)) min"
            : hours < 500 ? "\(Int(saturating: hours)) h" : "\(Int(saturating: hours / 24)) days"
        let isAlarm = report.alarms.contains { $0.kind == .lowBalance }
        let role: Role = isAlarm ? .bad : hours < 12 ? .warning : .good
        return (isShort ? [] : Self.bar(hours / 24, role)) + [
            Span("\(text) left", isAlarm ? .bad : hours < 12 ? .warning : .plain)
        ]
    }

    /// Returns each account's credit separately: a sum would hide an empty account.
    private static func balances(_ state: State, isShort: Bool) -> [[Span]] {
        // In the order in which the platforms stand at the right.
        let balances = state.settings.platforms.compactMap { platform in
            state.money.balances.first { $0.platform == platform }
        }
        return balances.enumerated().map { index, balance in
            let platform = StatusWords.platform(balance.platform)
            let label = index == 0 && !isShort ? "balance " : ""
            return [
                Span(label, .muted), Span("\(platform.text) ", platform.role),
                Span(Format.dollars(balance.dollars), balance.dollars < 1 ? .bad : .money),
            ]
        }
    }

    /// Returns the amount that may still be spent today.
    private static func today(_ report: MoneyReport, isShort: Bool) -> [Span]? {
        guard let limit = report.dollarsPerDay else {
            guard report.spentToday >= 0.005 else { return nil }
            return [Span("today ", .muted), Span(Format.dollars(report.spentToday))]
        }
        let isAlarm = report.alarms.contains { $0.kind == .budget }
        let share = limit > 0 ? report.spentToday / limit : 1
        let bar = isShort ? [] : Self.bar(share, isAlarm ? .bad : share > 0.8 ? .warning : .good)
        return [Span("today ", .muted)] + bar + [
            Span(Format.dollars(report.spentToday), isAlarm ? .bad : .money),
            Span(" of \(Format.dollars(limit))", .muted),
        ]
    }

    private static func bar(_ share: Double, _ role: Role) -> [Span] {
        // Any remainder shows at least one block.
        let filled = max(share > 0 ? 1 : 0, Int(saturating: (max(0, min(1, share)) * 6).rounded()))
        return [
            Span(String(repeating: "▰", count: filled), role),
            Span(String(repeating: "▱", count: 6 - filled) + " ", .muted),
        ]
    }

    /// Returns each platform's state, and the time.
    private static func right(_ state: State, room: Int, isNarrow: Bool) -> [Span] {
        var spans: [Span] = []
        if state.settings.isDemo { spans.append(Span("demo  ", .warning)) }
        if state.settings.isReadOnly { spans.append(Span("read-only  ", .warning)) }
        let troubles = state.platformTroubles
        for platform in state.settings.platforms {
            let name = StatusWords.platform(platform)
            if let trouble = troubles.first(where: { $0.platform == platform }) {
                let words = ErrorWords.brief(trouble)
                let isRoomy = state.alarms.isEmpty && DisplayWidth.of(words) <= room
                spans.append(Span("✗ \(isRoomy ? words : platform.displayName)  ", .bad, .bold))
                continue
            }
            let age = state.answeredAt[platform].map { state.now.timeIntervalSince($0) }
            let isOld = age.map { $0 > max(120, 2 * state.currentInstancesInterval + 10) } ?? false
            spans.append(Span(age == nil ? "◌" : "●", age == nil ? .muted : isOld ? .warning : .good))
            // On a narrow screen the mark alone says that all is well.
            let words = isNarrow && age != nil && !isOld ? "" : " \(age.map { Self.words($0) } ?? "…")"
            spans += [Span("\(isNarrow ? "" : " ")\(name.text)", name.role), Span("\(words)  ", .muted)]
        }
        spans.append(Span(Format.timeOfDay(state.now, offset: state.settings.secondsFromGMT)))
        return spans
    }

    /// Ages are rounded to these steps, so that an unchanged screen is seldom redrawn.
    private static let ages: [(Double, String)] = [
        (86_400, "1 d"), (21_600, "6 h"), (7200, "2 h"), (3600, "1 h"), (1800, "30 min"), (600, "10 min"),
        (300, "5 min"), (120, "2 min"), (60, "1 min"),
    ]

    private static func words(_ age: TimeInterval) -> String {
        Self.ages.first { age >= $0.0 }?.1 ?? "now"
    }
}
