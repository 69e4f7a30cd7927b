import Foundation
import Testing
import VPEngine
import VPTestSupport

/// What a server may send, and what nobody may have us send.
@Suite("Bounds of HTTP")
struct TransportBoundsTests {
    private static func request(
        _ url: URL, _ headers: [String: String] = [:], timeout: Duration = .seconds(20)
    ) -> HTTPRequest {
        HTTPRequest(method: .get, url: url, headers: headers, timeout: timeout, activity: .init("testing"))
    }

    private func failure(
        _ reply: LoopbackServer.Reply, limits: CurlTransport.Limits = .init(),
        timeout: Duration = .seconds(20)
    ) async throws -> EngineError? {
        let server = try LoopbackServer { _ in reply }
        return await VPEngineTests.failure { () async throws(EngineError) in
            _ = try await CurlTransport(limits: limits).send(Self.request(server.url, timeout: timeout))
        }
    }

    private static let small = {
        var limits = CurlTransport.Limits()
        limits.body = 100_000
        limits.head = 20_000
        return limits
    }()

    private static let ok = "HTTP/1.1 200 OK\r\n"

    /// Each would go on for ever, or says that it would.
    @Test(arguments: [
        LoopbackServer.Reply.endless(ok + "\r\n", String(repeating: "x", count: 1000)),
        .endless(ok + "Transfer-Encoding: chunked\r\n\r\n", "a\r\n0123456789\r\n"),
        .endless(ok, "X-Filler: \(String(repeating: "y", count: 100))\r\n"),
        .endless("", "HTTP/1.1 100 Continue\r\nX-Filler: \(String(repeating: "y", count: 100))\r\n\r\n"),
        .partial(ok + "Content-Length: 1000000000000\r\n\r\n"),
        .partial(ok + "X-Long: \(String(repeating: "z", count: 50_000))"),
    ]) func anAnswerWithoutEndIsRefused(reply: LoopbackServer.Reply) async throws {
        let start = ContinuousClock.now
        let error = try await self.failure(reply, limits: Self.small, timeout: .seconds(5))
        // libcurl has a limit of its own for one line, and waits for its end.
        #expect([.badResponse, .timedOut, .networkDown].contains(error?.code))
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    /// One that does not say how long it is, is measured as it comes.
    @Test func aBodyOfUntoldLengthIsCutOff() async throws {
        let size = 300_000
        let chunk = String(size, radix: 16) + "\r\n" + String(repeating: "x", count: size) + "\r\n"
        let whole = Self.ok + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n"
        var limits = CurlTransport.Limits()
        limits.body = size - 1
        #expect(try await self.failure(.partial(whole), limits: limits)?.code == .badResponse)
        limits.body = size
        #expect(try await self.failure(.partial(whole), limits: limits) == nil)
    }

    @Test(arguments: [
        "Content-Encoding: gzip", "content-encoding: br", "Content-Encoding: identity, deflate",
        "Transfer-Encoding: gzip, chunked", "Content-Encoding: zstd", "Content-Encoding:gzip,gzip,gzip",
    ]) func anEncodedAnswerIsRefused(header: String) async throws {
        let error = try await self.failure(.partial(Self.ok + header + "\r\n\r\n\u{1F}"))
        #expect(error?.code == .badResponse)
        #expect(error?.detail?.contains("was not requested") == true)
    }

    @Test func noEncodingIsAskedFor() async throws {
        let server = try LoopbackServer { _ in
            .response("200 OK", "x", headers: ["Content-Encoding: identity"])
        }
        let answer = try await CurlTransport().send(Self.request(server.url))
        #expect(answer.body == [UInt8(ascii: "x")])
        let request = try #require(server.requests.first)
        #expect(request.header("accept-encoding") == nil)
        #expect(request.header("te") == nil)
        #expect(request.line.hasSuffix("HTTP/1.1"))
    }

    @Test func aPauseInTheMiddleIsTooLong() async throws {
        var limits = CurlTransport.Limits()
        limits.stalling = .milliseconds(300)
        let error = try await self.failure(
            .partial(Self.ok + "Content-Length: 100\r\n\r\nhalf"), limits: limits, timeout: .seconds(60))
        #expect(error?.code == .timedOut)
        #expect(error?.detail == "127.0.0.1 paused in the middle of its answer for 1 s")
    }

    @Test(arguments: ["a\r\nX-Injected: 1", "a\nb", "a\u{0}b", "a\u{7F}"])
    func aHeaderIsOneLine(value: String) async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "") }
        for headers in [["X-Value": value], ["Authorization": "Bearer \(value)"], ["X\(value)": "v"]] {
            let error = await VPEngineTests.failure { () async throws(EngineError) in
                _ = try await CurlTransport().send(Self.request(server.url, headers))
            }
            #expect(error?.code == .badRequest || error?.code == .badConfiguration)
            #expect(error?.detail?.contains("Injected") == false)
        }
        #expect(server.requests.isEmpty)
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/x", "dict://127.0.0.1/",
    ])
    func onlyHTTPIsSpoken(address: String) async throws {
        let url = try #require(URL(string: address))
        let error = await VPEngineTests.failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(url))
        }
        #expect(error?.code == .badConfiguration)
    }

    /// The loopback of IPv6, which some machines do not have: then it is refused, and not misread.
    @Test func anAddressOfIPv6IsUnderstood() async throws {
        let url = try #require(URL(string: "http://[::1]:9/x"))
        let error = await VPEngineTests.failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(url))
        }
        #expect(error?.code == .networkDown)
        #expect(error?.detail == "cannot connect to ::1")
    }

    /// A transport that goes leaves no thread and no caller behind.
    @Test func aTransportMayGoAtAnyTime() async throws {
        for _ in 0..<50 {
            let server = try LoopbackServer { _ in .response("200 OK", "") }
            #expect(try await CurlTransport().send(Self.request(server.url)).status == 200)
        }
    }
}
