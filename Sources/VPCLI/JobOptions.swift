import ArgumentParser
import Foundation
import Glibc
import VPEngine

/// Options of `run` and `rerun` for the way a job is run.
struct JobOptions: ParsableArguments {
    @Flag(help: "Print the job's id and return once it is started. See `vp attach` and `vp logs`.")
    var detach = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Start after this job of the same instance ends, whether or not it succeeded.", valueName: "job"),
        completion: Completions.openJobs)
    var after: String?

    @Flag(help: "Start after all jobs of the instance have ended.")
    var queue = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Environment variable for the job. A name without =VALUE passes on the value from your environment. May be "
                + "repeated.",
            valueName: "name[=value]"), transform: EnvironmentArgument.read)
    var env: [EnvironmentArgument] = []

    @Flag(
        name: [.customShort("t"), .long],
        help: "Give the command a terminal that is connected to this keyboard; Ctrl-P Ctrl-Q detaches.")
    var terminal = false

    @Flag(help: "Keep standard error separate from standard output.")
    var splitStderr = false

    @Option(
        help: ArgumentHelp(
            "Keep the job open while its background processes work. Once they have been idle this long, the job ends "
                + "and leaves them running. (default: 5m)",
            valueName: "time"), transform: TimeArgument.spanOrNone)
    var linger: Double?

    @Option(
        help: ArgumentHelp(
            "End the job if its training goes wrong. nan: the loss is not a number three times in a row; the instance "
                + "itself checks this. Only while vp follows the job: stall or stall:10m: no new step arrives; diverge: "
                + "the loss keeps rising; plateau: the evaluation stops improving. Separate several with commas.",
            valueName: "rules"), transform: StopArgument.read)
    var stopOn: StopRules?

    @Flag(help: "Pass standard input to the command, up to its end.")
    var stdin = false

    @Flag(help: "Ring the bell, or show a desktop notification, when the job has ended.")
    var notify = false

    @Flag(help: "With --detach: print the job as JSON.")
    var json = false

    func validate() throws {
        if self.after != nil, self.queue {
            throw ValidationError("--after and --queue cannot be combined.")
        }
        if self.terminal, self.splitStderr {
            throw ValidationError(
                "-t and --split-stderr cannot be combined: a terminal has one output stream.")
        }
        if self.terminal, self.stdin {
            throw ValidationError("-t and --stdin cannot be combined: the command reads from its terminal.")
        }
        if self.json, !self.detach {
            throw ValidationError(
                "--json requires --detach; without it, standard output is the job's own output.")
        }
    }

    /// Throws if data waits on standard input that the command would not receive.
    func checkInput(patience milliseconds: Int32) throws {
        guard !self.stdin, StandardInput.isWaiting(patience: milliseconds) else { return }
        throw CommandFailure(
            code: "usage", message: "Standard input has data that the command would not receive.",
            advice: "Pass it with --stdin, or leave it out: vp … < /dev/null", status: Status.usage)
    }

    var lingerSeconds: Int? { self.linger.map { Int(saturating: $0.rounded(.up)) } }

    /// The size of the local terminal, for the one on the instance.
    static var terminalSize: RunRequest.TerminalSize {
        var size = winsize()
        let hasKeyboard = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        for descriptor in [STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO]
        where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
            return .init(columns: Int(size.ws_col), rows: Int(size.ws_row), hasKeyboard: hasKeyboard)
        }
        return .init(columns: 80, rows: 24, hasKeyboard: hasKeyboard)
    }
}

/// Performs a run for `run` and `rerun`, and reports how it ended.
struct JobRun {
    let engine: Engine
    let session: Session
    let options: JobOptions
    /// A signal that arrived before the run.
    var earlier: ActionRunner.Interruption?

