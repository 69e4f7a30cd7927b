import ArgumentParser
import Foundation
import VPEngine

struct DiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what a sync would do in both directions, and which files are never uploaded.")

    @Argument(
        help: "The instance's id or name. Optional if exactly one instance of this project is running.",
        completion: Completions.instances)
    var id: String?

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let name = try self.instance.name(orArgument: self.id)
        try await PreviewReport.perform(
            common: self.common, platform: self.platform, asJSON: self.json.json,
            showing: Set(SyncPreview.Change.Action.allCases)
        ) { platform, engine, _ in
            try await engine.syncPreview(on: engine.instance(named: name, platform: platform).id)
        }
    }
}

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain why a path is synced or ignored.")

    @Argument(help: "A file or folder of the project.", completion: .file())
    var path: String

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let explanation = try session.engine().explain(self.path, from: session.directory)
        if self.json.json {
            Terminal.print(Documents.explanation(explanation).document)
            return
        }
        for line in Self.lines(for: explanation) { Terminal.print(line) }
    }

    static func lines(for explanation: PathExplanation) -> [String] {
        let path = Terminal.printable(explanation.path)
        let rule = explanation.pattern.map { pattern in
            "the rule `\(Terminal.printable(pattern))` (\(Terminal.printable(explanation.origin ?? "")))"
        }
        let first =
            switch explanation.verdict {
            case .sent:
                "\(path) is synced: " + (rule.map { "included by \($0)." } ?? "no ignore rule matches it.")
            case .ignored: "\(path) is not synced: excluded by \(rule ?? "a rule")."
            case .special: "\(path) is not synced: it is neither a file nor a folder nor a link."
            case .missing: "\(path) does not exist here" + (rule.map { "; \($0) would match it." } ?? ".")
            case .outside: "\(path) is outside the project's folder."
            }
        let instances = explanation.instances.sorted { $0.key.rawValue < $1.key.rawValue }
        return [first] + instances.map { id, state in "  \(id.platform.displayName) \(id): \(state)" }
    }
}

/// Shows what a sync would do.
enum PreviewReport {
    static func perform(
        common: CommonOptions, platform: PlatformOptions, asJSON: Bool,
        showing actions: Set<SyncPreview.Change.Action>,
        _ ask: (Platform?, Engine, Session) async throws -> SyncPreview
    ) async throws {
        let chosen = platform.platform.platform
        let session = try Session(common, asJSON: asJSON)
        try session.requireKey(for: chosen)
        let engine = try session.engine()
        let preview = try await ask(chosen, engine, session)
        if asJSON {
            Terminal.print(Documents.preview(preview, showing: actions).document)
        } else {
            let isColoured = session.terminal.outputHasColour
            for line in Self.lines(for: preview, showing: actions, isColoured: isColoured) {
                Terminal.print(line)
            }
        }
    }

    static func lines(
        for preview: SyncPreview, showing actions: Set<SyncPreview.Change.Action>, isColoured: Bool
    ) -> [String] {
        let changes = preview.changes.filter { actions.contains($0.action) }
        var lines: [String] = []
        if !changes.isEmpty {
            var table = TextTable([("WHAT", .left), ("PATH", .left), ("SIZE", .right), ("WHY", .left)])
            for change in changes {
                let size = change.action == .delete ? "" : Units.bytes(change.bytes)
                table.add([
                    .init(change.action.rawValue, Self.style(of: change.action)), .init(change.path, .strong),
                    .init(size), .init(change.reason.rawValue),
                ])
            }
            lines += table.lines(colour: isColoured)
        }
        let sums = SyncPreview.Change.Action.allCases.filter(actions.contains).compactMap {
            action -> String? in
            let count = changes.count { $0.action == action }
            guard count > 0 else { return nil }
            let size = action == .delete ? "" : " (\(Units.bytes(preview.bytes(of: action))))"
            return "\(action.rawValue) \(count)\(size)"
        }
        let rest = Units.count(preview.unchangedFiles, "file") + " unchanged"
        lines.append(sums.isEmpty ? "Nothing to do: \(rest)." : sums.joined(separator: ", ") + "; \(rest).")
        guard actions.contains(.send), !preview.notSent.isEmpty else { return lines }
        lines.append("Not uploaded:")
        for omission in preview.notSent.prefix(10) {
            let bound = omission.isAtLeast ? "more than " : ""
            let path = Terminal.printable(omission.path)
            lines.append(
                "  \(path)  \(bound)\(Units.bytes(omission.bytes))  (\(Terminal.printable(omission.reason)))")
        }
        let others = preview.notSent.count - 10
        if others > 0 { lines.append("  and \(others) more") }
        return lines
    }

    private static func style(of action: SyncPreview.Change.Action) -> Style {
        switch action {
        case .send: .good
        case .bring: .busy
        case .delete, .conflict: .bad
        }
    }
}
