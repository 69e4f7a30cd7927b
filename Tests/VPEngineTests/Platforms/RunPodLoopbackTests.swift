import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// The client against the loopback cloud's own reading of RunPod's API: neither shares a type with the other.
@Suite(.requires("sshd"), .timeLimit(.minutes(15)))
struct RunPodLoopbackTests {
    @Test(.loopbackCloud()) func aPodIsRentedSeenAndEnded() async throws {
        let cloud = try #require(CloudTrait.current)
        let endpoint = PlatformEndpoint(
            platform: .runpod, baseURL: cloud.runPodURL, key: APIKey(cloud.runPodAPIKey),
            graphQLURL: cloud.runPodGraphQLURL)
        let client = PlatformClients.client(for: endpoint, timeScale: 0)
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
