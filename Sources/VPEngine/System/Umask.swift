import Foundation

/// The permission bits that this process removes from the files it makes.
package enum Umask {
    /// The umask, read once. umask(2) would change it for a moment, for all threads.
    package static let value: mode_t = {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Umask:") }),
            let value = mode_t(line.dropFirst(6).filter(\.isNumber), radix: 8)
        else { return 0o022 }
        return value
    }()

    /// Limits `mode` to the bits that a file from elsewhere may have: its owner's bits, those of the group
    /// and of others that the umask leaves, and never setuid, setgid or sticky.
    package static func limit(_ mode: mode_t, by umask: mode_t = Umask.value) -> mode_t {
        (mode & 0o700) | (mode & 0o077 & ~umask)
    }

    /// The same in the form for chmod(1), rsync and tar.
    package static var chmodWords: String {
        var words = "ug-s,o-t"
        for (who, shift) in [("g", 3), ("o", 0)] as [(String, mode_t)] {
            let bits = (self.value >> shift) & 0o7
            let letters = (bits & 4 != 0 ? "r" : "") + (bits & 2 != 0 ? "w" : "") + (bits & 1 != 0 ? "x" : "")
            if !letters.isEmpty { words += ",\(who)-\(letters)" }
        }
        return words
    }
}
