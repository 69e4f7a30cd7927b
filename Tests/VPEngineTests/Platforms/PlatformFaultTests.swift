import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// What each fault of a platform is to its client: the error it throws, and what exists afterwards.
@Suite("Faults, as the clients see them", .requires("sshd", "ssh-keygen"), .timeLimit(.minutes(15)))
struct PlatformFaultTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    /// One client on the cloud of the test that runs.
    private struct Bench {
        let cloud: LoopbackCloud
        let platform: Platform
        let client: any PlatformClient

        init(_ platform: Platform) throws {
            self.cloud = try #require(CloudTrait.current)
            self.platform = platform
            let endpoint =
                platform == .vast
                ? PlatformEndpoint(
                    platform: .vast, baseURL: self.cloud.vastURL, key: APIKey(self.cloud.vastAPIKey))
                : PlatformEndpoint(
                    platform: .runpod, baseURL: self.cloud.runPodURL, key: APIKey(self.cloud.runPodAPIKey),
                    graphQLURL: self.cloud.runPodGraphQLURL)
            self.client = PlatformClients.client(for: endpoint, timeScale: 0)
        }

        func inject(_ text: String) async throws { await self.cloud.inject(try Fault(parsing: text)) }

        func rent(_ name: String = "vp-test", query: OfferQuery = OfferQuery(gpu: "RTX 4090")) async throws
            -> InstanceID
        {
            let offer = try #require(try await self.client.offers(query).first)
            return try await self.client.rent(
                RentRequest(offer: offer, name: name, image: "runpod/pytorch:2.8", diskBytes: 20_000_000_000))
        }

        /// The code of the error that `rent` throws.
        func rentFailure(_ name: String = "vp-test") async -> EngineError.Code? {
            do {
                _ = try await self.rent(name)
                return nil
            } catch {
                return (error as? EngineError)?.code
            }
        }

        @discardableResult
        func wait(for id: InstanceID, _ status: InstanceStatus) async throws -> Instance {
            try await VPTestSupport.wait(for: "\(id) to be \(status)") {
                let instance = try await self.client.instance(id)
                return instance?.status == status ? instance : nil
            }
        }

        func code(_ body: (any PlatformClient) async throws -> Void) async -> EngineError.Code? {
            do {
                try await body(self.client)
                return nil
            } catch {
                return (error as? EngineError)?.code
            }
        }
    }

    /// A key that works and lacks a right is not told as one that is refused, and neither is the reverse.
    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aMissingRightIsNoRefusedKey(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.wait(for: id, .running)
        for question in [
            { client in _ = try await client.instances() }, { client in try await client.stop(id) },
            { client in try await client.destroy(id) },
            { client in _ = try await client.accountKeys() },
        ] as [(any PlatformClient) async throws -> Void] {
            try await bench.inject("permission-missing")
            #expect(await bench.code(question)?.rawValue == "missingPermission")
        }
        try await bench.inject("permission-missing")
        #expect(await bench.rentFailure("vp-second")?.rawValue == "missingPermission")
        #expect(await bench.cloud.instanceCount == 1)
        try await bench.inject("key-expired")
        #expect(await bench.code { _ = try await $0.instances() } == .unauthorized)
        #expect(await bench.code { _ = try await $0.instance(id) } == .unauthorized)
        #expect(await bench.code { try await $0.destroy(id) } == .unauthorized)
        #expect(await bench.cloud.instanceCount == 1)
    }

    /// A host off the network is told so, in either dialect, is neither gone nor stopped, and comes back.
    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aHostThatIsOfflineIsNeitherGoneNorStopped(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.wait(for: id, .running)
        try await bench.inject("host-offline:3,platform=\(platform.rawValue)")
        let away = try #require(try await bench.client.instance(id))
        // vast.ai says that it hears nothing; RunPod no longer says where.
        #expect(away.status == (platform == .vast ? .lost : .running), "\(away)")
        #expect(platform == .vast || away.addresses.isEmpty, "\(away)")
        #expect(try await bench.client.instances().map(\.id) == [id])
        #expect(away.wordsForItsEnd(at: Date()) == nil)
        let back = try await bench.wait(for: id, .running)
        #expect(back.status == .running)
        try await VPTestSupport.wait(for: "an address") {
            try await bench.client.instance(id)?.addresses.isEmpty == false ? true : nil
        }
    }

    /// The next candidate may be tried: nothing was rented.
    @Test(.loopbackCloud(free), arguments: ["offer-taken", "no-capacity"], Platform.allCases)
    func anotherOfferMayBeTried(_ fault: String, _ platform: Platform) async throws {
        let bench = try Bench(platform)
        try await bench.inject("\(fault):platform=\(platform.rawValue),gpu=rtx4090")
        #expect(await bench.rentFailure() == .offerTaken)
        #expect(try await bench.client.instances().isEmpty)
        #expect(await bench.rentFailure() == nil)
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func withoutMoneyNoOfferIsTried(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        try await bench.inject("balance-zero")
        #expect(await bench.rentFailure() == .insufficientCredit)
        #expect(await bench.cloud.instanceCount == 0)
    }

    /// The answer is lost, in two ways; what was rented is found by its name, and was rented once.
    @Test(
        .loopbackCloud(free),
        arguments: ["server-error-after-create", "malformed-json:request=%"], Platform.allCases)
    func aLostAnswerIsFoundByName(_ fault: String, _ platform: Platform) async throws {
        let bench = try Bench(platform)
        let create = platform == .vast ? "PUT /api/v0/asks" : "POST /v2/pods"
        try await bench.inject(fault.replacing("%", with: create))
        let code = await bench.rentFailure("vp-lost")
        #expect(code == (fault.hasPrefix("server") ? .platformFailed : .badResponse))
        #expect(try await bench.client.instances().map(\.name) == ["vp-lost"])
        #expect(await bench.cloud.instanceCount == 1)
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aListIsAskedForAgain(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        _ = try await bench.rent()
        try await bench.inject("html-error-page")
        #expect(try await bench.client.instances().count == 1)
        try await bench.inject("rate-limited")
        #expect(try await bench.client.instances().count == 1)
        try await bench.inject("malformed-json")
        #expect(try await bench.client.instances().count == 1)
        try await bench.inject("slow:0.2")
        #expect(try await bench.client.instances().count == 1)
    }

    /// A create is sent once, whatever becomes of it.
    @Test(.loopbackCloud(free), arguments: ["html-error-page", "rate-limited:times=all"], Platform.allCases)
    func aCreateIsNotRepeated(_ fault: String, _ platform: Platform) async throws {
        let bench = try Bench(platform)
        let create = platform == .vast ? "PUT /api/v0/asks" : "POST /v2/pods"
        try await bench.inject("\(fault)\(fault.contains(":") ? "," : ":")request=\(create)")
        let code = await bench.rentFailure()
        #expect(code == .platformFailed || code == .rateLimited)
        #expect(try await bench.client.instances().isEmpty)
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aCutAnswerIsNoList(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        await bench.cloud.inject(Fault(.malformedJSON, times: 3))
        #expect(await bench.code { _ = try await $0.instances() } == .badResponse)
        await bench.cloud.inject(Fault(.malformedJSON, times: 3))
        #expect(await bench.code { _ = try await $0.instance(id) } == .badResponse)
        await bench.cloud.inject(Fault(.malformedJSON, times: 3))
        #expect(await bench.code { _ = try await $0.offers(OfferQuery()) } == .badResponse)
    }

    /// An API that is switched off says nothing about instances: neither "none" nor "gone".
    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aRetiredAPIIsSaidToBeRetired(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.inject(platform == .vast ? "v0-retired" : "rest-retired")
        #expect(await bench.code { _ = try await $0.instance(id) } == .endpointRetired)
        #expect(await bench.code { _ = try await $0.offers(OfferQuery()) } == .endpointRetired)
        #expect(await bench.code { _ = try await $0.accountKeys() } == .endpointRetired)
        #expect(await bench.code { try await $0.destroy(id) } == .endpointRetired)
        if platform == .runpod {
            #expect(await bench.code { _ = try await $0.instances() } == .endpointRetired)
            try await bench.inject("graphql-retired")
        }
        #expect(await bench.code { _ = try await $0.balance() } == .endpointRetired)
        #expect(await bench.cloud.instanceCount == 1)
    }

    @Test(.loopbackCloud(free)) func withoutGraphQLThereAreStillPods() async throws {
        let bench = try Bench(.runpod)
        try await bench.inject("graphql-retired")
        #expect(await bench.code { _ = try await $0.balance() } == .endpointRetired)
        let id = try await bench.rent()
        #expect(try await bench.client.instances().map(\.id) == [id])
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aPullErrorIsInThePlatformsWords(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        try await bench.inject("image-pull-error")
        let id = try await bench.rent()
        try await wait(for: "the words") {
            let instance = try await bench.client.instance(id)
            // One platform says it in the row, the other in its log alone.
            var words = instance?.statusMessage ?? ""
            if platform == .runpod { words = try await bench.client.providerLog(id, lines: 20) }
            return words.contains("manifest unknown") ? true : nil
        }
        let status = try await bench.client.instance(id)?.status
        #expect(status == (platform == .vast ? .failed : .loading))
        try await bench.client.destroy(id)
        try await wait(for: "the end") { try await bench.client.instance(id) == nil ? true : nil }
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func aRefusedStartLeavesNothingQueued(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.wait(for: id, .running)
        try await bench.client.stop(id)
        try await bench.wait(for: id, .stopped)
        try await bench.inject("start-refused")
        #expect(await bench.code { try await $0.start(id) } == .instanceNotRunning)
        #expect(try await bench.client.instance(id)?.status == .stopped)
    }

    /// A bid that turns out too low: what vast.ai leaves behind is named, so that it can be ended.
    @Test(.loopbackCloud(free)) func aLowBidNamesWhatItLeft() async throws {
        let bench = try Bench(.vast)
        try await bench.inject("bid-too-low")
        var leftover: InstanceID?
        do {
            _ = try await bench.rent(query: OfferQuery(isInterruptible: true))
            Issue.record("the bid was taken")
        } catch let error as EngineError {
            #expect(error.code == .offerTaken)
            leftover = error.leftoverInstance
        }
        let id = try #require(leftover)
        #expect(try await bench.client.instance(id)?.status == .stopped)
        try await bench.client.destroy(id)
        try await wait(for: "the end") { await bench.cloud.instanceCount == 0 ? true : nil }
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func whatVanishesIsGone(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.wait(for: id, .running)
        try await bench.inject("vanished")
        #expect(try await bench.client.instance(id) == nil)
        #expect(try await bench.client.instances().isEmpty)
        // Ending what is gone is no error.
        try await bench.client.destroy(id)
    }

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func whoIsPreemptedIsStopped(_ platform: Platform) async throws {
        let bench = try Bench(platform)
        let id = try await bench.rent()
        try await bench.wait(for: id, .running)
        try await bench.inject("preempted")
        let stopped = try await bench.wait(for: id, .stopped)
        #expect(stopped.addresses.isEmpty || platform == .vast)
        #expect(stopped.price.dollarsPerHour > 0)
    }
}
