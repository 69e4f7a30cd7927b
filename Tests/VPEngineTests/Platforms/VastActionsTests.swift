import Testing
import VPEngine

@Suite("vast.ai: renting and what follows")
struct VastActionsTests {
    private let id = InstanceID(platform: .vast, rawValue: "7835610")

    private var request: RentRequest {
        RentRequest(
            offer: Offer(
                id: OfferID(platform: .vast, rawValue: "31234567"), gpuName: "RTX 4090", gpuCount: 1,
                gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: 0.35)),
            name: "vp-train-1a2b", image: "pytorch/pytorch:2.4.0", diskBytes: 40_000_000_000,
            environment: ["FOO": "bar"], onStart: "echo hi")
    }

    @Test func rentingSendsWhatTheOfficialClientSends() async throws {
        let bench = VastBench(#"{"success":true,"new_contract":7835610,"instance_api_key":"d15a"}"#)
        #expect(try await bench.client.rent(self.request) == self.id)
        #expect(bench.lines == ["PUT /api/v0/asks/31234567/"])
        #expect(
            bench.bodies[0] == [
                "client_id": "me", "image": "pytorch/pytorch:2.4.0", "label": "vp-train-1a2b", "disk": 40,
                "runtype": "ssh_direc ssh_proxy", "env": ["FOO": "bar"], "onstart": "echo hi",
                "target_state": "running", "cancel_unavail": true,
            ])
    }

    @Test func onlyAnInterruptibleOfferCarriesAPrice() async throws {
        let bench = VastBench(#"{"success":true,"new_contract":"7835610"}"#)
        var request = self.request
        request.offer.isInterruptible = true
        #expect(try await bench.client.rent(request) == self.id)
        #expect(bench.bodies[0]["price"] == 0.35)
    }

    @Test(arguments: [
        (
            400, #"{"error":"insufficient_credit","msg":"Your account lacks credit; see the billing page."}"#,
            EngineError.Code.insufficientCredit
        ),
        (
            400, #"{"success":false,"msg":"spend_rate_limit reached, verify your e-mail"}"#,
            .insufficientCredit
        ),
        (
            404,
            #"{"success":false,"error":"invalid_args","msg":"error 404/3603: no_such_ask Instance type by id 1 is not available.","ask_id":1}"#,
            .offerTaken
        ),
        (400, #"{"success":false,"error":"no_such_ask","msg":"gone"}"#, .offerTaken),
        (
            410,
            #"{"success":false,"error":"no_such_ask","msg":"error 410/3907: no_such_ask Instance type 1 is no longer available.","ask_id":1}"#,
            .offerTaken
        ),
        (
            400,
            #"{"success":false,"error":"invalid_args","msg":"error 400/3467: Invalid args: …","ask_id":1}"#,
            .badRequest
        ),
        (
            403,
            #"{"success":false,"error":"invalid_args","msg":"error 403/3586: Offer 1 is not your own."}"#,
            .badRequest
        ),
        (404, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#, .unauthorized),
        (429, #"{"detail":"API requests too frequent endpoint threshold=4.5"}"#, .rateLimited),
        (
            500, #"{"success":false,"error":"server_error","msg":"Something went wrong on the server"}"#,
            .platformFailed
        ),
        (502, "<html>502 Bad Gateway</html>", .platformFailed),
        (504, "", .platformFailed),
        (200, "{}", .badResponse),
        (200, "<html>", .badResponse),
        (200, #"{"success":true}"#, .badResponse),
        (200, #"{"success":false,"error":"invalid_price","msg":"no"}"#, .badRequest),
    ])
    func aRefusedRentIsSentOnce(status: Int, body: String, code: EngineError.Code) async {
        let bench = VastBench([.json(status, body)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request)
        }
        #expect(error?.code == code)
        #expect(error?.leftoverInstance == nil)
        #expect(bench.lines.count == 1)
    }

    @Test(arguments: [EngineError.Code.networkDown, .timedOut])
    func aRentWhoseAnswerWasLostIsSentOnce(code: EngineError.Code) async {
        let bench = VastBench([.fail(code)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request)
        }
        #expect(error?.code == code)
        #expect(bench.lines.count == 1)
    }

    @Test func aLowBidNamesTheContractItLeft() async {
        let bench = VastBench([
            .json(
                400, #"{"success":false,"error":"invalid_price","msg":"bid too low","new_contract":7835610}"#)
        ])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request)
        }
        #expect(error?.code == .offerTaken)
        #expect(error?.leftoverInstance == self.id)
        #expect(error?.detail == "bid too low")
    }

    @Test func startStopAndRenameArePuts() async throws {
        let bench = VastBench([.ok(#"{"success":true}"#)], repeatsLast: true)
        try await bench.client.start(self.id)
        try await bench.client.stop(self.id)
        try await bench.client.rename(self.id, to: "eval")
        #expect(bench.lines == Array(repeating: "PUT /api/v0/instances/7835610/", count: 3))
        #expect(bench.bodies == [["state": "running"], ["state": "stopped"], ["label": "eval"]])
    }

    @Test func aRefusedStartIsTakenOutOfTheQueue() async {
        let bench = VastBench([
            .ok(
                #"{"success":false,"error":"resources_unavailable","msg":"Required resources are currently unavailable, state change queued."}"#
            ),
            .ok(#"{"success":true}"#),
        ])
        let error = await failure { () async throws(EngineError) in try await bench.client.start(self.id) }
        #expect(error?.code == .instanceNotRunning)
        #expect(error?.detail == "Required resources are currently unavailable, state change queued.")
        #expect(bench.bodies == [["state": "running"], ["state": "stopped"]])
    }

    @Test func aQueuedStartThatCannotBeCancelledIsSaid() async {
        let bench = VastBench([
            .ok(#"{"success":false,"error":"resources_unavailable","msg":"queued"}"#),
            .json(500, #"{"msg":"no"}"#),
        ])
        let error = await failure { () async throws(EngineError) in try await bench.client.start(self.id) }
        #expect(error?.code == .instanceNotRunning)
        #expect(error?.detail?.contains("could not be cancelled") == true)
    }

    @Test func destroyOfWhatIsGoneIsDone() async throws {
        for body in [
            #"{"success":false,"error":"no_such_instance","msg":"Instance 7835610 not found."}"#,
            #"{"success":false,"error":"not_found"}"#,
        ] {
            let bench = VastBench([.json(404, body)])
            try await bench.client.destroy(self.id)
            #expect(bench.lines == ["DELETE /api/v0/instances/7835610/"])
            #expect(bench.bodies == [[:]])
        }
    }

    @Test(arguments: [
        (404, "<html>", EngineError.Code.badResponse),
        (404, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#, .unauthorized),
        (200, "", .badResponse), (200, #"{"success":false,"msg":"no"}"#, .badRequest),
    ])
    func destroyIsNotBelievedLightly(status: Int, body: String, code: EngineError.Code) async {
        let bench = VastBench([.json(status, body)])
        let error = await failure { () async throws(EngineError) in try await bench.client.destroy(self.id) }
        #expect(error?.code == code)
    }

    @Test func keysComeBareOrWrappedAndDeletedOnesAreLeftOut() async throws {
        let rows = """
            [{"id":123,"user_id":456,"key":"ssh-ed25519 AAAA one\\n","created_at":"x","deleted_at":null},
             {"id":124,"user_id":456,"key":"ssh-ed25519 BBBB two","deleted_at":"2026-01-01"},
             {"id":"125","public_key":"ssh-rsa CCCC three"}]
            """
        for body in [rows, #"{"ssh_keys":\#(rows)}"#] {
            #expect(
                try await VastBench(body).client.accountKeys() == [
                    AccountKey(id: "123", publicKey: "ssh-ed25519 AAAA one"),
                    AccountKey(id: "125", publicKey: "ssh-rsa CCCC three"),
                ])
        }
    }

    @Test(arguments: ["", #"{"success":false,"error":"no_ssh_key","msg":"none"}"#, "[]"])
    func an404MeansNoKeys(body: String) async throws {
        #expect(try await VastBench([.json(404, body)]).client.accountKeys().isEmpty)
    }

    @Test(arguments: [
        (
            404, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#,
            EngineError.Code.unauthorized
        ),
        (404, "<html>", .badResponse), (200, "{}", .badResponse), (200, "[{}]", .badResponse),
        (200, "", .badResponse),
    ])
    func otherwiseKeysAreNotMissing(status: Int, body: String, code: EngineError.Code) async {
        let bench = VastBench([.json(status, body)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.accountKeys() }
        #expect(error?.code == code)
    }

    @Test func addingAKeyPostsItsLine() async throws {
        let bench = VastBench(#"{"success":true,"key":{"id":123,"public_key":"ssh-ed25519 AAAA c"}}"#)
        try await bench.client.addAccountKey("ssh-ed25519 AAAA c\n")
        #expect(bench.lines == ["POST /api/v0/ssh/"])
        #expect(bench.bodies == [["ssh_key": "ssh-ed25519 AAAA c"]])
    }

    @Test func theBalanceIsTheCredit() async throws {
        let bench = VastBench(VastSamples.user)
        #expect(try await bench.client.balance() == Balance(platform: .vast, dollars: 25))
        #expect(bench.lines == ["GET /api/v0/users/current"])
        let other = VastBench(#"{"id":1,"balance":0.0}"#)
        let error = await failure { () async throws(EngineError) in _ = try await other.client.balance() }
        #expect(error?.code == .badResponse)
    }

    @Test func theLogIsWaitedForAndFetchedWithoutTheKey() async throws {
        let bench = VastBench([
            .ok(#"{"success":true,"result_url":"https://logs.test/a.log?sig=s","msg":"…"}"#),
            .json(403, "AccessDenied"), .json(404, ""), .ok("line 1\nline 2\n"),
        ])
        #expect(try await bench.client.providerLog(self.id, lines: 50) == "line 1\nline 2\n")
        #expect(bench.lines[0] == "PUT /api/v0/instances/request_logs/7835610/")
        #expect(bench.bodies[0] == ["tail": "50"])
        #expect(bench.lines.dropFirst().allSatisfy { $0 == "GET https://logs.test/a.log?sig=s" })
        #expect(bench.transport.requests.dropFirst().allSatisfy { $0.headers["Authorization"] == nil })
        #expect(bench.records.all.map(\.path).last == "logs.test/a.log")
    }

    @Test func anEmptyLogFallsBackOnTheHosts() async throws {
        let url = #"{"success":true,"result_url":"https://logs.test/a.log"}"#
        let bench = VastBench([.ok(url), .ok("\n"), .ok(url), .ok("pulling image")])
        #expect(try await bench.client.providerLog(self.id, lines: 50) == "pulling image")
        #expect(bench.bodies[2] == ["tail": "50", "daemon_logs": "true"])
    }

    @Test func aLogThatNeverComesTimesOut() async {
        let bench = VastBench(
            [.ok(#"{"success":true,"result_url":"https://logs.test/a.log"}"#), .json(404, "")],
            repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.providerLog(self.id, lines: 50)
        }
        #expect(error?.code == .timedOut)
        #expect(bench.clock.now > .seconds(25) && bench.clock.now <= .seconds(30))
    }

    @Test(arguments: [#"{"success":true,"msg":"try later"}"#, #"{"result_url":"file:///etc/passwd"}"#])
    func aLogWithoutAnAddressIsAnError(body: String) async {
        let bench = VastBench(body)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.providerLog(self.id, lines: 50)
        }
        #expect(error?.code == .badResponse)
    }
}
