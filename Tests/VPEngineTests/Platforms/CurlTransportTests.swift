import Foundation
import Testing
import VPEngine

@Suite("HTTP over libcurl")
struct CurlTransportTests {
    private static let activity = EngineError.Activity("testing")

    private static func request(
        _ url: URL, _ method: HTTPRequest.Method = .get, headers: [String: String] = [:], body: String? = nil,
        timeout: Duration = .seconds(20)
    ) -> HTTPRequest {
        HTTPRequest(
            method: method, url: url, headers: headers, body: body.map { Array($0.utf8) }, timeout: timeout,
            activity: CurlTransportTests.activity)
    }

    @Test(arguments: [HTTPRequest.Method.get, .post, .put, .patch, .delete])
    func requestsArriveAsTheyAre(method: HTTPRequest.Method) async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "hello", headers: ["X-Y: z"])
        }
        let url = try #require(URL(string: "/a%20b/?q=%7B%22x%22%3A1%7D", relativeTo: server.url))
        let response = try await CurlTransport().send(
            Self.request(
                url.absoluteURL, method, headers: ["Authorization": "Bearer k"],
                body: method == .get ? nil : #"{"a":1}"#))
        #expect(response.status == 200)
        #expect(response.headers["x-y"] == "z")
        #expect(String(decoding: response.body, as: UTF8.self) == "hello")
        let request = try #require(server.requests.first)
        #expect(request.line == "\(method.rawValue) /a%20b/?q=%7B%22x%22%3A1%7D HTTP/1.1")
        #expect(request.header("user-agent") == CurlTransport.userAgent)
        #expect(request.header("authorization") == "Bearer k")
        #expect(String(decoding: request.body, as: UTF8.self) == (method == .get ? "" : #"{"a":1}"#))
    }

    @Test(arguments: ["404 Not Found", "429 Too Many Requests", "500 Internal Server Error", "410 Gone"])
    func anyStatusIsAResponse(status: String) async throws {
        let server = try LoopbackServer { _ in .response(status, "words") }
        let response = try await CurlTransport().send(Self.request(server.url))
        #expect("\(response.status)" == status.prefix(3))
        #expect(String(decoding: response.body, as: UTF8.self) == "words")
    }

    /// A redirect is an error: neither a key nor a body travels on, and not even the same server is believed.
    @Test(arguments: [HTTPRequest.Method.get, .post], [true, false])
    func noRedirectIsFollowed(_ method: HTTPRequest.Method, toAnother: Bool) async throws {
        let other = try LoopbackServer { _ in .response("200 OK", "stolen") }
        let target = toAnother ? "\(other.url.absoluteString)/x?signature=s" : "/new"
        let server = try LoopbackServer { _ in .response("302 Found", "", headers: ["Location: \(target)"]) }
        for headers in [["Authorization": "Bearer k"], [:]] {
            let error = await failure { () async throws(EngineError) in
                _ = try await CurlTransport().send(
                    Self.request(server.url, method, headers: headers, body: method == .get ? nil : "{}"))
            }
            #expect(error?.code == .badResponse)
            #expect(error?.detail?.contains("redirects to") == true)
            #expect(error?.detail?.contains("signature") == false)
        }
        #expect(other.requests.isEmpty)
        #expect(server.requests.count == 2)
    }

    @Test func nobodyThereIsNetworkDown() async throws {
        let port = try LoopbackServer { _ in .partial("") }.port
        let url = try #require(URL(string: "http://127.0.0.1:\(port)/secret?api_key=k"))
        let error = await failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(url))
        }
        #expect(error?.code == .networkDown)
        #expect(error?.detail == "cannot connect to 127.0.0.1")
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ])
    func aBrokenConnectionIsNetworkDown(answer: String) async throws {
        let server = try LoopbackServer { _ in .whole(answer) }
        let error = await failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(server.url))
        }
        #expect(error?.code == .networkDown)
    }

    @Test func silenceTimesOut() async throws {
        let server = try LoopbackServer { _ in .partial("") }
        let error = await failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(server.url, timeout: .milliseconds(200)))
        }
        #expect(error?.code == .timedOut)
    }

    @Test func anAnswerThatStopsHalfwayTimesOut() async throws {
        let server = try LoopbackServer { _ in .partial("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf") }
        let error = await failure { () async throws(EngineError) in
            _ = try await CurlTransport().send(Self.request(server.url, timeout: .milliseconds(300)))
        }
        #expect(error?.code == .timedOut)
    }

    @Test func aStreamWithoutEndEndsWhenItFallsQuiet() async throws {
        let server = try LoopbackServer { _ in
            .partial("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        }
        var request = Self.request(server.url)
        request.quietEnd = .milliseconds(100)
        let response = try await CurlTransport().send(request)
        #expect(String(decoding: response.body, as: UTF8.self) == "data: one\n\n")
    }

    @Test func aStreamWithoutAnyLineEndsAtTheTimeout() async throws {
        let server = try LoopbackServer { _ in .partial("HTTP/1.1 200 OK\r\nX: y\r\n\r\n") }
        var request = Self.request(server.url, timeout: .milliseconds(300))
        request.quietEnd = .milliseconds(100)
        #expect(try await CurlTransport().send(request).body.isEmpty)
    }

    @Test func cancellingEndsTheCall() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        let server = try LoopbackServer { _ in
            arrival.yield()
            return .partial("")
        }
        let url = server.url
        let call = Task {
            await failure { () async throws(EngineError) in
                _ = try await CurlTransport().send(Self.request(url))
            }
        }
        for await _ in arrived { break }
        call.cancel()
        #expect(await call.value?.code == .cancelled)
    }

    @Test func aCallOfACancelledTaskIsNotMade() async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "") }
        let url = server.url
        let call = Task { () -> EngineError? in
            withUnsafeCurrentTask { $0?.cancel() }
            return await failure { () async throws(EngineError) in
                _ = try await CurlTransport().send(Self.request(url))
            }
        }
        #expect(await call.value?.code == .cancelled)
        #expect(server.requests.isEmpty)
    }

    @Test func anEndlessBodyIsCutOff() async throws {
        let server = try LoopbackServer { _ in
            .response("200 OK", String(repeating: "x", count: 300_000))
        }
        var small = CurlTransport.Limits()
        small.body = 100_000
        let error = await failure { [small] () async throws(EngineError) in
            _ = try await CurlTransport(limits: small).send(Self.request(server.url))
        }
        #expect(error?.code == .badResponse)
    }

    @Test func manyCallsRunSideBySide() async throws {
        let server = try LoopbackServer { .response("200 OK", $0.line) }
        let transport = CurlTransport()
        let base = server.url
        let bodies = await withTaskGroup(of: String.self) { group in
            for index in 0..<40 {
                group.addTask {
                    let url = base.appendingPathComponent("\(index)")
                    do throws(EngineError) {
                        let response = try await transport.send(Self.request(url))
                        return String(decoding: response.body, as: UTF8.self)
                    } catch {
                        return "\(error)"
                    }
                }
            }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(bodies == Set((0..<40).map { "GET /\($0) HTTP/1.1" }))
    }
}
