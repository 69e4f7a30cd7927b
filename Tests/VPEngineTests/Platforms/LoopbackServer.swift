import Foundation
import Synchronization

/// A server on a random loopback port that answers with exact bytes, wrong ones included.
///
/// One connection is one request: it reads the head and the body, asks `answer`, writes, and closes.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        let head: String
        let body: [UInt8]

        var line: String { String(self.head.prefix { $0 != "\r\n" }) }

        func header(_ name: String) -> String? {
            for line in self.head.split(separator: "\r\n").dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return parts[1].trimmingCharacters(in: .whitespaces)
                }
            }
            return nil
        }
    }

    enum Reply: Sendable {
        /// Exactly these bytes, then the connection is closed.
        case whole(String)
        /// These bytes, then nothing more until the server goes.
        case partial(String)
        /// These bytes, then others over and over, until whoever asked has enough.
        case endless(String, String)

        static func response(_ status: String, _ body: String, headers: [String] = []) -> Reply {
            let lines =
                ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
            return .whole(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
        }
    }

    typealias Answer = @Sendable (Request) -> Reply

    let port: Int
    private let listener: Int32
    private let answer: Answer
    private let state: Mutex<(requests: [Request], silent: [Int32])> = Mutex(([], []))

    var requests: [Request] { self.state.withLock { $0.requests } }

    var url: URL { URL(string: "http://127.0.0.1:\(self.port)")! }

    init(_ answer: @escaping Answer) throws {
        self.answer = answer
        self.listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                guard let self else {
                    close(connection)
                    break
                }
                self.serve(connection)
            }
            // Only here, where nobody waits at it any more:
            // its number may be another server's the moment it is closed, and this thread would take that
            // one's connections and close them.
            close(listener)
        }
    }

    deinit {
        // Wakes the thread that waits for connections, which closes the listener.
        shutdown(self.listener, Int32(SHUT_RDWR))
        for connection in self.state.withLock({ $0.silent }) { close(connection) }
    }

    private func serve(_ connection: Int32) {
        guard let request = LoopbackServer.read(connection) else {
            close(connection)
            return
        }
        self.state.withLock { $0.requests.append(request) }
        switch self.answer(request) {
        case .whole(let text):
            LoopbackServer.write(text, to: connection)
            close(connection)
        case .partial(let text):
            LoopbackServer.write(text, to: connection)
            self.state.withLock { $0.silent.append(connection) }
        case .endless(let head, let chunk):
            // A thread of its own, since others may be asking meanwhile.
            Thread.detachNewThread {
                LoopbackServer.write(head, to: connection)
                while LoopbackServer.write(chunk, to: connection) {}
                close(connection)
            }
        }
    }

    /// Returns whether all of it was taken.
    @discardableResult
    private static func write(_ text: String, to connection: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = String(text[..<end.lowerBound])
                let request = Request(head: head, body: Array(bytes.dropFirst(head.utf8.count + 4)))
                if request.body.count >= Int(request.header("content-length") ?? "0") ?? 0 { return request }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            bytes += chunk[..<count]
        }
    }
}
