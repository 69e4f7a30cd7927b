import ArgumentParser
import Foundation
import VPEngine

/// Limits for the size and speed of a transfer.
struct TransferOptions: ParsableArguments {
    @Flag(
        help:
            "Transfer without confirmation even if an upload, or files behind links in a download, exceed sync.limit."
    )
    var yesBig = false

    @Option(
        name: .customLong("bwlimit"),
        help: ArgumentHelp("Maximum transfer rate per second, such as 5MB.", valueName: "rate"))
    var bandwidthLimit: ByteRate?
}

/// Answers to the questions that an upload may have.
struct UploadOptions: ParsableArguments {
    @Flag(
        help:
            "Upload files that changed on both sides; the instance's versions stay on it as conflict copies."
    )
    var mine = false

    @Flag(help: "Keep the instance's versions of files that changed on both sides.")
    var theirs = false

    @Flag(help: "Use a separate folder on an instance that was rented for another project.")
    var ownFolder = false

    func validate() throws {
        if self.mine, self.theirs { throw ValidationError("--mine and --theirs cannot be combined.") }
    }

    var version: UploadRequest.Version? { self.mine ? .mine : self.theirs ? .theirs : nil }
}

/// Asks which version of files that changed on both sides a command uses.
struct VersionQuestion {
    let session: Session

    /// nil if the command must not run.
    func ask(_ error: EngineError) -> UploadRequest.Version? {
        let files = error.suggestions.map(Terminal.printable)
        Terminal.note("vp: these files changed both here and on \(error.activity.subject ?? "the instance"):")
        for file in files.prefix(10) { Terminal.note("  \(file)") }
        if files.count > 10 { Terminal.note("  and \(files.count - 10) more") }
        let answer = Prompt(terminal: self.session.terminal).text(
            "Run with [m]ine (theirs stay on the instance as conflict copies), [t]heirs, or [n]ot at all?",
            fallback: "n")
        return switch answer.lowercased() {
        case "m", "mine": .mine
        case "t", "theirs": .theirs
        default: nil
        }
    }
}

/// The instance and the paths of a transfer: `[ID] [PATH…]`.
struct TransferSubjects {
    var instance: Instance
    /// Paths relative to the project.
    var paths: [String]

