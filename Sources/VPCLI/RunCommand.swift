import ArgumentParser
import Foundation
import Glibc
import VPEngine

/// Options for the parts of a run and its instance. They may also precede the verb,
/// and the direct form has them.
struct RunPartOptions: ParsableArguments {
    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Upload the project and run nothing.")
    var syncOnly = false

    @Flag(help: "Run the command only: upload nothing and download nothing.")
    var noSync = false

    @Option(
        name: [.customShort("w"), .long],
        help: ArgumentHelp(
            "Folder on the instance in which the command runs. (default: the folder that corresponds to the current one)",
            valueName: "folder"))
    var workingDir: String?

    @Flag(
        help: ArgumentHelp(
            "Build the project's Dockerfile on this machine before the run, and run nothing if the build fails. The "
                + "command does not run in that image: to use it, push it to a registry and rent with --image."
        )
    )
    var enableDocker = false

    @Option(
        name: [.customShort("d"), .long],
        help: ArgumentHelp("The Dockerfile for --enable-docker.", valueName: "file"), completion: .file())
    var dockerfile: String?

    @Option(
        help: ArgumentHelp(
            "Download results at this interval while the command runs, such as 5m.", valueName: "time"),
        transform: TimeArgument.span)
    var pullEvery: Double?

    @Option(
        help: ArgumentHelp(
            "With --pull-every: download only files that match this .gitignore pattern. May be repeated.",
            valueName: "pattern"))
    var pullOnly: [String] = []

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var upload: UploadOptions
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Upload the project, run a command on an instance, download the results.",
        usage: "vp run [<option> ...] [--] <command> [<argument> ...]",
        discussion: """
            A single word is shell text ("cd src && make"). Several words are an argument list, and their quoting is \
            kept. The exit status is the command's.

            --create and --destroy add renting before and destroying after the run: \
            vp run --create --gpu-type RTX4090 --max-price 1 --destroy -- python train.py
            """)

    @Flag(help: "Rent an instance for this run first, like `vp create-instance`.")
    var create = false

    @Flag(help: "Destroy the instance after the run, once its results are downloaded.")
    var destroy = false

    @Flag(help: "With --destroy: also end other jobs on the instance.")
    var endJobs = false

    @OptionGroup(title: "With --create") var hardware: HardwareOptions
    @OptionGroup(title: "With --create") var rental: RentalOptions
    @OptionGroup var parts: RunPartOptions
    @OptionGroup var budget: BudgetOptions
    @OptionGroup var options: JobOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "The command to run.")
    var command: [String] = []

    func validate() throws {
        if self.command.isEmpty, !self.parts.syncOnly {
            throw ValidationError("No command was given. For example: vp run -- python train.py")
        }
        if self.parts.syncOnly, self.parts.noSync {
            throw ValidationError("--sync-only and --no-sync together leave nothing to do.")
        }
        if self.create, self.parts.instance.instanceId != nil {
            throw ValidationError("--create rents a new instance and cannot be combined with --instance-id.")
        }
        if self.endJobs, !self.destroy {
            throw ValidationError("--end-jobs requires --destroy.")
        }
        if self.options.detach, self.destroy {
            throw ValidationError(
                "--destroy waits until the job has ended and cannot be combined with --detach.")
        }
        if self.options.detach, self.parts.pullEvery != nil || !self.parts.pullOnly.isEmpty {
            throw ValidationError(
                "--pull-every works only while vp follows the job, and --detach stops following it. `vp attach JOB` "
                    + "follows the job later; `vp download` downloads the results so far.")
        }
        if self.create, self.options.after != nil || self.options.queue {
            throw ValidationError(
                "--after and --queue cannot be combined with --create: a new instance has no other jobs.")
        }
        if !self.create, self.hardware.isGiven || self.rental.isGiven {
            throw ValidationError("Hardware options require --create.")
        }
    }

    func run() async throws {
        // Before anything is rented. With --create, a program that is just starting to write to the pipe gets
        // a moment, which costs nothing then.
        if !self.parts.syncOnly { try self.options.checkInput(patience: self.create ? 200 : 0) }
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.options.json)
        try session.requireKey(for: platform)
        if self.parts.enableDocker {
            try await ContainerBuild(session: session, dockerfile: self.parts.dockerfile).run()
        } else if self.parts.dockerfile != nil {
            session.note("vp: --dockerfile has no effect without --enable-docker.")
        }
        let engine = try session.engine(self.parts.transfer)
        // From here on an interruption may have to tidy up, also between two actions.
        let interruption = ActionRunner.Interruption()
        let signals = interruption.watch()
        defer { signals.end() }
        var run = JobRun(engine: engine, session: session, options: self.options)
        run.earlier = interruption
        let (predecessor, turn) = try run.turn()
        let name = self.parts.instance.instanceId ?? predecessor?.instance.rawValue
        let instance =
            self.create
            ? try await self.rent(engine, session, interruption)
            : try await interruption.orEnd { try await engine.instance(named: name, platform: platform) }
        var request = RunRequest(
            command: self.parts.syncOnly ? nil : JobCommand(words: self.command),
            workingDirectory: self.parts.workingDir ?? session.folderInProject,
            syncsUp: !self.parts.noSync,
            syncsDown: !self.parts.noSync && !self.parts.syncOnly,
            environment: try EnvironmentArgument.values(self.options.env, from: session.environment),
            turn: turn, isDetached: self.options.detach, splitsErrors: self.options.splitStderr,
            terminal: self.options.terminal ? JobOptions.terminalSize : nil,
            maximumCost: self.budget.maxCost?.dollars, lingerSeconds: self.options.lingerSeconds,
            mirror: self.parts.pullEvery.map {
                MirrorRequest(interval: $0, patterns: self.parts.pullOnly)
            })
        request.stopOn = self.options.stopOn
        if self.options.stdin { request.inputDescriptor = STDIN_FILENO }
        request.version = self.parts.upload.version
        request.takesOwnFolder = self.parts.upload.ownFolder
        let ending = try await run.perform(request, on: instance) { job, interruption in
            guard self.destroy else { return }
            try await self.leave(instance, job, interruption, engine, session)
        }
        let cameAfterAll =
            self.destroy ? try await self.end(instance, interruption, engine, session) : false
        // The destroy has downloaded the results that the run could not.
        if cameAfterAll, (ending as? ExitStatus)?.status == Status.resultsNotWhole { return }
        if let ending { throw ending }
    }

    private func rent(
        _ engine: Engine, _ session: Session, _ interruption: ActionRunner.Interruption
    ) async throws -> Instance {
        var request = try await interruption.orEnd {
            await self.rental.request(
                self.hardware, platform: self.platform.platform.platform, isBoth: self.platform.isBoth,
                engine,
                session)
        }
        request.maximumCost = self.budget.maxCost?.dollars
        var rental = Rental(engine: engine, session: session, yes: self.rental.yes)
        rental.earlier = interruption
        return try await rental.rent(request)
    }

    /// Decides what happens to the instance of `--destroy` if vp leaves the run before it has ended.
    private func leave(
        _ instance: Instance, _ job: Job?, _ interruption: ActionRunner.Interruption, _ engine: Engine,
        _ session: Session
    ) async throws {
        if self.create, job == nil {
            let rental = Rental(engine: engine, session: session, yes: self.rental.yes)
            return try await rental.tidyUp(instance, after: interruption)
        }
        // Interrupted at the terminal before anything was run: the instance is as the user knew it.
        guard job != nil || !interruption.mayAsk else {
            Terminal.note(
                "vp: \(instance.id) is not destroyed, because nothing was run on it. "
                    + "`vp destroy-instance \(instance.id)` downloads its results and destroys it.")
            return
        }
        await LeftEnd(engine: engine).leave(instance, after: job)
    }

    /// Destroys the instance after downloading its results;
    /// a result that cannot be downloaded keeps it alive.
    ///
    /// A failed destroy decides the exit status, because the instance goes on costing money;
    /// the last line then says how the job ended. Returns `true` if every result is known to be on this
    /// machine.
    private func end(
        _ instance: Instance, _ interruption: ActionRunner.Interruption, _ engine: Engine, _ session: Session
    ) async throws -> Bool {
        var request = DestroyRequest(
            endsJobs: self.endJobs, waitsForJobs: true, stopsWhenRefused: !session.terminal.canAsk,
            staysOrdered: true)
        do {
            let action = EngineAction.destroy(instance.id, request)
            let question = JobsQuestion(engine: engine, session: session, earlier: interruption)
            let result = try await question.result(of: action) {
                request.endsJobs = true
                return .destroy(instance.id, request)
            }
            guard case .destroyed(let receipt) = result else { return false }
            if let download = receipt.download { SyncReport.showResults(download, session: session) }
            session.note("vp: \(DestroyInstanceCommand.line(for: receipt))")
            return receipt.download.map { $0.missing.isEmpty && $0.changing.isEmpty } ?? false
        } catch let error as EngineError where error.code == .instanceGone {
            session.note("vp: \(instance.id) is already gone.")
            return false
        } catch let left as ExitStatus {
            // vp was told to end, which is no order to keep the instance.
            await LeftEnd(engine: engine).leave(instance)
            throw left
        } catch {
            Report.show(error, asJSON: false, terminal: session.terminal)
            if let job = try? engine.jobs(on: instance.id).first {
                session.note("vp: \(RunReport.line(for: job))")
            }
            throw ExitStatus(status: Report.status(for: error))
        }
    }
}

