import ArgumentParser
import Foundation
import VPEngine

struct DestroyInstanceCommand: InstanceActionCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy-instance",
        abstract: "Download the results, then destroy an instance for good.",
        discussion: "The command succeeds only after the platform confirms that the instance is gone.")

    @OptionGroup var target: InstanceTarget

    @Flag(help: "Destroy the instance without downloading its results.")
    var discardResults = false

    @Flag(help: "Also end the jobs that run on the instance.")
    var endJobs = false

    func find(_ engine: Engine, on platform: VPEngine.Platform?) async throws -> Instance {
        try await engine.instanceToEnd(named: self.target.id, platform: platform)
    }

    @Flag(name: .shortAndLong, help: "Do not ask for confirmation. Running jobs still need --end-jobs.")
    var yes = false

    /// A dashboard that had to end has passed a confirmed destroy on to this process.
    @Flag(help: .hidden)
    var confirmed = false

    var isUnasked: Bool { self.yes }

    var history: HistoryNeed { .wanted }

    func run() async throws {
        guard self.confirmed, let platform = self.target.platform.platform.platform else {
            return try await self.perform()
        }
        let session = try Session(self.target.common, showsWarnings: false)
        let engine = try Engine(configuration: session.configuration)
        let id = InstanceID(platform: platform, rawValue: self.target.id)
        guard try await engine.awaitConfirmedEnd(of: id) else {
            Terminal.note("vp: the destroy of \(id) was undone, or another process performs it.")
            return
        }
        do {
            try await self.perform()
        } catch let error as EngineError {
            engine.confirmedEndFailed(of: id, error)
            throw error
        }
    }

    func action(on id: InstanceID, _ session: Session) async throws -> EngineAction {
        .destroy(
            id,
            DestroyRequest(
                discardsResults: self.discardResults, endsJobs: self.endJobs,
                stopsWhenRefused: !session.terminal.canAsk))
    }

    func allowing(jobs action: EngineAction) -> EngineAction? {
        guard case .destroy(let id, var request) = action else { return nil }
        request.endsJobs = true
        return .destroy(id, request)
    }

    /// Keeps the destroy ordered when the terminal goes away.
    func leave(_ instance: Instance, _ engine: Engine) async {
        await LeftEnd(engine: engine).leave(instance, discardsResults: self.discardResults)
    }

    func answer(to result: ActionResult, _ session: Session) -> InstanceActionAnswer? {
        guard case .destroyed(let receipt) = result else { return nil }
        if !self.target.json.json, let download = receipt.download {
            SyncReport.showResults(download, session: session)
        }
        return .init(document: Documents.receipt(receipt), line: Self.line(for: receipt))
    }

    /// `31415 is gone: rented for 1:02:07, about $0.37.`
    static func line(for receipt: DestroyReceipt) -> String {
        var parts: [String] = []
        if let duration = receipt.duration { parts.append("rented for \(TimeSpan.exact(duration))") }
        if let dollars = receipt.dollars { parts.append("about \(Units.dollars(dollars))") }
        return "\(receipt.instance) is gone\(parts.isEmpty ? "" : ": \(parts.joined(separator: ", "))")."
    }

    /// Names the results before they are given up, because nothing can restore them.
    func confirm(_ instance: Instance, _ engine: Engine, _ session: Session) async throws {
        guard self.discardResults, !self.yes else { return }
        guard session.terminal.canAsk else {
            throw CommandFailure(
                code: "needs_yes",
                message: "--discard-results needs confirmation, and there is no terminal to ask on.",
                advice: "Add --yes, or leave out --discard-results to download the results first.",
                status: Status.usage)
        }
        let question: String
        do {
            let unsafe = try await engine.unsafeResults(on: instance.id)
            guard !unsafe.isSafe else { return }
            for path in unsafe.examples { Terminal.note("  \(Terminal.printable(path))") }
            question =
                "\(Units.count(unsafe.files, "file")) (\(Units.bytes(unsafe.bytes))) on \(instance.id) will be lost. "
                + "Destroy it anyway?"
        } catch {
            question =
                "vp cannot see the files on \(instance.id), and they will be lost\(Self.lastSeen(instance.id, engine)). "
                + "Destroy it anyway?"
        }
        guard Prompt(terminal: session.terminal).confirm(question) else {
            Terminal.note("vp: nothing was destroyed.")
            throw ExitStatus(status: Status.interrupted)
        }
    }

    /// Words for the results that were missing here at the last look,
    /// for an instance that cannot be reached now.
    private static func lastSeen(_ id: InstanceID, _ engine: Engine) -> String {
        guard let (results, date) = engine.lastKnownResults(on: id) else { return "" }
        let age = Units.age(date, now: Date())
        let when = age == "just now" ? "a moment ago" : "\(age) ago"
        return results.isSafe
            ? "; \(when) all results were downloaded"
            : "; \(when) \(Units.count(results.files, "file")) (\(Units.bytes(results.bytes))) were not downloaded"
    }
}
