import ArgumentParser
import Foundation
import VPEngine

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check everything that a run needs, and suggest repairs.",
        discussion: """
            vp doctor rents nothing, and changes nothing without --fix. The exit status is 0 if nothing is broken, \
            otherwise the status with which other commands would fail.
            """)

    @Flag(help: "Repair what vp can: create an ssh key, add it to the account, make private files private.")
    var fix = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        var session = try Session(self.common, asJSON: true)
        var engine = try session.engine(history: .wanted)
        var findings = await engine.diagnose()
        let remedies = findings.compactMap(\.remedy)
        if self.fix, !remedies.isEmpty {
            for remedy in remedies {
                do {
                    session.note("vp: \(Terminal.printable(try await engine.apply(remedy)))")
                } catch {
                    Report.show(error, asJSON: self.json.json, terminal: session.terminal)
                }
            }
            // Reading the configuration again finds a key that was just created.
            session = try Session(self.common, asJSON: true)
            engine = try session.engine(history: .wanted)
            findings = await engine.diagnose()
        }
        if self.json.json {
            Terminal.print(Documents.diagnoses(findings).document)
        } else {
            for line in Self.lines(findings, terminal: session.terminal) { Terminal.print(line) }
        }
        let worst = findings.first { $0.verdict == .broken }
        if let worst { throw ExitStatus(status: worst.code.map(Report.status(for:)) ?? Status.failed) }
    }

    static func lines(_ findings: [Diagnosis], terminal: Terminal) -> [String] {
        let width = findings.map(\.subject.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let (mark, style) = Self.sign(finding.verdict, hasUnicode: terminal.hasUnicode)
            let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
            lines.append(
                style.apply(mark, if: terminal.outputHasColour)
                    + " \(subject)  \(Terminal.printable(finding.words))")
            if let fix = finding.fix {
                lines.append(String(repeating: " ", count: width + 4) + Terminal.printable(fix))
            }
        }
        let broken = findings.count { $0.verdict == .broken }
        let doubtful = findings.count { $0.verdict == .doubtful }
        lines.append(
            broken == 0 && doubtful == 0
                ? "Everything looks good."
                : "\(Units.count(findings.count, "check")): \(Units.count(broken, "problem")), "
                    + "\(Units.count(doubtful, "warning"))."
        )
        return lines
    }

    private static func sign(
        _ verdict: Diagnosis.Verdict, hasUnicode: Bool
    ) -> (mark: String, style: Style) {
        switch verdict {
        case .fine: (hasUnicode ? "✓" : "ok", .good)
        case .doubtful: (hasUnicode ? "!" : "??", .busy)
        case .broken: (hasUnicode ? "✗" : "!!", .bad)
        }
    }
}
