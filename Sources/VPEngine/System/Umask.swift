import Foundation

/// The bits that this process does not give to files it makes.
package enum Umask {
    /// Read once. Asking by umask(2) would change it for a moment, for all threads.
    package static let value: mode_t = {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Umask:") }),
            let value = mode_t(line.dropFirst(6).filter(\.isNumber), radix: 8)
        else { return 0o022 }
        return value
    }()

    /// `mode` as far as a file that came from elsewhere may have it: its owner's bits,
    /// of the group's and others' those that the umask leaves, and never setuid, setgid or sticky.
    package static func limit(_ mode: mode_t, by umask: mode_t = Umask.value) -> mode_t {
        (mode & 0o700) | (mode & 0o077 & ~umask)
    }

    /// The same as words for chmod(1), rsync and tar.
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
