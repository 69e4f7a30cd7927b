import Glibc
import Synchronization

/// Finds free ports on 127.0.0.1.
enum PortPicker {
    private static let range = 18_000...32_000
    private static let picked = Mutex<Set<Int>>([])

    /// A port that nobody listens on now and that was not given away before: its sshd may not listen yet. It lies
    /// below the range from which the kernel takes the ports of outgoing connections, so none of those can step in
    /// between this look and sshd's bind.
    static func freePort() -> Int {
        Self.picked.withLock { picked in
            // Whoever had one long ago listens, or is gone.
            if picked.count > Self.range.count / 2 { picked.removeAll() }
            while true {
                let port = Int.random(in: Self.range)
                if Self.isFree(port), picked.insert(port).inserted { return port }
            }
        }
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
