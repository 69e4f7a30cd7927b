import Glibc
import Synchronization

/// One session of a shared ssh connection, requested from the ssh program that holds it.
///
/// The messages and their numbers come from OpenSSH's `PROTOCOL.mux`, version 4. The three streams of the
/// session are sockets whose far ends are handed to that program, so that no byte of them passes through the
/// control socket.
final class SharedSession: Sendable {
    private struct Feed {
        var input: [UInt8]?
        var isCancelled = false
    }

    private let socket: Descriptor
    /// Writing to one end wakes the thread that waits at the other: `feed` has changed.
    private let bell: (push: Descriptor, ring: Descriptor)
    private let feed = Mutex(Feed())

    /// Connects to the program that listens at `controlPath`; nil if none does.
    init?(at controlPath: String) {
        guard let socket = Descriptor(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)),
            let bell = Descriptor.pair()
        else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { path in
            // The last byte stays zero.
            guard controlPath.utf8.count < path.count else { return false }
            path.copyBytes(from: controlPath.utf8)
            return true
        }
        let isConnected =
            fits
            && withUnsafePointer(to: &address) { address in
                address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                }
            }
        guard isConnected else { return nil }
        self.socket = socket
        self.bell = (bell.0, bell.1)
    }

    /// Gives the session `input`, and then the end of its input.
    func give(_ input: [UInt8]) {
        self.feed.withLock { $0.input = input }
        self.ring()
    }

    /// Ends `run` and, with its streams, the command on the instance.
    func cancel() {
        self.feed.withLock { $0.isCancelled = true }
        self.ring()
    }

    private func ring() { _ = self.bell.push.write([0]) }

    /// Runs `command` to its end, on the caller's thread, and hands over its output as it arrives.
    ///
    /// Returns nil if the session was not opened, and nothing has run. As with the ssh program, 255 is the
    /// exit status of a session whose connection broke, and of one that a signal ended.
    func run(
        _ command: String, onOpened: () -> Void, onOutput: ([UInt8]) -> Void,
        onErrorOutput: ([UInt8]) -> Void
    ) -> ProcessEnding? {
        guard var streams = Streams(), self.request(command, streams) else { return nil }
        streams.closeFarEnds()
        var replies = Replies()
        var isOpened = false
        var input: ArraySlice<UInt8>?
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isConnected = true
        while isConnected || streams.output != nil || streams.errorOutput != nil {
            var waits = [
                pollfd(fd: isConnected ? self.socket.number : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: streams.output?.number ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: streams.errorOutput?.number ?? -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.bell.ring.number, events: Int16(POLLIN), revents: 0),
                pollfd(
                    fd: input == nil ? -1 : streams.input?.number ?? -1, events: Int16(POLLOUT), revents: 0),
            ]
            guard poll(&waits, nfds_t(waits.count), -1) >= 0 || errno == EINTR else { break }
            if waits[1].revents != 0 { Self.read(&streams.output, &buffer, onOutput) }
            if waits[2].revents != 0 { Self.read(&streams.errorOutput, &buffer, onErrorOutput) }
            if waits[0].revents != 0 {
                isConnected = Self.take(self.socket, &buffer) { replies.add($0) }
                if !isOpened {
                    if replies.isRefused || !isConnected { return nil }
                    if replies.isOpened {
                        isOpened = true
                        onOpened()
                    }
                }
            }
            if waits[3].revents != 0 {
                _ = Self.take(self.bell.ring, &buffer) { _ in }
                let (given, isCancelled) = self.feed.withLock { feed in
                    defer { feed.input = nil }
                    return (feed.input, feed.isCancelled)
                }
                if isCancelled { return .exited(RemoteShell.sshFailure) }
                if let given { input = given[...] }
            }
            if let rest = input, waits[4].revents != 0 || rest.isEmpty {
                input = streams.write(rest)
            }
        }
        return .exited(replies.exitStatus ?? RemoteShell.sshFailure)
    }

    private func request(_ command: String, _ streams: borrowing Streams) -> Bool {
        var hello = MultiplexMessage(.hello)
        hello.add(MultiplexMessage.version)
        var session = MultiplexMessage(.newSession)
        session.add(0)  // our number for the request
        session.add("")  // reserved
        for _ in ["terminal", "X11", "agent", "subsystem"] { session.add(0) }
        session.add(UInt32.max)  // no escape character
        session.add("")  // kind of terminal
        session.add(command)
        let bytes = hello.packet + session.packet
        return self.socket.write(bytes[...]) == bytes.count
            && streams.farEnds.allSatisfy { self.socket.pass($0.number) }
    }

    private static func read(_ stream: inout Descriptor?, _ buffer: inout [UInt8], _ body: ([UInt8]) -> Void)
    {
        guard let open = stream else { return }
        if !Self.take(open, &buffer, body) { stream = nil }
    }

    /// Returns false at the end.
    private static func take(_ source: Descriptor, _ buffer: inout [UInt8], _ body: ([UInt8]) -> Void) -> Bool
    {
        let count = Glibc.read(source.number, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        body(Array(buffer[..<count]))
        return true
    }
}

