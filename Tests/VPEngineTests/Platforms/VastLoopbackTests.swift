import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPEngine
import VPTestSupport

/// The client against the loopback cloud, which was written from the same facts and shares no code with it.
@Suite("vast.ai: against the loopback cloud", .requires("sshd", "ssh-keygen"), .loopbackCloud())
struct VastLoopbackTests {
    private let cloud: LoopbackCloud
    private let records = Recorder<APICallRecord>()
    private let client: any PlatformClient

    init() throws {
        self.cloud = try #require(CloudTrait.current)
        let records = self.records
        // The trait's cloud runs, and limits, a hundred times as fast.
        // Three times its pauses leave room for a thread that was scheduled late.
        self.client = PlatformClients.client(
            for: PlatformEndpoint(
                platform: .vast, baseURL: self.cloud.vastURL, key: APIKey(self.cloud.vastAPIKey)),
            timeScale: 0.03, report: { records.append($0) })
    }

    private func rent(_ name: String, from query: OfferQuery = OfferQuery(gpu: "RTX_4090")) async throws
        -> InstanceID
    {
        let offer = try #require(try await self.client.offers(query).first)
        return try await self.client.rent(
            RentRequest(offer: offer, name: name, image: "pytorch/pytorch:2.4.0", diskBytes: 20_000_000_000))
    }

    private func wait(for status: InstanceStatus, of id: InstanceID) async throws -> Instance {
        try await VPTestSupport.wait(for: "\(status)") {
            let instance = try await self.client.instance(id)
            return instance?.status == status ? instance : nil
        }
    }

    @Test func aRentalLivesAndEnds() async throws {
        let before = try await self.client.instances()
        #expect(before.isEmpty)
        let id = try await self.rent("vp-test-1")

        let listed = try await self.client.instances()
        #expect(listed.map(\.id) == [id])
        #expect(listed.map(\.name) == ["vp-test-1"])

        let running = try await self.wait(for: .running, of: id)
        #expect(running.gpuName == "RTX 4090")
        #expect(running.image == "pytorch/pytorch:2.4.0")
        #expect(running.diskBytes == 20_000_000_000)
        #expect(running.price.dollarsPerHour > 0)
        #expect(running.addresses.count == 2)

        try await self.client.rename(id, to: "vp-test-2")
        #expect(try await self.client.instance(id)?.name == "vp-test-2")

        let log = try await self.client.providerLog(id, lines: 20)
        #expect(!log.isEmpty)

        try await self.client.stop(id)
        let stopped = try await self.wait(for: .stopped, of: id)
        #expect(stopped.price < running.price)
        try await self.client.start(id)
        _ = try await self.wait(for: .running, of: id)

        try await self.client.destroy(id)
        _ = try await VPTestSupport.wait(for: "the end") {
            try await self.client.instance(id) == nil ? true : nil
        }
        // Once more is no error.
        try await self.client.destroy(id)
        #expect(try await self.client.instances().isEmpty)
    }

    @Test func offersFitTheQuery() async throws {
        var query = OfferQuery(gpu: "a100 80gb", minimumReliability: 0.95)
        query.maximumPrice = HourlyPrice(dollarsPerHour: 3)
        let offers = try await self.client.offers(query)
        #expect(!offers.isEmpty)
        #expect(offers.allSatisfy { $0.gpuName.hasPrefix("A100") && $0.price.dollarsPerHour <= 3 })
        #expect(offers.map(\.price) == offers.map(\.price).sorted())
    }

    @Test func theWholeMarketIsReadByPages() async throws {
        let offers = try await self.client.offers(OfferQuery(diskBytes: 10_000_000_000, limit: 250))
        #expect(offers.count > 64)
        #expect(Set(offers.map(\.id)).count == offers.count)
    }

    @Test func aWrongKeyIsNotAnEmptyList() async throws {
        let endpoint = PlatformEndpoint(
            platform: .vast, baseURL: self.cloud.vastURL, key: APIKey("wrong-key-0123456789"))
        let client = PlatformClients.client(for: endpoint, timeScale: 0)
        let list = await failure { () async throws(EngineError) in _ = try await client.instances() }
        #expect(list?.code == .unauthorized)
        let search = await failure { () async throws(EngineError) in
            _ = try await client.offers(OfferQuery())
        }
        #expect(search?.code == .unauthorized)
        let keys = await failure { () async throws(EngineError) in _ = try await client.accountKeys() }
        #expect(keys?.code == .unauthorized)
        let balance = await failure { () async throws(EngineError) in _ = try await client.balance() }
        #expect(balance?.code == .unauthorized)
    }

    @Test func keysAndBalanceAreThose() async throws {
        let known = try await self.client.accountKeys()
        #expect(known.count == 1)
        try await self.client.addAccountKey("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJustATest you@there")
        #expect(try await self.client.accountKeys().count == 2)
        #expect(try await self.client.balance().dollars == 25)
    }

    @Test func theLimitsHoldUnderABurst() async throws {
        let client = self.client
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    _ = await failure { () async throws(EngineError) in _ = try await client.instances() }
                }
            }
        }
        #expect(self.records.all.filter { $0.status == 200 }.count == 10)
    }
}