/// Reports a run's results, and ends with the matching status.
struct RunReport {
    let session: Session

    func end(_ summary: RunSummary) throws {
        if let upload = summary.upload, summary.job == nil || self.session.isVerbose {
            SyncReport.show(upload, session: self.session)
        }
        guard let job = summary.job else { return }
        if let download = summary.download { SyncReport.showResults(download, session: self.session) }
        self.session.note(
            Style.faint.apply("vp: \(Self.line(for: job))", if: self.session.terminal.errorHasColour))
        let left = job.record?.leftBehind ?? []
        if !left.isEmpty {
            let names = left.prefix(3).map { Terminal.printable(String($0.command.prefix(60))) }
            self.session.note(
                "vp: \(job.id) left \(left.count == 1 ? "1 idle process" : "\(left.count) idle processes") behind on "
                    + "\(job.instance): \(names.joined(separator: "; "))")
            self.session.note("    `vp cancel \(job.id)` ends \(left.count == 1 ? "it" : "them").")
        }
        if let error = summary.downloadError {
            Report.show(error, asJSON: false, terminal: self.session.terminal)
        }
        if let refusal = job.limitRefusal {
            Report.show(refusal, asJSON: false, terminal: self.session.terminal)
            throw ExitStatus(status: Status.limitRefused)
        }
        let status = job.exitStatus ?? Self.status(of: job)
        // The job's own failure matters more than a failed download after it.
        if status == 0, summary.downloadError != nil || summary.download?.missing.isEmpty == false {
            throw ExitStatus(status: Status.resultsNotWhole)
        }
        if status != 0 { throw ExitStatus(status: status) }
    }

