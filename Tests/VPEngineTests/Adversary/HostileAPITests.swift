import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// A platform whose answers are made by an enemy: a relay in front of the loopback cloud changes them by
/// seed. Whatever it says, nothing crashes, hangs, is rented, stopped or destroyed,
/// and no request goes to anybody else.
///
/// `VP_HOSTILE_API_ROUNDS=2000` looks longer; round N of a seed is the same each time.
@Suite("A hostile API", .requires("sshd", "ssh-keygen"), .timeLimit(.minutes(30)))
struct HostileAPITests {
    private static let rounds =
        ProcessInfo.processInfo.environment["VP_HOSTILE_API_ROUNDS"].flatMap { Int($0) } ?? 12
    private static let cloud = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    @Test(.loopbackCloud(cloud), arguments: Platform.allCases, 1...4 as ClosedRange<UInt64>)
    func nothingItSaysDoesHarm(_ platform: Platform, _ seed: UInt64) async throws {
        let bench = try await Bench(platform, seed)
        for round in 0..<Self.rounds {
            try await bench.ask(round)
        }
        // The instance that was there is there, and runs; nothing else is.
        #expect(await bench.cloud.instanceCount == 1)
        #expect(try await bench.direct.instance(bench.id)?.status == .running)
        #expect(bench.stranger.requests.isEmpty)
        let orders = bench.relay.requests.filter { !$0.line.hasPrefix("GET ") && !Self.onlyReads($0) }
        #expect(orders.isEmpty, "\(orders.map(\.line))")
    }

    /// Of what is asked here, these alone carry a body.
    private static func onlyReads(_ request: RelayServer.Request) -> Bool {
        request.line.hasPrefix("POST /api/v0/bundles/") || request.line.hasPrefix("POST /graphql")
            || request.line.hasPrefix("PUT /api/v0/instances/request_logs/")
    }

    private struct Bench {
        let cloud: LoopbackCloud
        let platform: Platform
        let relay: RelayServer
        /// Whom a redirect leads to.
        let stranger: LoopbackServer
        let direct: any PlatformClient
        let id: InstanceID
        private let endpoint: PlatformEndpoint

        init(_ platform: Platform, _ seed: UInt64) async throws {
            let cloud = try #require(CloudTrait.current)
            self.cloud = cloud
            self.platform = platform
            let url = platform == .vast ? cloud.vastURL : cloud.runPodURL
            let stranger = try LoopbackServer { _ in .response("200 OK", "{}") }
            self.stranger = stranger
            let random = Mutex(SeededGenerator(seed: seed))
            self.relay = try RelayServer(to: url) { _ in
                random.withLock { Mischief.way(using: &$0, stranger: stranger.url.absoluteString) }
            }
            let key = APIKey(platform == .vast ? cloud.vastAPIKey : cloud.runPodAPIKey)
            self.direct = PlatformClients.client(
                for: PlatformEndpoint(
                    platform: platform, baseURL: url, key: key, graphQLURL: cloud.runPodGraphQLURL),
                timeScale: 0)
            let relayed = self.relay.url(for: url)
            self.endpoint = PlatformEndpoint(
                platform: platform, baseURL: relayed, key: key,
                graphQLURL: relayed.deletingLastPathComponent().appendingPathComponent("graphql"))
            let direct = self.direct
            let offer = try #require(try await direct.offers(OfferQuery(gpu: "RTX 4090")).first)
            let id = try await direct.rent(
                RentRequest(
                    offer: offer, name: "vp-test", image: "runpod/pytorch:2.8", diskBytes: 20_000_000_000))
            self.id = id
            try await wait(for: "the instance to run") {
                try await direct.instance(id)?.status == .running ? true : nil
            }
        }

        /// One of each question, with a client whose pauses take no time.
        func ask(_ round: Int) async throws {
            var limits = CurlTransport.Limits()
            limits.body = 2 << 20
            limits.stalling = .seconds(2)
            let client = self.client(CurlTransport(limits: limits))
            let questions: [(String, () async throws -> Void)] = [
                ("instances", { _ = try await client.instances() }),
                ("instance", { _ = try await client.instance(self.id) }),
                ("offers", { _ = try await client.offers(OfferQuery(gpu: "RTX 4090")) }),
                ("keys", { _ = try await client.accountKeys() }),
                ("balance", { _ = try await client.balance() }),
                ("volumes", { _ = try await client.volumes() }),
                (
                    "charges",
                    { _ = try await client.charges(from: Date(timeIntervalSinceNow: -90_000), to: Date()) }
                ),
            ]
            for (name, question) in questions {
                let start = ContinuousClock.now
                do {
                    try await question()
                } catch let error as EngineError {
                    #expect(error.code != .cancelled, "\(name) in round \(round)")
                    #expect(error.detail.map { $0.utf8.allSatisfy { $0 >= 0x20 } } ?? true)
                    #expect(error.detail?.contains(self.endpoint.key.reveal()) != true)
                }
                #expect(ContinuousClock.now - start < .seconds(120), "\(name) in round \(round)")
            }
        }

