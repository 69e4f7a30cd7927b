import ArgumentParser
import Foundation
import VPEngine

struct ListInstancesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-instances", abstract: "List the instances of your accounts.", aliases: ["ls"])

    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        try session.requireKey(for: platform)
        let engine = try session.engine(history: .wanted)
        // Continues destroys that an earlier vp could not finish, or that waited for a last job.
        await engine.takeUpEnds()
        let seenBefore = engine.cachedInstances()
        async let balances: Void = engine.refreshBalances()
        let answers = await engine.instances(platform: platform)
        await balances
        let report = try? engine.moneyReport()
        session.noteHistory(of: engine)
        try Answer.show(answers, asJSON: self.json.json, session: session, document: Documents.instances) {
            InstanceTable.lines($0, terminal: session.terminal, now: Date(), money: report)
        } rest: {
            // A platform that failed for one row has answered for the others.
            let answered = Set(answers.values.map(\.id.platform))
            Self.lastSeen(
                seenBefore, answers.failures.filter { !answered.contains($0.platform) }, session)
            guard !self.json.json, let report else { return }
            session.warn(report.alarms.map(\.words))
        }
    }

    /// Shows the last known rows of platforms that do not answer.
    private static func lastSeen(
        _ cached: PlatformAnswers<Instance>?, _ failures: [PlatformAnswers<Instance>.Failure],
        _ session: Session
    ) {
        for failure in failures {
            let rows = cached?.values.filter { $0.id.platform == failure.platform } ?? []
            guard let cached, !rows.isEmpty else { continue }
            let since = cached.seenAt[failure.platform] ?? cached.fetchedAt
            Terminal.note(
                "As last seen on \(failure.platform.displayName), \(Units.age(since, now: Date())) ago:")
            for line in InstanceTable.lines(rows, terminal: session.terminal, now: Date()) {
                Terminal.note(line)
            }
        }
    }
}

/// Shows the platforms' answers, and reports each platform that failed. If none answered, that is the error.
enum Answer {
    static func show<Value>(
        _ answers: PlatformAnswers<Value>, asJSON: Bool, session: Session,
        document: (PlatformAnswers<Value>) -> JSON, lines: ([Value]) -> [String], rest: () -> Void = {}
    ) throws {
        let nobodyAnswered = answers.values.isEmpty && !answers.failures.isEmpty
        if asJSON {
            Terminal.print(document(answers).document)
        } else if !nobodyAnswered {
            for line in lines(answers.values) { Terminal.print(line) }
        }
        rest()
        guard let failure = answers.failures.first else { return }
        if nobodyAnswered { throw failure.error }
        for failure in answers.failures {
            Report.show(failure.error, asJSON: asJSON, terminal: session.terminal)
        }
        throw ExitStatus(status: Report.status(for: failure.error))
    }
}

enum InstanceTable {
    /// - Parameter money: the accounts' balances, for the last line.
    static func lines(
        _ instances: [Instance], terminal: Terminal, now: Date, money: MoneyReport? = nil
    ) -> [String] {
        guard !instances.isEmpty else {
            return ["No instances. Rent one: vp create-instance --gpu-type RTX4090"]
        }
        var table = TextTable([
            ("PLATFORM", .left), ("ID", .left), ("NAME", .left), ("GPU", .left), ("STATUS", .left),
            ("PRICE", .right),
            ("AGE", .right), ("LEASE", .right), ("LOCATION", .left), ("SSH", .left),
        ])
        for instance in instances {
            let (mark, style) = Self.sign(instance.status, hasUnicode: terminal.hasUnicode)
            let gpus = instance.gpuCount > 1 ? " ×\(instance.gpuCount)" : ""
            table.add([
                .init(instance.id.platform.rawValue),
                .init(instance.id.rawValue, .strong),
                .init(instance.name ?? ""),
                .init(instance.gpuName + (terminal.hasUnicode ? gpus : gpus.replacing("×", with: "x"))),
                .init("\(mark) \(instance.status.rawValue)", style),
                .init(Units.hourly(instance.price.dollarsPerHour)),
                .init(Units.age(instance.createdAt, now: now)),
                Self.lease(instance, now: now),
                .init(instance.location ?? ""),
                .init(instance.ssh.map { "\($0.user)@\($0.host):\($0.port)" } ?? ""),
            ])
        }
        var lines = table.lines(colour: terminal.outputHasColour)
        let running = instances.filter(\.status.holdsGPU).sumOfDollars { $0.price.dollarsPerHour }
        let parked = instances.filter { !$0.status.holdsGPU }.sumOfDollars { $0.price.dollarsPerDay }
        var total = "\(Units.count(instances.count, "instance")), running \(Units.hourly(running))"
        if parked > 0 { total += ", parked \(Units.dollars(parked))/day" }
        if let balance = money?.balanceDollars { total += ", balance \(Units.dollars(balance))" }
        if let left = money?.timeLeft { total += ", \(left)" }
        lines.append(Style.faint.apply(total, if: terminal.outputHasColour))
        return lines
    }

