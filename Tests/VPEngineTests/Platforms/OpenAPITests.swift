import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// What our clients send, and what the loopback cloud answers, held against the platforms' own descriptions.
///
/// Where the facts say that a description is wrong or behind, the difference is listed here by name.
@Suite(.requires("sshd", "ssh-keygen"), .timeLimit(.minutes(15)))
struct OpenAPITests {
    /// A complaint that the platform itself would not make.
    struct Difference: Sendable {
        let words: String
        let reason: String

        init(_ words: String, _ reason: String) {
            self.words = words
            self.reason = reason
        }
    }

    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    private static let vast: [Difference] = [
        .init("$.order: too few", "a list of pairs; one pair stands in the description"),
        .init(#"$.type: "on-demand""#, "as the official client and the guides write it"),
        .init("$.env: expected string", "an object; the string is the form of templates"),
        .init(#"$.runtype: "ssh_direc ssh_proxy""#, "as the official client writes it"),
        .init("?owner is not described", "sent by the official client"),
        .init("cpu_util: expected number", "null until the host has reported"),
        .init("extra_env[0]: expected string", "pairs of a name and a value"),
        .init("ports: expected array", "an object by port and protocol"),
        .init("200 $.instances: expected object", "null is how the API says gone"),
        .init(#"400 $.error: "no_such_ask""#, "seen in production beside the described 404 and 410"),
    ]
    private static let runPod: [Difference] = []

    /// What has no description: storage outside the API, and GraphQL.
    private static let foreignPaths = ["/instance_logs/", "/graphql"]

    @Test(.loopbackCloud(free), arguments: Platform.allCases)
    func exchangesAreAsDescribed(_ platform: Platform) async throws {
        let cloud = try #require(CloudTrait.current)
        let transport = KeepingTransport()
        let endpoint: PlatformEndpoint
        switch platform {
        case .vast:
            endpoint = PlatformEndpoint(
                platform: .vast, baseURL: cloud.vastURL, key: APIKey(cloud.vastAPIKey))
        case .runpod:
            endpoint = PlatformEndpoint(
                platform: .runpod, baseURL: cloud.runPodURL, key: APIKey(cloud.runPodAPIKey),
                graphQLURL: cloud.runPodGraphQLURL)
        }
        let client = PlatformClients.client(for: endpoint, timeScale: 0, transport: transport)
        try await Self.askEverything(client, cloud)

        let description = try OpenAPI(platform == .vast ? "vast" : "runpod-v2")
        let differences = platform == .vast ? Self.vast : Self.runPod
        var unused = differences.map(\.words)
        var seen: Set<String> = []
        var undescribed: Set<String> = []
        for (request, response) in transport.exchanges {
            let asked = description.complaints(about: request)
            let answered = description.complaints(about: response, to: request)
            let isForeign = Self.foreignPaths.contains(where: request.url.path.hasPrefix)
            if asked == nil, !isForeign {
                undescribed.insert("\(request.method.rawValue) \(request.url.path)")
            }
            for complaint in (asked ?? []) + (answered ?? []) where seen.insert(complaint).inserted {
                let known = differences.filter { complaint.contains($0.words) }.map(\.words)
                unused.removeAll(where: known.contains)
                #expect(!known.isEmpty, "\(complaint)")
            }
        }
        #expect(unused.isEmpty, "differences that are none any more")
        #expect(undescribed == [])
        #expect(transport.exchanges.count > 12)
    }

    /// Every call that the client has, with every part of it that is optional.
    private static func askEverything(_ client: any PlatformClient, _ cloud: LoopbackCloud) async throws {
        let query = OfferQuery(
            gpu: "RTX 4090", maximumPrice: HourlyPrice(dollarsPerHour: 3),
            minimumGPUMemoryBytes: 20_000_000_000, minimumReliability: 0.5, countries: ["US", "CA", "SE"],
            minimumCUDA: 12.4, order: .price)
        _ = try await client.offers(query)
        let offer = try #require(try await client.offers(OfferQuery(gpu: "RTX 4090")).first)
        _ = try await client.balance()
        _ = try await client.accountKeys()
        try await client.addAccountKey(
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl another")
        let id = try await client.rent(
            RentRequest(
                offer: offer, name: "vp-described", image: "ubuntu:24.04", diskBytes: 20_000_000_000,
                environment: ["A": "b"], onStart: "true"))
        _ = try await client.instance(id)
        let running: @Sendable (Instance?) -> Bool? = { $0?.status == .running ? true : nil }
        try await wait(for: "the instance") { running(try await client.instance(id)) }
        _ = try await client.instances()
        try await client.rename(id, to: "vp-renamed")
        _ = try await client.providerLog(id, lines: 20)
        try await client.stop(id)
        try await wait(for: "the stop") {
            try await client.instance(id)?.status == .stopped ? true : nil
        }
        _ = try await client.instances()
        await cloud.inject(.startRefused)
        _ = await failure { () async throws(EngineError) in try await client.start(id) }
        try await client.start(id)
        try await client.destroy(id)
        try await wait(for: "the end") { try await client.instance(id) == nil ? true : nil }
        await cloud.inject(.noCapacity)
        _ = await failure { () async throws(EngineError) in
            _ = try await client.rent(
                RentRequest(offer: offer, name: "vp-none", image: "x:1", diskBytes: 20_000_000_000))
        }
    }
}

/// Sends, and keeps what was sent and answered.
private final class KeepingTransport: HTTPTransport {
    private let transport = CurlTransport()
    private let kept: Mutex<[(HTTPRequest, HTTPResponse)]> = Mutex([])

    var exchanges: [(HTTPRequest, HTTPResponse)] { self.kept.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse {
        let response = try await self.transport.send(request)
        self.kept.withLock { $0.append((request, response)) }
        return response
    }
}
