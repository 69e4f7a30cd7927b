import Foundation
import LoopbackCloud
import VPTestSupport

@testable import VPEngine

/// An engine on a loopback cloud of its own, for tests about money.
struct MoneyFixture {
    let cloud: LoopbackCloud
    let folder: String
    let engine: Engine
    let events = EventLog()

    static func with(
        speed: Double = 100, usesSandboxes: Bool = true,
        money: EngineConfiguration.Money = .init(), followsCloudClock: Bool = false,
        _ body: (MoneyFixture) async throws -> Void
    ) async throws {
        let options = LoopbackCloud.Options(speed: speed, usesSandboxes: usesSandboxes)
        try await withLoopbackCloud(options) { cloud in
            try await TemporaryFolder.with { folder in
                let fixture = try MoneyFixture(
                    cloud: cloud, folder: folder.path, money: money, followsCloudClock: followsCloudClock)
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

    init(
        cloud: LoopbackCloud, folder: String, money: EngineConfiguration.Money,
        followsCloudClock: Bool = false
    ) throws {
        self.cloud = cloud
        self.folder = folder
        let project = "\(folder)/project"
        try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
        var environment = cloud.environment
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["HOME"] = folder
        for name in ["CONFIG", "STATE", "CACHE"] { environment["XDG_\(name)_HOME"] = "\(folder)/\(name)" }
        if !cloud.isSandboxed { environment["VP_WORKSPACE"] = cloud.workspace }
        var configuration = try EngineConfiguration.load(environment: environment, directory: project)
        configuration.money = money
        let scale = configuration.timeScale
        let now: @Sendable () -> Date = { followsCloudClock ? cloud.now : Date() }
        self.engine = try Engine(
            configuration: configuration,
            clients: configuration.endpoints.map { PlatformClients.client(for: $0, timeScale: scale) },
            runner: SystemProcessRunner(), now: now)
    }

    /// Another engine of the same user, as a program that is started anew would have it.
    func restarted() throws -> Engine { try Engine(configuration: self.engine.configuration) }

    func perform(_ action: EngineAction) async throws(EngineError) -> ActionResult {
        let events = self.events
        return try await self.engine.perform(action, as: ActionID()) { events.add($0) }
    }

    func create(on platform: VPEngine.Platform, lease: LeaseTerms? = nil) async throws -> Instance {
        let request = CreateRequest(
            query: OfferQuery(diskBytes: 20_000_000_000), platform: platform, lease: lease)
        guard case .created(let instance) = try await self.perform(.create(request)) else {
            throw EngineFixture.WrongResult()
        }
        return instance
    }

    func run(_ command: String, on instance: Instance, sync: Bool = false) async throws -> RunSummary {
        let request = RunRequest(command: .shell(command), syncsUp: sync, syncsDown: sync)
        guard case .ran(let summary) = try await self.perform(.run(instance.id, request)) else {
            throw EngineFixture.WrongResult()
        }
        return summary
    }

    /// Runs `script` on `instance` as a user would by ssh, and returns what it printed.
    func remote(_ script: String, on instance: Instance) async throws -> String {
        let result = try await self.engine.context.shell(for: instance.id).run(script)
        return String(decoding: result.output, as: UTF8.self)
    }
}

extension VPEngine.Platform {
    var market: Market { self == .vast ? .vast : .runPod }
}
