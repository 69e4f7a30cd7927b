import ArgumentParser
import Foundation
import Glibc
import VPEngine

/// What `run` does, and on which instance. Accepted before the verb as well, and by the direct form.
struct RunPartOptions: ParsableArguments {
    @OptionGroup var instance: InstanceOptions

    @Flag(help: "Send the project, run nothing.")
    var syncOnly = false

    @Flag(help: "Run only: send nothing, bring nothing back.")
    var noSync = false

    @Option(
        name: [.customShort("w"), .long],
        help: ArgumentHelp(
            "Where the command runs on the instance. (default: the folder that corresponds to the one here)",
            valueName: "folder"))
    var workingDir: String?

    @Flag(help: "Build the project's container image on this machine first; a failed build stops everything.")
    var enableDocker = false

    @Option(
        name: [.customShort("d"), .long],
        help: ArgumentHelp("The Dockerfile of that build.", valueName: "file"))
    var dockerfile: String?

    @Option(
        help: ArgumentHelp(
            "Bring results back while the command runs, such as every 5m.", valueName: "time"),
        transform: TimeArgument.span)
    var pullEvery: Double?

    @Option(
        help: ArgumentHelp(
            "Bring only these while it runs; may be repeated. In .gitignore syntax.", valueName: "pattern"))
    var pullOnly: [String] = []

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var upload: UploadOptions
}

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Sync up, run a command on an instance, sync down.",
        usage: "vp run [<option> ...] [--] <command> [<argument> ...]",
        discussion: """
            One word is shell text ("cd src && make"), several are an argument list whose quoting is kept. The exit \
            status is the command's.

            With --create and --destroy from nothing to results to nothing: \
            vp run --create --gpu-type RTX4090 --max-price 1 --destroy -- python train.py
            """)

    @Flag(help: "Rent an instance for it first, as `vp create-instance` does.")
    var create = false

    @Flag(help: "Destroy the instance afterwards, once its results are here.")
    var destroy = false

    @Flag(help: "With --destroy: end other jobs that run there.")
    var endJobs = false

    @OptionGroup(title: "With --create") var hardware: HardwareOptions
    @OptionGroup(title: "With --create") var rental: RentalOptions
    @OptionGroup var parts: RunPartOptions
    @OptionGroup var budget: BudgetOptions
    @OptionGroup var options: JobOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions

    @Argument(parsing: .postTerminator, help: "What to run.")
    var command: [String] = []

    func validate() throws {
        if self.command.isEmpty, !self.parts.syncOnly {
            throw ValidationError("There is nothing to run. For example: vp run -- python train.py")
        }
        if self.parts.syncOnly, self.parts.noSync {
            throw ValidationError("--sync-only and --no-sync leave nothing to do.")
        }
        if self.create, self.parts.instance.instanceId != nil {
            throw ValidationError("--create rents an instance, and --instance-id names one that is there.")
        }
        if self.endJobs, !self.destroy {
            throw ValidationError("--end-jobs counts only with --destroy.")
        }
        if self.options.detach, self.destroy {
            throw ValidationError("--destroy waits for the job's end, and --detach for nothing.")
        }
        if self.options.detach, self.parts.pullEvery != nil || !self.parts.pullOnly.isEmpty {
            throw ValidationError(
                "--pull-every brings results while vp follows the job, and --detach leaves it. `vp attach JOB` "
                    + "follows it later, and `vp download` brings what is there.")
        }
        if self.create, self.options.after != nil || self.options.queue {
            throw ValidationError("A new instance has no jobs to wait for.")
        }
        if !self.create, self.hardware.isGiven || self.rental.isGiven {
            throw ValidationError("What is to be rented counts only with --create.")
        }
    }

    func run() async throws {
        // Before anything is rented; a program that is just starting to write gets a moment where that costs
        // nothing.
        if !self.parts.syncOnly { try self.options.checkInput(patience: self.create ? 200 : 0) }
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.options.json)
        try session.requireKey(for: platform)
        if self.parts.enableDocker {
            try await ContainerBuild(session: session, dockerfile: self.parts.dockerfile).run()
        } else if self.parts.dockerfile != nil {
            session.note("vp: --dockerfile does nothing without --enable-docker.")
        }
        let engine = try session.engine(self.parts.transfer)
        // From here on there may be something to tidy up, also between two actions.
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
        // What the run could not bring, the end has.
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

    /// What becomes of `--destroy` where the run was left before its end.
    private func leave(
        _ instance: Instance, _ job: Job?, _ interruption: ActionRunner.Interruption, _ engine: Engine,
        _ session: Session
    ) async throws {
        if self.create, job == nil {
            let rental = Rental(engine: engine, session: session, yes: self.rental.yes)
            return try await rental.tidyUp(instance, after: interruption)
        }
        // At the terminal, before anything was run: the instance is as the user knew it.
        guard job != nil || !interruption.mayAsk else {
            Terminal.note(
                "vp: \(instance.id) is not destroyed: nothing was run on it. `vp destroy-instance \(instance.id)` does "
                    + "it, with its results brought first.")
            return
        }
        await LeftEnd(engine: engine).leave(instance, after: job)
    }

    /// Ends the instance with its results brought home first; what cannot be brought keeps it alive.
    ///
    /// An end that did not come is what the status tells: the instance goes on costing money.
    /// How the job ended is then said in the last line. True where every result is known to be here.
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
            session.note("vp: \(instance.id) is gone already.")
            return false
        } catch let left as ExitStatus {
            // Told to end itself, not to keep the instance.
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

/// Says what a run did, and ends with the right status.
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
                "vp: \(left.count == 1 ? "1 process" : "\(left.count) processes") that did nothing for a while "
                    + "stayed behind on \(job.instance): \(names.joined(separator: "; "))")
            self.session.note("    `vp cancel \(job.id)` ends what \(job.id) left behind.")
        }
        if let error = summary.downloadError {
            Report.show(error, asJSON: false, terminal: self.session.terminal)
        }
        if let refusal = job.limitRefusal {
            Report.show(refusal, asJSON: false, terminal: self.session.terminal)
            throw ExitStatus(status: Status.limitRefused)
        }
        let status = job.exitStatus ?? Self.status(of: job)
        // A job's own failure says more than what came after it.
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

    /// For a job whose end nobody recorded.
    private static func status(of job: Job) -> Int32 {
        switch job.state {
        case .succeeded: 0
        case .lost: Status.instanceLost
        case .cancelled: Status.interrupted
        case .queued, .running, .failed, .unknown: Status.unreachable
        }
    }
}

