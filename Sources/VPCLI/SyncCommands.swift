import ArgumentParser
import Foundation
import VPEngine

/// How much and how fast files may travel.
struct TransferOptions: ParsableArguments {
    @Flag(help: "Send even what is more than a project usually has.")
    var yesBig = false

    @Option(
        name: .customLong("bwlimit"),
        help: ArgumentHelp("At most that much a second, such as 5MB.", valueName: "rate"))
    var bandwidthLimit: ByteRate?
}

/// Bytes a second, as people write them.
struct ByteRate: ExpressibleByArgument {
    var bytes: Int64

    init?(argument: String) {
        // A bare number is in gigabytes elsewhere; nobody means that for a line.
        guard argument.last?.isLetter == true, let bytes = ByteCount.parse(argument) else { return nil }
        self.bytes = bytes
    }
}

extension Session {
    func engine(_ transfer: TransferOptions) throws -> Engine {
        var configuration = self.configuration
        if transfer.yesBig { configuration.sync.uploadLimit = nil }
        if let limit = transfer.bandwidthLimit { configuration.sync.bandwidthLimit = limit.bytes }
        return try Engine(configuration: configuration)
    }
}

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Send the project to an instance.")

    @Argument(help: "The instance's id or name; not needed while one runs.")
    var id: String?

    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Say what would be sent, and what is left out.")
    var dryRun = false

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        if self.dryRun {
            return try await PreviewReport.perform(
                try self.instance.name(orArgument: self.id), common: self.common, platform: self.platform,
                asJSON: self.json.json,
                showing: [.send, .delete, .conflict])
        }
        try await SyncReport.perform(
            try self.instance.name(orArgument: self.id), common: self.common, platform: self.platform,
            transfer: self.transfer,
            asJSON: self.json.json, action: { .sync($0) })
    }
}

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Bring back what is new or changed on an instance.")

    @Argument(help: "The instance's id or name; not needed while one runs.")
    var id: String?

    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Read every file on both sides, and do not take size and time for proof.")
    var verify = false

    @Flag(help: "Say what would be brought back.")
    var dryRun = false

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        if self.dryRun {
            return try await PreviewReport.perform(
                try self.instance.name(orArgument: self.id), common: self.common, platform: self.platform,
                asJSON: self.json.json,
                showing: [.bring, .conflict])
        }
        let request = DownloadRequest(verifiesContents: self.verify)
        try await SyncReport.perform(
            try self.instance.name(orArgument: self.id), common: self.common, platform: self.platform,
            transfer: self.transfer,
            asJSON: self.json.json, action: { .download($0, request) })
    }
}

/// Says what a sync did and what it left alone.
enum SyncReport {
    static func perform(
        _ name: String?, common: CommonOptions, platform: PlatformOptions, transfer: TransferOptions,
        asJSON: Bool, action: (InstanceID) -> EngineAction
    ) async throws {
        let platform = platform.platform.platform
        let session = try Session(common, asJSON: asJSON)
        try session.requireKey(for: platform)
        let engine = try session.engine(transfer)
        let instance = try await engine.instance(named: name, platform: platform)
        let summary: SyncSummary
        let action = action(instance.id)
        let result: ActionResult
        do {
            result = try await ActionRunner(engine: engine, session: session).result(of: action)
        } catch let error as EngineError where error.code == .localDiskFull {
            // Results that found no room here are results that did not come.
            guard case .download = action else { throw error }
            Report.show(error, asJSON: asJSON, terminal: session.terminal)
            throw ExitStatus(status: Status.resultsNotWhole)
        }
        switch result {
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
        return parts.joined(separator: ", ") + ", in \(TimeSpan.exact(summary.seconds))"
    }

    private static func showTrouble(_ summary: SyncSummary, session: Session) {
        for line in summary.left {
            session.note(
                Style.faint.apply(
                    "vp: stays there: \(Terminal.printable(line))", if: session.terminal.errorHasColour))
        }
        if !summary.conflicts.isEmpty {
            let what =
                summary.direction == .up
                ? "changed on the instance and left alone there"
                : "changed on both sides; the local ones stay"
            session.warn([
                "\(Units.count(summary.conflicts.count, "file")) \(what): \(Self.list(summary.conflicts))"
            ])
        }
        if !summary.changing.isEmpty {
            session.warn([
                "\(Units.count(summary.changing.count, "file")) did not stand still: \(Self.list(summary.changing))"
            ])
        }
        if !summary.later.isEmpty {
            session.warn([
                "\(Units.count(summary.later.count, "file")) went on growing, or appeared, during the download; "
                    + "the next one brings the rest: \(Self.list(summary.later))"
            ])
        }
        if !summary.refused.isEmpty {
            session.warn([
                "\(Units.count(summary.refused.count, "path")) stayed on the instance: "
                    + Self.list(summary.refused)
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
