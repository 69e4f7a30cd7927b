import Foundation
import Glibc
import LoopbackCloud
import VPEngine

/// Performs the whole job, from the first offer to the last receipt, and explains each step.
struct DemoWalk {
    private struct Step {
        var name: String
        var command: String
        var seconds: Double
    }

    let cloud: LoopbackCloud
    let environment: [String: String]
    let folder: String
    let epochs: Int?

    func run() async throws {
        let session = try Session(environment: self.environment, directory: self.folder)
        let engine = try session.engine()
        var steps: [Step] = []
        func timed<Value>(_ name: String, _ command: String, _ body: () async throws -> Value) async throws
            -> Value
        {
            Terminal.print("")
            let title = Style.strong.apply(
                "\(steps.count + 1). \(name)", if: session.terminal.outputHasColour)
            Terminal.print("\(title)  $ \(command)")
            let began = ContinuousClock.now
            let value = try await body()
            steps.append(
                Step(name: name, command: command, seconds: (ContinuousClock.now - began) / .seconds(1)))
            return value
        }

        let before = await engine.balances().values.first?.dollars
        Terminal.print(
            "The demo's cloud runs inside this machine: \(self.cloud.offerCount) offers at "
                + "\(self.cloud.vastURL.absoluteString), \(before.map(Units.dollars) ?? "?") of play money.")
        Terminal.print("The sample project is in \(self.folder).")

        let query = OfferQuery(gpu: "RTX 4090", maximumPrice: HourlyPrice(dollarsPerHour: 0.60), limit: 3)
        _ = try await timed("Look", "vp offers --gpu-type RTX4090 --max-price 0.60 --limit 3") {
            let answers = try await engine.offers(query)
            if let failure = answers.failures.first { throw failure.error }
            for line in OffersCommand.lines(answers.values, query: query, terminal: session.terminal)
                .dropLast()
            {
                Terminal.print(line)
            }
        }

        let created = try await timed("Rent", "vp create-instance --gpu-type RTX4090 --max-price 0.60") {
            try await self.perform(.create(CreateRequest(query: query)), engine, session)
        }
        guard case .created(let instance) = created else { return }
        Terminal.print("\(instance.id)  \(instance.gpuName), \(Units.hourly(instance.price.dollarsPerHour))")

        let words = SampleProject.command + (self.epochs.map { ["--epochs", "\($0)"] } ?? [])
        let runCommand = JobCommand.arguments(words)
        let id = instance.id
        let synced = try await timed("Upload", "vp sync") {
            try await self.perform(.sync(id), engine, session)
        }
        if case .synced(let summary) = synced { Terminal.print(SyncReport.line(for: summary)) }

        let ran = try await timed("Run", "vp --no-sync run -- \(runCommand.shellText)") {
            let request = RunRequest(command: runCommand, syncsUp: false, syncsDown: false)
            return try await self.perform(.run(id, request), engine, session)
        }
        guard case .ran(let summary) = ran, let job = summary.job else { return }
        Terminal.print(RunReport.line(for: job))

        let fetched = try await timed("Download", "vp download") {
            try await self.perform(.download(id), engine, session)
        }
        if case .downloaded(let summary) = fetched { Terminal.print(SyncReport.line(for: summary)) }

        let ended = try await timed("Destroy", "vp destroy-instance \(id)") {
            try await self.perform(.destroy(id, DestroyRequest()), engine, session)
        }
        if case .destroyed(let receipt) = ended { Terminal.print(DestroyInstanceCommand.line(for: receipt)) }

        let left = await engine.instances()
        let after = await engine.balances().values.first?.dollars
        await engine.shutDown()
        let processes = await self.cloud.processIDs
        await self.cloud.stop()
        try self.conclude(
            steps: steps.map { ($0.name, $0.command, $0.seconds) }, job: job, left: left,
            processes: processes,
            spent: before.flatMap { start in after.map { max(0, start - $0) } }, session: session)
    }

    private func perform(_ action: EngineAction, _ engine: Engine, _ session: Session) async throws
        -> ActionResult
    {
        switch await ActionRunner(engine: engine, session: session).perform(action) {
        case .succeeded(let result): return result
        case .failed(let error): throw error
        case .interrupted:
            Terminal.note("vp: the demo was interrupted; its cloud and everything in it are gone.")
            throw ExitStatus(status: Status.interrupted)
        }
    }

    /// Prints the tables at the end, and throws if a result is missing or anything is left over.
    private func conclude(
        steps: [(name: String, command: String, seconds: Double)], job: Job, left: PlatformAnswers<Instance>,
        processes: [Int32], spent: Double?, session: Session
    ) throws {
        let colour = session.terminal.outputHasColour
        Terminal.print("")
        var table = TextTable([("STEP", .left), ("TIME", .right), ("COMMAND", .left)])
        for step in steps {
            table.add([.init(step.name), .init(TimeSpan.exact(step.seconds)), .init(step.command)])
        }
        table.add([
            .init("Together", .strong), .init(TimeSpan.exact(steps.reduce(0) { $0 + $1.seconds }), .strong),
            .init(spent.map { "\(Units.dollars($0)) of play money" } ?? ""),
        ])
        for line in table.lines(colour: colour) { Terminal.print(line) }

        Terminal.print("")
        var results = TextTable([("RESULT", .left), ("SIZE", .right)])
        var problems: [String] = []
        for name in SampleProject.results {
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(self.folder)/\(name)")
            let size = (attributes?[.size] as? NSNumber)?.int64Value ?? 0
            if size == 0 { problems.append("\(name) was not downloaded") }
            results.add([
                .init("\(self.folder)/\(name)"),
                .init(size == 0 ? "missing" : Units.bytes(size), size == 0 ? .bad : .good),
            ])
        }
        for line in results.lines(colour: colour) { Terminal.print(line) }

        if job.outcome != .exited(0) {
            problems.append("the training did not succeed: \(job.state.rawValue)")
        }
        if !left.failures.isEmpty { problems.append("the cloud did not list its instances") }
        if !left.values.isEmpty {
            problems.append("\(Units.count(left.values.count, "instance")) still running")
        }
        let alive = processes.filter { kill($0, 0) == 0 }
        if !alive.isEmpty { problems.append("\(alive.count) processes still running") }
        guard problems.isEmpty else {
            throw CommandFailure(
                code: "demo_failed",
                message: "The demo failed: \(problems.joined(separator: "; ")).",
                advice: "Run it again. If it fails again, please report it.", status: Status.failed)
        }
        Terminal.print("")
        Terminal.print(
            "The instance is gone and nothing is left running. The same in the dashboard: vp-tui --demo")
    }
}
