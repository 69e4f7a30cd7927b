import Foundation
import LoopbackCloud
import Synchronization
import VPTestSupport

@testable import VPEngine

/// One user with one project and an engine, on a loopback cloud of its own.
struct EngineFixture {
    let cloud: LoopbackCloud
    let project: String
    let engine: Engine
    let events = EventLog()

    init(cloud: LoopbackCloud, project: String) throws {
        self.cloud = cloud
        self.project = project
        var environment = cloud.environment
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["HOME"] = (project as NSString).deletingLastPathComponent
        let configuration = try EngineConfiguration.load(environment: environment, directory: project)
        self.engine = try Engine(configuration: configuration)
    }

    func write(_ text: String, to path: String) throws {
        let file = URL(fileURLWithPath: "\(self.project)/\(path)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: "\(self.project)/\(path)").map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func perform(_ action: EngineAction) async throws(EngineError) -> ActionResult {
        let events = self.events
        return try await self.engine.perform(action, as: ActionID()) { events.add($0) }
    }

    func create(gpu: String? = nil) async throws -> Instance {
        let request = CreateRequest(query: OfferQuery(gpu: gpu, diskBytes: 20_000_000_000))
        guard case .created(let instance) = try await self.perform(.create(request)) else {
            throw WrongResult()
        }
        return instance
    }

    func run(_ words: [String], on instance: Instance, sync: Bool = true) async throws -> RunSummary {
        let request = RunRequest(command: JobCommand(words: words), syncsUp: sync, syncsDown: sync)
        guard case .ran(let summary) = try await self.perform(.run(instance.id, request)) else {
            throw WrongResult()
        }
        return summary
    }

    func output(of summary: RunSummary) throws -> String {
        guard let job = summary.job else { throw WrongResult() }
        return String(decoding: try self.engine.readLog(job.id, from: 0, limit: 1 << 24), as: UTF8.self)
    }

    /// An action answered with something else than what was asked for.
    struct WrongResult: Error {}
}

/// What an engine has reported, in order.
final class EventLog: Sendable {
    private struct State {
        var events: [EngineEvent] = []
        var watchers: [(@Sendable (EngineEvent) -> Bool, CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [EngineEvent] { self.state.withLock(\.events) }

    var stages: [ActionStage] {
        self.all.compactMap { event in
            if case .progress(_, let progress) = event { progress.stage } else { nil }
        }
    }

    func add(_ event: EngineEvent) {
        let ready = self.state.withLock { state in
            state.events.append(event)
            let ready = state.watchers.filter { $0.0(event) }.map(\.1)
            state.watchers.removeAll { $0.0(event) }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns once an event that fits has been reported, also where it was before.
    func wait(for fits: @escaping @Sendable (EngineEvent) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state in
                if state.events.contains(where: fits) { return true }
                state.watchers.append((fits, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
