import Foundation
import LoopbackCloud
import Synchronization
import VPTestSupport

@testable import VPEngine

/// A platform whose answers a test changes on their way to the engine.
final class AlteredClient: PlatformClient {
    struct Rules: Sendable {
        /// What instances are said to be.
        var status: InstanceStatus?
        /// Fails a call, by its name, with this.
        var failure: (@Sendable (String) -> EngineError.Code?)?
    }

    let base: any PlatformClient
    private let rules = Mutex(Rules())
    private let seen = Mutex<[String]>([])

    init(_ base: any PlatformClient) {
        self.base = base
    }

    func alter(_ body: (inout Rules) -> Void) { self.rules.withLock { body(&$0) } }

    /// Notes `word` among the calls.
    func note(_ word: String) { self.seen.withLock { $0.append(word) } }

    /// Names of the calls so far, in order.
    var calls: [String] { self.seen.withLock { $0 } }

    private func pass(_ name: String) throws(EngineError) {
        self.note(name)
        if let code = self.rules.withLock({ $0.failure })?(name) {
            throw EngineError(code, .init(name, platform: self.platform), detail: "altered")
        }
    }

    private func altered(_ instance: Instance) -> Instance {
        var copy = instance
        if let status = self.rules.withLock({ $0.status }) { copy.status = status }
        return copy
    }

    var platform: VPEngine.Platform { self.base.platform }
    var installsOnlyAccountKeys: Bool { self.base.installsOnlyAccountKeys }

    func offers(_ query: OfferQuery, for purpose: SearchPurpose) async throws(EngineError) -> [Offer] {
        try await self.base.offers(query, for: purpose)
    }

    func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest {
        try await self.base.prepared(request)
    }

    func rent(_ request: RentRequest) async throws(EngineError) -> InstanceID {
        try await self.base.rent(request)
    }

    func listing() async throws(EngineError) -> InstanceListing {
        try self.pass("instances")
        var listing = try await self.base.listing()
        listing.instances = listing.instances.map(self.altered)
        return listing
    }

    func instance(_ id: InstanceID) async throws(EngineError) -> Instance? {
        try self.pass("instance")
        return try await self.base.instance(id).map(self.altered)
    }

    func start(_ id: InstanceID) async throws(EngineError) { try await self.base.start(id) }

    func stop(_ id: InstanceID) async throws(EngineError) {
        try self.pass("stop")
        try await self.base.stop(id)
    }

    func destroy(_ id: InstanceID) async throws(EngineError) {
        try self.pass("destroy")
        try await self.base.destroy(id)
    }

    func rename(_ id: InstanceID, to name: String) async throws(EngineError) {
        try await self.base.rename(id, to: name)
    }

    func accountKeys() async throws(EngineError) -> [AccountKey] { try await self.base.accountKeys() }

    func addAccountKey(_ publicKey: String) async throws(EngineError) {
        try await self.base.addAccountKey(publicKey)
    }

    func balance() async throws(EngineError) -> Balance { try await self.base.balance() }

    func startMessages(_ id: InstanceID) async throws(EngineError) -> [String] {
        try await self.base.startMessages(id)
    }

    func volumes() async throws(EngineError) -> [Volume] { try await self.base.volumes() }

    func charges(from start: Date, to now: Date) async throws(EngineError) -> [Charge] {
        try await self.base.charges(from: start, to: now)
    }

    func providerLog(_ id: InstanceID, lines: Int) async throws(EngineError) -> String {
        try await self.base.providerLog(id, lines: lines)
    }
}

/// An engine whose platforms a test gets in the way of, on the cloud of a `MoneyFixture`.
struct EndsFixture {
    let money: MoneyFixture
    let engine: Engine
    let clients: [VPEngine.Platform: AlteredClient]

    static func with(
        speed: Double = 100, usesSandboxes: Bool = true, runner: any ProcessRunner = SystemProcessRunner(),
        settings: @Sendable (inout EngineConfiguration) -> Void = { _ in },
        _ body: (EndsFixture) async throws -> Void
    ) async throws {
        try await MoneyFixture.with(speed: speed, usesSandboxes: usesSandboxes) { money in
            var configuration = money.engine.configuration
            settings(&configuration)
            let clients = configuration.endpoints.map { endpoint in
                AlteredClient(PlatformClients.client(for: endpoint, timeScale: configuration.timeScale))
            }
            let engine = try Engine(
                configuration: configuration, clients: clients, runner: runner,
                flush: { folder throws(EngineError) in
                    for client in clients { client.note("flush") }
                    try Durability.flush(folder)
                })
            let fixture = EndsFixture(
                money: money, engine: engine,
                clients: Dictionary(uniqueKeysWithValues: clients.map { ($0.platform, $0) }))
            do {
                try await body(fixture)
            } catch {
                await engine.shutDown()
                throw error
            }
            await engine.shutDown()
        }
    }

    var cloud: LoopbackCloud { self.money.cloud }
    var project: String { self.engine.configuration.workspace.localRoot }

    func perform(_ action: EngineAction) async throws(EngineError) -> ActionResult {
        let events = self.money.events
        return try await self.engine.perform(action, as: ActionID()) { events.add($0) }
    }

    func create(on platform: VPEngine.Platform, waits: Bool = true) async throws -> Instance {
        let request = CreateRequest(
            query: OfferQuery(diskBytes: 20_000_000_000), platform: platform, waitsUntilReady: waits)
        guard case .created(let instance) = try await self.perform(.create(request)) else {
            throw EngineFixture.WrongResult()
        }
        return instance
    }

    /// Runs `script` in the workspace on `instance`, as a user would by ssh.
    @discardableResult
    func there(_ script: String, on instance: Instance) async throws -> String {
        let root = ShellQuoting.quoted(self.engine.configuration.workspace.remoteRoot)
        let result = try await self.engine.context.shell(for: instance.id).run(
            "cd \(root) || exit 9\n\(script)\n")
        let errors = String(decoding: result.errorOutput, as: UTF8.self)
        guard result.isSuccess else { throw WaitTimeout(description: "on the instance: \(errors)") }
        return String(decoding: result.output, as: UTF8.self)
    }

    /// What `file` of the project holds here; nil where it is not.
    func here(_ file: String) -> String? {
        try? String(contentsOfFile: "\(self.project)/\(file)", encoding: .utf8)
    }

    /// The error that `action` ends with.
    func failure(of action: EngineAction) async throws -> EngineError {
        do {
            _ = try await self.perform(action)
        } catch {
            return error
        }
        throw WaitTimeout(description: "an error of \(action.verb)")
    }

    func entry(of instance: Instance) throws -> LedgerEntry {
        guard let entry = try self.engine.context.store.ledgerEntry(for: instance.id) else {
            throw WaitTimeout(description: "the row of \(instance.id)")
        }
        return entry
    }
}
