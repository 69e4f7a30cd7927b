import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// What RunPod's REST v2 lets pass and what it refuses, and in which words.
@Suite(.requires("sshd", "ssh-keygen"))
struct RunPodRulesTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    @Test(.loopbackCloud(free)) func refusalsAreProblemDocuments() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let cases: [(TestClient.Answer, Int, String)] = [
            (try await client.with(key: nil).get("/v2/pods"), 401, "missing bearer token"),
            (try await client.with(key: "rpa_WRONG").get("/v2/pods"), 401, "Unauthorized"),
            (try await client.get("/v2/pods/nosuchpod"), 404, "pod not found"),
            (try await client.get("/v2/networkvolumes"), 404, "resource not found"),
            (try await client.put("/v2/pods"), 405, "method not allowed"),
            (try await client.get("/v1/pods"), 410, "retired"),
            (try await client.post("/v2/pods", "{nonsense"), 400, "not valid JSON"),
        ]
        for (answer, status, words) in cases {
            #expect(answer.status == status && answer.contentType == "application/problem+json", "\(answer)")
            #expect(answer["status"] as? Int == status && answer["title"] is String)
            #expect((answer["detail"] as? String)?.contains(words) == true, "\(answer.text)")
            #expect(answer.headers["x-request-id"]?.isEmpty == false)
        }
        #expect(cases[4].0.headers["allow"] == "GET, POST")
    }

    /// Whoever does not say who it is meets the edge, which answers in plain text.
    @Test(.requires("curl"), .loopbackCloud(free)) func anAgentIsWanted() async throws {
        let cloud = try #require(CloudTrait.current)
        let outcome = try await Shell.run(
            "curl",
            [
                "-s", "-A", "", "-w", " %{http_code}", "-H", "Authorization: Bearer \(cloud.runPodAPIKey)",
                "\(cloud.runPodURL.absoluteString)/pods",
            ])
        #expect(outcome.output == "error code: 1010 403")
    }

    /// What dstack sends, and what SkyPilot reads.
    @Test(.loopbackCloud(free)) func newerClientsAreServed() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let body = #"""
            {"name":"d","image":"dstackai/base:1","ports":["22/tcp"],"entrypoint":["/bin/bash","-c"],
            "cmd":["echo it's; sleep 600"],
            "gpu":{"id":"NVIDIA GeForce RTX 4090","minRamPerGpu":8,"minVcpuCountPerGpu":2}}
            """#
        let made = try await client.post("/v2/pods", body)
        #expect(made.status == 201, "\(made)")
        #expect(made["args"] as? String == #"'/bin/bash' '-c' 'echo it'\''s; sleep 600'"#)
        let pods = try await client.graphQL(
            "query { myself { pods { id containerRegistryAuthId imageName } } }")
        #expect(pods["errors"] == nil && pods.text.contains("containerRegistryAuthId"), "\(pods)")
        let both = try await client.post(
            "/v2/pods", body.replacingOccurrences(of: #""name":"d","#, with: #""name":"d","args":"x","#))
        #expect(both.status == 400, "\(both)")
    }

    /// Every schema knows its keys; rules between keys are another status.
    @Test(.loopbackCloud(free)) func createIsStrict() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        for (more, status, words) in [
            (#""imageName":"x","#, 422, "additional properties 'imageName' not allowed"),
            (#""mounts":{"persistent":{"size":5,"path":"/w"}},"#, 422, "must be at least 10"),
            (#""mounts":{"persistent":{"size":20}},"#, 422, "missing property 'path'"),
            (#""mounts":{"other":1},"#, 422, "additional properties 'other' not allowed"),
            (#""disk":"20","#, 422, "$.disk: expected integer"),
            (#""env":{"A":1},"#, 422, "$.env.A: expected string"),
            (#""cloud":"ALL","#, 422, "must be one of SECURE, COMMUNITY"),
            (#""cpu":{"id":"cpu3c"},"#, 400, "exactly one of gpu or cpu"),
            (#""mounts":{"persistent":{"size":20,"path":"/w"},"network":[]},"#, 400, "mutually exclusive"),
            (#""mounts":{"network":[]},"#, 400, "must not be empty"),
            (#""mounts":{"network":[{"volumeId":"none","path":"/w"}]},"#, 400, "network volume not found"),
            (#""dataCenterIds":["us-ks-2"],"#, 400, "unknown data center"),
            (#""templateId":"none","#, 404, "template not found"),
        ] {
            let answer = try await client.post("/v2/pods", TestClient.podBody(more))
            #expect(answer.status == status && answer.text.contains(words), "\(answer)")
            #expect((answer["errors"] != nil) == (status == 422))
        }
        #expect(await cloud.instanceCount == 0)
    }

    @Test(.loopbackCloud(free)) func createWantsAName() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let answer = try await client.post("/v2/pods", #"{"image":"x:1","gpu":{"id":"NVIDIA L4"}}"#)
        #expect(answer.status == 422 && answer.text.contains("missing property 'name'"))
        let unknown = try await client.post("/v2/pods", TestClient.podBody(gpu: "RTX 4090"))
        #expect(unknown.status == 400 && unknown.text.contains("not found"))
    }

    @Test(.loopbackCloud(free)) func theCatalogueIsStrict() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        for (query, status) in [
            ("", 200), ("?include=AVAILABILITY&product=POD", 200), ("?include=AVAILABILITY", 400),
            ("?product=POD", 400), ("?count=2", 400), ("?include=EVERYTHING&product=POD", 422),
            ("?include=AVAILABILITY&product=SHIP", 422), ("?include=AVAILABILITY&product=POD&count=0", 422),
            ("?include=AVAILABILITY&product=POD&cloud=ALL", 422),
            ("?include=AVAILABILITY&product=POD&countryCodes=usa", 422),
            ("?include=AVAILABILITY&product=POD&minCudaVersion=12", 422),
            ("?include=AVAILABILITY&product=POD&minCudaVersion=12.4&cudaVersions=12.8", 400),
            ("?nobody=knows", 200),
        ] {
            let answer = try await client.get("/v2/catalog/gpus\(query)")
            #expect(answer.status == status, "\(answer.text.prefix(300))")
            for row in answer.rows("gpus") {
                // What is free is told to those who ask.
                #expect((row["availability"] != nil) == query.contains("include"))
                #expect(row["availability"] as? String != "NONE" || row["dataCenters"] == nil)
            }
        }
    }

    /// A GPU that one data center has and another has not is placed accordingly.
    @Test(.loopbackCloud(free)) func capacityIsByDataCenter() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let path = "/v2/catalog/gpus?include=AVAILABILITY&product=POD"
        for row in try await client.get(path).rows("gpus") {
            let id = try #require(row["id"] as? String)
            let centers = row["dataCenters"] as? [[String: String]] ?? []
            guard let empty = centers.first(where: { $0["availability"] == "NONE" })?["id"],
                let full = centers.first(where: { $0["availability"] != "NONE" })?["id"]
            else { continue }
            let refused = try await client.post(
                "/v2/pods", TestClient.podBody(#""dataCenterIds":["\#(empty)"],"#, gpu: id))
            #expect(refused.status == 400 && refused.text.contains("no longer any instances available"))
            let made = try await client.post(
                "/v2/pods", TestClient.podBody(#""dataCenterIds":["\#(empty)","\#(full)"],"#, gpu: id))
            #expect(made.status == 201 && made["dataCenterId"] as? String == full)
            return
        }
        Issue.record("every data center has all its GPUs")
    }

    /// What is rented is not in stock, also where many are asked for at once.
    @Test(.loopbackCloud(free)) func stockRunsOut() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let path = "/v2/catalog/gpus/NVIDIA%20L4?include=AVAILABILITY&product=POD&count=4"
        let body = #"{"name":"x","image":"x:1","gpu":{"id":"NVIDIA L4","count":4}}"#
        var made = 0
        while try await client.get(path)["availability"] as? String != "NONE" {
            try #require(try await client.post("/v2/pods", body).status == 201)
            made += 1
            try #require(made < 20)
        }
        #expect(made > 0)
        #expect(try await client.post("/v2/pods", body).text.contains("no longer any instances"))
    }

    /// Every answer states the allowance, the call after the last is refused and says for how long.
    @Test(.loopbackCloud(.init(speed: 1))) func allowancesAreStatedAndKept() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        var last: TestClient.Answer?
        for call in 1...60 {
            let answer = try await client.get("/v2/account/ssh-keys")
            try #require(answer.status == 200)
            #expect(answer.headers["ratelimit"]?.hasPrefix(#""minute";r=\#(60 - call);t="#) == true)
            #expect(
                answer.headers["ratelimit-policy"]
                    == #""minute";q=60;w=60, "hour";q=3000;w=3600, "day";q=50000;w=86400"#)
            last = answer
        }
        #expect(last?.headers["retry-after"] == nil)
        let refused = try await client.get("/v2/account/ssh-keys")
        #expect(refused.status == 429 && refused.text.contains("rate limit exceeded for the minute window"))
        #expect((refused.headers["retry-after"].flatMap { Int($0) } ?? 0) > 0)
        #expect(refused.headers["ratelimit"]?.hasPrefix(#""minute";r=0"#) == true)
    }

    @Test(.loopbackCloud(free)) func keysAreReplacedAsAWhole() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let before = try await client.get("/v2/account/ssh-keys")["keys"] as? [String]
        #expect(before?.count == 1)
        let bad = try await client.put("/v2/account/ssh-keys", #"{"keys":["nonsense"]}"#)
        #expect(bad.status == 422 && bad.text.contains("$.keys[0]"))
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"
        _ = try await client.put("/v2/account/ssh-keys", #"{"keys":["\#(key)"]}"#)
        #expect(try await client.get("/v2/account/ssh-keys")["keys"] as? [String] == [key])
        // The other dialect has one text for all.
        let text = try await client.data("{ myself { pubKey } }", "myself", "pubKey") as? String
        #expect(text == key)
    }

    @Test(.loopbackCloud(free)) func networkVolumesAreMadeListedAndRemoved() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        #expect(try await client.get("/v2/network-volumes").rows("networkVolumes").isEmpty)
        let wrong = try await client.post(
            "/v2/network-volumes", #"{"name":"d","size":50,"dataCenter":"MARS-1"}"#)
        #expect(wrong.status == 400 && wrong.text.contains("US-KS-2"))
        let small = try await client.post(
            "/v2/network-volumes", #"{"name":"d","size":5,"dataCenterId":"US-KS-2"}"#)
        #expect(small.status == 422)
        let made = try await client.post(
            "/v2/network-volumes", #"{"name":"d","size":50,"dataCenter":"US-KS-2"}"#)
        let id = try #require(made["id"] as? String)
        #expect(made.status == 201 && made["type"] as? String == "STANDARD")
        #expect(try await client.patch("/v2/network-volumes/\(id)", #"{"size":40}"#).status == 400)
        #expect(try await client.patch("/v2/network-volumes/\(id)", #"{"size":60}"#)["size"] as? Int == 60)
        let rows = try await client.get("/v2/network-volumes").rows("networkVolumes")
        #expect(rows.map { $0["id"] as? String } == [id])
        let seen =
            try await client.data(
                "query myself { myself { id pubKey networkVolumes { id name size dataCenterId } } }",
                "myself", "networkVolumes") as? [[String: Any]]
        #expect(seen?.first?["dataCenterId"] as? String == "US-KS-2")
        #expect(try await client.delete("/v2/network-volumes/\(id)", nil).status == 204)
        #expect(try await client.get("/v2/network-volumes/\(id)").status == 404)
    }
}
