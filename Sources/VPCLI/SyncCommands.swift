import ArgumentParser
import Foundation
import VPEngine

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Send the project to an instance.")

    @Argument(help: "The instance's id or name; not needed while one runs.")
    var id: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        try await SyncReport.perform(
            self.id, common: self.common, platform: self.platform, asJSON: self.json.json,
            action: EngineAction.sync)
    }
}

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Bring back what is new or changed on an instance.")

    @Argument(help: "The instance's id or name; not needed while one runs.")
    var id: String?

    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        try await SyncReport.perform(
            self.id, common: self.common, platform: self.platform, asJSON: self.json.json,
            action: EngineAction.download)
    }
}

/// Says what a sync did and what it left alone.
enum SyncReport {
    static func perform(
        _ name: String?, common: CommonOptions, platform: PlatformOptions, asJSON: Bool,
        action: (InstanceID) -> EngineAction
    ) async throws {
        let platform = platform.platform.platform
        let session = try Session(common, asJSON: asJSON)
        try session.requireKey(for: platform)
        let engine = try session.engine()
        let instance = try await engine.instance(named: name, platform: platform)
        let summary: SyncSummary
        switch try await ActionRunner(engine: engine, session: session).result(of: action(instance.id)) {
        case .synced(let value), .downloaded(let value): summary = value
        default: return
        }
        if asJSON {
            Terminal.print(Documents.sync(summary).document)
        } else {
            Terminal.print(Self.line(for: summary))
            Self.showTrouble(summary, session: session)
        }
        if !summary.missing.isEmpty {
            throw ExitStatus(status: summary.direction == .up ? Status.uploadFailed : Status.resultsNotWhole)
        }
    }

    static func show(_ summary: SyncSummary, session: Session) {
        session.note("vp: \(Self.line(for: summary))")
        Self.showTrouble(summary, session: session)
    }

    /// After a run only what came back is worth a line.
    static func showResults(_ summary: SyncSummary, session: Session) {
        if summary.transferredFiles > 0 || session.isVerbose {
            session.note(
                Style.faint.apply("vp: \(Self.line(for: summary))", if: session.terminal.errorHasColour))
        }
        Self.showTrouble(summary, session: session)
    }

    /// `sent 12 files, 1.2 MB, 3 unchanged, in 0.4 s`
    static func line(for summary: SyncSummary) -> String {
        let isUp = summary.direction == .up
        guard summary.transferredFiles > 0 || summary.deletedFiles > 0 else {
            let place = isUp ? "the instance has everything" : "everything is here"
            return
                "nothing to \(isUp ? "send" : "bring back"), \(place) (\(Units.count(summary.unchangedFiles, "file")))"
        }
        var parts = [
            "\(isUp ? "sent" : "brought back") \(Units.count(summary.transferredFiles, "file"))",
            Units.bytes(summary.transferredBytes),
        ]
        if summary.deletedFiles > 0 { parts.append("deleted \(summary.deletedFiles)") }
        if summary.unchangedFiles > 0 { parts.append("\(summary.unchangedFiles) unchanged") }
        return parts.joined(separator: ", ") + ", in \(Units.duration(summary.seconds))"
    }

    private static func showTrouble(_ summary: SyncSummary, session: Session) {
        if !summary.conflicts.isEmpty {
            let what =
                summary.direction == .up
                ? "changed on the instance and left alone there"
                : "changed on both sides; the local ones stay"
            session.warn([
                "\(Units.count(summary.conflicts.count, "file")) \(what): \(Self.list(summary.conflicts))"
            ])
        }
        if !summary.missing.isEmpty {
            session.warn([
                "\(Units.count(summary.missing.count, "file")) could not be copied: \(Self.list(summary.missing))"
            ])
        }
    }

    private static func list(_ paths: [String]) -> String {
        let rest = paths.count - 5
        return paths.prefix(5).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
