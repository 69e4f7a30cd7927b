import Foundation
import Testing
import VPEngine

@Suite("RunPod: pods")
struct RunPodPodsTests {
    private let id = InstanceID(platform: .runpod, rawValue: "7h9k2m4n6p")

    @Test func theDocumentedPodDecodes() async throws {
        let bench = RunPodBench(RunPodSamples.list(RunPodSamples.pod))
        let instance = try #require(try await bench.client.instances().first)
        #expect(bench.lines == ["GET /v2/pods?includeClusterPods=true"])
        #expect(instance.id == self.id)
        #expect(instance.name == "vp-train")
        #expect(instance.status == .running)
        #expect(instance.gpuName == "RTX 4090")
        #expect(instance.gpuCount == 1)
        #expect(instance.gpuMemoryBytes == 24_576_000_000)
        #expect(instance.addresses == [SSHAddress(host: "195.26.233.3", port: 34446)])
        #expect(instance.diskBytes == 40_000_000_000)
        #expect(instance.location == "US-KS-2")
        #expect(instance.createdAt == Date(timeIntervalSince1970: 1_780_315_200))
        #expect(abs(instance.price.dollarsPerHour - (0.44 + 60 * 0.10 / 720)) < 1e-9)
    }

    @Test func aStoppedPodCostsItsVolumeTwiceOver() async throws {
        let row = VastSamples.edit(RunPodSamples.pod, ["status": "EXITED", "cost": 0])
        let instance = try #require(try await RunPodBench(row).client.instance(self.id))
        #expect(instance.status == .stopped)
        // The ports of its last run are still shown, and lead nowhere.
        #expect(instance.addresses.isEmpty)
        #expect(abs(instance.price.dollarsPerHour - 40 * 0.20 / 720) < 1e-9)
    }

    @Test(arguments: [
        ("PROVISIONING", InstanceStatus.pending), ("STARTING", .loading), ("RUNNING", .running),
        ("EXITED", .stopped), ("ERROR", .failed), ("SOMETHING_NEW", .unknown), ("running", .running),
    ])
    func statusesBecomeOurs(word: String, status: InstanceStatus) async throws {
        let row = VastSamples.edit(RunPodSamples.pod, ["status": .string(word)])
        #expect(try await RunPodBench(row).client.instance(self.id)?.status == status)
    }

    private static let addresses: [([String: JSONValue?], [String])] = [
        (["ssh": ["direct": nil]], ["195.26.233.4:34447"]),
        (["ssh": nil], ["195.26.233.4:34447"]),
        (["ssh": nil, "runtime": nil], []),
        (["ssh": nil, "runtime": .object([:])], []),
        (
            [
                "ssh": nil,
                "runtime": ["ports": [["private": 22, "public": 1, "type": "http", "ip": "1.2.3.4"]]],
            ],
            []
        ),
        (
            [
                "ssh": nil,
                "runtime": ["ports": [["private": 22, "public": 9, "type": "tcp", "ip": "100.65.0.1"]]],
            ],
            []
        ),
        (
            [
                "ssh": nil,
                "runtime": ["ports": [["private": 22, "public": nil, "type": "tcp", "ip": "1.2.3.4"]]],
            ],
            []
        ),
        (
            [
                "ssh": nil,
                "runtime": ["ports": [["private": "22", "public": "9", "type": "tcp", "ip": "127.0.0.1"]]],
            ],
            ["127.0.0.1:9"]
        ),
    ]

    @Test(arguments: RunPodPodsTests.addresses)
    func onlyAReachablePortIsAnAddress(changes: [String: JSONValue?], expected: [String]) async throws {
        let row = VastSamples.edit(RunPodSamples.pod, changes)
        let instance = try await RunPodBench(row).client.instance(self.id)
        #expect(instance?.addresses.map { "\($0.host):\($0.port)" } == expected)
    }

