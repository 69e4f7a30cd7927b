import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// What a create says while it goes on, what is on record of one that failed or was broken off,
/// and what it checks first.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct CreateRecordTests {
    /// A platform that stopped telling its balance is not an alarm, then and ever after.
    @Test func aBalanceThatIsToldNoMoreIsNoFailure() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.graphQLRetired)
            let balances = await fixture.engine.balances()
            #expect(balances.failures.isEmpty)
            #expect(balances.values.map(\.platform) == [.vast])
        }
    }

    @Test func aMachineThatFailedIsLeftAloneLater() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.imageNeverLoads)
            let first = try await fixture.engine.rentalPlan(CreateTests.request(.vast)).offers[0]
            let instance = try await fixture.create(CreateTests.request(.vast))
            #expect(instance.machineID != first.machineID)
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(discardsResults: true)))
            let later = try await fixture.engine.rentalPlan(CreateTests.request(.vast)).offers
            #expect(!later.contains { $0.machineID == first.machineID })
        }
    }

    /// The whole walk is in the progress: each stage by its name, and why the next was tried.
    @Test func theStagesAreNamed() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.bootError("OCI runtime create failed: unknown"))
            _ = try await fixture.create(CreateTests.request(.vast))
            var stages: [ActionStage] = []
            for stage in fixture.events.stages where stages.last != stage { stages.append(stage) }
            #expect(
                stages == [
                    .searching, .renting, .loading, .destroying, .confirming, .tryingNext, .renting,
                    .loading,
                    .sshPort, .preparing, .checkingGPU,
                ])
            let words = fixture.events.details.joined(separator: "\n")
            #expect(words.contains("OCI runtime create failed"))
            #expect(words.contains("after RTX 4090"))
        }
    }

    /// Whoever breaks off and decides alone learns what was rented by then, and the history has it;
    /// for everyone else it ends again.
    @Test(arguments: [false, true], Platform.allCases)
    func aCreateThatIsBrokenOffLeavesNothing(isKept: Bool, platform: Platform) async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.imageNeverLoads)
            try await self.breakOff(fixture, on: platform, isKept: isKept) {
                await fixture.events.wait { event in
                    if case .instanceChanged = event { true } else { false }
                }
            }
        }
    }

    /// Cancelled while the platform still thinks about it.
    @Test(arguments: [false, true], Platform.allCases)
    func aCreateThatIsBrokenOffWhileItIsAskedForLeavesNothing(
        isKept: Bool, platform: Platform
    ) async throws {
        try await EngineFixture.with { fixture in
            var slow = Fault.slow(.milliseconds(800))
            slow.request = CreateTests.create[platform]
            await fixture.cloud.inject(slow)
            try await self.breakOff(fixture, on: platform, isKept: isKept) {
                let _: Bool = try await wait(for: "the ledger's entry") {
                    try fixture.engine.context.store.openLedgerEntries().isEmpty ? nil : true
                }
            }
        }
    }

    private func breakOff(
        _ fixture: EngineFixture, on platform: Platform, isKept: Bool, at moment: () async throws -> Void
    ) async throws {
        var request = CreateTests.request(platform)
        request.isKeptWhenCancelled = isKept
        let creating = Task { [request] in try await fixture.create(request) }
        try await moment()
        creating.cancel()
        let error = await #expect(throws: EngineError.self) { try await creating.value }
        #expect(error?.code == .cancelled)
        #expect(await fixture.cloud.instanceCount == (isKept ? 1 : 0))
        #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty == !isKept)
        let unknown = try await fixture.unknownInstances()
        #expect(unknown == [])
    }

    /// What an earlier program has rented may be there although nobody can see it now.
    @Test(arguments: VPEngine.Platform.allCases)
    func nothingIsRentedBesideWhatCannotBeSeen(platform: VPEngine.Platform) async throws {
        try await EngineFixture.with { fixture in
            let context = fixture.engine.context
            let dead = try #require(ProcessIdentity(text: "1999999999 1 boot"))
            try context.store.insert(
                LedgerEntry(
                    name: "vp-earlier", platform: platform, instance: nil, state: .intended,
                    gpuName: "RTX 4090",
                    dollarsPerHour: 0.4, image: "i", machineID: nil,
                    workspaceRoot: context.configuration.workspace.localRoot, remoteRoot: "/workspace",
                    createdAt: context.now(), creator: dead))
            fixture.cloud.intercept { request in
                let isList =
                    request.method == "GET"
                    && request.path.contains(platform == .vast ? "/instances" : "/pods")
                return isList ? .answer(status: 500, body: "{}") : .pass
            }
            var request = CreateTests.request(platform)
            request.waitsUntilReady = false
            let error = await #expect(throws: EngineError.self) { try await fixture.create(request) }
            #expect(error?.detail?.contains("vp-earlier") == true, "\(String(describing: error))")
            #expect(await fixture.cloud.instanceCount == 0)
            // Where the list shows that it is not there, it is no reason to wait.
            fixture.cloud.intercept(nil)
            _ = try await fixture.create(request)
            #expect(await fixture.cloud.instanceCount == 1)
        }
    }

    @Test func aNameIsTakenOnce() async throws {
        try await EngineFixture.with { fixture in
            var request = CreateTests.request(.runpod)
            request.name = "mine"
            let first = try await fixture.create(request)
            #expect(first.name == "mine")
            let error = await #expect(throws: EngineError.self) { try await fixture.create(request) }
            #expect(error?.code == .nameInUse)
            _ = try await fixture.perform(.destroy(first.id, DestroyRequest(discardsResults: true)))
            // It is free again, also for a walk that fails on its way.
            await fixture.cloud.inject(.imageNeverLoads)
            #expect(try await fixture.create(request).name == "mine")
        }
    }

    @Test func anAccountWithoutOurKeyIsFoundOutBeforeMoneyIsSpent() async throws {
        try await EngineFixture.with { fixture in
            let client = try #require(fixture.engine.context.clients[.vast])
            let identity = (fixture.project as NSString).deletingLastPathComponent + "/other"
            let made = try await SystemProcessRunner().run(
                ProcessCommand(
                    "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identity],
                    environment: fixture.engine.configuration.environment))
            #expect(made.isSuccess)
            var configuration = fixture.engine.configuration
            configuration.identityFile = identity
            let engine = try Engine(
                configuration: configuration, clients: Array(fixture.engine.context.clients.values),
                runner: SystemProcessRunner())
            var request = CreateTests.request(.vast)
            request.addsAccountKey = false
            let events = fixture.events
            let error = await #expect(throws: EngineError.self) {
                _ = try await engine.perform(.create(request), as: ActionID()) { events.add($0) }
            }
            #expect(error?.code == .keyNotOnAccount)
            #expect(error?.detail?.hasPrefix("SHA256:") == true)
            #expect(await fixture.cloud.instanceCount == 0)

            let before = try await client.accountKeys().count
            request.addsAccountKey = true
            _ = try await engine.perform(.create(request), as: ActionID()) { events.add($0) }
            #expect(try await client.accountKeys().count == before + 1)
            // RunPod is told with the rental, and the account stays as it is.
            let pods = try #require(fixture.engine.context.clients[.runpod])
            request.platform = .runpod
            _ = try await engine.perform(.create(request), as: ActionID()) { events.add($0) }
            #expect(try await pods.accountKeys().count == 1)
            await engine.shutDown()
        }
    }

    @Test func whatRunsIsChosenOnlyWhereItIsOurs() async throws {
        try await EngineFixture.with { fixture in
            let engine = fixture.engine
            let none = await #expect(throws: EngineError.self) { try await engine.instance(named: nil) }
            #expect(none?.code == .noInstance)
            // Somebody else's rental on the same account, which runs.
            let client = try #require(engine.context.clients[.runpod])
            let offer = try #require(try await client.offers(OfferQuery()).first)
            let foreign = try await client.rent(
                RentRequest(offer: offer, name: "theirs", image: "x:1", diskBytes: 10_000_000_000))
            _ = try await wait(for: "a foreign instance that runs") {
                try await client.instance(foreign)?.status == .running ? true : nil
            }
            let refused = await #expect(throws: EngineError.self) { try await engine.instance(named: nil) }
            #expect(refused?.code == .noInstance)
            #expect(refused?.suggestions.first?.contains("not rented from this machine") == true)
            #expect(try await engine.instance(named: "theirs").id == foreign)

            let own = try await fixture.create(CreateTests.request(.vast))
            #expect(try await engine.instance(named: nil).id == own.id)
            let second = try await fixture.create(CreateTests.request(.runpod))
            let several = await #expect(throws: EngineError.self) { try await engine.instance(named: nil) }
            #expect(several?.code == .ambiguousInstance)
            #expect(several?.suggestions.count == 2)
            // Stopped is not running, and is not started silently.
            _ = try await fixture.perform(.stop(second.id))
            #expect(try await engine.instance(named: nil).id == own.id)
            _ = try await fixture.perform(.stop(own.id))
            let stopped = await #expect(throws: EngineError.self) { try await engine.instance(named: nil) }
            #expect(stopped?.code == .noInstance)
        }
    }

    /// A start ends with an instance that can be used, at a new address and with new host keys.
    @Test(arguments: Platform.allCases) func aStartIsSeenThrough(platform: Platform) async throws {
        try await EngineFixture.with { fixture in
            let instance = try await fixture.create(CreateTests.request(platform))
            _ = try await fixture.perform(.stop(instance.id))
            guard case .started(let started) = try await fixture.perform(.start(instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            let summary = try await fixture.run(["echo again"], on: started, sync: false)
            #expect(try fixture.output(of: summary) == "again\n")
        }
    }
}
