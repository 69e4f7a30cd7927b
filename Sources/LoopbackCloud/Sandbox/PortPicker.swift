import Glibc
import Synchronization

/// Finds free ports on 127.0.0.1, and reserves them until their sshd listens, also against clouds of other
/// processes: otherwise a container that starts minutes after its address was chosen would find the port
/// taken, and die.
final class PortPicker: Sendable {
    /// The range is below the one from which the kernel takes the ports of outgoing connections, so that none
    /// of those can take a port between this check and sshd's bind.
    private static let shared = PortPicker(
        range: 18_000...32_000, lockFile: "/tmp/vp-loopback-ports-\(getuid())")

    private let range: ClosedRange<Int>
    private let picked = Mutex<Set<Int>>([])
    /// A file in which each byte represents a port; -1 if it cannot be opened: then other processes are
    /// ignored.
    private let locks: Int32

    /// - Parameter lockFile: a file that all pickers of one user share.
    init(range: ClosedRange<Int>, lockFile: String) {
        self.range = range
        self.locks = open(lockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }

    deinit { if self.locks >= 0 { close(self.locks) } }

    static func freePort() -> Int { Self.shared.freePort() }

    /// A port that nobody listens on now and that was not given out before: its sshd may not listen yet.
    func freePort() -> Int {
        self.picked.withLock { picked in
            // The owners of earlier ports listen by now, or are gone.
            if picked.count > self.range.count / 2 {
                for port in picked { _ = self.setLock(Int16(F_UNLCK), port) }
                picked.removeAll()
            }
            while true {
                let port = Int.random(in: self.range)
                guard !picked.contains(port), self.setLock(Int16(F_WRLCK), port) else { continue }
                guard Self.isFree(port) else {
                    _ = self.setLock(Int16(F_UNLCK), port)
                    continue
                }
                picked.insert(port)
                return port
            }
        }
    }

    /// `false` if another picker has the port. The lock belongs to the open file, and ends with this process.
    private func setLock(_ kind: Int16, _ port: Int) -> Bool {
        guard self.locks >= 0 else { return true }
        var lock = flock()
        lock.l_type = kind
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(port)
        lock.l_len = 1
        // This is F_OFD_SETLK, which the headers declare for GNU programs only.
        return fcntl(self.locks, 37, &lock) == 0 || (errno != EAGAIN && errno != EACCES)
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
