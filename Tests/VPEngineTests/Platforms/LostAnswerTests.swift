import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// A connection that ends under an order: the order goes out once, on a connection of its own,
/// and what became of it is looked up.
@Suite("Answers that are lost", .requires("sshd", "ssh-keygen"), .timeLimit(.minutes(15)))
struct LostAnswerTests {
    private static let cloud = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    /// How a request is lost; what it says is `true` where the platform has heard it.
    enum Loss: String, CaseIterable {
        case heard
        case hushed

        var way: RelayServer.Way { self == .heard ? .passAndClose : .passAndHush }
    }

    /// A platform behind a relay that loses the answers to requests that begin with one of `orders`.
    private struct Bench {
        let cloud: LoopbackCloud
        let relay: RelayServer
        let direct: any PlatformClient
        let client: any PlatformClient

        init(_ platform: Platform, losing orders: [String], _ way: RelayServer.Way) throws {
            let cloud = try #require(CloudTrait.current)
            self.cloud = cloud
            let url = platform == .vast ? cloud.vastURL : cloud.runPodURL
            self.relay = try RelayServer(to: url) { request in
                orders.contains { request.line.hasPrefix($0) } ? way : .pass
            }
            let key = APIKey(platform == .vast ? cloud.vastAPIKey : cloud.runPodAPIKey)
            func client(_ url: URL) -> any PlatformClient {
                PlatformClients.client(
                    for: PlatformEndpoint(
                        platform: platform, baseURL: url, key: key, graphQLURL: cloud.runPodGraphQLURL),
                    timeScale: 0)
            }
            self.direct = client(url)
            self.client = client(self.relay.url(for: url))
        }

        func rent() async throws -> InstanceID {
            let offer = try #require(try await self.direct.offers(OfferQuery(gpu: "RTX 4090")).first)
            return try await self.direct.rent(
                RentRequest(
                    offer: offer, name: "vp-test", image: "runpod/pytorch:2.8", diskBytes: 20_000_000_000))
        }

        /// Requests that order something, each with whether it came on a connection used before.
        var orders: [RelayServer.Request] { self.relay.requests.filter { !$0.line.hasPrefix("GET ") } }

        func expectOneOrder(_ prefix: String) {
            #expect(self.orders.count == 1)
            #expect(self.orders.first?.line.hasPrefix(prefix) == true)
            #expect(self.orders.first?.isReused == false)
            // There was a connection that could have been used.
            #expect(self.relay.requests.contains { $0.isReused })
        }

        /// Opens a connection and uses it twice.
        func warmUp() async throws {
            _ = try await self.client.instances()
            _ = try await self.client.instances()
        }
    }

    @Test(.loopbackCloud(cloud), arguments: Platform.allCases, Loss.allCases)
    func aStopIsSentOnceAndSeen(_ platform: Platform, _ loss: Loss) async throws {
        let order = platform == .vast ? "PUT /api/v0/instances/" : "POST /v2/pods/"
        let bench = try Bench(platform, losing: [order], loss.way)
        let id = try await bench.rent()
        try await wait(for: "the instance to run") {
            try await bench.direct.instance(id)?.status == .running ? true : nil
        }
        try await bench.warmUp()
        let start = ContinuousClock.now
        try await bench.client.stop(id)
        #expect(start.secondsUntilNow < 25)
        bench.expectOneOrder(order)
        #expect(bench.orders.first?.body.isEmpty == false)
        try await wait(for: "the stop") {
            try await bench.direct.instance(id)?.status == .stopped ? true : nil
        }
        // And the way back.
        try await bench.client.start(id)
        #expect(bench.orders.count == 2)
    }

    @Test(.loopbackCloud(cloud), arguments: Platform.allCases, Loss.allCases)
    func aDestroyIsSentOnceAndSeen(_ platform: Platform, _ loss: Loss) async throws {
        let order = platform == .vast ? "DELETE /api/v0/instances/" : "DELETE /v2/pods/"
        let bench = try Bench(platform, losing: [order], loss.way)
        let id = try await bench.rent()
        try await bench.warmUp()
        let start = ContinuousClock.now
        try await bench.client.destroy(id)
        #expect(start.secondsUntilNow < 25)
        bench.expectOneOrder(order)
        #expect(try await bench.direct.instance(id) == nil)
    }

