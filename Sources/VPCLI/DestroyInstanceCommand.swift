import ArgumentParser
import Foundation
import VPEngine

struct DestroyInstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destroy-instance",
        abstract: "Bring back what is not here yet, then end an instance for good.",
        discussion: "Ends only when the platform confirms that the instance is gone.")

    @Argument(help: "The instance's id or name.")
    var id: String

    @Flag(help: "Give up the results that are not here yet.")
    var discardResults = false

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        try session.requireKey(for: platform)
        let engine = try session.engine()
        let instance = try await engine.instance(named: self.id, platform: platform)
        if self.discardResults, !self.yes {
            try await self.confirmLoss(on: instance, engine: engine, session: session)
        }
        let request = DestroyRequest(discardsResults: self.discardResults)
        let result = try await ActionRunner(engine: engine, session: session)
            .result(of: .destroy(instance.id, request))
        guard case .destroyed(let receipt) = result else { return }
        if self.json.json {
            Terminal.print(Documents.receipt(receipt).document)
            return
        }
        if let download = receipt.download { SyncReport.showResults(download, session: session) }
        Terminal.print(Self.line(for: receipt))
    }

    /// `31415 is gone: rented for 1:02:07, about $0.37.`
    static func line(for receipt: DestroyReceipt) -> String {
        var parts: [String] = []
        if let duration = receipt.duration { parts.append("rented for \(Units.duration(duration))") }
        if let dollars = receipt.dollars { parts.append("about \(Units.dollars(dollars))") }
        return "\(receipt.instance) is gone\(parts.isEmpty ? "" : ": \(parts.joined(separator: ", "))")."
    }

    /// Results are the one thing that cannot be had again: they are named before they are given up.
    private func confirmLoss(on instance: Instance, engine: Engine, session: Session) async throws {
        guard session.terminal.canAsk else {
            throw CommandFailure(
                code: "needs_yes",
                message: "--discard-results asks first, and there is no terminal to ask on.",
                advice: "Add --yes, or leave out --discard-results to have the results brought back.",
                status: Status.usage)
        }
        let question: String
        do {
            let unsafe = try await engine.unsafeResults(on: instance.id)
            guard !unsafe.isSafe else { return }
            for path in unsafe.examples { Terminal.note("  \(Terminal.printable(path))") }
            question =
                "\(Units.count(unsafe.files, "file")), \(Units.bytes(unsafe.bytes)), will be lost with "
                + "\(instance.id). Give them up?"
        } catch {
            question = "What is on \(instance.id) cannot be seen, and will be lost. Give it up?"
        }
        guard Prompt(terminal: session.terminal).confirm(question) else {
            Terminal.note("vp: nothing was done.")
            throw ExitStatus(status: Status.interrupted)
        }
    }
}
