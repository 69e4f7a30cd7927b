import ArgumentParser
import Foundation
import Glibc
import VPEngine

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs, newest first, or show all details of one.",
        discussion: """
            First, vp asks the instances about jobs that ended while nobody watched, and downloads their logs.
            """)

    @Argument(
        help: "Show this job: its id, its first characters, or -1 for the newest job.",
        completion: Completions.jobs)
    var job: String?

    @Option(help: ArgumentHelp("Maximum number of jobs to list.", valueName: "n"))
    var limit = 20

    @Flag(help: "List all jobs.")
    var all = false

    @Flag(help: "Keep running, and print the list again whenever a job changes, until Ctrl-C.")
    var watch = false

    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func validate() throws {
        guard self.limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
        if self.job != nil, self.all || self.watch {
            throw ValidationError("--all and --watch apply to the list and cannot be combined with a job.")
        }
    }

    func run() async throws {
        let session = try Session(self.common, asJSON: self.json.json)
        let engine = try session.engine(history: .wanted)
        await Self.look(engine)
        if let name = self.job {
            let job = try engine.job(named: name)
            let connection = engine.connection(of: job)
            let training = engine.training(of: job)
            if self.json.json {
                Terminal.print(Documents.job(job, connection: connection, training: training).document)
            } else {
                for line in JobRecordText.lines(
                    job, connection: connection, logBytes: try engine.logSize(job.id), training: training,
                    terminal: session.terminal)
                { Terminal.print(line) }
            }
            return
        }
        if self.watch { return try await self.keepShowing(engine, session) }
        let jobs = try engine.jobs(limit: self.all ? Int(Int32.max) : self.limit)
        if self.json.json {
            let documents = jobs.map {
                Documents.job(
                    $0, connection: engine.connection(of: $0), training: Self.training(of: $0, engine))
            }
            Terminal.print(JSON.object(["jobs": .list(documents)]).document)
        } else {
            for line in Self.lines(
                jobs, terminal: session.terminal, now: Date(), connection: engine.connection(of:),
                training: { $0.state.isOver ? nil : Self.training(of: $0, engine) })
            { Terminal.print(line) }
        }
    }

    /// Reads the training figures from the end of the log, because a list must not wait for gigabytes.
    private static func training(of job: Job, _ engine: Engine) -> TrainingReport {
        engine.training(of: job, last: Engine.endOfLog)
    }

    /// Asks the instances about jobs that nobody follows, for at most 10 s:
    /// a slightly stale list is worth more than a late one.
    private static func look(_ engine: Engine) async {
        await withTaskGroup { group in
            group.addTask { _ = try? await engine.lookAtJobs() }
            group.addTask { try? await Task.sleep(for: .seconds(10)) }
            await group.next()
            group.cancelAll()
        }
    }

    private func keepShowing(_ engine: Engine, _ session: Session) async throws {
        var shown: [JobID: JSON] = [:]
        var lastLines: [String] = []
        while true {
            let jobs = try engine.jobs(limit: self.all ? Int(Int32.max) : self.limit)
            if self.json.json {
                // One object a line, oldest change first; each job once at the start.
                for job in jobs.reversed() {
                    let document = Documents.job(
                        job, connection: engine.connection(of: job), training: Self.training(of: job, engine))
                    if shown[job.id] != document,
                        !Terminal.write((document.line + "\n").utf8, to: STDOUT_FILENO)
                    {
                        return
                    }
                    shown[job.id] = document
                }
            } else {
                let lines = Self.lines(
                    jobs, terminal: session.terminal, now: Date(), connection: engine.connection(of:),
                    training: { $0.state.isOver ? nil : Self.training(of: $0, engine) })
                if session.terminal.outputIsTTY {
                    let screen = "\u{1B}[H\u{1B}[J" + lines.joined(separator: "\n") + "\n"
                    Terminal.write(screen.utf8, to: STDOUT_FILENO)
                } else if lines != lastLines,
                    !Terminal.write((lines + ["", ""]).joined(separator: "\n").utf8, to: STDOUT_FILENO)
                {
                    return
                }
                lastLines = lines
            }
            try await Task.sleep(for: .seconds(2))
            await Self.look(engine)
        }
    }

    static func lines(
        _ jobs: [Job], terminal: Terminal, now: Date,
        connection: (Job) -> JobRecord.Connection? = { _ in .following },
        training: (Job) -> TrainingReport? = { _ in nil }
    ) -> [String] {
        guard !jobs.isEmpty else { return ["No jobs yet. Run one: vp python train.py"] }
        var table = TextTable([
            ("JOB", .left), ("STATE", .left), ("EXIT", .right), ("TIME", .right), ("COST", .right),
            ("AGE", .right), ("PROGRESS", .left),
            ("INSTANCE", .left), ("COMMAND", .left),
        ])
        for job in jobs {
            let end = job.endedAt ?? (job.state.isOver ? nil : now)
            let duration = job.startedAt.flatMap { start in end.map { $0.timeIntervalSince(start) } }
            table.add([
                .init(job.id.rawValue, .strong),
                .init(
                    job.state.rawValue + Self.words(connection(job)) + Self.background(job),
                    Self.style(job.state)),
                .init(job.outcome.map { "\($0.exitStatus)" } ?? ""),
                .init(duration.map(TimeSpan.exact) ?? ""),
                .init(job.dollars.map(Units.dollars) ?? ""),
                .init(Units.age(job.startedAt ?? job.createdAt, now: now)),
                Self.progress(training(job), now: now),
                .init(job.instance.rawValue),
                .init(DisplayWidth.cut(Terminal.printable(job.command.shellText), to: 60)),
            ])
        }
        return table.lines(colour: terminal.outputHasColour)
    }

    /// The progress cell: the first alarm, else the progress.
    private static func progress(_ report: TrainingReport?, now: Date) -> TextTable.Cell {
        guard let report else { return .init("") }
        if let alarm = report.alarms.first { return .init(alarm.kind.rawValue, .bad) }
        guard let progress = report.figures.progress else { return .init("") }
        let left = report.secondsLeft.map { $0 > 0 ? ", \(TimeSpan.text($0.rounded()))" : "" } ?? ""
        return .init("\(Int(saturating: progress.fraction * 100)) %\(left)")
    }

    /// Words for the state of the connection. A job runs whether or not its connection is up.
    private static func words(_ connection: JobRecord.Connection?) -> String {
        switch connection {
        case .following, nil: ""
        case .reconnecting: ", reconnecting"
        case .disconnected: ", unwatched"
        }
    }

    /// Words for processes that continue after the command, or were left behind.
    private static func background(_ job: Job) -> String {
        let running = job.record?.processesAtWork ?? 0
        if running > 0, !job.state.isOver { return ", \(running) in the background" }
        let left = job.record?.leftBehind.count ?? 0
        return left > 0 ? ", \(left) left behind" : ""
    }

    static func style(_ state: Job.State) -> Style {
        switch state {
        case .succeeded: .good
        case .queued, .running, .unknown: .busy
        case .failed, .lost: .bad
        case .cancelled: .faint
        }
    }
}

