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
    let requests = RequestLog()

    init(
        cloud: LoopbackCloud, project: String, runner: any ProcessRunner = SystemProcessRunner(),
        variables: [String: String] = [:]
    ) throws {
        self.cloud = cloud
        self.project = project
        var environment = cloud.environment
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["HOME"] = (project as NSString).deletingLastPathComponent
        environment.merge(variables) { $1 }
        let configuration = try EngineConfiguration.load(environment: environment, directory: project)
        let requests = self.requests
        self.engine = try Engine(
            configuration: configuration,
            clients: configuration.endpoints.map { endpoint in
                PlatformClients.client(for: endpoint, timeScale: configuration.timeScale) {
                    requests.add($0)
                }
            }, runner: runner)
    }

    /// Runs `body` with a cloud and a project of its own; both are gone afterwards.
    static func with(_ body: (EngineFixture) async throws -> Void) async throws {
        try await withLoopbackCloud { cloud in
            try await TemporaryFolder.with { folder in
                let project = "\(folder.path)/my project 🚀"
                try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
                let fixture = try EngineFixture(cloud: cloud, project: project)
                do {
                    try await body(fixture)
                } catch {
                    await fixture.engine.shutDown()
                    throw error
                }
                await fixture.engine.shutDown()
            }
        }
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

    func create(gpu: String? = nil, platform: Platform? = nil) async throws -> Instance {
        try await self.create(
            CreateRequest(query: OfferQuery(gpu: gpu, diskBytes: 20_000_000_000), platform: platform))
    }

    func create(_ request: CreateRequest) async throws -> Instance {
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

extension EngineFixture {
    /// How often a platform was asked to rent, and looked at it: one that was asked too fast did not.
    var createCalls: Int {
        self.requests.all.count { call in
            guard call.status != 429 else { return false }
            return call.method == "PUT" && call.path.hasPrefix("/api/v0/asks/")
                || call.method == "POST" && call.path == "/pods"
        }
    }

    /// Instances that exist and that the history does not know: there must never be one.
    func unknownInstances() async throws -> [InstanceID] {
        let known = Set(try self.engine.context.store.openLedgerEntries().compactMap(\.instance))
        var existing: [InstanceID] = []
        for client in self.engine.context.clients.values {
            existing += try await client.instances().map(\.id)
        }
        return existing.filter { !known.contains($0) }
    }
}

/// Requests to the platforms, in the order in which they ended.
final class RequestLog: Sendable {
    private let records = Mutex<[APICallRecord]>([])

    var all: [APICallRecord] { self.records.withLock(\.self) }

    func add(_ record: APICallRecord) { self.records.withLock { $0.append(record) } }
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

    /// What was particular in the progress.
    var details: [String] {
        self.all.compactMap { event in
            if case .progress(_, let progress) = event { progress.detail } else { nil }
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
