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

    // MARK: Whom they befall

    /// Two candidates fail in different ways, the third is rented, and the other platform notices nothing.
    @Test(.loopbackCloud(free)) func faultsAreForSome() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.offer()
        let machine = try #require(row["machine_id"] as? Int)
        let gpu = try #require(row["gpu_name"] as? String).replacingOccurrences(of: " ", with: "")
            .lowercased()
        await cloud.inject(try Fault(parsing: "offer-taken:platform=vast,machine=\(machine)"))
        await cloud.inject(try Fault(parsing: "no-capacity:platform=vast,skip=1,gpu=\(gpu)"))
        let ask = try #require(row["id"] as? Int)
        let body = #"{"image":"x:1","disk":16,"cancel_unavail":true}"#
        let pod = try await TestClient.runPod(cloud).post("/v2/pods", TestClient.podBody())
        #expect(pod.status == 201)
        // The second fault counts what comes to it: this create, which then ends by the first.
        let taken = try await client.put("/api/v0/asks/\(ask)/", body)
        #expect(taken.status == 410 && taken["error"] as? String == "no_such_ask")
        let none = try await client.put("/api/v0/asks/\(ask)/", body)
        #expect(none.status == 400 && none["error"] as? String == "no_such_ask")
        #expect(try await client.put("/api/v0/asks/\(ask)/", body).status == 200)
    }

    @Test(.loopbackCloud(free)) func faultsAreForSomeRequests() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        await cloud.inject(try Fault(parsing: "html-error-page:times=all,request=GET /api/v1/instances"))
        #expect(try await client.get("/api/v0/users/current").status == 200)
        for _ in 1...3 { #expect(try await client.get("/api/v1/instances/").status == 502) }
    }

    @Test(.loopbackCloud(free)) func podsFailInTheirOwnWords() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        await cloud.inject(.noCapacity.on(.runPod))
        let none = try await client.post("/v2/pods", TestClient.podBody())
        #expect(none.status == 400 && none.text.contains("no longer any instances available"))
        await cloud.inject(.offerTaken.on(.runPod))
        let taken = try await client.post("/v2/pods", TestClient.podBody())
        #expect(taken.status == 400 && taken.text.contains("try a different machine"))
        await cloud.inject(.rateLimited(count: 1).on(.runPod))
        let limited = try await client.get("/v2/pods")
        #expect(limited.status == 429 && limited.headers["retry-after"] != nil)
        await cloud.inject(.malformedJSON.on(.runPod))
        #expect(try await client.get("/v2/pods").json == nil)
        #expect(await cloud.instanceCount == 0)
        await cloud.inject(.serverErrorAfterCreate.on(.runPod))
        #expect(try await client.post("/v2/pods", TestClient.podBody()).status == 500)
        #expect(try await client.get("/v2/pods").rows("pods").count == 1)
        await cloud.inject(.balanceZero.on(.runPod))
        try await wait(for: "the pod's end") { await cloud.instanceCount == 0 ? true : nil }
        #expect(try await client.post("/v2/pods", TestClient.podBody()).status == 402)
        await cloud.inject(.graphQLRetired)
        #expect(try await client.graphQL("{ myself { id } }").status == 410)
        await cloud.inject(.restRetired)
        let retired = try await client.get("/v2/pods")
        #expect(retired.status == 410 && retired["pods"] == nil)
    }

    /// An image that does not exist is found out in the pod's log alone.
    @Test(.requires("curl"), .loopbackCloud(free)) func aPodsImageFails() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient.runPod(cloud)
        await cloud.inject(.imagePullError)
        let id = try await client.makePod()
        try await wait(for: "the error") {
            let log = try await Shell.run(
                "curl",
                [
                    "-sN", "--max-time", "0.3", "-H", "Authorization: Bearer \(cloud.runPodAPIKey)",
                    "\(cloud.runPodURL.absoluteString)/pods/\(id)/logs?source=system",
                ])
            return log.output.contains("manifest unknown") ? true : nil
        }
        #expect(try await client.pod(id)["status"] as? String == "STARTING")
        #expect(try await client.delete("/v2/pods/\(id)", nil).status == 204)
    }

    // MARK: Bids

    /// The refusal names a contract, which is there, stopped, and costs its disk.
    @Test(.loopbackCloud(free)) func aBidMayTurnOutTooLow() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.offer()
        let ask = try #require(row["id"] as? Int)
        let minimum = try #require(row["min_bid"] as? Double)
        await cloud.inject(.bidTooLow)
        let body = #"{"image":"x:1","disk":16,"price":\#(minimum * 1.2)}"#
        let refused = try await client.put("/api/v0/asks/\(ask)/", body)
        #expect(refused.status == 400 && refused["error"] as? String == "invalid_price")
        let contract = try #require(refused["new_contract"] as? Int)
        let left = try #require(try await client.instance(contract))
        #expect(left["cur_state"] as? String == "stopped" && left["is_bid"] as? Bool == true)
        #expect((left["instance"] as? [String: Any])?["totalHour"] as? Double ?? 0 > 0)
    }

    /// Outbid, an instance stops though nobody asked it to; the same bid does not bring it back, more does.
    @Test(.loopbackCloud(free)) func aBidIsOutbid() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.offer()
        let ask = try #require(row["id"] as? Int)
        let bid = try #require(row["min_bid"] as? Double) * 1.1
        let made = try await client.put(
            "/api/v0/asks/\(ask)/",
            #"{"image":"x:1","disk":16,"runtype":"ssh_direc ssh_proxy","price":\#(bid)}"#)
        let id = try #require(made["new_contract"] as? Int)
        _ = try await client.running(id)
        await cloud.inject(.preempted)
        let stopped = try await wait(for: "the stop") { () -> [String: Any]? in
            let row = try await client.instance(id)
            return row?["actual_status"] as? String == "exited" ? row : nil
        }
        #expect(stopped["cur_state"] as? String == "stopped")
        #expect(stopped["intended_status"] as? String == "stopped")
        #expect((stopped["min_bid"] as? Double ?? 0) > bid)
        let refused = try await client.put("/api/v0/instances/\(id)/", #"{"state":"running"}"#)
        #expect(refused["success"] as? Bool == false)
        _ = try await client.put("/api/v0/instances/bid_price/\(id)/", #"{"price":\#(bid * 2)}"#)
        _ = try await client.running(id)
    }

    /// Without `cancel_unavail` an offer that is taken meanwhile leaves a contract that waits for its GPU.
    @Test(.loopbackCloud(free)) func anOfferIsTakenUnderAContract() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let ask = try #require(try await client.offer()["id"] as? Int)
        await cloud.inject(.offerTaken)
        let made = try await client.put(
            "/api/v0/asks/\(ask)/", #"{"image":"x:1","disk":16,"cancel_unavail":false}"#)
        let id = try #require(made["new_contract"] as? Int)
        let row = try #require(try await client.instance(id))
        #expect(row["cur_state"] as? String == "stopped" && row["intended_status"] as? String == "running")
    }

    // MARK: ssh

    /// sshd that is up and knows no key yet is no dead machine.
    @Test(.loopbackCloud(free), arguments: [Market.vast, .runPod])
    func keysAreRefusedForAWhile(_ market: Market) async throws {
        let cloud = try #require(CloudTrait.current)
        await cloud.inject(.keyRefused(.seconds(8)))
        let port: Int?
        switch market {
        case .vast:
            let client = TestClient(cloud)
            port = Shell.directPort(try await client.running(try await client.rent()))
        case .runPod:
            let client = TestClient.runPod(cloud)
            port = try await client.pod(try await client.makePod(), is: "RUNNING").sshPort
        }
        let known = try #require(port)
        try await wait(for: "the refusal") {
            try await Shell.ssh(cloud, port: known, "true").errors.contains("Permission denied") ? true : nil
        }
        try await wait(for: "the login") {
            try await Shell.ssh(cloud, port: known, "true").status == 0 ? true : nil
        }
    }

    @Test(.loopbackCloud(free)) func sshdIsLate() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        await cloud.inject(.sshdLate(.seconds(6)))
        let row = try await client.running(try await client.rent())
        let start = ContinuousClock.now
        let port = try #require(Shell.directPort(row))
        #expect(try await Shell.ssh(cloud, port: port, "true").errors.contains("refused"))
        _ = try await Shell.login(cloud, row, "true")
        #expect(ContinuousClock.now - start > .milliseconds(400))
    }

    // MARK: Before anything runs

    /// What is about running instances waits for one, and strikes when it has run for so long.
    @Test(.loopbackCloud(free)) func strikesWaitForAnInstance() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        await cloud.inject(try Fault(parsing: "vanished:0.3,platform=vast"))
        let pod = try await TestClient.runPod(cloud).makePod()
        _ = try await TestClient.runPod(cloud).pod(pod, is: "RUNNING")
        let id = try await client.rent()
        _ = try await client.running(id)
        try await wait(for: "its end") { try await client.instance(id) == nil ? true : nil }
        #expect(try await TestClient.runPod(cloud).pod(pod).status == 200)
    }

    @Test(.loopbackCloud(free)) func oldAPIsAreRetired() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let old = try await client.get("/api/v0/instances/")
        #expect(old.status == 410 && old["error"] as? String == "deprecated_endpoint")
        await cloud.inject(.v0Retired)
        let offers = try await client.post("/api/v0/bundles/", "{}")
        #expect(offers.status == 410 && offers["offers"] == nil)
        #expect(try await client.get("/api/v1/instances/").status == 200)
    }
}
