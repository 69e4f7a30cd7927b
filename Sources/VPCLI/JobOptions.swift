import ArgumentParser
import Foundation
import Glibc
import VPEngine

/// How a job is run, for `run` and `rerun`.
struct JobOptions: ParsableArguments {
    @Flag(help: "Return as soon as the job is there, and print its id. See `vp attach` and `vp logs`.")
    var detach = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Begin when that job of the same instance has ended, however it did.", valueName: "job"))
    var after: String?

    @Flag(help: "Begin when all jobs of the instance have ended.")
    var queue = false

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A variable for the job; without a value, the one set here. May be repeated.",
            valueName: "name[=value]"), transform: EnvironmentArgument.read)
    var env: [EnvironmentArgument] = []

    @Flag(
        name: [.customShort("t"), .long],
        help: "Give the command a terminal, with the keyboard of the one here; Ctrl-P Ctrl-Q detaches.")
    var terminal = false

    @Flag(help: "Keep standard error apart from standard output.")
    var splitStderr = false

    @Option(
        help: ArgumentHelp(
            "How long what the command left in the background may do nothing before the job ends without it. "
                + "(default: 5m)", valueName: "time"), transform: TimeArgument.spanOrNone)
    var linger: Double?

    @Option(
        help: ArgumentHelp(
            "End the job while it is followed once a loss is not a number (nan), no step comes (stall, stall:10m), the "
                + "loss only rises (diverge) or the evaluation gets no better (plateau). Several with commas.",
            valueName: "rules"), transform: StopArgument.read)
    var stopOn: StopRules?

    @Flag(help: "Send what is on standard input, up to its end, for the command to read.")
    var stdin = false

    @Flag(help: "Ring the bell, or show a notification on a desktop, when the job has ended.")
    var notify = false

    @Flag(help: "With --detach: print the job as JSON.")
    var json = false

    func validate() throws {
        if self.after != nil, self.queue { throw ValidationError("--after and --queue exclude each other.") }
        if self.terminal, self.splitStderr {
            throw ValidationError("A terminal has one stream: -t and --split-stderr exclude each other.")
        }
        if self.terminal, self.stdin {
            throw ValidationError(
                "A command with a terminal reads from that: -t and --stdin exclude each other.")
        }
        if self.json, !self.detach {
            throw ValidationError("--json needs --detach: without it, stdout is the job's.")
        }
    }

    /// Throws where input waits that the command would not get.
    func checkInput(patience milliseconds: Int32) throws {
        guard !self.stdin, StandardInput.isWaiting(patience: milliseconds) else { return }
        throw CommandFailure(
            code: "usage", message: "There is data on standard input, and the command would not get it.",
            advice: "Send it with --stdin, or leave it out: vp … < /dev/null", status: Status.usage)
    }

    var lingerSeconds: Int? { self.linger.map { Int(saturating: $0.rounded(.up)) } }

    /// The size to give a terminal on the instance: that of ours.
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

/// Performs a run as `run` and `rerun` ask for it, and tells how it went.
struct JobRun {
    let engine: Engine
    let session: Session
    let options: JobOptions
    /// A signal that came before.
    var earlier: ActionRunner.Interruption?

    /// Returns the failure that the run ended with, if any. Throws where it was left before its end, once
    /// `wasLeft` has said what becomes of the rest.
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
                let document = Documents.job(job, connection: self.engine.connection(of: job)).document
                Terminal.print(self.options.json ? document : job.id.rawValue)
                return nil
            }
            if !self.options.stdin, StandardInput.isWaiting(patience: 0) {
                self.session.note(
                    "vp: data has come on standard input meanwhile; the command did not get it. --stdin sends it."
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

    /// The job that `--after` names, and the request's turn.
    func turn() throws -> (Job?, RunRequest.Turn) {
        if let name = self.options.after {
            let job = try self.engine.job(named: name)
            return (job, .after(job.id))
        }
        return (nil, self.options.queue ? .last : .now)
    }

    /// After Ctrl-C: nothing was killed, and the user must know where the job is.
    static func explainDetach(_ job: Job?, on instance: InstanceID) {
        let place = "\(instance.platform.displayName) \(instance)"
        guard let job else {
            Terminal.note("vp: interrupted before the command was started. \(place) is still rented.")
            return
        }
        guard !job.state.isOver else {
            Terminal.note(
                "vp: \(job.id) has ended; its results are still on \(place): vp download \(instance)")
            return
        }
        guard job.record?.connection != nil || job.startedAt != nil else {
            Terminal.note(
                "vp: interrupted while \(job.id) was being started on \(place). `vp jobs` tells whether it runs."
            )
            return
        }
        Terminal.note("vp: detached. \(job.id) goes on on \(place), and that on costing money.")
        Terminal.note(
            "    Follow it: vp attach \(job.id) · end it: vp cancel \(job.id) · results: vp download \(instance)"
        )
    }
}

/// `--notify`: on a desktop a notification, on any terminal the bell.
enum Notification {
    static func show(_ job: Job, _ session: Session) {
        if session.terminal.errorIsTTY { Terminal.write([7], to: STDERR_FILENO) }
        let environment = session.environment
        guard environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil,
            let program = ProgramFile.find(["notify-send"], path: environment["PATH"] ?? "")
        else { return }
        // Nobody waits for it: a notification that does not come must not hold up a run's end.
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