    /// Returns the failure that the run ended with, if any. Throws if vp leaves the run before its end, after
    /// `wasLeft` has dealt with the instance.
    func perform(
        _ request: RunRequest, on instance: Instance,
        wasLeft: (Job?, ActionRunner.Interruption) async throws -> Void = { _, _ in }
    ) async throws -> (any Error)? {
        self.session.explain(
            "on \(instance.id.platform.displayName) \(instance.id), \(instance.gpuName)")
        var runner = ActionRunner(engine: self.engine, session: self.session)
        runner.earlier = self.earlier
        switch await runner.perform(.run(instance.id, request)) {
        case .succeeded(.ran(let summary)):
            if request.isDetached, let job = summary.job {
                for line in job.record?.stopOn.map(StopArgument.keepers(of:)) ?? [] {
                    self.session.note(line)
                }
                let document = Documents.job(job, connection: self.engine.connection(of: job)).document
                Terminal.print(self.options.json ? document : job.id.rawValue)
                return nil
            }
            if !self.options.stdin, StandardInput.isWaiting(patience: 0) {
                self.session.note(
                    "vp: data arrived on standard input during the run; the command did not receive it. --stdin passes it."
                )
            }
            if self.options.notify, let job = summary.job { Notification.show(job, self.session) }
            do { try RunReport(session: self.session).end(summary) } catch { return error }
            return nil
        case .succeeded: return nil
        case .failed(let error) where error.code == .conflictingFiles && self.session.terminal.canAsk:
            guard let version = VersionQuestion(session: self.session).ask(error) else { return error }
            var request = request
            request.version = version
            return try await self.perform(request, on: instance, wasLeft: wasLeft)
        case .failed(let error): return error
        case .interrupted(_, let job):
            Self.explainDetach(job, on: instance.id)
            try await wasLeft(job, runner.interruption)
            throw ExitStatus(status: runner.interruption.exitStatus)
        }
    }

    /// Returns the job given with `--after`, and the request's turn.
    func turn() throws -> (Job?, RunRequest.Turn) {
        if let name = self.options.after {
            let job = try self.engine.job(named: name)
            return (job, .after(job.id))
        }
        return (nil, self.options.queue ? .last : .now)
    }

    /// Says, after Ctrl-C, that nothing was killed and where the job is.
    static func explainDetach(_ job: Job?, on instance: InstanceID) {
        let place = "\(instance.platform.displayName) \(instance)"
        guard let job else {
            Terminal.note(
                "vp: interrupted before the command was started. \(place) is still rented and billed.")
            return
        }
        guard !job.state.isOver else {
            Terminal.note(
                "vp: \(job.id) has ended; its results are still on \(place): vp download \(instance)")
            return
        }
        guard job.record?.connection != nil || job.startedAt != nil else {
            Terminal.note(
                "vp: interrupted while \(job.id) was being started on \(place). `vp jobs` shows whether it runs."
            )
            return
        }
        Terminal.note(
            "vp: detached. \(job.id) keeps running on \(place), which costs money until it is destroyed.")
        Terminal.note(
            "    Follow it: vp attach \(job.id) · end it: vp cancel \(job.id) · results: vp download \(instance)"
        )
    }
}

/// Notifies the user for `--notify`: by the bell on a terminal, and by a notification on a desktop.
enum Notification {
    static func show(_ job: Job, _ session: Session) {
        if session.terminal.errorIsTTY { Terminal.write([7], to: STDERR_FILENO) }
        let environment = session.environment
        guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil,
            let program = ProgramFile.find(["notify-send"], path: environment["PATH"] ?? "")
        else { return }
        // vp does not wait for the program: a notification that hangs must not delay the end of a run.
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        let text = Terminal.printable("\(RunReport.line(for: job)): \(job.command.shellText)")
        let arguments = [program, "--app-name=vp", "vp", String(text.prefix(300))]
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        _ = ChildEnvironment.withOwn { environment in
            posix_spawn(&child, program, &actions, nil, &words, environment)
        }
    }
}
