import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Failures on demand.
@Suite(.requires("sshd", "ssh", "ssh-keygen", "bwrap"))
struct FaultTests {
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    @Test func faultsHaveNames() throws {
        for kind in Fault.Kind.allCases { #expect(try Fault(parsing: kind.rawValue).kind == kind) }
        #expect(try Fault(parsing: "slow:2.5") == .slow(.milliseconds(2500)))
        #expect(try Fault(parsing: "rate-limited:3") == .rateLimited(count: 3))
        var fault = Fault(.offerTaken, times: 2).on(.runPod)
        fault.gpu = "RTX 4090"
        fault.skip = 1
        #expect(try Fault(parsing: "offer-taken:times=2,skip=1,platform=RunPod,gpu=RTX 4090") == fault)
        #expect(try Fault(parsing: "vanished:4").seconds == 4)
        #expect(try Fault(parsing: "no-capacity:times=all").times == .max)
        for text in [
            "slow:much", "nonsense", "", "slow:platform=azure", "slow:colour=red", "vanished:times=0",
        ] {
            #expect(throws: Fault.Misspelled.self, "\(text)") { try Fault(parsing: text) }
        }
    }

    @Test(.loopbackCloud(free)) func answersGoWrong() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let path = "/api/v0/users/current"
        await cloud.inject(.rateLimited(count: 2))
        #expect(try await client.get(path).status == 429)
        #expect(try await client.get(path).status == 429)
        await cloud.inject(.htmlErrorPage)
        let page = try await client.get(path)
        #expect(page.status == 502 && page.contentType == "text/html")
        await cloud.inject(.malformedJSON)
        let cut = try await client.get(path)
        #expect(cut.status == 200 && cut.json == nil)
        await cloud.inject(.slow(.milliseconds(300)))
        let start = ContinuousClock.now
        #expect(try await client.get(path).status == 200)
        #expect(ContinuousClock.now - start >= .milliseconds(300))
    }

    /// The answer is lost, the instance exists.
    @Test(.loopbackCloud(free)) func aCreateMayRentAndFail() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let ask = try #require(try await client.offer()["id"] as? Int)
        await cloud.inject(.serverErrorAfterCreate)
        let answer = try await client.put(
            "/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16,"label":"lost-1"}"#)
        #expect(answer.status == 502)
        let rows = try await client.get("/api/v1/instances/").rows("instances")
        #expect(rows.map { $0["label"] as? String } == ["lost-1"])
    }

    @Test(.loopbackCloud(free)) func imagesFail() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        await cloud.inject(.imagePullError)
        let id = try await client.rent()
        try await wait(for: "the error") {
            let row = try await client.instance(id)
            return (row?["status_msg"] as? String)?.contains("manifest unknown") == true ? true : nil
        }
        #expect(try await client.instance(id)?["actual_status"] as? String == "loading")
        // An instance that is stuck can be destroyed like any other.
        #expect(try await client.delete("/api/v0/instances/\(id)/").status == 200)
        try await wait(for: "its end") { try await client.instance(id) == nil ? true : nil }
    }

    @Test(.loopbackCloud(free)) func aStartMayBeRefused() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        _ = try await client.running(id)
        _ = try await client.put("/api/v0/instances/\(id)/", #"{"state":"stopped"}"#)
        try await wait(for: "the stop") {
            try await client.instance(id)?["cur_state"] as? String == "stopped" ? true : nil
        }
        await cloud.inject(.startRefused)
        let refused = try await client.put("/api/v0/instances/\(id)/", #"{"state":"running"}"#)
        #expect(refused.status == 200 && refused["success"] as? Bool == false)
        #expect(refused["error"] as? String == "resources_unavailable")
    }

    /// A cut connection ends the client, not what ran in it.
    @Test(.loopbackCloud(free)) func connectionsAreCut() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        _ = try await Shell.login(cloud, row, "true")
        let port = try #require(Shell.directPort(row))
        async let session = Shell.ssh(
            cloud, port: port,
            "touch /tmp/here; while [ ! -e /tmp/stop ]; do sleep 0.05; done; touch /tmp/done; exit 3")
        try await wait(for: "the session") {
            try await Shell.login(cloud, row, "test -e /tmp/here").status == 0 ? true : nil
        }
        await cloud.inject(.connectionCut)
        #expect(try await Shell.login(cloud, row, "test -e /tmp/done").status == 1)
        _ = try await Shell.login(cloud, row, "touch /tmp/stop")
        try await wait(for: "the survivor") {
            try await Shell.login(cloud, row, "test -e /tmp/done").status == 0 ? true : nil
        }
        // ssh says 255 for itself.
        #expect(try await session.status == 255)
    }

    @Test(.loopbackCloud(free)) func hostKeysChange() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        func key() async throws -> String {
            let port = try #require(Shell.directPort(try await client.running(id)))
            return try await wait(for: "a host key") {
                let outcome = try await Shell.run(
                    "ssh-keyscan", ["-t", "ed25519", "-p", String(port), "127.0.0.1"])
                return outcome.output.components(separatedBy: " ").last { $0.hasPrefix("AAAA") }
            }
        }
        let before = try await key()
        await cloud.inject(.hostKeyChanged)
        try await wait(for: "another key") { try await key() != before ? true : nil }
    }

    @Test(.loopbackCloud(free)) func anInstanceVanishes() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let id = try await client.rent()
        _ = try await client.running(id)
        await cloud.inject(.vanished)
        #expect(try await client.instance(id) == nil)
        #expect(await cloud.processIDs.isEmpty)
    }
}
