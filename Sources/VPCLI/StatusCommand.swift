import ArgumentParser
import Foundation
import VPEngine

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the current spending in one line, from the cache.",
        discussion: """
            This is meant for a shell prompt: it makes no request and reads one small file, which `vp ls`, the dashboard \
            and other commands that ask the platforms update.
            """)

    @OptionGroup var json: JSONOptions

    func run() throws {
        let report = MoneyReport.cached(environment: ProcessInfo.processInfo.environment)
        if self.json.json {
            Terminal.print(Self.document(report).document)
        } else if let report {
            Terminal.print(Self.line(report, now: Date()))
        }
    }

    /// `run $0.71/h · parked $0.12/day · balance $24.10 · 33 h left on vast.ai · 2 alarms: …`
    static func line(_ report: MoneyReport, now: Date) -> String {
        var parts = ["run \(Self.short(report.runningDollarsPerHour))/h"]
        if report.parkedDollarsPerDay > 0 {
            parts.append("parked \(Self.short(report.parkedDollarsPerDay))/day")
        }
        if let balance = report.balanceDollars { parts.append("balance \(Self.short(balance))") }
        if let left = report.timeLeft { parts.append(left) }
        if report.spentToday > 0.005 { parts.append("today \(Self.short(report.spentToday))") }
        if let worst = report.alarms.first {
            let more = report.alarms.count > 1 ? " (+\(report.alarms.count - 1))" : ""
            parts.append("! \(Terminal.printable(worst.words))\(more)")
        }
        let age = now.timeIntervalSince(report.asOf)
        if age > 600 { parts.append("as of \(Units.age(report.asOf, now: now)) ago") }
        return parts.joined(separator: " · ")
    }

    private static func short(_ dollars: Double) -> String {
        // `Figures` would start Foundation's number formats, which is too slow for a prompt.
        let cents = Int(saturating: (NumberRange.dollars.clamp(dollars) * 100).rounded())
        let sign = cents < 0 ? "-" : ""
        return "$\(sign)\(abs(cents) / 100).\(Figures.twoDigits(abs(cents) % 100))"
    }

    static func document(_ report: MoneyReport?) -> JSON {
        guard let report else { return .object(["as_of": .null]) }
        return .object([
            "as_of": .date(report.asOf),
            "dollars_per_hour": .number(report.runningDollarsPerHour),
            "parked_dollars_per_day": .number(report.parkedDollarsPerDay),
            "running": .integer(Int64(report.runningCount)),
            "balance_dollars": .number(report.balanceDollars), "hours_left": .number(report.hoursLeft),
            "today_dollars": .number(report.spentToday), "day_limit_dollars": .number(report.dollarsPerDay),
            "alarms": .list(
                report.alarms.map { alarm in
                    .object([
                        "kind": .text(alarm.kind.rawValue), "instance": .text(alarm.instance?.rawValue),
                        "message": .text(alarm.words), "job": .text(alarm.job?.rawValue),
                    ])
                }),
        ])
    }
}

extension MoneyReport {
    /// `82 h left on vast.ai`: the balance is that of all accounts, the time that of the first to be empty.
    var timeLeft: String? {
        guard let hours = self.hoursLeft else { return nil }
        let place = self.shortestPlatform.map { " on \($0.displayName)" } ?? ""
        return "\(Int(saturating: hours)) h left\(place)"
    }
}
