import Foundation
import VPEngine

/// The figures of jobs as JSON, as CSV, and in words.
enum MetricsText {
    // MARK: JSON

    /// The document of `vp metrics --json`. Keys are added, never renamed or removed.
    static func document(_ readings: [MetricsCommand.Reading]) -> JSON {
        .object(["jobs": .list(readings.map(Self.reading))])
    }

    private static func reading(_ reading: MetricsCommand.Reading) -> JSON {
        let report = reading.report
        return .object([
            "job": .text(reading.name),
            "series": .list(report.figures.series.map(Self.series)),
            "progress": Self.progress(report.figures.progress),
            "eta_seconds": .exact(report.secondsLeft.map { ($0 * 10).rounded() / 10 }),
            "finish_dollars": .number(report.finishDollars.map { ($0 * 10_000).rounded() / 10_000 }),
            "alarms": .list(report.alarms.map(Self.alarm)),
            "skipped_series": .integer(Int64(report.figures.skippedNames)),
        ])
    }

    private static func series(_ series: FigureSeries) -> JSON {
        .object([
            "name": .text(series.name),
            "kind": .text(series.kind.rawValue),
            "count": .integer(Int64(series.count)),
            "last": .exact(series.last),
            "best": .exact(series.best?.value),
            "best_step": .exact(series.best?.step),
            "steps": .list(series.steps.map { .exact($0) }),
            "values": .list(series.values.map { .exact($0) }),
        ])
    }

    static func progress(_ progress: TrainingProgress?) -> JSON {
        progress.map { .object(["done": .exact($0.done), "total": .exact($0.total)]) } ?? .null
    }

    static func alarm(_ alarm: TrainingAlarm) -> JSON {
        .object([
            "kind": .text(alarm.kind.rawValue), "series": .text(alarm.series), "step": .exact(alarm.step),
            "at": .date(alarm.at),
        ])
    }

    /// The training's state without the curves, for documents of jobs.
    static func summary(_ report: TrainingReport) -> [JSON.Member] {
        let last = report.figures.series.map { JSON.Member(key: $0.name, value: .exact($0.last)) }
        return [
            .init(key: "progress", value: Self.progress(report.figures.progress)),
            .init(key: "eta_seconds", value: .exact(report.secondsLeft.map { ($0 * 10).rounded() / 10 })),
            .init(key: "finish_dollars", value: .number(report.finishDollars)),
            .init(key: "figures", value: .object(last)),
            .init(key: "alarms", value: .list(report.alarms.map(Self.alarm))),
        ]
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        return Int64(exactly: value).flatMap { $0.magnitude < 1_000_000_000_000_000 ? "\($0)" : nil }
            ?? "\(value)"
    }

    // MARK: Words

    static func lines(_ readings: [MetricsCommand.Reading], terminal: Terminal, now: Date) -> [String] {
        var lines: [String] = []
        for reading in readings {
            if !lines.isEmpty { lines.append("") }
            let state = reading.job.map { "  " + $0.state.rawValue } ?? ""
            lines.append(
                Style.strong.apply(Terminal.printable(reading.name), if: terminal.outputHasColour) + state)
            lines += Self.head(reading.report, now: now).map { "  " + $0 }
            for alarm in reading.report.alarms {
                lines.append(
                    "  "
                        + Style.bad.apply(
                            Terminal.printable(Self.sentence(alarm)), if: terminal.outputHasColour))
            }
            let figures = reading.report.figures
            guard !figures.series.isEmpty else {
                lines.append("  The output contains no training metrics.")
                continue
            }
            var table = TextTable([
                ("SERIES", .left), ("KIND", .left), ("POINTS", .right), ("LAST", .right), ("BEST", .right),
                ("AT STEP", .right),
            ])
            for series in figures.series {
                table.add([
                    .init(series.name), .init(series.kind == .other ? "" : series.kind.rawValue, .faint),
                    .init("\(series.count)"),
                    .init(Self.short(series.last), series.last.isFinite ? nil : .bad),
                    .init(series.best.map { Self.short($0.value) } ?? ""),
                    .init(series.best.map { Self.short($0.step) } ?? ""),
                ])
            }
            lines += table.lines(colour: terminal.outputHasColour).map { "  " + $0 }
            if figures.skippedNames > 0 {
                lines.append("  \(figures.skippedNames) more metrics were not kept because of their names.")
            }
        }
        return lines
    }

    /// The progress, the time left and the cost at the end.
    static func head(_ report: TrainingReport, now: Date) -> [String] {
        var parts: [String] = []
        if let progress = report.figures.progress {
            let percent = Int(saturating: progress.fraction * 100)
            parts.append("\(Self.short(progress.done))/\(Self.short(progress.total)) (\(percent) %)")
        }
        if let left = report.secondsLeft, left > 0 { parts.append("\(TimeSpan.text(left.rounded())) left") }
        if let dollars = report.finishDollars { parts.append("\(Units.dollars(dollars)) at the end") }
        return parts.isEmpty ? [] : [parts.joined(separator: ", ")]
    }

    static func sentence(_ alarm: TrainingAlarm) -> String {
        alarm.words.prefix(1).uppercased() + alarm.words.dropFirst() + "."
    }

    /// The newest values of at most five series: losses first, then errors, scores and rewards.
    static func brief(_ figures: TrainingFigures) -> String {
        let kinds: [FigureKind] = [.loss, .error, .score, .reward]
        let series = kinds.flatMap { kind in figures.series.filter { $0.kind == kind } }
        return series.prefix(5).map { "\($0.name) \(Self.short($0.last))" }.joined(separator: ", ")
    }

    static func short(_ value: Double) -> String {
        guard value.isFinite else { return Self.number(value) }
        if value == value.rounded(), abs(value) < 1e9 { return "\(Int(value))" }
        return Figures.short(value)
    }
}
