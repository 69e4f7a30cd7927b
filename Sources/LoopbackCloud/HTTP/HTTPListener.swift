import FlyingFox
import FlyingSocks
import Foundation
import Glibc

/// An HTTP server on a random port of 127.0.0.1.
final class HTTPListener: Sendable {
    let port: Int
    private let server: HTTPServer
    private let serving: Task<Void, any Error>

    init(answer: @escaping @Sendable (APIRequest) async -> APIReply) async throws {
        let address = try sockaddr_in.inet(ip4: "127.0.0.1", port: 0)
        let server = HTTPServer(
            // Longer than any pause a fault may ask for.
            address: address, timeout: 600, pool: PromptSocketPool(base: HTTPServer.defaultPool()),
            logger: .disabled,
            handler: ClosureHTTPHandler { try await Self.respond(to: $0, with: answer) })
        self.server = server
        self.serving = Task { try await server.run() }
        // A machine that is busy with compilers takes its time.
        try await server.waitUntilListening(timeout: 60)
        guard case .ip4(_, let port)? = await server.listeningAddress else {
            throw LoopbackCloud.StartError.noPort
        }
        self.port = Int(port)
    }

    func stop() async {
        await self.server.stop(timeout: 0)
        _ = try? await self.serving.value
    }

    private static let phrases = [
        200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized",
        402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        409: "Conflict", 410: "Gone", 413: "Content Too Large", 422: "Unprocessable Content",
        429: "Too Many Requests",
        500: "Internal Server Error", 502: "Bad Gateway",
    ]

    private static func respond(
        to request: HTTPRequest, with answer: @Sendable (APIRequest) async -> APIReply
    ) async throws -> HTTPResponse {
        var headers: [String: String] = [:]
        for (name, value) in request.headers { headers[name.rawValue.lowercased()] = value }
        let reply = await answer(
            APIRequest(
                method: request.method.rawValue, path: request.target.path(), query: request.target.query(),
                headers: headers, body: try await request.bodyData))
        var response = HTTPResponse(
            statusCode: HTTPStatusCode(reply.status, phrase: Self.phrases[reply.status] ?? "Status"),
            headers: [.contentType: reply.contentType],
            // The body is written in one piece.
            body: reply.stream.map { HTTPBodySequence(from: StreamedBody(pieces: $0)) }
                ?? HTTPBodySequence(data: reply.body, suggestedBufferSize: max(1, reply.body.count)))
        response.headers[HTTPHeader("Server")] = "nginx"
        for (name, value) in reply.headers { response.headers[HTTPHeader(name)] = value }
        return response
    }
}

/// A body whose pieces are sent as they arrive.
private struct StreamedBody: AsyncBufferedSequence {
    let pieces: AsyncStream<Data>

    func makeAsyncIterator() -> Iterator { Iterator(pieces: self.pieces) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let pieces: AsyncStream<Data>

        /// Bodies are read with `nextBuffer` only.
        mutating func next() async -> UInt8? { nil }

        mutating func nextBuffer(suggested count: Int) async -> Data? {
            // All iterators of a stream take from the same buffer.
            var iterator = self.pieces.makeAsyncIterator()
            return await iterator.next()
        }
    }
}

/// Turns off Nagle's algorithm on every connection, and keeps child processes from inheriting it.
///
/// The server writes a response's head and body separately; with Nagle on, each body waits up to 40 ms for
/// the client's delayed acknowledgement of the head. Every socket passes through the pool.
private struct PromptSocketPool<Base: AsyncSocketPool>: AsyncSocketPool {
    let base: Base

    func prepare() async throws { try await self.base.prepare() }
    func run() async throws { try await self.base.run() }

    func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
        var yes: Int32 = 1
        setsockopt(
            socket.file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(socket.file.rawValue, F_SETFD, FD_CLOEXEC)
        try await self.base.suspendSocket(socket, untilReadyFor: events)
    }
}