    /// `train-7 succeeded after 0:41, $0.0041`
    static func line(for job: Job) -> String {
        var line = "\(job.id) "
        switch job.outcome {
        case .exited(0): line += job.state.rawValue
        case .exited(let code): line += "failed with exit status \(code)"
        case .signalled(let signal): line += "was ended by signal \(signal)"
        case nil: line += job.state.rawValue
        }
        if let start = job.startedAt, let end = job.endedAt {
            line += " after \(TimeSpan.exact(end.timeIntervalSince(start)))"
        }
        if let dollars = job.dollars { line += ", \(Units.dollars(dollars))" }
        if let cause = job.cause { line += ": \(Terminal.printable(cause))" }
        return line
    }

    /// The exit status for a job whose end is not recorded.
    private static func status(of job: Job) -> Int32 {
        switch job.state {
        case .succeeded: 0
        case .lost: Status.instanceLost
        case .cancelled: Status.interrupted
        case .queued, .running, .failed, .unknown: Status.unreachable
        }
    }
}

/// Builds the project's image on this machine for `--enable-docker`,
/// so that a broken Dockerfile is found before money is spent.
struct ContainerBuild {
    let session: Session
    let dockerfile: String?

    func run() async throws {
        let settings = self.session.configuration.docker
        let root = self.session.configuration.workspace.localRoot
        let path = self.session.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        guard let builder = ProgramFile.find(["docker", "podman"], path: path) else {
            throw EngineError(
                .missingProgram, .init("building the image"),
                detail: "--enable-docker needs docker or podman, and neither is in PATH")
        }
        // A file on the command line is relative to the current folder, one in the settings to the project.
        let file =
            try self.dockerfile.map { Self.absolute($0, from: self.session.directory) }
            ?? Self.inside(root, settings.dockerfile, "docker.dockerfile")
        let context = try Self.inside(root, settings.buildContext, "docker.build_context")
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw CommandFailure(
                code: "build_failed", message: "The Dockerfile \(file) does not exist.",
                advice: "Give another with --dockerfile, or leave out --enable-docker.",
                status: Status.configuration)
        }
        let tag = Self.tag(of: self.session.configuration.workspace)
        var words = ["build", "--tag", tag, "--file", file]
        for (name, value) in settings.buildArguments.sorted(by: { $0.key < $1.key }) {
            words += ["--build-arg", "\(name)=\(value)"]
        }
        words.append(context)
        let name = (builder as NSString).lastPathComponent
        self.session.note("vp: \(name) build of \(tag)")
        let status = try await Program.run(builder, words)
        guard status == 0 else {
            throw CommandFailure(
                code: "build_failed",
                message: "The build of \(tag) failed: \(name) exited with status \(status).",
                advice: "Nothing was uploaded or run.", status: Status.configuration)
        }
        self.session.note(
            "vp: built \(tag) on this machine. To run in it, push it to a registry and rent with --image.")
    }

    /// Resolves a path from the project's file. It must be inside the project,
    /// because a build reads its whole context.
    private static func inside(_ root: String, _ path: String, _ setting: String) throws -> String {
        let whole = Self.absolute(path, from: root)
        let target = URL(fileURLWithPath: whole).resolvingSymlinksInPath().path
        let folder = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        guard target == folder || target.hasPrefix("\(folder)/") else {
            throw CommandFailure(
                code: "badConfiguration",
                message: "\(setting) is \(Terminal.printable(path)), which is outside the project.",
                advice: "Set it to a path inside the project, or give a Dockerfile with --dockerfile.",
                status: Status.configuration)
        }
        return whole
    }

    /// Returns an image tag for the project. Registries forbid two of hyphen,
    /// dot and underscore side by side.
    private static func tag(of workspace: Workspace) -> String {
        let words = workspace.slug.lowercased().split { "._-".contains($0) }
        return "vp-\(words.joined(separator: "-"))"
    }

    private static func absolute(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: "\(folder)/\(path)").standardizedFileURL.path
    }
}