        private func client(_ transport: CurlTransport) -> any PlatformClient {
            let clock = ScriptedClock()
            var patience = APICaller.Patience()
            patience.attempts = 2
            func caller(_ url: URL) -> APICaller {
                APICaller(
                    endpoint: PlatformEndpoint(platform: self.platform, baseURL: url, key: self.endpoint.key),
                    transport: transport, pacer: RequestPacer(scale: 0, clock: clock.pacing),
                    clock: clock.pacing, patience: patience)
            }
            let base = caller(self.endpoint.baseURL)
            if self.platform == .vast { return VastClient(caller: base) }
            return RunPodClient(caller: base, graphQL: self.endpoint.graphQLURL.map(caller))
        }
    }
}

/// What the enemy does with one answer.
private enum Mischief {
    /// Texts that mean something to a shell, a path, a format, a terminal or ssh.
    private static let texts: [JSONValue] = [
        "%s%s%n%@", "../../../etc/passwd", "a/b/c", "a\nb\r\nX: y", "-oProxyCommand=touch /tmp/x",
        "$(touch x)",
        "`id`", "\u{1B}]0;title\u{7}", "'; DROP TABLE jobs; --", "\u{0}", "\u{202E}gpj.exe", "NaN", "1e999",
        "inf",
        .string(String(repeating: "A", count: 70_000)), "-rf", "~root", "%00", "0x7fffffffffffffff",
    ]
    private static let numbers: [JSONValue] = [
        1e300, -1e300, -1, 0, 9.3e18, -9.3e18, 1.7e308, 3e-308, 1e19, 4_294_967_296, 0.1, -0.0,
    ]

    static func way(using random: inout SeededGenerator, stranger: String) -> RelayServer.Way {
        switch Int.random(in: 0..<22, using: &random) {
        case 0..<3: return .pass
        case 3..<7: return self.changing(self.texts, &random)
        case 7..<11: return self.changing(self.numbers, &random)
        case 11:
            let seed = random.next()
            return .edit { head, body in
                var own = SeededGenerator(seed: seed)
                return self.answer(head, Damage.any(of: String(decoding: body, as: UTF8.self), using: &own))
            }
        case 12:
            let seed = random.next()
            return .edit { head, body in
                var own = SeededGenerator(seed: seed)
                return self.answer(head, Array(body.prefix(Int.random(in: 0...body.count, using: &own))))
            }
        case 13:
            let code = [301, 302, 303, 307, 308].randomElement(using: &random) ?? 302
            return .reply(
                Array("HTTP/1.1 \(code) X\r\nLocation: \(stranger)/k?x=%s\r\nContent-Length: 0\r\n\r\n".utf8))
        case 14:
            let encoding = ["gzip", "br", "deflate", "x-%s"].randomElement(using: &random) ?? "gzip"
            return .edit { head, body in self.answer(head + "\r\nContent-Encoding: \(encoding)", body) }
        case 15: return .endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "8\r\n[[[[[[[[\r\n")
        case 16: return .endless("HTTP/1.1 200 OK\r\n\r\n", #"{"a":[1,2,3],"#)
        case 17: return .endless("HTTP/1.1 200 OK\r\n", "X-%s: %n\r\n")
        case 18:
            let deep = String(repeating: #"{"a":["#, count: 50_000)
            return .edit { head, _ in self.answer(head, Array(deep.utf8)) }
        case 19:
            let status = [100, 200, 204, 400, 401, 403, 404, 410, 418, 429, 500, 503].randomElement(
                using: &random)
            let wait =
                ["1e300", "-1", "nan", "0", "99999999999999999999"].randomElement(using: &random) ?? "0"
            return .edit { _, body in
                self.answer(
                    "HTTP/1.1 \(status ?? 200) %s\r\nRetry-After: \(wait)\r\n"
                        + "RateLimit: \"m\";r=0;t=\(wait)\r\nDate: Sun, 99 Foo -1 99:99:99 GMT", body)
            }
        case 20: return .close
        default:
            // A list that names another page each time.
            let cursor = random.next()
            return .edit { head, body in
                guard case .object(var members)? = try? JSONParser.parse(body) else {
                    return self.answer(head, body)
                }
                members["next_token"] = .string("\(cursor)")
                members["pagination"] = ["hasNextPage": true, "nextCursor": .string("\(cursor)")]
                return self.answer(head, Array(JSONValue.object(members).encoded.utf8))
            }
        }
    }

    private static func changing(_ values: [JSONValue], _ random: inout SeededGenerator) -> RelayServer.Way {
        let seed = random.next()
        return .edit { head, body in
            var own = SeededGenerator(seed: seed)
            guard var value = try? JSONParser.parse(body) else { return self.answer(head, body) }
            for _ in 0..<Int.random(in: 1...12, using: &own) {
                let position = Int.random(in: 0..<Damage.count(value), using: &own)
                value = Damage.replacing(
                    position, of: value, with: values.randomElement(using: &own) ?? .null)
            }
            return self.answer(head, Array(value.encoded.utf8))
        }
    }

    /// A whole answer under the cloud's head, but for its length.
    private static func answer(_ head: String, _ body: [UInt8]) -> [UInt8] {
        let lines = head.components(separatedBy: "\r\n").filter {
            let line = $0.lowercased()
            return !line.hasPrefix("content-length:") && !line.hasPrefix("transfer-encoding:")
        }
        return Array((lines + ["Content-Length: \(body.count)"]).joined(separator: "\r\n").utf8)
            + Array("\r\n\r\n".utf8) + body
    }
}
