import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// Creates that meet trouble: what the user is told, and what exists afterwards.
///
/// In every case each instance that exists is in the history, and each create was asked for as often as the
/// case says: never once more.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct CreateTests {
    /// One kind of trouble and its end.
    struct Case: Sendable, CustomTestStringConvertible {
        enum End: Sendable {
            /// An instance that can be used, after so many calls that ask for one.
            case ready(calls: Int)
            case fails(EngineError.Code, calls: Int)
        }

        var name: String
        var faults: [Fault]
        var end: End
        var platforms = Platform.allCases
        /// How many machines are remembered as bad.
        var badMachines = 0
        var interruptible = false

        var testDescription: String { self.name }
    }

    private static let create: [Platform: String] = [.vast: "PUT /api/v0/asks", .runpod: "POST /v2/pods"]

    private static let cases: [Case] = [
        Case(name: "nothing goes wrong", faults: [], end: .ready(calls: 1)),
        Case(name: "too fast", faults: [Self.atCreate(.rateLimited(count: 2))], end: .ready(calls: 1)),
        Case(name: "slow", faults: [Self.atCreate(.slow(.milliseconds(400)))], end: .ready(calls: 1)),
        Case(name: "answer cut", faults: [Self.atCreate(.malformedJSON)], end: .ready(calls: 1)),
        Case(name: "rented, and then 502", faults: [.serverErrorAfterCreate], end: .ready(calls: 1)),
        Case(
            name: "502 from before", faults: [Self.atCreate(.htmlErrorPage)],
            end: .fails(.platformFailed, calls: 1)),
        // What is read before the create says nothing about what was rented.
        Case(
            name: "keys unread", faults: [Self.at("GET /v2/account", Fault(.htmlErrorPage, times: 4))],
            end: .fails(.platformFailed, calls: 0), platforms: [.runpod]),
        Case(name: "taken", faults: [.offerTaken], end: .ready(calls: 2)),
        Case(name: "no capacity", faults: [.noCapacity], end: .ready(calls: 2)),
        Case(name: "taken, no capacity", faults: [.offerTaken, .noCapacity], end: .ready(calls: 3)),
        Case(
            name: "a low bid leaves a contract", faults: [.bidTooLow], end: .ready(calls: 2),
            platforms: [.vast], interruptible: true),
        Case(
            name: "image never loads", faults: [.imageNeverLoads], end: .ready(calls: 2), badMachines: 1),
        Case(
            name: "taken, image never loads", faults: [.offerTaken, .imageNeverLoads],
            end: .ready(calls: 3), badMachines: 1),
        // The image's fault: the same everywhere, and no machine is avoided for it.
        Case(
            name: "no such image", faults: [Fault(.imagePullError, times: 9)],
            end: .fails(.imageUnavailable, calls: 1)),
        Case(
            name: "no right to the image",
            faults: [.bootError("error pulling image: unauthorized: authentication required", times: 9)],
            end: .fails(.imageUnavailable, calls: 1)),
        // The machine's: the next, and this one is avoided.
        Case(
            name: "container cannot be created",
            faults: [.bootError("OCI runtime create failed: runc create failed: unable to start: unknown")],
            end: .ready(calls: 2), badMachines: 1),
        Case(
            name: "host's disk is full",
            faults: [.bootError("failed to register layer: write /usr/lib/x: no space left on device")],
            end: .ready(calls: 2), badMachines: 1),
        // The registry's, which counts by address: the next, and nobody is avoided.
        Case(
            name: "registry counts pulls",
            faults: [.bootError("toomanyrequests: You have reached your pull rate limit.")],
            end: .ready(calls: 2)),
        Case(name: "other hardware", faults: [.otherHardware], end: .ready(calls: 2), badMachines: 1),
        Case(name: "placed and never loading", faults: [.neverPlaced], end: .ready(calls: 2), badMachines: 1),
        Case(name: "sshd late", faults: [.sshdLate(.milliseconds(700))], end: .ready(calls: 1)),
        Case(name: "sshd never", faults: [.sshdLate(.seconds(600))], end: .ready(calls: 2), badMachines: 1),
        Case(name: "key refused a while", faults: [.keyRefused(.milliseconds(700))], end: .ready(calls: 1)),
        Case(
            name: "key refused", faults: [.keyRefused(.seconds(600))], end: .ready(calls: 2), badMachines: 1),
        Case(
            name: "gone while it boots", faults: [.sshdLate(.seconds(600)), .vanished],
            end: .ready(calls: 2), badMachines: 1),
        Case(
            name: "taken back while it boots", faults: [.sshdLate(.seconds(600)), .preempted],
            end: .ready(calls: 2), badMachines: 1),
        Case(name: "no money", faults: [.balanceZero], end: .fails(.insufficientCredit, calls: 1)),
        Case(
            name: "switched off", faults: [.restRetired], end: .fails(.endpointRetired, calls: 0),
            platforms: [.runpod]),
        Case(
            name: "switched off", faults: [.v0Retired], end: .fails(.endpointRetired, calls: 0),
            platforms: [.vast]),
        // Addresses that we do not use.
        Case(
            name: "older addresses are switched off", faults: [Fault(.v0ListRetired), Fault(.v1Retired)],
            end: .ready(calls: 1)),
        // Whatever the boot has come to by then.
        Case(
            name: "connection cut while it boots", faults: [Fault(.connectionCut, seconds: 0)],
            end: .ready(calls: 1)),
        Case(
            name: "the part with the balance is switched off", faults: [.graphQLRetired],
            end: .ready(calls: 1), platforms: [.runpod]),
    ]

    private static func atCreate(_ fault: Fault) -> Fault { Self.at("@create", fault) }

    private static func at(_ request: String, _ fault: Fault) -> Fault {
        var fault = fault
        fault.request = request
        return fault
    }

    @Test(arguments: Platform.allCases, Self.cases)
    func troubleEndsWell(platform: Platform, trouble: Case) async throws {
        guard trouble.platforms.contains(platform) else { return }
        try await EngineFixture.with { fixture in
            for var fault in trouble.faults {
                if fault.request == "@create" { fault.request = Self.create[platform] }
                await fixture.cloud.inject(fault)
            }
            switch trouble.end {
            case .ready(let calls):
                let instance = try await fixture.create(Self.request(platform, trouble))
                #expect(instance.status == .running)
                #expect(fixture.createCalls == calls)
                #expect(await fixture.cloud.instanceCount == 1)
                #expect(try fixture.engine.context.store.openLedgerEntries().map(\.instance) == [instance.id])
                // It is not only there, it works.
                let summary = try await fixture.run(["echo alive"], on: instance, sync: false)
                #expect(try fixture.output(of: summary) == "alive\n")
            case .fails(let code, let calls):
                let error = await #expect(throws: EngineError.self) {
                    _ = try await fixture.create(Self.request(platform, trouble))
                }
                #expect(error?.code == code, "\(String(describing: error))")
                #expect(error?.leftoverInstance == nil)
                #expect((error?.detail?.count ?? 0) < 400, "\(error?.detail ?? "")")
                // What nobody can know is said, with the name to look for, and stays in the history.
                let open = try fixture.engine.context.store.openLedgerEntries()
                #expect(open.count == (code == .platformFailed && calls > 0 ? 1 : 0))
                for entry in open { #expect(error?.detail?.contains(entry.name) == true) }
                #expect(fixture.createCalls == calls)
                #expect(await fixture.cloud.instanceCount == 0)
            }
            if trouble.faults != [.restRetired], trouble.faults != [.v0Retired] {
                let unknown = try await fixture.unknownInstances()
                #expect(unknown == [])
            }
            let bad = try fixture.engine.context.store.badMachines(on: platform, since: .distantPast)
            #expect(bad.count == trouble.badMachines)
        }
    }

    private static func request(_ platform: Platform?, _ trouble: Case? = nil) -> CreateRequest {
        var query = OfferQuery(gpu: "rtx 4090", diskBytes: 20_000_000_000)
        query.isInterruptible = trouble?.interruptible ?? false
        var request = CreateRequest(query: query, platform: platform)
        request.deadlines.loading = 6
        request.deadlines.sshPort = 4
        request.deadlines.sshLogin = 4
        return request
    }

    /// The stage has a limit of its own for that, long before the whole load's is over.
    @Test(arguments: Platform.allCases) func whatNeverBeginsToLoadIsGivenUpForThat(platform: Platform)
        async throws
    {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.neverPlaced)
            var request = Self.request(platform)
            request.deadlines.loading = 60
            request.deadlines.givenSilence = .init(placed: 1, loading: 30)
            _ = try await fixture.create(request)
            #expect(fixture.createCalls == 2)
            let words = fixture.events.details.filter { $0.hasPrefix("after ") }
            #expect(words.count == 1 && words[0].contains("nothing has changed for 1 s"), "\(words)")
            #expect(await fixture.cloud.instanceCount == 1)
        }
    }

    /// Healthy machines are kept whatever the image is called.
    @Test(
        arguments: Platform.allCases, ["acme/failed-runs:1", "error-analysis", "denied/oci-runtime:latest"])
    func anImageMayBeCalledAnything(platform: Platform, image: String) async throws {
        try await EngineFixture.with { fixture in
            var request = Self.request(platform)
            request.image = image
            let instance = try await fixture.create(request)
            #expect(instance.status == .running && instance.image == image)
            #expect(fixture.createCalls == 1)
            #expect(try fixture.engine.context.store.badMachines(on: platform, since: .distantPast).isEmpty)
        }
    }

    /// Whoever says so takes what the platform gave.
    @Test(arguments: Platform.allCases) func otherHardwareIsTakenWhereItIsAccepted(platform: Platform)
        async throws
    {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.otherHardware)
            var request = Self.request(platform)
            request.acceptsAnyway = true
            let instance = try await fixture.create(request)
            #expect(instance.gpuName.contains("3060") && fixture.createCalls == 1)
        }
    }

    /// What cannot run on the GPU is refused before anything is rented, with an image that can.
    @Test(arguments: Platform.allCases) func anImageThatCannotRunIsNotRented(platform: Platform) async throws
    {
        try await EngineFixture.with { fixture in
            var request = Self.request(platform)
            request.image = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"
            request.query.gpu = "RTX 5090"
            let error = await #expect(throws: EngineError.self) { _ = try await fixture.create(request) }
            #expect(error?.code == .imageUnfit && error?.suggestions.first?.contains("12") == true)
            // Without a GPU such offers are left out, and what is rented can run it.
            request.query.gpu = nil
            let plan = try await fixture.engine.rentalPlan(request)
            #expect(plan.unfitGPUs.contains { $0.contains("RTX 50") })
            #expect(!plan.offers.contains { $0.gpuName.contains("RTX 50") })
            // A name that nothing can have.
            request.image = "My Image"
            let refused = await #expect(throws: EngineError.self) { _ = try await fixture.create(request) }
            #expect(refused?.code == .badConfiguration)
            #expect(fixture.createCalls == 0)
        }
    }

    /// The default is one that runs where it is rented.
    @Test(arguments: Platform.allCases) func theDefaultImageFitsTheGPU(platform: Platform) async throws {
        try await EngineFixture.with { fixture in
            var request = Self.request(platform)
            for gpu in ["RTX 5090", "RTX 4090"] {
                request.query.gpu = gpu
                let plan = try await fixture.engine.rentalPlan(request)
                let offer = plan.offers[0]
                #expect(
                    ImageFit.problem(image: plan.image, gpu: offer.gpuName, driverCUDA: offer.cudaVersion)
                        == nil)
                if gpu == "RTX 5090" { #expect((plan.imageCUDA ?? 0) >= 12.8) }
            }
        }
    }

    /// The words name the image, so that its owner knows what to correct.
    @Test(arguments: Platform.allCases) func anImagesFaultNamesTheImage(platform: Platform) async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(
                .bootError("pull access denied for IMAGE, repository does not exist", times: 9))
            var request = Self.request(platform)
            request.image = "nobody/nothing:1"
            let error = await #expect(throws: EngineError.self) { _ = try await fixture.create(request) }
            #expect(error?.code == .imageUnavailable && error?.activity.subject == "nobody/nothing:1")
            #expect(error?.detail?.contains("pull access denied") == true)
            #expect(fixture.createCalls == 1)
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// Bids go another way than other rentals, and end as well: what is refused is followed by the next, and
    /// what was rented although its answer was lost is found by its name.
    @Test(arguments: [nil, Fault.offerTaken, .noCapacity, .bidTooLow, .serverErrorAfterCreate])
    func aBidOnRunPodEndsWell(fault: Fault?) async throws {
        try await EngineFixture.with { fixture in
            if let fault { await fixture.cloud.inject(fault) }
            var request = Self.request(.runpod)
            request.query.isInterruptible = true
            let instance = try await fixture.create(request)
            #expect(instance.status == .running && instance.isInterruptible)
            #expect(fixture.createCalls == 0)
            #expect(await fixture.cloud.instanceCount == 1)
            let open = try fixture.engine.context.store.openLedgerEntries()
            #expect(open.map(\.instance) == [instance.id])
            let summary = try await fixture.run(["echo alive"], on: instance, sync: false)
            #expect(try fixture.output(of: summary) == "alive\n")
        }
    }

    /// Who has switched off the only way to bid says so, and hides nothing of the other.
    @Test func interruptibleOffersOutliveRunPodsGraphQL() async throws {
        try await EngineFixture.with { fixture in
            var query = OfferQuery(gpu: "4090")
            query.isInterruptible = true
            let before = try await fixture.engine.offers(query)
            #expect(Set(before.values.map(\.id.platform)) == Set(Platform.allCases))
            #expect(before.values.allSatisfy { $0.isInterruptible })
            await fixture.cloud.inject(.graphQLRetired)
            let answers = try await fixture.engine.offers(query)
            #expect(Set(answers.values.map(\.id.platform)) == [.vast])
            #expect(answers.failures.isEmpty)
            var request = Self.request(.runpod)
            request.query.isInterruptible = true
            let error = await #expect(throws: EngineError.self) { _ = try await fixture.create(request) }
            #expect(error?.code == .unsupported)
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// From the cheaper platform to the other, as trouble comes.
    @Test func autoWalksOverBothPlatforms() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(Fault(.offerTaken, times: .max).on(.vast))
            let instance = try await fixture.create(Self.request(nil))
            #expect(instance.id.platform == .runpod)
            let unknown = try await fixture.unknownInstances()
            #expect(unknown == [])
        }
    }

    /// A platform that is down, or refuses its key, hides nothing of the other.
    @Test func onePlatformDownLeavesTheOther() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(Fault(.v0Retired).on(.vast))
            let answers = try await fixture.engine.offers(OfferQuery(gpu: "4090"))
            #expect(Set(answers.values.map(\.id.platform)) == [.runpod])
            #expect(answers.failures.map(\.platform) == [.vast])
            let instance = try await fixture.create(Self.request(nil))
            #expect(instance.id.platform == .runpod)
        }
    }

    /// Asked one after the other, two slow platforms would take the sum.
    @Test func platformsAreAskedSideBySide() async throws {
        try await EngineFixture.with { fixture in
            for market in Market.allCases {
                await fixture.cloud.inject(Fault(.slow, times: 2, seconds: 1.5).on(market))
            }
            let instances = await fixture.engine.instances()
            #expect(instances.failures.isEmpty)
            let offers = try await fixture.engine.offers(OfferQuery(gpu: "4090"))
            #expect(Set(offers.values.map(\.id.platform)) == Set(Platform.allCases))
            let calls = fixture.requests.all
            try #require(calls.count == 4)
            for pair in [calls.prefix(2), calls.suffix(2)] {
                #expect(Set(pair.map(\.platform)) == Set(Platform.allCases))
                let lastStart = try #require(pair.map(\.startedAt).max())
                let firstEnd = try #require(pair.map { $0.startedAt.addingTimeInterval($0.duration) }.min())
                #expect(lastStart < firstEnd)
            }
        }
    }

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
            let first = try await fixture.engine.rentalPlan(Self.request(.vast)).offers[0]
            let instance = try await fixture.create(Self.request(.vast))
            #expect(instance.machineID != first.machineID)
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(discardsResults: true)))
            let later = try await fixture.engine.rentalPlan(Self.request(.vast)).offers
            #expect(!later.contains { $0.machineID == first.machineID })
        }
    }

    /// The whole walk is in the progress: each stage by its name, and why the next was tried.
    @Test func theStagesAreNamed() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.bootError("OCI runtime create failed: unknown"))
            _ = try await fixture.create(Self.request(.vast))
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

    /// Whoever breaks off learns what was rented by then, and the history has it.
    @Test func aCreateThatIsBrokenOffIsKnown() async throws {
        try await EngineFixture.with { fixture in
            await fixture.cloud.inject(.imageNeverLoads)
            let creating = Task { try await fixture.create(Self.request(.vast)) }
            await fixture.events.wait { event in
                if case .instanceChanged = event { true } else { false }
            }
            creating.cancel()
            let error = await #expect(throws: EngineError.self) { try await creating.value }
            #expect(error?.code == .cancelled)
            #expect(await fixture.cloud.instanceCount == 1)
            let unknown = try await fixture.unknownInstances()
            #expect(unknown == [])
        }
    }

    /// Cancelled while the platform still thinks about it.
    @Test func aCreateThatIsBrokenOffWhileItIsAskedForIsKnown() async throws {
        try await EngineFixture.with { fixture in
            var slow = Fault.slow(.milliseconds(800))
            slow.request = Self.create[.runpod]
            await fixture.cloud.inject(slow)
            let creating = Task { try await fixture.create(Self.request(.runpod)) }
            try await wait(for: "the ledger's entry") {
                try fixture.engine.context.store.openLedgerEntries().isEmpty ? nil : true
            }
            creating.cancel()
            await #expect(throws: EngineError.self) { try await creating.value }
            #expect(await fixture.cloud.instanceCount == 1)
            let unknown = try await fixture.unknownInstances()
            #expect(unknown == [])
        }
    }

    @Test func aNameIsTakenOnce() async throws {
        try await EngineFixture.with { fixture in
            var request = Self.request(.runpod)
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
            var request = Self.request(.vast)
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
            #expect(refused?.suggestions.first?.contains("not rented from here") == true)
            #expect(try await engine.instance(named: "theirs").id == foreign)

            let own = try await fixture.create(Self.request(.vast))
            #expect(try await engine.instance(named: nil).id == own.id)
            let second = try await fixture.create(Self.request(.runpod))
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
            let instance = try await fixture.create(Self.request(platform))
            _ = try await fixture.perform(.stop(instance.id))
            guard case .started(let started) = try await fixture.perform(.start(instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            let summary = try await fixture.run(["echo again"], on: started, sync: false)
            #expect(try fixture.output(of: summary) == "again\n")
        }
    }
}
