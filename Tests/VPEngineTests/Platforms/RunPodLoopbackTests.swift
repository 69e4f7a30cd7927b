import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// The client against the loopback cloud's own reading of RunPod's API: neither shares a type with the other.
@Suite(.requires("sshd"), .timeLimit(.minutes(15)))
struct RunPodLoopbackTests {
    private static func client(_ cloud: LoopbackCloud) -> any PlatformClient {
        let endpoint = PlatformEndpoint(
            platform: .runpod, baseURL: cloud.runPodURL, key: APIKey(cloud.runPodAPIKey),
            graphQLURL: cloud.runPodGraphQLURL)
        return PlatformClients.client(for: endpoint, timeScale: 0)
    }

    /// Rented at the lowest bid, taken back, and brought back by the bid that it then takes.
    @Test(.loopbackCloud()) func anInterruptiblePodIsBidForTakenAndResumed() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = Self.client(cloud)
        func see(_ id: InstanceID, _ status: InstanceStatus) async throws -> Instance {
            try await wait(for: "a pod that is \(status)") {
                let pod = try await client.instance(id)
                return pod?.status == status ? pod : nil
            }
        }
        let query = OfferQuery(gpu: "RTX 4090", gpuCount: 2, diskBytes: 20_000_000_000)
        var spot = query
        spot.isInterruptible = true
        let onDemand = try #require(try await client.offers(query).first)
        let offer = try #require(try await client.offers(spot).first)
        #expect(offer.isInterruptible && !onDemand.isInterruptible)
        #expect(offer.price < onDemand.price)
        #expect(offer.places == onDemand.places)
        let request = RentRequest(
            offer: offer, name: "vp-spot-1", image: "runpod/pytorch:2.4.0", diskBytes: query.diskBytes,
            environment: ["PUBLIC_KEY": "ssh-ed25519 AAAA me"])
        let id = try await client.rent(request)
        let running = try await see(id, .running)
        #expect(running.isInterruptible && running.name == "vp-spot-1" && running.gpuCount == 2)
        // What was shown is what is charged.
        #expect(abs(running.price.dollarsPerHour - offer.price.dollarsPerHour) < 0.0002)
        let listed = try await client.instances()
        #expect(listed.map(\.isInterruptible) == [true])

        await cloud.inject(.preempted)
        let taken = try await see(id, .stopped)
        #expect(taken.wordsForItsEnd(at: Date())?.hasPrefix("preempted: ") == true)
        try await client.start(id)
        let back = try await see(id, .running)
        #expect(back.price > running.price)

        await cloud.inject(.preempted)
        _ = try await see(id, .stopped)
        await cloud.inject(.graphQLRetired)
        let error = await #expect(throws: EngineError.self) { try await client.start(id) }
        #expect(error?.code == .unsupported && error?.detail?.contains("retired") == true)
        try await client.destroy(id)
    }

    @Test(.loopbackCloud()) func aPodIsRentedSeenAndEnded() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = Self.client(cloud)
        #expect(try await client.balance().dollars > 0)
        let offers = try await client.offers(OfferQuery(gpu: "RTX 4090"))
        let offer = try #require(offers.first)
        #expect(offer.gpuName.contains("4090"))
        let request = RentRequest(
            offer: offer, name: "vp-test-1", image: "runpod/pytorch:2.4.0", diskBytes: 20_000_000_000)
        let id = try await client.rent(request)
        let running = try await wait(for: "a running pod") { () -> Instance? in
            let pod = try await client.instance(id)
            return pod?.status == .running && pod?.addresses.isEmpty == false ? pod : nil
        }
        #expect(running.name == "vp-test-1")
        #expect(try await client.instances().map(\.id) == [id])
        try await client.destroy(id)
        _ = try await wait(for: "the end of the pod") { try await client.instance(id) == nil ? true : nil }
        #expect(try await client.instances() == [])
    }
}
