import ArgumentParser
import VPEngine

/// The instance that a verb is about, and what every verb accepts.
struct InstanceTarget: ParsableArguments {
    @Argument(help: "The instance's id or name.")
    var id: String

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions
}

/// What came of an action, for a program and for a person.
struct InstanceActionAnswer {
    var document: JSON
    var line: String
}

/// A verb that does one thing to one instance.
protocol InstanceActionCommand: AsyncParsableCommand {
    var target: InstanceTarget { get }

    /// The instance that is meant.
    func find(_ engine: Engine, on platform: VPEngine.Platform?) async throws -> Instance

    /// Asks what must be asked before; throws where the answer is no.
    func confirm(_ instance: Instance, _ engine: Engine, _ session: Session) async throws

    func action(on id: InstanceID, _ session: Session) async throws -> EngineAction

    /// The same action, which may end jobs that run there; nil where it ends none.
    func allowing(jobs action: EngineAction) -> EngineAction?

    /// Whether it is done without a history that is kept: what ends an instance is, what starts one is not.
    var history: HistoryNeed { get }

    /// Nobody is to be asked.
    var isUnasked: Bool { get }

    /// What becomes of the action where something else than a key at the terminal has ended `vp`.
    func leave(_ instance: Instance, _ engine: Engine) async

    /// Nil for a result of another action.
    func answer(to result: ActionResult, _ session: Session) -> InstanceActionAnswer?
}

extension InstanceActionCommand {
    func find(_ engine: Engine, on platform: VPEngine.Platform?) async throws -> Instance {
        try await engine.instance(named: self.target.id, platform: platform)
    }

    func confirm(_ instance: Instance, _ engine: Engine, _ session: Session) async throws {}

    func allowing(jobs action: EngineAction) -> EngineAction? { nil }

    var isUnasked: Bool { false }

    var history: HistoryNeed { .kept }

    func leave(_ instance: Instance, _ engine: Engine) async {}

    func run() async throws { try await self.perform() }

    func perform() async throws {
        let platform = self.target.platform.platform.platform
        let isJSON = self.target.json.json
        let session = try Session(self.target.common, asJSON: isJSON)
        try session.requireKey(for: platform)
        let engine = try session.engine(history: self.history)
        defer { session.noteHistory(of: engine) }
        let instance = try await self.find(engine, on: platform)
        try await self.confirm(instance, engine, session)
        let action = try await self.action(on: instance.id, session)
        let result: ActionResult
        do {
            result = try await JobsQuestion(engine: engine, session: session, isUnasked: self.isUnasked)
                .result(of: action) { self.allowing(jobs: action) }
        } catch let left as ExitStatus where left.status != Status.interrupted {
            await self.leave(instance, engine)
            throw left
        }
        guard let answer = self.answer(to: result, session) else { return }
        Terminal.print(isJSON ? answer.document.document : answer.line)
    }
}