    /// The time left of the lease. A lease that only this machine enforces is marked; a missing one is red.
    static func lease(_ instance: Instance, now: Date) -> TextTable.Cell {
        guard let lease = instance.lease, instance.status.holdsGPU else { return .init("") }
        guard let end = lease.endsAt else { return .init("none", .bad) }
        let left = end.timeIntervalSince(now)
        let words = left > 0 ? Units.age(now.addingTimeInterval(-max(60, left)), now: now) : "over"
        return lease.guardian == .instance
            ? .init(words, left < 1800 ? .busy : nil) : .init(words + " (local)", .busy)
    }

    static func sign(_ status: InstanceStatus, hasUnicode: Bool) -> (mark: String, style: Style) {
        switch status {
        case .running: (hasUnicode ? "●" : "*", .good)
        case .pending, .loading: (hasUnicode ? "◐" : "+", .busy)
        case .stopping, .destroying: (hasUnicode ? "◑" : "-", .busy)
        case .stopped: (hasUnicode ? "○" : "o", .faint)
        case .failed, .lost: (hasUnicode ? "✗" : "!", .bad)
        case .unknown: ("?", .busy)
        }
    }
}

struct StartCommand: InstanceActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start a stopped instance, if its GPU is still free.")

    @OptionGroup var target: InstanceTarget

    func action(on id: InstanceID, _ session: Session) async throws -> EngineAction { .start(id) }

    func answer(to result: ActionResult, _ session: Session) -> InstanceActionAnswer? {
        guard case .started(let instance) = result else { return nil }
        return .init(
            document: Documents.instance(instance),
            line: "\(instance.id) is running at \(Units.hourly(instance.price.dollarsPerHour)).")
    }
}

struct StopCommand: InstanceActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Download the results, then stop an instance; its disk remains and is billed.")

    @OptionGroup var target: InstanceTarget

    @Flag(help: "Also end the jobs that run on the instance.")
    var endJobs = false

    var history: HistoryNeed { .wanted }

    func find(_ engine: Engine, on platform: VPEngine.Platform?) async throws -> Instance {
        try await engine.instanceToEnd(named: self.target.id, platform: platform)
    }

    func action(on id: InstanceID, _ session: Session) async throws -> EngineAction {
        .stop(id, StopRequest(endsJobs: self.endJobs))
    }

    func allowing(jobs action: EngineAction) -> EngineAction? {
        guard case .stop(let id, _) = action else { return nil }
        return .stop(id, StopRequest(endsJobs: true))
    }

    func answer(to result: ActionResult, _ session: Session) -> InstanceActionAnswer? {
        guard case .stopped(let instance, let unsafe) = result else { return nil }
        if let unsafe {
            Report.show(unsafe, asJSON: self.target.json.json, terminal: session.terminal)
        }
        let daily = Units.dollars(instance.price.dollarsPerDay)
        return .init(
            document: Documents.instance(instance),
            line:
                "\(instance.id) is stopped. Its disk costs \(daily) a day, and others may rent its GPU meanwhile; "
                + "`vp destroy-instance \(instance.id)` ends the cost.")
    }
}

struct SSHCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ssh",
        abstract: "Open a shell in the project's folder on an instance, or run a command by plain ssh.")

    @Argument(
        help: "The instance's id or name. Optional if exactly one instance of this project is running.",
        completion: Completions.instances)
    var id: String?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The command to run on the instance.", valueName: "command"))
    var command: [String] = []

    @OptionGroup var instance: InstanceOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var platform: PlatformOptions

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common)
        try session.requireKey(for: platform)
        let engine = try session.engine(history: .wanted)
        let name = try self.instance.name(orArgument: self.id)
        let instance = try await engine.instance(named: name, platform: platform)
        // ssh joins its words with blanks and passes the line to a shell, so vp quotes the command itself.
        let line = self.command.isEmpty ? nil : JobCommand(words: self.command).shellText
        try Program.replaceThisProcess(try await engine.shellCommand(for: instance.id, running: line))
    }
}
