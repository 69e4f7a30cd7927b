import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print what a job printed.",
        discussion: """
            What the copy on this machine lacks is fetched first where the instance can be reached; without it, the \
            copy is printed and that is said.
            """)

    @Argument(help: "The job: its id, the beginning of it, or -1 for the newest.")
    var job: String

    @Flag(name: .shortAndLong, help: "Go on while the job runs.")
    var follow = false

    @Option(help: ArgumentHelp("Only the last lines.", valueName: "n"))
    var tail: Int?

    @Option(
        help: ArgumentHelp(
            "Only what arrived here since then: 90s, 10m, 2h, 1d, or a time such as 2026-11-24T12:00:00Z.",
            valueName: "time"), transform: SinceArgument.read)
    var since: SinceArgument?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let tail = self.tail, tail < 0 { throw ValidationError("--tail must be 0 or more.") }
    }

    func run() async throws {
        let session = try Session(self.common)
        let engine = try session.engine(history: .wanted)
        var job = try engine.job(named: self.job)
        // Followed, it is fetched as it is followed.
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

    /// How the training stands, beside its output and not in it.
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
        // From the end backwards, so that the last lines of a large log cost as much as those of a small one.
        var lines = 0
        var position = end
        while position > start {
            let part = max(start, position - (1 << 16))
            let bytes = try engine.readLog(job, stream, from: part, limit: Int(position - part))
            for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") {
                // The line feed at the very end ends the last line and begins none.
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
    /// The job once what its instance holds of its log is here. Where the instance cannot be asked,
    /// that is said and the copy that is here has to do.
    func catchUp(_ job: Job, _ engine: Engine) async -> Job {
        do throws(EngineError) {
            return try await engine.catchUp(job.id)
        } catch {
            let reason = Terminal.printable(error.detail ?? error.code.rawValue)
            self.note("vp: the instance could not be asked (\(reason)); this is the copy that is here.")
            return job
        }
    }
}
