import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct MetricsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Show training metrics from jobs' output: losses, rates, progress, alarms.",
        discussion: """
            vp recognises the output of most training programs without changes to them. --json has at most 1024 \
            values for each metric; in a long run, each is the mean of several. --csv prints every single value. An \
            argument that contains a slash is read as a log file; - reads standard input.
            """)

    @Argument(
        help:
            "Job ids or their first characters; -1 for the newest job; a log file, with a slash (./log.txt); or - for input.",
        completion: Completions.jobs)
    var jobs: [String] = ["-1"]

    @Flag(help: "Print comma-separated values, one line each: job,series,kind,step,value.")
    var csv = false

    @Option(help: ArgumentHelp("Draw the curves into this SVG file.", valueName: "file"), completion: .file())
    var svg: String?

    @Flag(help: "Keep running, and print the metrics again whenever they change, until all jobs have ended.")
    var watch = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func validate() throws {
        if self.csv, self.json.json { throw ValidationError("--json and --csv cannot be combined.") }
        if self.csv, self.svg != nil { throw ValidationError("--svg and --csv cannot be combined.") }
        if self.watch, self.csv { throw ValidationError("--watch and --csv cannot be combined.") }
        if self.watch, self.jobs.contains(where: Self.isFile) {
            throw ValidationError("--watch works for jobs, not for files.")
        }
    }

    private static func isFile(_ name: String) -> Bool { name == "-" || name.contains("/") }

    /// One log and its metrics.
    struct Reading {
        var name: String
        var job: Job?
        var report: TrainingReport
    }

    func run() async throws {
        if self.jobs.allSatisfy(Self.isFile) {
            // A file needs no configuration and no history.
            if self.csv { return try MetricsCSV.write(self.jobs.map { ($0, nil) }, nil) }
            let readings = try self.jobs.map { try Self.read(file: $0) }
            return try self.show(
                readings, terminal: Terminal(environment: ProcessInfo.processInfo.environment))
        }
        let session = try Session(self.common, asJSON: self.json.json)
        let engine = try session.engine()
        var jobs: [(name: String, job: Job?)] = []
        for name in self.jobs {
            let job = Self.isFile(name) ? nil : await session.catchUp(try self.job(name, engine), engine)
            jobs.append((name, job))
        }
        if self.csv { return try MetricsCSV.write(jobs, engine) }
        if self.watch { return try await self.keepShowing(jobs.compactMap(\.job), engine, session) }
        let readings = try jobs.map { name, job in
            try job.map { Reading(name: $0.id.rawValue, job: $0, report: engine.training(of: $0)) }
                ?? Self.read(file: name)
        }
        try self.show(readings, terminal: session.terminal)
    }

    // MARK: Files

    private static func read(file: String) throws -> Reading {
        let descriptor = try Self.open(file)
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        let reader = TrainingReader()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(file) }
            guard count > 0 else { break }
            reader.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        return Reading(name: file, job: nil, report: TrainingReport(reader.figures()))
    }

    static func open(_ file: String) throws -> Int32 {
        let descriptor = file == "-" ? STDIN_FILENO : Glibc.open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(file) }
        return descriptor
    }

    static func failure(_ file: String) -> CommandFailure {
        CommandFailure(
            code: "usage",
            message: "\(Terminal.printable(file)) cannot be read: \(String(cString: strerror(errno))).",
            advice: "Give a job (`vp jobs` lists them) or a file.", status: Status.usage)
    }

    // MARK: Output

    private func show(_ readings: [Reading], terminal: Terminal) throws {
        if let svg = self.svg {
            try Self.write(MetricsPicture.document(readings), to: svg)
            if !self.json.json { return }
        }
        if self.json.json {
            Terminal.print(MetricsText.document(readings).document)
        } else {
            for line in MetricsText.lines(readings, terminal: terminal, now: Date()) { Terminal.print(line) }
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: path)
        do {
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw CommandFailure(
                code: "fileSystem", message: "\(Terminal.printable(path)) could not be written.",
                advice: "Give a file in an existing folder that you can write to.",
                status: Status.configuration)
        }
    }

    private func job(_ name: String, _ engine: Engine) throws(EngineError) -> Job {
        do {
            return try engine.job(named: name)
        } catch {
            guard error.code == .noSuchJob, FileManager.default.fileExists(atPath: name) else { throw error }
            throw EngineError(
                .noSuchJob, error.activity, detail: "to read the file of that name, write ./\(name)")
        }
    }

    private func keepShowing(_ jobs: [Job], _ engine: Engine, _ session: Session) async throws {
        let logs = jobs.map { engine.trainingLog(of: $0) }
        var shown: [String] = []
        while true {
            let current = try jobs.map { try engine.job(named: $0.id.rawValue) }
            var readings: [Reading] = []
            for (job, log) in zip(current, logs) {
                log.advance()
                let reading = log.reading(now: job.state.isOver ? .distantFuture : Date())
                readings.append(
                    Reading(
                        name: job.id.rawValue, job: job,
                        report: reading.report(of: job, now: Date(), gpuRest: engine.gpuRest(of: job))))
            }
            let lines =
                self.json.json
                ? [MetricsText.document(readings).line]
                : MetricsText.lines(readings, terminal: session.terminal, now: Date())
            if lines != shown {
                let begin = session.terminal.outputIsTTY && !self.json.json ? "\u{1B}[H\u{1B}[J" : ""
                let text = begin + lines.joined(separator: "\n") + "\n"
                guard Terminal.write(text.utf8, to: STDOUT_FILENO) else { return }
                shown = lines
            }
            if let svg = self.svg { try Self.write(MetricsPicture.document(readings), to: svg) }
            if current.allSatisfy({ $0.state.isOver }) { return }
            try await Task.sleep(for: .seconds(2))
        }
    }
}
