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

/// What an upload decides where it cannot by itself.
struct UploadOptions: ParsableArguments {
    @Flag(help: "Send files that changed on both sides; the instance's versions stay beside them, there.")
    var mine = false

    @Flag(help: "Run with the instance's versions of files that changed on both sides.")
    var theirs = false

    @Flag(help: "On an instance that was rented for another project: take a folder of its own there.")
    var ownFolder = false

    func validate() throws {
        if self.mine, self.theirs { throw ValidationError("--mine and --theirs exclude each other.") }
    }

    var version: UploadRequest.Version? { self.mine ? .mine : self.theirs ? .theirs : nil }
}

/// With which version a command is to run of files that changed on both sides.
struct VersionQuestion {
    let session: Session

    /// nil where it is not to run.
    func ask(_ error: EngineError) -> UploadRequest.Version? {
        let files = error.suggestions.map(Terminal.printable)
        Terminal.note("vp: Changed here and on \(error.activity.subject ?? "the instance"):")
        for file in files.prefix(10) { Terminal.note("  \(file)") }
        if files.count > 10 { Terminal.note("  and \(files.count - 10) more") }
        let answer = Prompt(terminal: self.session.terminal).text(
            "Run with [m]ine (theirs stay beside them, there), [t]heirs, or [n]ot at all?", fallback: "n")
        return switch answer.lowercased() {
        case "m", "mine": .mine
        case "t", "theirs": .theirs
        default: nil
        }
    }
}

/// What of the project a transfer is about: `[ID] [PATH…]`.
struct TransferSubjects {
    var instance: Instance
    /// Relative to the project.
    var paths: [String]

    /// The first of `words` is the instance where `option` names none and it can be one;
    /// the others are paths.
    init(
        _ words: [String], option: InstanceOptions, platform: Platform?, _ engine: Engine, _ session: Session
    ) async throws {
        var paths = words
        var name = option.instanceId
        // Asked for once: the answer to whether there is such an instance is the instance.
        var known: Instance?
        // With -i the first word may still repeat the instance; a path with a slash is none then.
        if let first = words.first, name == nil || !first.contains("/") {
            known = try? await engine.instance(named: first, platform: platform)
            // A number that is no instance is a mistake in an id, not a path.
            if known != nil || (name == nil && first.allSatisfy(\.isNumber)) {
                name = try option.name(orArgument: first)
                paths.removeFirst()
            }
        }
        let workspace = session.configuration.workspace
        self.paths = try paths.map { path in
            try Self.relative(path, to: workspace, from: session.directory)
        }
        if let known {
            self.instance = known
        } else {
            self.instance = try await engine.instance(named: name, platform: platform)
        }
    }

    /// `path` may be meant from where the user stands, or be one of the instance.
    static func relative(_ path: String, to workspace: Workspace, from directory: String) throws -> String {
        let absolute = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        let standard = URL(fileURLWithPath: absolute).standardizedFileURL.path
        for root in [workspace.localRoot, workspace.remoteRoot] {
            if standard == root { return "" }
            if standard.hasPrefix(root + "/") { return String(standard.dropFirst(root.count + 1)) }
        }
        throw CommandFailure(
            code: "usage", message: "\(Terminal.printable(path)) is not in the project's folder.",
            advice: "Name what is in it, from here or from \(workspace.localRoot).", status: Status.usage)
    }
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
        commandName: "sync", abstract: "Send the project to an instance.",
        usage: "vp sync [<option> ...] [<id>] [<path> ...]")

    @Argument(
        help: ArgumentHelp(
            "The instance's id or name, not needed while one runs; then what to send, and all of it where nothing is "
                + "named. What was removed there is sent again where it is named.", valueName: "id-or-path"))
    var words: [String] = []

    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Say what would be sent, and what is left out.")
    var dryRun = false

    @OptionGroup var upload: UploadOptions
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        if self.dryRun {
            return try await PreviewReport.perform(
                try self.instance.name(orArgument: self.words.first), common: self.common,
                platform: self.platform,
                asJSON: self.json.json,
                showing: [.send, .delete, .conflict])
        }
        try await SyncReport.perform(
            self.words, self.instance, common: self.common, platform: self.platform, transfer: self.transfer,
            asJSON: self.json.json,
            action: {
                .sync(
                    $0,
                    UploadRequest(
                        paths: $1, version: self.upload.version, takesOwnFolder: self.upload.ownFolder))
            })
    }
}

struct DownloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Bring back what is new or changed on an instance.",
        usage: "vp download [<option> ...] [<id>] [<path> ...]",
        discussion: """
            A folder stands for what is in it, and * for what it does in .gitignore (in quotes, so that the shell leaves \
            it alone). What stays on an instance for good is named by `sync.keep_there` in .vp/config.yaml.
            """)

    @Argument(
        help: ArgumentHelp(
            "The instance's id or name, not needed while one runs; then what to bring, and all of it where nothing is "
                + "named. What was removed here comes again where it is named.", valueName: "id-or-path"))
    var words: [String] = []

    @OptionGroup var instance: InstanceOptions

    @Option(
        help: ArgumentHelp(
            "Leave these there this time; may be repeated. In .gitignore syntax.", valueName: "pattern"))
    var exclude: [String] = []

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
                try self.instance.name(orArgument: self.words.first), common: self.common,
                platform: self.platform,
                asJSON: self.json.json,
                showing: [.bring, .conflict])
        }
        try await SyncReport.perform(
            self.words, self.instance, common: self.common, platform: self.platform, transfer: self.transfer,
            asJSON: self.json.json
        ) { id, paths in
            .download(
                id, DownloadRequest(verifiesContents: self.verify, paths: paths, excludes: self.exclude))
        }
    }
}

/// Says what a sync did and what it left alone.
enum SyncReport {
    static func perform(
        _ words: [String], _ option: InstanceOptions, common: CommonOptions, platform: PlatformOptions,
        transfer: TransferOptions, asJSON: Bool, action: (InstanceID, [String]) -> EngineAction
    ) async throws {
        let platform = platform.platform.platform
        let session = try Session(common, asJSON: asJSON)
        try session.requireKey(for: platform)
        let engine = try session.engine(transfer)
        let subjects = try await TransferSubjects(
            words, option: option, platform: platform, engine, session)
        let summary: SyncSummary
        let action = action(subjects.instance.id, subjects.paths)
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
            if !summary.removedHere.isEmpty {
                let count = Units.count(summary.removedHere.count, "file")
                session.note(
                    "vp: \(count) removed here \(summary.removedHere.count == 1 ? "is" : "are") still there: "
                        + "\(Self.list(summary.removedHere)). `vp download PATH` brings what you name.")
            }
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
            let unchanged = Units.count(summary.unchangedFiles, "file")
            guard summary.isAllThere else {
                return "\(isUp ? "sent" : "brought back") nothing, \(unchanged) unchanged"
            }
            let place = isUp ? "the instance has everything" : "everything is here"
            return "nothing to \(isUp ? "send" : "bring back"), \(place) (\(unchanged))"
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

extension SyncSummary {
    /// Whether the side that files were moved to has all that the other one has.
    fileprivate var isAllThere: Bool {
        [
            self.conflicts, self.missing, self.changing, self.later, self.refused, self.left,
            self.removedHere, self.removedThere,
        ].allSatisfy(\.isEmpty)
    }
}