    /// What nobody has heard is an error that says so; it is not sent again behind our back.
    @Test(.loopbackCloud(cloud), arguments: Platform.allCases)
    func anUnheardOrderIsSentOnce(_ platform: Platform) async throws {
        let orders = ["PUT ", "POST /v2/pods", "DELETE "]
        let bench = try Bench(platform, losing: orders, .close)
        let id = try await bench.rent()
        try await bench.warmUp()
        for order in ["stop", "destroy"] {
            let before = bench.orders.count
            let error = await failure { () async throws(EngineError) in
                if order == "stop" {
                    try await bench.client.stop(id)
                } else {
                    try await bench.client.destroy(id)
                }
            }
            #expect(error?.code == .networkDown)
            #expect(error?.detail?.contains("not known whether it was done") == true)
            #expect(bench.orders.count == before + 1)
        }
        #expect(bench.orders.allSatisfy { !$0.isReused })
        #expect(try await bench.direct.instance(id) != nil)
    }

    /// A create is found by its name, and exists once.
    @Test(.loopbackCloud(cloud), arguments: Platform.allCases, Loss.allCases)
    func aCreateIsSentOnceAndFound(_ platform: Platform, _ loss: Loss) async throws {
        let cloud = try #require(CloudTrait.current)
        let order = platform == .vast ? "PUT /api/v0/asks/" : "POST /v2/pods "
        let url = platform == .vast ? cloud.vastURL : cloud.runPodURL
        let relay = try RelayServer(to: url) { $0.line.hasPrefix(order) ? loss.way : .pass }
        let variable = platform == .vast ? "VAST_URL" : "RUNPOD_REST_V2_URL"
        try await TemporaryFolder.with { folder in
            let project = "\(folder.path)/project"
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            let fixture = try EngineFixture(
                cloud: cloud, project: project, variables: [variable: relay.url(for: url).absoluteString])
            var request = CreateRequest(
                query: OfferQuery(gpu: "RTX 4090", diskBytes: 20_000_000_000), platform: platform)
            request.waitsUntilReady = false
            let start = ContinuousClock.now
            let instance = try await fixture.create(request)
            #expect(start.secondsUntilNow < 30)
            let orders = relay.requests.filter { $0.line.hasPrefix(order) }
            #expect(orders.count == 1)
            #expect(orders.first?.isReused == false)
            #expect(orders.first?.body.isEmpty == false)
            #expect(await cloud.instanceCount == 1)
            #expect(try await fixture.unknownInstances().isEmpty)
            #expect(try fixture.engine.context.store.ledgerEntry(for: instance.id) != nil)
            await fixture.engine.shutDown()
        }
    }

    /// A platform that says nothing keeps the other's rows neither away nor waiting for long.
    @Test(.loopbackCloud(cloud)) func aPlatformThatHangsHidesNothing() async throws {
        let cloud = try #require(CloudTrait.current)
        let silent = try LoopbackServer { _ in .partial("") }
        try await TemporaryFolder.with { folder in
            let project = "\(folder.path)/project"
            try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
            let fixture = try EngineFixture(
                cloud: cloud, project: project, variables: ["VAST_URL": silent.url.absoluteString])
            var request = CreateRequest(
                query: OfferQuery(gpu: "RTX 4090", diskBytes: 20_000_000_000), platform: .runpod)
            request.waitsUntilReady = false
            let pod = try await fixture.create(request)
            let start = ContinuousClock.now
            let answers = await fixture.engine.instances()
            #expect(start.secondsUntilNow < 30)
            #expect(answers.values.map(\.id) == [pod.id])
            #expect(answers.failures.map(\.error.code) == [.timedOut])
            #expect(answers.failures.first?.error.detail == "no answer from 127.0.0.1 within 15 s")
            await fixture.engine.shutDown()
        }
    }
}
