import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs that were run, newest first.")

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 20

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func validate() throws {
        guard self.limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let jobs = try session.engine().jobs(limit: self.limit)
        if self.json.json {
            Terminal.print(JSON.object(["jobs": .list(jobs.map(Documents.job))]).document)
            return
        }
        for line in Self.lines(jobs, terminal: session.terminal, now: Date()) { Terminal.print(line) }
    }

    static func lines(_ jobs: [Job], terminal: Terminal, now: Date) -> [String] {
        guard !jobs.isEmpty else { return ["No jobs yet. Run one: vp python train.py"] }
        var table = TextTable([
            ("JOB", .left), ("STATE", .left), ("EXIT", .right), ("TIME", .right), ("COST", .right),
            ("AGE", .right),
            ("INSTANCE", .left), ("COMMAND", .left),
        ])
        for job in jobs {
            let end = job.endedAt ?? (job.state.isOver ? nil : now)
            let duration = job.startedAt.flatMap { start in end.map { $0.timeIntervalSince(start) } }
            table.add([
                .init(job.id.rawValue, .strong),
                .init(job.state.rawValue, Self.style(job.state)),
                .init(job.outcome.map { "\($0.exitStatus)" } ?? ""),
                .init(duration.map(Units.duration) ?? ""),
                .init(job.dollars.map(Units.dollars) ?? ""),
                .init(Units.age(job.startedAt ?? job.createdAt, now: now)),
                .init(job.instance.rawValue),
                .init(DisplayWidth.cut(Terminal.printable(job.command.shellText), to: 60)),
            ])
        }
        return table.lines(colour: terminal.outputHasColour)
    }

    private static func style(_ state: Job.State) -> Style {
        switch state {
        case .succeeded: .good
        case .queued, .running, .unknown: .busy
        case .failed, .lost: .bad
        case .cancelled: .faint
        }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a job printed, from the copy on this machine.")

    @Argument(help: "The job, or -1 for the newest.")
    var job: String

    @Flag(name: .shortAndLong, help: "Go on while the copy grows, until the job is over.")
    var follow = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let session = try Session(self.common)
        let engine = try session.engine()
        var job = try engine.job(named: self.job)
        var offset: Int64 = 0
        while true {
            // Asked before the bytes are read: whatever a job printed before it ended is then read too.
            let isOver = job.state.isOver
            while true {
                let bytes = try engine.readLog(job.id, from: offset, limit: 1 << 18)
                if bytes.isEmpty { break }
                guard Terminal.write(bytes, to: STDOUT_FILENO) else { return }
                offset += Int64(bytes.count)
            }
            guard self.follow, !isOver else { return }
            try await Task.sleep(for: .milliseconds(200))
            job = try engine.job(named: job.id.rawValue)
        }
    }
}

struct AttachCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Follow a job that runs: what it printed so far, then what it prints.",
        discussion: "The exit status is the job's.")

    @Argument(help: "The job, or -1 for the newest.")
    var job: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let session = try Session(self.common)
        let engine = try session.engine()
        let job = try engine.job(named: self.job)
        // The copy on this machine first: it needs no connection, and the rest follows from its end.
        let size = try engine.logSize(job.id)
        var printer = OutputPrinter(engine: engine, start: 0)
        printer.print(job.id, upTo: size)
        let report = RunReport(session: session)
        guard !job.state.isOver || job.state == .unknown else { return try report.end(RunSummary(job: job)) }
        try session.requireKey(for: job.instance.platform)
        let runner = ActionRunner(engine: engine, session: session, outputStart: size)
        switch await runner.perform(.attach(job.id, on: job.instance)) {
        case .succeeded(.attached(let ended)): try report.end(RunSummary(job: ended))
        case .succeeded: break
        case .failed(let error): throw error
        case .interrupted(_, let seen):
            RunCommand.explainDetach(seen ?? job, on: job.instance)
            throw ExitStatus(status: Status.interrupted)
        }
    }
}

struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a job and all its processes. The instance stays.")

    @Argument(help: "The job, or -1 for the newest.")
    var job: String

    @Option(help: ArgumentHelp("Seconds between asking and killing.", valueName: "seconds"))
    var grace = 10

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func validate() throws {
        guard self.grace >= 0 else { throw ValidationError("--grace must be 0 or more.") }
    }

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let engine = try session.engine()
        let job = try engine.job(named: self.job)
        guard !job.state.isOver else {
            throw EngineError(
                .noSuchJob, .init("cancelling a job", subject: job.id.rawValue),
                detail: "it has ended already")
        }
        try session.requireKey(for: job.instance.platform)
        let request = CancelRequest(grace: self.grace)
        let result = try await ActionRunner(engine: engine, session: session, showsOutput: false)
            .result(of: .cancel(job.id, on: job.instance, request))
        guard case .cancelled(let ended) = result else { return }
        if self.json.json {
            Terminal.print(Documents.job(ended).document)
        } else {
            Terminal.print("\(ended.id) is \(ended.state.rawValue); the instance \(ended.instance) stays.")
        }
    }
}
