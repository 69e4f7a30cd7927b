import Foundation
import Glibc

/// A socket behind which somebody else than ssh listens: gives everyone the same answer, and hangs up.
final class StrangeSocket: Sendable {
    struct Failure: Error {}

    private let listener: Int32

    init(at path: String, answer: [UInt8] = []) throws {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound, listen(listener, 16) == 0 else { throw Failure() }
        self.listener = listener
        Thread.detachNewThread {
            while true {
                let peer = accept(listener, nil, nil)
                guard peer >= 0 else { break }
                _ = send(peer, answer, answer.count, Int32(MSG_NOSIGNAL))
                shutdown(peer, Int32(SHUT_WR))
                var rest = [UInt8](repeating: 0, count: 4096)
                while read(peer, &rest, rest.count) > 0 {}
                Glibc.close(peer)
            }
            // Only here: once it is closed, its number may be another's,
            // whose connections this thread would take.
            Glibc.close(listener)
        }
    }

    /// Nobody listens any more. The name stays, as that of a program that was killed does.
    func close() { shutdown(self.listener, Int32(SHUT_RDWR)) }
}
