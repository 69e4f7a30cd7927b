import Foundation
import Synchronization

/// A proxy in front of a server on raw sockets: passes requests on and answers back, over kept connections,
/// or interferes with them.
public final class RelayServer: Sendable {
    public struct Request: Sendable {
        public let line: String
        public let head: String
        public let body: [UInt8]
        /// `true` if its connection carried another request before.
        public let isReused: Bool
    }

    public enum Way: Sendable {
        case pass
        /// The server handles the request, and its answer is lost with the connection.
        case passAndClose
        /// The server never gets the request.
        case close
        /// The server handles the request, and its answer is never sent.
        case passAndHush
        /// The server's answer, changed: its head and its body.
        case edit(@Sendable (String, [UInt8]) -> [UInt8])
        /// Sends these bytes instead, then closes the connection.
        case reply([UInt8])
        /// Sends the first bytes, then the second ones over and over.
        case endless(String, String)
    }

    public let port: Int
    private let upstream: UInt16
    private let listener: Int32
    private let way: @Sendable (Request) -> Way
    private let state: Mutex<(requests: [Request], silent: [Int32])> = Mutex(([], []))

    public var requests: [Request] { self.state.withLock { $0.requests } }

    /// `url` with this server's address in place of its own.
    public func url(for url: URL) -> URL {
        var parts = URLComponents(url: url, resolvingAgainstBaseURL: false)!
        parts.host = "127.0.0.1"
        parts.port = self.port
        return parts.url!
    }

    /// - Parameter way: called for each request; every result but `.edit` and `.pass` ends the connection.
    public init(to url: URL, _ way: @escaping @Sendable (Request) -> Way) throws {
        self.upstream = UInt16(url.port ?? 80)
        self.way = way
        (self.listener, self.port) = try Self.listen()
        let listener = self.listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                guard let self else {
                    close(connection)
                    break
                }
                Thread.detachNewThread { self.serve(connection) }
            }
            // The listener is closed only here: otherwise its number could be reused by another server, whose
            // connections this thread would take.
            close(listener)
        }
    }

    deinit {
        shutdown(self.listener, Int32(SHUT_RDWR))
        for connection in self.state.withLock({ $0.silent }) { close(connection) }
    }

    private static func listen() throws -> (Int32, Int) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && Glibc.listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return (listener, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = port.bigEndian
        return address
    }

    // MARK: One connection

    private func serve(_ connection: Int32) {
        var isReused = false
        while let (head, body) = Self.read(connection) {
            let line = String(head.prefix { $0 != "\r\n" })
            let request = Request(line: line, head: head, body: body, isReused: isReused)
            self.state.withLock { $0.requests.append(request) }
            isReused = true
            switch self.way(request) {
            case .pass:
                guard let (head, body) = self.forward(request) else { return _ = close(connection) }
                Self.send(Array((head + "\r\n\r\n").utf8) + body, to: connection)
                continue
            case .edit(let change):
                guard let (head, body) = self.forward(request) else { return _ = close(connection) }
                Self.send(change(head, body), to: connection)
                continue
            case .passAndClose: _ = self.forward(request)
            case .close: break
            case .passAndHush:
                _ = self.forward(request)
                self.state.withLock { $0.silent.append(connection) }
                return
            case .reply(let bytes): Self.send(bytes, to: connection)
            case .endless(let head, let chunk):
                var isTaken = Self.send(Array(head.utf8), to: connection)
                let bytes = Array(chunk.utf8)
                while isTaken { isTaken = Self.send(bytes, to: connection) }
            }
            break
        }
        close(connection)
    }

    /// The server's answer, without its header about the connection, which is ours to keep.
    private func forward(_ request: Request) -> (head: String, body: [UInt8])? {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(server) }
        var address = Self.address(self.upstream)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { return nil }
        Self.send(
            Array((Self.without("connection", request.head) + "\r\nConnection: close\r\n\r\n").utf8)
                + request.body,
            to: server)
        guard let (head, body) = Self.read(server, toEnd: true) else { return nil }
        return (Self.without("connection", head), body)
    }

    private static func without(_ name: String, _ head: String) -> String {
        head.components(separatedBy: "\r\n").filter { !$0.lowercased().hasPrefix(name + ":") }
            .joined(separator: "\r\n")
    }

    @discardableResult
    private static func send(_ bytes: [UInt8], to connection: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads one request or, with `toEnd`, one answer. Returns nil if the connection ends before a head is
    /// complete.
    private static func read(_ connection: Int32, toEnd: Bool = false) -> (head: String, body: [UInt8])? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        let gap = Array("\r\n\r\n".utf8)
        while true {
            if let end = bytes.firstRange(of: gap) {
                let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                let body = Array(bytes[end.upperBound...])
                let length = Self.length(in: head)
                // Without a length a request has no body, and an answer continues to the end.
                if let length, body.count >= length { return (head, body) }
                if length == nil, !toEnd { return (head, []) }
            }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else {
                guard toEnd, let end = bytes.firstRange(of: gap) else { return nil }
                return (
                    String(decoding: bytes[..<end.lowerBound], as: UTF8.self), Array(bytes[end.upperBound...])
                )
            }
            bytes += chunk[..<count]
        }
    }

    private static func length(in head: String) -> Int? {
        for line in head.components(separatedBy: "\r\n") where line.lowercased().hasPrefix("content-length:")
        {
            return Int(line.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces))
        }
        return nil
    }
}