/// All details of one job, as lines.
enum JobRecordText {
    static func lines(
        _ job: Job, connection: JobRecord.Connection?, logBytes: Int64, training: TrainingReport? = nil,
        terminal: Terminal
    ) -> [String] {
        let colour = terminal.outputHasColour
        var rows: [(String, String)] = [("command", job.command.shellText)]
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { rows.append((name, value)) }
        }
        let record = job.record
        add("folder", record?.workingDirectory)
        add("project", job.workspacePath)
        add(
            "instance",
            "\(job.instance.platform.displayName) \(job.instance)" + Self.hardware(record?.hardware))
        add("image", record?.hardware?.image)
        add("driver", record?.driver)
        if let revision = record?.revision {
            let changes = revision.isDirty ? " with changes" : ""
            add("revision", revision.commit + changes + (revision.patchPath.map { ": \($0)" } ?? ""))
        }
        add("variables", record?.environmentNames?.joined(separator: ", "))
        add("after", record?.predecessor?.rawValue)
        add("created", Units.timestamp(job.createdAt))
        add("started", job.startedAt.map(Units.timestamp))
        add("ended", job.endedAt.map(Units.timestamp))
        switch job.outcome {
        case .exited(let code): add("exit", "\(code)")
        case .signalled(let signal): add("signal", "\(signal)")
        case nil: break
        }
        add("cause", job.cause)
        add("cost", job.dollars.map(Units.dollars))
        add("stops on", record?.stopOn?.text)
        add("limit", record?.maximumCost.map { "\(Units.dollars($0)) (--max-cost)" })
        add("memory", record?.peakBytes.map { "\(Units.bytes($0)) at most, in one process" })
        for process in record?.background ?? [] {
            let how =
                switch process.state {
                case .running: "running"
                case .leftBehind: "left behind; `vp cancel \(job.id)` ends it"
                case .gone: "left behind, has ended since"
                case .ended(let status?): "ended with exit status \(status)"
                case .ended(nil): "ended with an unknown exit status"
                }
            add("background", "process \(process.process), \(how): \(process.command)")
        }
        add("watched", connection?.rawValue)
        if let training {
            add("progress", MetricsText.head(training, now: Date()).first)
            add("figures", MetricsText.brief(training.figures))
            for alarm in training.alarms { add("alarm", alarm.words) }
        }
        let check =
            switch record?.logIsVerified {
            case true?: ", identical to the log on the instance"
            case false?: ", different from the log on the instance"
            case nil: job.state.isOver ? ", not compared with the instance" : " so far"
            }
        add("log", "\(job.logPath), \(Units.bytes(logBytes))\(check)")
        if let results = record?.results {
            let missing = results.missing > 0 ? ", \(Units.count(results.missing, "file")) missing" : ""
            let conflicts = results.conflicts > 0 ? ", \(Units.count(results.conflicts, "conflict"))" : ""
            add(
                "results",
                "\(Units.count(results.files, "file")), \(Units.bytes(results.bytes))\(missing)\(conflicts), "
                    + "downloaded \(Units.timestamp(results.at))")
        } else if record?.syncsDown == true {
            add("results", "not downloaded yet: vp download \(job.instance)")
        }
        let title =
            "\(Style.strong.apply(job.id.rawValue, if: colour))  "
            + JobsCommand.style(job.state).apply(job.state.rawValue, if: colour)
        return [title]
            + rows.map { name, value in
                let padded = name + String(repeating: " ", count: max(0, 11 - name.count))
                return "  \(Style.faint.apply(padded, if: colour))\(Terminal.printable(value))"
            }
    }

    private static func hardware(_ hardware: JobRecord.Hardware?) -> String {
        guard let hardware else { return "" }
        var text = ", \(hardware.gpuCount)× \(hardware.gpuName), \(Units.hourly(hardware.dollarsPerHour))"
        if hardware.isInterruptible { text += " interruptible" }
        if let location = hardware.location { text += ", \(location)" }
        if let machine = hardware.machineID { text += ", machine \(machine)" }
        return text
    }
}
