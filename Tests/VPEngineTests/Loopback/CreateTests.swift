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

    static let create: [Platform: String] = [.vast: "PUT /api/v0/asks", .runpod: "POST /v2/pods"]

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

    @Test(
        arguments: Platform.allCases.flatMap { platform in
            Self.cases.filter { $0.platforms.contains(platform) }.map { (platform, $0) }
        })
    func troubleEndsWell(platform: Platform, trouble: Case) async throws {
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

    static func request(_ platform: Platform?, _ trouble: Case? = nil) -> CreateRequest {
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
}
