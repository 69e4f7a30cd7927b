import Foundation
import Testing
import VPEngine

@Suite("vast.ai: errors")
struct VastErrorsTests {
    @Test(arguments: [
        (401, "", EngineError.Code.unauthorized),
        (401, #"{"success":false,"msg":"Two Factor Authentication required"}"#, .unauthorized),
        (
            403, #"{"success":false,"error":"auth_error","msg":"This action requires login."}"#,
            .missingPermission
        ),
        (404, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#, .unauthorized),
        (404, #"{"msg":"Session expired. Please log in again."}"#, .unauthorized),
        (200, #"{"success":false,"error":"auth_error","msg":"Invalid user key"}"#, .unauthorized),
        (
            410,
            #"{"success":false,"error":"deprecated_endpoint","msg":"/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead."}"#,
            .endpointRetired
        ),
        (400, #"{"success":false,"error":"invalid_token","msg":"bad token"}"#, .badRequest),
        (
            400, #"{"success":false,"error":"invalid_request","msg":"0 is not a valid search op"}"#,
            .badRequest
        ),
        (400, #"{"success":false,"error":"missing_billing","msg":"no card"}"#, .insufficientCredit),
        (404, "<html>404 Not Found</html>", .badResponse),
        (404, "", .badResponse),
        (301, "", .badResponse),
        (422, #"{"detail":"name"}"#, .badRequest),
        (500, "", .platformFailed),
        (500, "<html>oops</html>", .platformFailed),
        (200, "", .badResponse),
        (200, "<!DOCTYPE html><html>maintenance</html>", .badResponse),
        (200, #"{"success":true,"instances":[{"id":1,"#, .badResponse),
        (200, #"{"success":false,"error":"x","msg":"y"}"#, .badRequest),
        (200, #"{"success":"false","instances":[]}"#, .badRequest),
        (200, #"{"success":false,"instances":[]}"#, .badRequest),
        (204, "", .badResponse),
    ])
    func eachAnswerHasItsCode(status: Int, body: String, code: EngineError.Code) async {
        let bench = VastBench([.json(status, body)], repeatsLast: true)
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.code == code)
        #expect(error?.activity == EngineError.Activity("listing instances", platform: .vast))
    }

    @Test func theDetailIsTheServersWordsWithoutTheKey() async {
        let bench = VastBench([
            .json(400, #"{"error":"x","msg":"bad\n\nrequest \#(VastBench.key)\u0007 here"}"#)
        ])
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.detail == "bad request ****cdef here")
    }

    @Test(arguments: ["msg", "message", "detail", "error"])
    func theWordsAreFoundUnderAnyName(field: String) async {
        let bench = VastBench([.json(400, #"{"\#(field)":"no"}"#)])
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.detail == "no")
    }

    @Test func anHTMLPageIsNotQuoted() async {
        let bench = VastBench([.json(500, "<html><style>…</style></html>")])
        let error = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(error?.detail == "HTTP status 500")
    }

    @Test func withoutAKeyNothingIsSent() async {
        let transport = ScriptedTransport([])
        let endpoint = PlatformEndpoint(
            platform: .vast, baseURL: URL(string: "https://vast.test")!, key: APIKey(" \n"))
        let client = VastClient(
            caller: APICaller(endpoint: endpoint, transport: transport, pacer: RequestPacer(scale: 0)))
        let error = await failure { () async throws(EngineError) in _ = try await client.instances() }
        #expect(error?.code == .missingKey)
        #expect(transport.requests.isEmpty)
    }

    @Test func everyCallIsRecordedWithoutTheKey() async {
        let bench = VastBench([
            .json(503, ""), .fail(.networkDown), .ok(VastSamples.page([])),
        ])
        _ = await failure { () async throws(EngineError) in _ = try await bench.client.instances() }
        #expect(bench.records.all.map(\.status) == [503, nil, 200])
        #expect(bench.records.all.map(\.failure) == [nil, .networkDown, nil])
        #expect(
            bench.records.all.allSatisfy { $0.method == "GET" && $0.path.hasPrefix("/api/v1/instances/?") })
        #expect(bench.records.all.allSatisfy { !"\($0)".contains(VastBench.key) })
    }
}