    @Test(arguments: ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000Z", "2026-06-01 12:00:00.00 +0000 UTC"])
    func timesComeInThreeForms(text: String) async throws {
        let row = VastSamples.edit(RunPodSamples.pod, ["createdAt": .string(text)])
        let date = try await RunPodBench(row).client.instance(self.id)?.createdAt
        #expect(date == Date(timeIntervalSince1970: 1_780_315_200))
    }

    @Test func laterPagesAreFollowed() async throws {
        func page(_ id: String, _ pagination: String) -> ScriptedTransport.Step {
            let row = VastSamples.edit(RunPodSamples.pod, ["id": .string(id)])
            return .ok(#"{"pods":[\#(row)],"pagination":\#(pagination)}"#)
        }
        let bench = RunPodBench([
            page("a", #"{"hasNextPage":true,"nextCursor":"c 1"}"#),
            page("b", #"{"hasNextPage":false,"nextCursor":null}"#),
        ])
        #expect(try await bench.client.instances().map(\.id.rawValue) == ["a", "b"])
        #expect(bench.lines[1] == "GET /v2/pods?includeClusterPods=true&cursor=c%201")
    }

    @Test func whatIsTerminatedIsGone() async throws {
        let row = VastSamples.edit(RunPodSamples.pod, ["status": "TERMINATED"])
        #expect(try await RunPodBench(RunPodSamples.list(row)).client.instances().isEmpty)
        #expect(try await RunPodBench(row).client.instance(self.id) == nil)
        #expect(
            try await RunPodBench([RunPodSamples.problem(404, "pod not found")]).client.instance(self.id)
                == nil)
    }

    @Test(arguments: [
        (404, "<html>not found</html>", EngineError.Code.badResponse), (404, "", .badResponse),
        (410, #"{"title":"Gone","status":410,"detail":"this API was retired"}"#, .endpointRetired),
        (410, "", .endpointRetired), (401, #"{"detail":"missing bearer token"}"#, .unauthorized),
        (403, #"{"detail":"access denied"}"#, .missingPermission), (403, "error code: 1010", .badResponse),
        (500, "", .platformFailed), (200, "{}", .badResponse), (200, "", .badResponse),
        (200, "[]", .badResponse),
    ])
    func whatDoesNotSayGoneIsNotGone(status: Int, body: String, code: EngineError.Code) async {
        let error = await failure { () async throws(EngineError) in
            _ = try await RunPodBench([.json(status, body)], repeatsLast: true).client.instance(self.id)
        }
        #expect(error?.code == code)
        let list = await failure { () async throws(EngineError) in
            _ = try await RunPodBench([.json(status, body)], repeatsLast: true).client.instances()
        }
        #expect(list?.code == code)
    }

    @Test(arguments: [#"{"pods":null}"#, #"{"pods":{}}"#, #"{"pods":[null]}"#, #"{"pods":[{"name":"x"}]}"#])
    func whatIsNoListOfPodsIsNeverEmpty(body: String) async {
        let error = await failure { () async throws(EngineError) in
            _ = try await RunPodBench(body).client.instances()
        }
        #expect(error?.code == .badResponse)
    }

    @Test func everyFieldOfAPodMayBeAnything() async throws {
        let sample = try JSONParser.parse(Array(RunPodSamples.pod.utf8))
        let replacements: [JSONValue] = [
            nil, true, 0, -1, 1e300, "", "x", "1e999", [], [nil], [[:]], [:],
            ["persistent": ["size": "1e300"]],
        ]
        for key in try #require(sample.object).keys {
            for replacement in replacements {
                let row = VastSamples.edit(RunPodSamples.pod, [key: .some(replacement)])
                do throws(EngineError) {
                    let instances = try await RunPodBench(RunPodSamples.list(row)).client.instances()
                    #expect(instances.count == 1, "\(key) = \(replacement.encoded)")
                } catch {
                    #expect(error.code == .badResponse && key == "id", "\(key) = \(replacement.encoded)")
                }
            }
        }
    }
}