extension SharedSession {
    /// The session's streams: our ends, and the far ends until they are handed over.
    private struct Streams {
        var input: Descriptor?
        var output: Descriptor?
        var errorOutput: Descriptor?
        var farEnds: [Descriptor]

        init?() {
            guard let input = Descriptor.pair(), let output = Descriptor.pair(),
                let errorOutput = Descriptor.pair()
            else { return nil }
            self.input = input.0
            self.output = output.0
            self.errorOutput = errorOutput.0
            self.farEnds = [input.1, output.1, errorOutput.1]
        }

        mutating func closeFarEnds() { self.farEnds = [] }

        /// Writes as much as there is room for; nil once nothing is left to write, and the end has been sent.
        mutating func write(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
            guard let input = self.input else { return nil }
            let count = input.write(bytes)
            if count < 0, errno == EAGAIN || errno == EINTR { return bytes }
            // A reader that has stopped reading needs no more.
            let rest = count < 0 ? [] : bytes.dropFirst(count)
            guard rest.isEmpty else { return rest }
            self.input = nil
            return nil
        }
    }
}

/// A message to the ssh program that holds a connection.
private struct MultiplexMessage {
    enum Kind: UInt32 {
        case hello = 0x0000_0001
        case newSession = 0x1000_0002
        case permissionDenied = 0x8000_0002
        case failure = 0x8000_0003
        case exitMessage = 0x8000_0004
        case sessionOpened = 0x8000_0006
    }

    static let version: UInt32 = 4

    private var body: [UInt8] = []

    init(_ kind: Kind) { self.add(kind.rawValue) }

    mutating func add(_ number: UInt32) { self.body += Self.bytes(number) }

    mutating func add(_ string: String) {
        self.add(UInt32(string.utf8.count))
        self.body += string.utf8
    }

    var packet: [UInt8] { Self.bytes(UInt32(self.body.count)) + self.body }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

/// The answers of that program.
private struct Replies {
    private(set) var isOpened = false
    private(set) var isRefused = false
    private(set) var exitStatus: Int32?
    private var pending: [UInt8] = []

    mutating func add(_ bytes: [UInt8]) {
        self.pending += bytes
        while let length = self.number(at: 0).map(Int.init), self.pending.count >= 4 + length {
            switch self.number(at: 4).flatMap(MultiplexMessage.Kind.init) {
            case .hello: self.isRefused = self.number(at: 8) != MultiplexMessage.version
            case .sessionOpened: self.isOpened = true
            case .failure, .permissionDenied: self.isRefused = true
            // The status follows the session's number.
            case .exitMessage: self.exitStatus = self.number(at: 12).map { Int32(truncatingIfNeeded: $0) }
            case .newSession, nil: break
            }
            self.pending.removeFirst(4 + length)
        }
    }

    private func number(at index: Int) -> UInt32? {
        guard self.pending.count >= index + 4 else { return nil }
        return self.pending[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// A file descriptor that closes with its last owner.
private final class Descriptor: Sendable {
    let number: Int32

    /// Nil if `number` is the result of a failed call.
    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit { close(self.number) }

    /// Returns two joined sockets. Unlike a pipe they are never inherited by a process that another thread
    /// starts meanwhile.
    static func pair() -> (Descriptor, Descriptor)? {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &ends) == 0,
            let first = Descriptor(ends[0]), let second = Descriptor(ends[1])
        else { return nil }
        return (first, second)
    }

    /// Returns how many of `bytes` there was room for; if there was none, returns a negative number and sets
    /// `errno`.
    func write(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes {
            send(self.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
    }

    /// Hands a copy of `descriptor` to the program at the other end of this socket.
    func pass(_ descriptor: Int32) -> Bool {
        var header = cmsghdr()
        // These are CMSG_LEN and CMSG_SPACE of one number, which C has as macros.
        header.cmsg_len = MemoryLayout<cmsghdr>.size + MemoryLayout<Int32>.size
        header.cmsg_level = SOL_SOCKET
        header.cmsg_type = Int32(SCM_RIGHTS)
        var control = [Int](repeating: 0, count: MemoryLayout<cmsghdr>.size / MemoryLayout<Int>.size + 1)
        var content: UInt8 = 0
        return control.withUnsafeMutableBytes { control in
            control.storeBytes(of: header, as: cmsghdr.self)
            control.storeBytes(of: descriptor, toByteOffset: MemoryLayout<cmsghdr>.size, as: Int32.self)
            return withUnsafeMutablePointer(to: &content) { content in
                var part = iovec(iov_base: content, iov_len: 1)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return sendmsg(self.number, &message, Int32(MSG_NOSIGNAL)) == 1
                }
            }
        }
    }
}
