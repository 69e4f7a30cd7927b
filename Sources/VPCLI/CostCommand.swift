import ArgumentParser
import Foundation
import VPEngine

extension CostBook.Grouping: ExpressibleByArgument {}

struct CostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cost", abstract: "Show the cost of instances and jobs.",
        discussion: """
            vp adds up the prices that it observed, and corrects them with the platforms' charges. Days begin at \
            midnight UTC, as on the platforms' bills.
            """)

    @Option(
        help: ArgumentHelp(
            "Start of the period: a date such as 2026-11-01, or how long ago, such as 7d or 12h. (default: 7d)",
            valueName: "time"),
        transform: SinceArgument.read)
    var since: SinceArgument?

    @Option(help: "Group the costs, with one line for each group.")
    var by: CostBook.Grouping = .day

    @Flag(help: "Do not ask the platforms for their charges.")
    var offline = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let engine = try session.engine(history: .wanted)
        let now = Date()
        let start = self.since?.date(now: now) ?? now.addingTimeInterval(-7 * 86_400)
        let failures = self.offline ? [] : await engine.fetchCharges(since: start)
        let account = try engine.costs(by: self.by, since: start)
        if self.json.json {
            Terminal.print(Self.document(account, failures: failures).document)
        } else {
            for line in Self.lines(account, terminal: session.terminal) { Terminal.print(line) }
        }
        // The figures stand without the platforms' word; that it is missing is said, and is no failure.
        for failure in failures where !self.json.json {
            let words = Report.words(for: failure.error)
            session.warn([
                "The costs do not include \(failure.platform.displayName)'s own charges: \(words.message)"
            ])
        }
    }

    static func document(_ account: CostAccount, failures: [PlatformAnswers<Charge>.Failure]) -> JSON {
        .object([
            "since": .date(account.start), "until": .date(account.end),
            "by": .text(account.grouping.rawValue),
            "dollars": .number(account.total.dollars),
            "charged_dollars": .number(account.total.chargedDollars),
            "lines": .list(
                account.lines.map { line in
                    .object([
                        "key": .text(line.key), "dollars": .number(line.dollars),
                        "charged_dollars": .number(line.chargedDollars),
                    ])
                }),
            "errors": .list(failures.map(Documents.failure)),
        ])
    }

    static func lines(_ account: CostAccount, terminal: Terminal) -> [String] {
        guard !account.lines.isEmpty else {
            return ["No cost since \(Units.timestamp(account.start))."]
        }
        let dearest = account.lines.map(\.dollars).max() ?? 0
        let names = account.lines.map { Terminal.printable($0.key) }
        let sums = account.lines.map { Units.dollars($0.dollars) }
        let nameWidth = names.map(DisplayWidth.of).max() ?? 0
        let sumWidth = sums.map(\.count).max() ?? 0
        // The chart is for people; programs use --json.
        let room = terminal.outputIsTTY ? min(60, max(0, terminal.width - nameWidth - sumWidth - 6)) : 0
        var lines = zip(account.lines, zip(names, sums)).map { line, words in
            let (name, sum) = words
            let pad = String(repeating: " ", count: nameWidth - DisplayWidth.of(name))
            let left = String(repeating: " ", count: sumWidth - sum.count)
            let bar = Self.bar(line.dollars, of: dearest, width: room, hasUnicode: terminal.hasUnicode)
            let shown = bar.isEmpty ? "" : "  " + Style.good.apply(bar, if: terminal.outputHasColour)
            return "\(name)\(pad)  \(left)\(sum)\(shown)"
        }
        var total = "\(Units.dollars(account.total.dollars)) in all"
        if account.total.chargedDollars > 0 {
            total += ", \(Units.dollars(account.total.chargedDollars)) of it as charged by the platforms"
        }
        lines.append(Style.faint.apply(total, if: terminal.outputHasColour))
        return lines
    }

    /// Draws a bar, in eighths of a cell if the terminal has Unicode.
    static func bar(_ value: Double, of most: Double, width: Int, hasUnicode: Bool) -> String {
        guard width > 0, most > 0, value > 0 else { return "" }
        let cells = NumberRange.share.clamp(value / most) * Double(width)
        guard hasUnicode else {
            return String(repeating: "#", count: max(1, Int(saturating: cells.rounded())))
        }
        let eighths = max(1, Int(saturating: (cells * 8).rounded()))
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    }
}
