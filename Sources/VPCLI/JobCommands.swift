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
