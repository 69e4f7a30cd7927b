import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print a job's output.",
        discussion: """
            First, vp fetches the part of the log that is missing on this machine. If the instance cannot be reached, \
            vp says so and prints the local copy.
            """)

    @Argument(
        help: "The job's id, its first characters, or -1 for the newest job.", completion: Completions.jobs)
    var job: String

    @Flag(name: .shortAndLong, help: "Keep printing new output while the job runs.")
    var follow = false

    @Option(help: ArgumentHelp("Print only the last lines.", valueName: "n"))
    var tail: Int?

    @Option(
        help: ArgumentHelp(
            "Print only output that reached this machine after this time: an age such as 90s, 10m, 2h or 1d, or a time "
                + "such as 2026-11-24T12:00:00Z.", valueName: "time"), transform: SinceArgument.read)
    var since: SinceArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let tail = self.tail, tail < 0 { throw ValidationError("--tail must be 0 or more.") }
    }

    func run() async throws {
        let session = try Session(self.common)
        let engine = try session.engine(history: .wanted)
        var job = try engine.job(named: self.job)
        // With --follow, following fetches the missing part.
        if !self.follow || job.state.isOver { job = await session.catchUp(job, engine) }
        var starts: [JobStream: Int64] = [:]
        var ends: [JobStream: Int64] = [:]
        for stream in JobStream.allCases {
            let end = try engine.logSize(job.id, stream)
            ends[stream] = end
            starts[stream] = try self.start(engine, job.id, stream, end)
        }
        var printer = OutputPrinter(engine: engine, starts: starts)
        for stream in JobStream.allCases { printer.print(job.id, stream, upTo: ends[stream] ?? 0) }
        if session.terminal.outputIsTTY || !job.state.isOver {
            Self.tell(engine.training(of: job, last: Engine.endOfLog), session)
        }
        guard self.follow, !job.state.isOver else { return }
        try session.requireKey(for: job.instance.platform)
        var runner = ActionRunner(
            engine: engine, session: session, outputStarts: ends, asksOnInterrupt: false)
        runner.lendsKeyboard = false
        switch await runner.perform(.attach(job.id, on: job.instance, bringsResults: false)) {
        case .failed(let error): throw error
        case .interrupted: throw ExitStatus(status: runner.interruption.exitStatus)
        case .succeeded: break
        }
    }

    /// Shows the training's state on stderr, apart from the job's output.
    private static func tell(_ report: TrainingReport, _ session: Session) {
        let parts =
            MetricsText.head(report, now: Date()) + [MetricsText.brief(report.figures)].filter { !$0.isEmpty }
        if !parts.isEmpty { session.note("vp: " + Terminal.printable(parts.joined(separator: "; ")) + ".") }
        for alarm in report.alarms { session.note("vp: " + Terminal.printable(MetricsText.sentence(alarm))) }
    }

    private func start(_ engine: Engine, _ job: JobID, _ stream: JobStream, _ end: Int64) throws -> Int64 {
        var start: Int64 = 0
        if let since = self.since?.date(now: Date()) {
            start = engine.logOffset(job, stream, since: since)
        }
        guard let tail = self.tail else { return start }
        guard tail > 0 else { return end }
        // Reading backwards from the end makes the last lines of a large log as cheap as those of a small
        // one.
        var lines = 0
        var position = end
        while position > start {
            let part = max(start, position - (1 << 16))
            let bytes = try engine.readLog(job, stream, from: part, limit: Int(position - part))
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                // The line feed at the very end begins no line.
                if part + Int64(index) == end - 1 { continue }
                lines += 1
                if lines == tail { return part + Int64(index) + 1 }
            }
            position = part
        }
        return start
    }
}

extension Session {
    /// Fetches the missing part of the job's log and returns the job. If the instance cannot be asked,
    /// it says so, and the local copy is used.
    func catchUp(_ job: Job, _ engine: Engine) async -> Job {
        do throws(EngineError) {
            return try await engine.catchUp(job.id)
        } catch {
            let reason = Terminal.printable(error.detail ?? error.code.rawValue)
            self.note("vp: the instance could not be reached (\(reason)); this is the local copy of the log.")
            return job
        }
    }
}