/// `--enable-docker`: builds the project's image here, so that a broken Dockerfile is found before money is
/// spent.
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
        // A file named here is meant from where the user stands, one in the settings from the project.
        let file =
            try self.dockerfile.map { Self.absolute($0, from: self.session.directory) }
            ?? Self.inside(root, settings.dockerfile, "docker.dockerfile")
        let context = try Self.inside(root, settings.buildContext, "docker.build_context")
        guard FileManager.default.isReadableFile(atPath: file) else {
            throw CommandFailure(
                code: "build_failed", message: "There is no Dockerfile \(file).",
                advice: "Name one with --dockerfile, or leave out --enable-docker.",
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
                code: "build_failed", message: "The build of \(tag) failed: \(name) ended with \(status).",
                advice: "Nothing was sent or run.", status: Status.configuration)
        }
        self.session.note(
            "vp: \(tag) is built. It stays on this machine; to run in it, push it and rent with --image.")
    }

    /// What the project's file names, which has to be in the project: a build reads all of its context.
    private static func inside(_ root: String, _ path: String, _ setting: String) throws -> String {
        let whole = Self.absolute(path, from: root)
        let target = URL(fileURLWithPath: whole).resolvingSymlinksInPath().path
        let folder = URL(fileURLWithPath: root).resolvingSymlinksInPath().path
        guard target == folder || target.hasPrefix("\(folder)/") else {
            throw CommandFailure(
                code: "badConfiguration",
                message: "\(setting) is \(Terminal.printable(path)), which leads out of the project.",
                advice: "Name a path inside the project, or give another Dockerfile with --dockerfile.",
                status: Status.configuration)
        }
        return whole
    }

    /// Registries' rules for names are narrower than ours for projects: no hyphen,
    /// dot or underscore beside another.
    private static func tag(of workspace: Workspace) -> String {
        let words = workspace.slug.lowercased().split { "._-".contains($0) }
        return "vp-\(words.joined(separator: "-"))"
    }

    private static func absolute(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : URL(fileURLWithPath: "\(folder)/\(path)").standardizedFileURL.path
    }
}
