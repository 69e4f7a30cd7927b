import Foundation
import Testing
import VPEngine

@Suite("RunPod: renting and what follows")
struct RunPodActionsTests {
    private let id = InstanceID(platform: .runpod, rawValue: "7h9k2m4n6p")
    private let keys = #"{"keys":["ssh-ed25519 AAAA me","ssh-rsa BBBB other"]}"#

    private func request(_ offer: String = "NVIDIA GeForce RTX 4090", image: String = "runpod/pytorch:1.0.2")
        -> RentRequest
    {
        RentRequest(
            offer: Offer(
                id: OfferID(platform: .runpod, rawValue: offer), gpuName: "RTX 4090", gpuCount: 1,
                gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: 0.45)),
            name: "vp-train-1a2b", image: image, diskBytes: 40_000_000_000, environment: ["FOO": "bar"])
    }

    @Test func rentingSaysAllThatTheServerHasNoDefaultFor() async throws {
        let bench = RunPodBench([.ok(self.keys), .json(201, RunPodSamples.pod)])
        #expect(try await bench.client.rent(self.request("NVIDIA GeForce RTX 4090@US-KS-2")) == self.id)
        #expect(bench.lines == ["GET /v2/account/ssh-keys", "POST /v2/pods"])
        #expect(
            bench.bodies[1] == [
                "name": "vp-train-1a2b", "image": "runpod/pytorch:1.0.2", "cloud": "SECURE", "disk": 20,
                "gpu": ["id": "NVIDIA GeForce RTX 4090", "count": 1], "dataCenterIds": ["US-KS-2"],
                "mounts": ["persistent": ["size": 40, "path": "/workspace"]], "ports": ["22/tcp"],
                "startSsh": true,
                "env": [
                    "FOO": "bar", "VP_VARIABLES": "FOO",
                    "PUBLIC_KEY": "ssh-ed25519 AAAA me\nssh-rsa BBBB other",
                ],
            ])
    }

    /// Our own key goes along, whether or not the account has it or lets it be read.
    @Test func ourKeyIsSentWithTheRental() async throws {
        var request = self.request()
        request.publicKey = "ssh-ed25519 CCCC laptop"
        request.minimumCUDA = 12.8
        let bench = RunPodBench([.ok(self.keys), .json(201, RunPodSamples.pod)])
        _ = try await bench.client.rent(request)
        let all = "ssh-ed25519 AAAA me\nssh-rsa BBBB other\nssh-ed25519 CCCC laptop"
        #expect(bench.bodies[1]["env"]["PUBLIC_KEY"].text == all)
        #expect(bench.bodies[1]["gpu"]["minCudaVersion"].text == "12.8")

        let unreadable = RunPodBench([
            .json(403, #"{"title":"Forbidden","status":403,"detail":"access denied"}"#),
            .json(201, RunPodSamples.pod),
        ])
        _ = try await unreadable.client.rent(request)
        #expect(unreadable.bodies[1]["env"]["PUBLIC_KEY"].text == "ssh-ed25519 CCCC laptop")

        request.publicKey = "ssh-ed25519 AAAA the-same-key"
        let known = RunPodBench([.ok(self.keys), .json(201, RunPodSamples.pod)])
        _ = try await known.client.rent(request)
        #expect(known.bodies[1]["env"]["PUBLIC_KEY"].text == "ssh-ed25519 AAAA me\nssh-rsa BBBB other")
    }

    /// The properties of `CreatePodRequest` in the published schema; the server refuses all others.
    private static let schema: Set<String> = [
        "name", "cloud", "cpu", "dataCenterIds", "globalNetworking", "gpu", "mounts", "startJupyter",
        "startSsh", "templateId", "args", "disk", "env", "image", "ports", "registry",
    ]

    @Test func noKeyIsSentThatTheServerDoesNotKnow() async throws {
        let bench = RunPodBench([.ok(self.keys), .json(201, RunPodSamples.pod)])
        var request = self.request("NVIDIA L4@US-KS-2", image: "pytorch/pytorch:2.4.0")
        request.onStart = "echo 'hi'"
        _ = try await bench.client.rent(request)
        let body = try #require(bench.bodies[1].object)
        #expect(Set(body.keys).isSubset(of: RunPodActionsTests.schema))
        #expect(Set(try #require(body["gpu"]?.object).keys) == ["id", "count"])
    }

    @Test func anImageWithoutSSHIsGivenIt() async throws {
        let bench = RunPodBench([.ok(self.keys), .json(201, RunPodSamples.pod)])
        var request = self.request(image: "pytorch/pytorch:2.4.0")
        request.onStart = "echo 'it is'; touch \"$HOME/x\""
        _ = try await bench.client.rent(request)
        let args = try #require(bench.bodies[1]["args"].text)
        #expect(args.hasPrefix("bash -c '"))
        #expect(args.filter { $0 == "'" }.count == 2)
        let encoded = Data(try #require(request.onStart).utf8).base64EncodedString()
        #expect(args.contains("echo \(encoded) | base64 -d | sh"))
        #expect(args.contains("exec /start.sh"))
        #expect(args.contains("openssh-server rsync"))
    }

    @Test func withoutAnyKeyNothingIsRented() async {
        let bench = RunPodBench([.ok(#"{"keys":[]}"#)])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request())
        }
        #expect(error?.code == .missingIdentity)
        #expect(bench.lines.count == 1)
    }

    @Test func aKeyOfTheCallersIsTakenAsItIs() async throws {
        let bench = RunPodBench([.json(201, RunPodSamples.pod)])
        var request = self.request()
        request.environment["PUBLIC_KEY"] = "ssh-ed25519 MINE"
        _ = try await bench.client.rent(request)
        #expect(bench.bodies[0]["env"]["PUBLIC_KEY"] == "ssh-ed25519 MINE")
    }

    @Test(arguments: [
        (400, RunPodSamples.noCapacity, EngineError.Code.offerTaken),
        (400, "mounts: only one of persistent and network", .offerTaken),
        (402, "insufficient balance", .insufficientCredit),
        (400, "Insufficient balance.", .insufficientCredit),
        (401, "missing bearer token", .unauthorized), (403, "access denied", .missingPermission),
        (403, "pool not available to this account", .offerTaken),
        (422, "request does not match the schema", .badRequest), (413, "too large", .badRequest),
        (429, "rate limit exceeded for the minute window", .rateLimited),
        (500, "Something went wrong. Please try again later or contact support.", .platformFailed),
        (503, "try again", .platformFailed), (410, "retired", .endpointRetired),
    ])
    func aRefusedRentIsSentOnce(status: Int, detail: String, code: EngineError.Code) async {
        let bench = RunPodBench([.ok(self.keys), RunPodSamples.problem(status, detail)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request())
        }
        #expect(error?.code == code)
        #expect(error?.detail == detail)
        #expect(bench.lines.count == 2)
    }

    @Test func theFirstComplaintAboutABodyIsQuoted() async {
        let bench = RunPodBench([
            .ok(self.keys),
            .json(
                422,
                #"{"title":"Unprocessable","status":422,"detail":"invalid","errors":["$: additional properties 'x' not allowed"]}"#
            ),
        ])
        let error = await failure { () async throws(EngineError) in
            _ = try await bench.client.rent(self.request())
        }
        #expect(error?.detail == "$: additional properties 'x' not allowed: invalid")
    }

    @Test func startAndStopAreActions() async throws {
        let bench = RunPodBench([.ok(RunPodSamples.pod)], repeatsLast: true)
        try await bench.client.start(self.id)
        try await bench.client.stop(self.id)
        #expect(bench.lines == Array(repeating: "POST /v2/pods/7h9k2m4n6p/action", count: 2))
        #expect(bench.bodies == [["action": "start"], ["action": "stop"]])
    }

    @Test func anActionThatIsDoneAlreadyIsNoError() async throws {
        let stopped = VastSamples.edit(RunPodSamples.pod, ["status": "EXITED"])
        let bench = RunPodBench([RunPodSamples.problem(409, "action stop is not legal"), .ok(stopped)])
        try await bench.client.stop(self.id)
    }

    /// A pod that is locked, or part of a cluster: it is not the request that is wrong.
    @Test func aStopThatThePodForbidsIsNotPossible() async throws {
        let bench = RunPodBench([RunPodSamples.problem(409, "the pod is locked"), .ok(RunPodSamples.pod)])
        let error = await failure { () async throws(EngineError) in try await bench.client.stop(self.id) }
        #expect(error?.code == .unsupported)
        #expect(error?.detail == "the pod is locked")
    }

    @Test func aStartWithoutAFreeGPUIsSaid() async {
        let bench = RunPodBench([
            RunPodSamples.problem(
                400, "There are not enough free GPUs on the host machine to start this pod."),
            .ok(RunPodSamples.pod),
        ])
        let error = await failure { () async throws(EngineError) in try await bench.client.start(self.id) }
        #expect(error?.code == .instanceNotRunning)
    }

    @Test func destroyingIsADelete() async throws {
        let bench = RunPodBench([.json(204, "")])
        try await bench.client.destroy(self.id)
        #expect(bench.lines == ["DELETE /v2/pods/7h9k2m4n6p"])
        try await RunPodBench([RunPodSamples.problem(404, "pod not found to terminate")]).client.destroy(
            self.id)
    }

    @Test(arguments: [
        (404, "<html>", EngineError.Code.badResponse), (404, "", .badResponse),
        (409, #"{"detail":"pod is a cluster member"}"#, .badRequest), (200, "<html>", .badResponse),
    ])
    func destroyIsNotBelievedLightly(status: Int, body: String, code: EngineError.Code) async {
        let bench = RunPodBench([.json(status, body)])
        let error = await failure { () async throws(EngineError) in try await bench.client.destroy(self.id) }
        #expect(error?.code == code)
    }

    @Test func renamingSendsTheNameAlone() async throws {
        let bench = RunPodBench([.ok(RunPodSamples.pod)])
        try await bench.client.rename(self.id, to: "eval")
        #expect(bench.lines == ["PATCH /v2/pods/7h9k2m4n6p"])
        #expect(bench.bodies == [["name": "eval"]])
    }

    @Test func addingAKeyKeepsTheOthers() async throws {
        let bench = RunPodBench([.ok(self.keys), .ok(self.keys)])
        try await bench.client.addAccountKey("ssh-ed25519 CCCC new\n")
        #expect(bench.lines == ["GET /v2/account/ssh-keys", "PUT /v2/account/ssh-keys"])
        #expect(
            bench.bodies[1] == [
                "keys": ["ssh-ed25519 AAAA me", "ssh-rsa BBBB other", "ssh-ed25519 CCCC new"]
            ])
    }

    @Test func aKeyThatIsThereUnderAnotherCommentIsNotAddedTwice() async throws {
        let bench = RunPodBench([.ok(self.keys)])
        try await bench.client.addAccountKey("ssh-ed25519 AAAA elsewhere")
        #expect(bench.lines.count == 1)
    }

    @Test func keysThatCannotBeReadAreNotReplaced() async {
        let bench = RunPodBench([.ok(#"{"keys":null}"#)])
        let error = await failure { () async throws(EngineError) in
            try await bench.client.addAccountKey("ssh-ed25519 CCCC new")
        }
        #expect(error?.code == .badResponse)
        #expect(bench.lines.count == 1)
    }

    @Test func theBalanceComesFromGraphQL() async throws {
        let bench = RunPodBench(#"{"data":{"myself":{"clientBalance":435.85}}}"#)
        #expect(try await bench.client.balance() == Balance(platform: .runpod, dollars: 435.85))
        #expect(bench.lines == ["POST /graphql"])
    }

    @Test func theGraphQLAddressIsTheNeighbourOfTheOther() async throws {
        let transport = ScriptedTransport([.ok(#"{"data":{"myself":{"clientBalance":"1.5"}}}"#)])
        let base = try #require(URL(string: "https://api.runpod.io/v2"))
        let client = PlatformClients.client(
            for: PlatformEndpoint(platform: .runpod, baseURL: base, key: APIKey(RunPodBench.key)),
            transport: transport)
        #expect(try await client.balance().dollars == 1.5)
        #expect(transport.requests.map(\.url.absoluteString) == ["https://api.runpod.io/graphql"])
    }

    @Test(arguments: [
        (410, "", EngineError.Code.endpointRetired),
        (200, #"{"errors":[{"message":"no"}],"data":{"myself":null}}"#, .badRequest),
        (200, #"{"data":{"myself":null}}"#, .badResponse), (401, "", .unauthorized),
    ])
    func aBalanceThatIsNotToldIsAnError(status: Int, body: String, code: EngineError.Code) async {
        let bench = RunPodBench([.json(status, body)])
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.balance() }
        #expect(error?.code == code)
    }

    @Test func logsComeAsEvents() async throws {
        let bench = RunPodBench(
            """
            : ping

            id: 2026-06-01T12:02:03Z/000000000001
            data: {"ts":"2026-06-01T12:02:03Z","source":"system","line":"pulling image"}

            data: {"ts":"2026-06-01T12:02:04Z","source":"container","line":"Model loaded."}

            data: not JSON
            """)
        let log = try await bench.client.providerLog(self.id, lines: 9000)
        #expect(log == "pulling image\nModel loaded.\nnot JSON\n")
        #expect(bench.lines == ["GET /v2/pods/7h9k2m4n6p/logs?tail=5000"])
        #expect(bench.transport.requests[0].headers["Accept"] == "text/event-stream")
    }

    @Test func anEmptyAllowanceIsWaitedFor() async throws {
        let allowance = #""minute";r=0;t=12, "hour";r=2800;t=1812, "day";r=49500;t=45012"#
        let bench = RunPodBench([
            .json(200, RunPodSamples.list(), headers: ["ratelimit": allowance]), .ok(RunPodSamples.list()),
        ])
        _ = try await bench.client.instances()
        _ = try await bench.client.instances()
        #expect(bench.clock.sleeps == [.seconds(12)])
    }

    @Test func theLongerOfTwoShutWindowsCounts() async throws {
        let bench = RunPodBench([
            .json(
                429, "", headers: ["retry-after": "3", "ratelimit": #""minute";r=0;t=3, "hour";r=0;t=40"#]),
            .ok(RunPodSamples.list()),
        ])
        _ = try await bench.client.instances()
        #expect(bench.clock.sleeps == [.seconds(40)])
    }
}