    /// Takes the first of `words` for the instance if `option` names none and there is such an instance;
    /// the others are paths.
    init(
        _ words: [String], option: InstanceOptions, platform: Platform?, _ engine: Engine, _ session: Session
    ) async throws {
        var paths = words
        var name = option.instanceId
        // One request answers whether the instance exists and gives the instance.
        var known: Instance?
        // With -i the first word may still repeat the instance, unless it has a slash.
        if let first = words.first, name == nil || !first.contains("/") {
            known = try? await engine.instance(named: first, platform: platform)
            // A number that is no instance is a mistyped id rather than a path.
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

    /// Returns `path` relative to the project. It may be relative to `directory`, or a path on the instance.
    static func relative(_ path: String, to workspace: Workspace, from directory: String) throws -> String {
        let absolute = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        let standard = URL(fileURLWithPath: absolute).standardizedFileURL.path
        for root in [workspace.localRoot, workspace.remoteRoot] {
            if standard == root { return "" }
            if standard.hasPrefix(root + "/") { return String(standard.dropFirst(root.count + 1)) }
        }
        throw CommandFailure(
            code: "usage", message: "\(Terminal.printable(path)) is outside the project's folder.",
            advice: "Give a path inside \(workspace.localRoot).", status: Status.usage)
    }
}

/// A transfer rate in bytes per second, such as `5MB`.
struct ByteRate: ExpressibleByArgument {
    var bytes: Int64

    init?(argument: String) {
        // A bare number is refused: elsewhere it counts gigabytes, which is no plausible rate.
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
        commandName: "sync", abstract: "Upload the project to an instance.",
        usage: "vp sync [<option> ...] [<id>] [<path> ...]")

    @Argument(
        help: ArgumentHelp(
            "The instance's id or name, optional if exactly one instance of this project is running, then the paths to "
                + "upload; without paths, the whole project. A file that was deleted on the instance is uploaded again "
                + "only if it is named.",
            valueName: "id-or-path"), completion: Completions.instances)
    var words: [String] = []

    @OptionGroup var instance: InstanceOptions

    @Flag(
        help:
            "Show what the upload would send, delete and leave undecided, and what is omitted; change nothing."
    )
    var dryRun = false

    @OptionGroup var upload: UploadOptions
    @OptionGroup var transfer: TransferOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        if self.dryRun {
            return try await PreviewReport.perform(
                common: self.common, platform: self.platform, asJSON: self.json.json,
                showing: [.send, .delete, .conflict]
            ) { platform, engine, session in
                let subjects = try await TransferSubjects(
                    self.words, option: self.instance, platform: platform, engine, session)
                return try await engine.syncPreview(on: subjects.instance.id, paths: subjects.paths)
            }
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
        commandName: "download", abstract: "Download files that are new or changed on an instance.",
        usage: "vp download [<option> ...] [<id>] [<path> ...]",
        discussion: """
            A folder includes everything in it, and * matches as it does in .gitignore; quote it so that the shell does \
            not expand it. `sync.keep_there` in .vp/config.yaml lists paths that always stay on the instance.
            """)

    @Argument(
        help: ArgumentHelp(
            "The instance's id or name, optional if exactly one instance of this project is running, then the paths to "
                + "download; without paths, all of them. A file that was deleted on this machine is downloaded again "
                + "only if it is named.",
            valueName: "id-or-path"), completion: Completions.instances)
    var words: [String] = []

    @OptionGroup var instance: InstanceOptions

    @Option(
        help: ArgumentHelp(
            "Do not download files that match this .gitignore pattern. May be repeated.", valueName: "pattern"
        ))
    var exclude: [String] = []

    @Flag(help: "Compare the contents of every file on both sides instead of size and time.")
    var verify = false

    @Flag(help: "Show which files would be downloaded, and change nothing.")
    var dryRun = false

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        if self.dryRun {
            return try await PreviewReport.perform(
                common: self.common, platform: self.platform, asJSON: self.json.json,
                showing: [.bring, .conflict]
            ) { platform, engine, session in
                let subjects = try await TransferSubjects(
                    self.words, option: self.instance, platform: platform, engine, session)
                return try await engine.syncPreview(
                    on: subjects.instance.id, paths: subjects.paths, excludes: self.exclude)
            }
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

/// Reports which files a sync moved, and which it left alone.
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
            // Results that do not fit on this machine's disk are missing results.
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
                    "vp: \(count) that you deleted here \(summary.removedHere.count == 1 ? "is" : "are") still on the "
                        + "instance: \(Self.list(summary.removedHere)). `vp download PATH` downloads a file again."
                )
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

    /// Reports a download after a run, if any file came.
    static func showResults(_ summary: SyncSummary, session: Session) {
        if summary.transferredFiles > 0 || session.isVerbose {
            session.note(
                Style.faint.apply("vp: \(Self.line(for: summary))", if: session.terminal.errorHasColour))
        }
        Self.showTrouble(summary, session: session)
    }

    /// `uploaded 12 files, 1.2 MB, 3 unchanged, in 0.4 s`
    static func line(for summary: SyncSummary) -> String {
        let isUp = summary.direction == .up
        guard summary.transferredFiles > 0 || summary.deletedFiles > 0 else {
            let unchanged = Units.count(summary.unchangedFiles, "file")
            guard summary.isAllThere else {
                return "\(isUp ? "uploaded" : "downloaded") nothing, \(unchanged) unchanged"
            }
            let place = isUp ? "the instance has everything" : "everything is downloaded"
            return "nothing to \(isUp ? "upload" : "download"), \(place) (\(unchanged))"
        }
        var parts = [
            "\(isUp ? "uploaded" : "downloaded") \(Units.count(summary.transferredFiles, "file"))",
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
                    "vp: stays on the instance: \(Terminal.printable(line))",
                    if: session.terminal.errorHasColour))
        }
        if !summary.conflicts.isEmpty {
            let what =
                summary.direction == .up
                ? "changed on the instance and not overwritten"
                : "changed on both sides; the local versions stay"
            session.warn([
                "\(Units.count(summary.conflicts.count, "file")) \(what): \(Self.list(summary.conflicts))"
            ])
        }
        if !summary.changing.isEmpty {
            session.warn([
                "\(Units.count(summary.changing.count, "file")) kept changing during the sync: \(Self.list(summary.changing))"
            ])
        }
        if !summary.later.isEmpty {
            session.warn([
                "\(Units.count(summary.later.count, "file")) grew or appeared during the download; the next download "
                    + "gets the rest: \(Self.list(summary.later))"
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
    /// Whether the receiving side now has everything that the other side has.
    fileprivate var isAllThere: Bool {
        [
            self.conflicts, self.missing, self.changing, self.later, self.refused, self.left,
            self.removedHere, self.removedThere,
        ].allSatisfy(\.isEmpty)
    }
}
