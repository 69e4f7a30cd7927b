import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// A pod's life, seen through both of RunPod's dialects.
@Suite(.requires("sshd", "ssh", "ssh-keygen", "bwrap"), .timeLimit(.minutes(15)))
struct PodTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)
    private static let view = """
        query pod($id: String!) { pod(input: {podId: $id}) { id desiredStatus podType costPerHr gpuCount ports env
          imageName runtime { ports { ip isIpPublic privatePort publicPort type } } machine { podHostId } } }
        """

    @Test(.loopbackCloud(free)) func aPodLives() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let made = try await client.post(
            "/v2/pods",
            TestClient.podBody(
                #""startSsh":true,"env":{"A":"b c"},"mounts":{"persistent":{"size":20,"path":"/workspace"}},"#
            ))
        #expect(made.status == 201 && made["status"] as? String == "PROVISIONING")
        #expect(made["actions"] as? [String] == ["stop", "terminate"] && made["runtime"] is NSNull)
        let id = try #require(made["id"] as? String)
        // The old dialect says what was ordered, not what is there.
        let early = try await client.data(Self.view, variables: #"{"id":"\#(id)"}"#, "pod") as? [String: Any]
        #expect(early?["desiredStatus"] as? String == "RUNNING" && early?["runtime"] is NSNull)

        let running = try await client.pod(id, is: "RUNNING")
        #expect(running["actions"] as? [String] == ["stop", "restart", "terminate"])
        try await Self.expectSameViews(client, id)
        let port = try #require(running.sshPort)
        let login = try await wait(for: "ssh") {
            let outcome = try await Shell.ssh(
                cloud, port: port, "echo hello >/workspace/kept; touch /lost; . /etc/rp_environment; echo $A")
            return outcome.status == 255 ? nil : outcome
        }
        #expect(login.output == "b c\n")

        let wrong = try await client.post("/v2/pods/\(id)/action", #"{"action":"start"}"#)
        #expect(wrong.status == 409)
        #expect(try await client.post("/v2/pods/\(id)/action", #"{"action":"reset"}"#).status == 422)
        #expect(try await client.post("/v2/pods/\(id)/action", #"{"action":"stop"}"#).status == 200)
        let stopped = try await client.pod(id, is: "EXITED")
        #expect(stopped["cost"] as? Double == 0 && stopped.sshPort == nil)
        #expect(stopped["actions"] as? [String] == ["start", "terminate"])
        try await Self.expectSameViews(client, id)

        #expect(try await client.post("/v2/pods/\(id)/action", #"{"action":"start"}"#).status == 200)
        let again = try await client.pod(id, is: "RUNNING")
        let newPort = try #require(again.sshPort)
        #expect(newPort != port)
        let files = try await wait(for: "ssh") {
            let outcome = try await Shell.ssh(cloud, port: newPort, "cat /workspace/kept; ls /lost")
            return outcome.status == 255 ? nil : outcome
        }
        #expect(files.output == "hello\n" && files.status != 0)

        #expect(try await client.delete("/v2/pods/\(id)", nil).status == 204)
        #expect(try await client.pod(id).status == 404)
        #expect(try await client.get("/v2/pods").rows("pods").isEmpty)
        #expect(try await client.data("{ myself { pods { id } } }", "myself", "pods") as? [String] == [])
        let gone = try await client.graphQL(#"mutation { podTerminate(input: {podId: "\#(id)"}) }"#)
        #expect(gone.status == 200 && gone.text.contains("POD_NOT_FOUND"))
        // The vast.ai dialect of the same fleet never saw it.
        #expect(try await TestClient(cloud).get("/api/v1/instances/").rows("instances").isEmpty)
    }

    /// One fleet, two views: what both name is the same.
    private static func expectSameViews(_ client: TestClient, _ id: String) async throws {
        let rest = try await client.pod(id)
        let graph = try #require(
            try await client.data(self.view, variables: #"{"id":"\#(id)"}"#, "pod") as? [String: Any])
        #expect(graph["id"] as? String == rest["id"] as? String)
        #expect(graph["imageName"] as? String == rest["image"] as? String)
        #expect(graph["costPerHr"] as? Double == rest["cost"] as? Double)
        #expect(graph["gpuCount"] as? Int == (rest["gpu"] as? [String: Any])?["count"] as? Int)
        #expect(graph["ports"] as? String == (rest["ports"] as? [String])?.joined(separator: ","))
        let variables = (rest["env"] as? [String: String] ?? [:]).map { "\($0.key)=\($0.value)" }
        #expect((graph["env"] as? [String] ?? []).sorted() == variables.sorted())
        let status = rest["status"] as? String
        #expect(graph["desiredStatus"] as? String == (status == "EXITED" ? "EXITED" : "RUNNING"))
        let ports = (graph["runtime"] as? [String: Any])?["ports"] as? [[String: Any]]
        let inner = ports?.first { $0["privatePort"] as? Int == 22 }
        #expect(inner?["publicPort"] as? Int == rest.sshPort)
        #expect(inner.map { $0["isIpPublic"] as? Bool } ?? true == true)
    }

    /// Log events carry an id each, and a reader who names the last goes on behind it. The stream stays open.
    @Test(.requires("curl"), .loopbackCloud(free)) func logsAreEvents() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let id = try await client.makePod()
        _ = try await client.pod(id, is: "RUNNING")
        func read(_ query: String, _ more: [String] = []) async throws -> Shell.Outcome {
            try await Shell.run(
                "curl",
                [
                    "-sN", "--max-time", "2", "-H", "Authorization: Bearer \(cloud.runPodAPIKey)",
                    "\(cloud.runPodURL.absoluteString)/pods/\(id)/logs?\(query)",
                ] + more)
        }
        let all = try await read("source=system")
        // curl's own end, since the stream has none.
        #expect(all.status == 28)
        #expect(all.output.contains("create container runpod/pytorch:2.8"))
        let events = all.output.components(separatedBy: "\n\n").filter { $0.hasPrefix("id: ") }
        try #require(events.count > 3)
        let tail = try await read("source=system&tail=2")
        #expect(tail.output.components(separatedBy: "data: ").count == 3)
        let middle = try #require(events[1].split(separator: "\n").first?.dropFirst(4))
        let rest = try await read("source=system", ["-H", "Last-Event-ID: \(middle)"])
        #expect(rest.output.hasPrefix(events[2]))
        let output = try await read("source=container")
        #expect(output.output.contains("Pod started"))
        #expect(try await client.get("/v2/pods/\(id)/logs?tail=5001").status == 422)
    }

    @Test(.loopbackCloud(free)) func graphQLIsReadAsWritten() async throws {
        let client = TestClient.runPod(try #require(CloudTrait.current))
        let named = try await client.graphQL(
            "query Q($f: GpuTypeFilter) { kinds: gpuTypes(input: $f) { id, memoryInGb } } # a comment",
            variables: #"{"f":{"id":"NVIDIA L4"}}"#)
        let kinds = (named["data"] as? [String: Any])?["kinds"] as? [[String: Any]]
        #expect(kinds?.count == 1 && kinds?.first?["memoryInGb"] as? Int == 24)
        #expect(kinds?.first?.count == 2)
        #expect(
            try await client.data("{ gpuTypes(input: {id: \"none\"}) { id } }", "gpuTypes") as? [String] == []
        )
        #expect(try await client.data("{ pod(input: {podId: \"none\"}) { id } }", "pod") is NSNull)
        for (query, words) in [
            ("{ nobody { id } }", "Cannot query field"), ("{ myself { wealth } }", "Cannot query field"),
            ("{ myself ", "Syntax Error"), ("{ myself }", "must have a selection"),
        ] {
            let answer = try await client.graphQL(query)
            #expect(answer.status == 400 && answer.text.contains(words), "\(query): \(answer.text)")
        }
        #expect(try await client.with(key: "rpa_WRONG").graphQL("{ myself { id } }").status == 401)
    }

    /// Interruptible pods live in the old dialect alone. Who bids too little finds no GPU; who is outbid is
    /// stopped, and comes back by bidding more.
    @Test(.loopbackCloud(free)) func interruptiblePodsAreBidFor() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let prices =
            try await client.data(
                #"{ gpuTypes(input: {id: "NVIDIA L4"}) { lowestPrice(input: {gpuCount: 1}) { minimumBidPrice } } }"#,
                "gpuTypes") as? [[String: [String: Double]]]
        let minimum = try #require(prices?.first?["lowestPrice"]?["minimumBidPrice"])
        func rent(_ bid: Double) async throws -> TestClient.Answer {
            try await client.graphQL(
                """
                mutation { podRentInterruptable(input: { name: "spot", imageName: "runpod/pytorch:2.8", \
                gpuTypeId: "NVIDIA L4", cloudType: SECURE, gpuCount: 1, bidPerGpu: \(bid), ports: "22/tcp" }) \
                { id desiredStatus } }
                """)
        }
        let refused = try await rent(minimum * 0.9)
        #expect(refused.status == 200 && refused.text.contains("with the request specifications"))
        #expect(await cloud.instanceCount == 0)
        let made = try await rent(minimum * 1.1)
        let pod = (made["data"] as? [String: Any])?["podRentInterruptable"] as? [String: Any]
        let id = try #require(pod?["id"] as? String)
        let running = try await client.pod(id, is: "RUNNING")
        #expect(abs((running["cost"] as? Double ?? 0) - minimum * 1.1) < 0.001)
        let view = try await client.data(Self.view, variables: #"{"id":"\#(id)"}"#, "pod") as? [String: Any]
        #expect(view?["podType"] as? String == "INTERRUPTABLE")

        await cloud.inject(.preempted)
        _ = try await client.pod(id, is: "EXITED")
        func resume(_ bid: Double) async throws -> TestClient.Answer {
            try await client.graphQL(
                """
                mutation { podBidResume(input: { podId: "\(id)", bidPerGpu: \(bid), gpuCount: 1 }) { id } }
                """)
        }
        #expect(try await resume(minimum * 1.1).text.contains("not enough free GPUs"))
        #expect(try await resume(minimum * 2)["errors"] == nil)
        _ = try await client.pod(id, is: "RUNNING")
    }

    /// What lies on a network volume is there for the next pod.
    @Test(.loopbackCloud(free)) func networkVolumesOutlivePods() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let gpus = try await client.get("/v2/catalog/gpus?include=AVAILABILITY&product=POD").rows("gpus")
        let row = try #require(gpus.first { $0["id"] as? String == "NVIDIA GeForce RTX 4090" })
        let centers = try #require(row["dataCenters"] as? [[String: String]])
        let center = try #require(centers.first { $0["availability"] != "NONE" }?["id"])
        let made = try await client.post(
            "/v2/network-volumes", #"{"name":"d","size":50,"dataCenter":"\#(center)"}"#)
        let volume = try #require(made["id"] as? String)
        let mounts = #""mounts":{"network":[{"volumeId":"\#(volume)","path":"/data"}]},"#
        for turn in 1...2 {
            let id = try await client.makePod(mounts)
            let running = try await client.pod(id, is: "RUNNING")
            #expect(running["dataCenterId"] as? String == center)
            let port = try #require(running.sshPort)
            let outcome = try await wait(for: "ssh") {
                let outcome = try await Shell.ssh(cloud, port: port, "cat /data/note; echo kept >/data/note")
                return outcome.status == 255 ? nil : outcome
            }
            #expect(outcome.output == (turn == 1 ? "" : "kept\n"))
            #expect(try await client.delete("/v2/network-volumes/\(volume)", nil).status == 400)
            #expect(try await client.delete("/v2/pods/\(id)", nil).status == 204)
        }
    }

    /// A pod's own key reaches that pod and nothing else.
    @Test(.loopbackCloud(free)) func aPodsKeyIsItsOwn() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        let id = try await client.makePod()
        let other = try await client.makePod()
        let port = try #require(try await client.pod(id, is: "RUNNING").sshPort)
        let key = try await wait(for: "the pod's key") { () -> String? in
            let outcome = try await Shell.ssh(
                cloud, port: port, ". /etc/rp_environment && echo $RUNPOD_API_KEY")
            let text = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
            return outcome.status == 0 && !text.isEmpty ? text : nil
        }
        let own = client.with(key: key)
        #expect(try await own.pod(id).status == 200)
        #expect(try await own.pod(other).status == 403)
        #expect(try await own.get("/v2/pods").status == 403)
        #expect(try await own.post("/v2/pods/\(id)/action", #"{"action":"terminate"}"#).status == 204)
        #expect(await cloud.instanceCount == 1)
    }
}
