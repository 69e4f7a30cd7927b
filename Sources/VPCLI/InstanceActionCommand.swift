import ArgumentParser
import VPEngine

/// The instance of a verb, and the options of every such verb.
struct InstanceTarget: ParsableArguments {
    @Argument(help: "The instance's id or name.", completion: Completions.instances)
    var id: String

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions
}

/// The answer of an action, for programs and for people.
struct InstanceActionAnswer {
    var document: JSON
    var line: String
}

/// A verb that does one thing to one instance.
protocol InstanceActionCommand: AsyncParsableCommand {
    var target: InstanceTarget { get }

    /// Returns the instance that the argument names.
    func find(_ engine: Engine, on platform: VPEngine.Platform?) async throws -> Instance

    /// Asks for confirmation if that is needed; throws if the answer is no.
    func confirm(_ instance: Instance, _ engine: Engine, _ session: Session) async throws

    func action(on id: InstanceID, _ session: Session) async throws -> EngineAction

    /// Returns the same action with permission to end the instance's jobs; nil if it ends none.
    func allowing(jobs action: EngineAction) -> EngineAction?

    /// Whether the verb needs a writable history: ending an instance does not, starting one does.
    var history: HistoryNeed { get }

    /// `true` if no question may be asked.
    var isUnasked: Bool { get }

    /// Leaves the action to be continued if something other than a key at the terminal has ended `vp`.
    func leave(_ instance: Instance, _ engine: Engine) async

    /// nil for a result of another action.
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
