import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Follow a running job: print its output so far, then its new output.",
        discussion: """
            When the job ends, its results are downloaded, unless the job was run without syncing. The exit status is \
            the job's.
            """)

    @Argument(
        help: "The job's id, its first characters, or -1 for the newest job.",
        completion: Completions.openJobs)
    var job: String

    @Flag(help: "Ring the bell, or show a desktop notification, when the job has ended.")
    var notify = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let session = try Session(self.common)
        let engine = try session.engine()
        let job = try engine.job(named: self.job)
        let hasEnded = job.state.isOver && job.endedAt != nil
        // A job that ended while nobody watched has left its log and its results on the instance.
        let known = hasEnded ? await session.catchUp(job, engine) : job
        // The copy on this machine first: it needs no connection, and the rest follows from its end.
        var ends: [JobStream: Int64] = [:]
        for stream in JobStream.allCases { ends[stream] = try engine.logSize(job.id, stream) }
        var printer = OutputPrinter(engine: engine, starts: [:])
        for stream in JobStream.allCases { printer.print(job.id, stream, upTo: ends[stream] ?? 0) }
        // Everything is on this machine already.
        if hasEnded, known.record?.results != nil || known.record?.syncsDown != true {
            return try self.end(RunSummary(job: known), session)
        }
        if !hasEnded { try session.requireKey(for: job.instance.platform) }
        let runner = ActionRunner(engine: engine, session: session, outputStarts: ends, followed: known)
        switch await runner.perform(.attach(job.id, on: job.instance)) {
        case .succeeded(.attached(let summary)): try self.end(summary, session)
        case .succeeded: break
        case .failed(let error): throw error
        case .interrupted(_, let seen):
            JobRun.explainDetach(seen ?? job, on: job.instance)
            throw ExitStatus(status: runner.interruption.exitStatus)
        }
    }

    private func end(_ summary: RunSummary, _ session: Session) throws {
        if self.notify, let job = summary.job { Notification.show(job, session) }
        try RunReport(session: session).end(summary)
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a job and all its processes; the instance stays.",
        discussion: "If the job has ended already, this ends the background processes that it left behind.")

    @Argument(
        help: "The job's id, its first characters, or -1 for the newest job.",
        completion: Completions.openJobs)
    var job: String

    @Option(
        help: ArgumentHelp("Time between SIGTERM and SIGKILL: 10s, 1m. (default: 10s)", valueName: "time"),
        transform: TimeArgument.spanOrNone)
    var grace: Double?

    @Flag(help: "Send SIGKILL at once.")
    var kill = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let engine = try session.engine(history: .wanted)
        let job = try engine.job(named: self.job)
        let wasOver = job.state.isOver && job.endedAt != nil
        guard !wasOver || job.state == .unknown || job.record?.leftBehind.isEmpty == false else {
            throw EngineError(.jobOver, .init("cancelling a job", subject: job.id.rawValue))
        }
        try session.requireKey(for: job.instance.platform)
        let request = CancelRequest(
            grace: self.kill ? 0 : self.grace.map { Int(saturating: $0.rounded(.up)) })
        let result = try await ActionRunner(engine: engine, session: session, showsOutput: false)
            .result(of: .cancel(job.id, on: job.instance, request))
        guard case .cancelled(let ended) = result else { return }
        if ended.record?.mayHaveMissedProcesses == true {
            session.note(
                "vp: \(ended.instance) has no perl, so vp cannot find processes of \(ended.id) that cleared their environment "
                    + "and moved to another session. Look for them with `vp ssh \(ended.instance)`.")
        }
        if self.json.json {
            Terminal.print(Documents.job(ended, connection: nil).document)
        } else if wasOver {
            Terminal.print(
                "The processes that \(ended.id) left behind have ended; the instance \(ended.instance) stays."
            )
        } else {
            Terminal.print("\(ended.id) is \(ended.state.rawValue); the instance \(ended.instance) stays.")
        }
    }
}

struct RerunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun", abstract: "Run a job's command again with the current state of the project.",
        discussion: """
            The job runs on its old instance if that is still running, else on the only running one. vp does not store \
            the values of environment variables: it takes them from -e, then from the environment, and asks for the \
            rest on a terminal.
            """)

    @Argument(
        help: "The job's id, its first characters, or -1 for the newest job.", completion: Completions.jobs)
    var job: String

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var budget: BudgetOptions
    @OptionGroup var upload: UploadOptions
    @OptionGroup var options: JobOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try self.options.checkInput(patience: 0)
        let session = try Session(self.common, asJSON: self.options.json)
        try session.requireKey()
        let engine = try session.engine()
        let job = try engine.job(named: self.job)
        guard job.workspacePath == session.configuration.workspace.localRoot else {
            throw CommandFailure(
                code: "usage", message: "\(job.id) belongs to the project in \(job.workspacePath).",
                advice: "Run `vp rerun` in that folder.", status: Status.usage)
        }
        // Any question comes before work on the instance.
        let environment = try self.environment(of: job, session)
        let run = JobRun(engine: engine, session: session, options: self.options)
        let (predecessor, turn) = try run.turn()
        var instance: Instance
        if let name = self.instance.instanceId ?? predecessor?.instance.rawValue {
            instance = try await engine.instance(named: name)
        } else {
            let same = try? await engine.instance(named: job.instance.rawValue)
            if let same, same.status == .running {
                instance = same
            } else {
                instance = try await engine.instance(named: nil)
            }
        }
        let record = job.record
        let wantsTerminal =
            self.options.terminal || (record?.hasTerminal == true && !self.options.splitStderr)
        var request = RunRequest(
            command: job.command, workingDirectory: record?.workingDirectory,
            syncsUp: record?.syncsUp ?? true, syncsDown: record?.syncsDown ?? true, environment: environment,
            turn: turn, isDetached: self.options.detach,
            splitsErrors: self.options.splitStderr || (record?.splitsErrors == true && !wantsTerminal),
            terminal: wantsTerminal ? JobOptions.terminalSize : nil,
            maximumCost: self.budget.maxCost?.dollars ?? record?.maximumCost,
            lingerSeconds: self.options.lingerSeconds)
        request.stopOn = self.options.stopOn ?? record?.stopOn
        if self.options.stdin { request.inputDescriptor = STDIN_FILENO }
        request.version = self.upload.version
        request.takesOwnFolder = self.upload.ownFolder
        if let ending = try await run.perform(request, on: instance) { throw ending }
    }

    /// Returns the job's environment variables with current values.
    private func environment(of job: Job, _ session: Session) throws -> [String: String] {
        var environment = try EnvironmentArgument.values(self.options.env, from: session.environment)
        var missing: [String] = []
        for name in job.record?.environmentNames ?? [] where environment[name] == nil {
            environment[name] = session.environment[name]
            if environment[name] == nil { missing.append(name) }
        }
        guard !missing.isEmpty else { return environment }
        guard session.terminal.canAsk else {
            let list = missing.joined(separator: ", ")
            throw CommandFailure(
                code: "usage",
                message:
                    "\(job.id) needs environment variables whose values vp does not store, and your environment does not set: \(list).",
                advice: "Set them, or pass them: \(missing.map { "-e \($0)=…" }.joined(separator: " "))",
                status: Status.usage)
        }
        session.note("vp: \(job.id) needs environment variables whose values vp does not store.")
        for name in missing { environment[name] = try Prompt.secret(name, terminal: session.terminal) }
        return environment
    }
}
