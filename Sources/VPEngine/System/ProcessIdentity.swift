import Foundation
import Glibc

/// The identity of one process, which differs from that of a later process with the same number.
package struct ProcessIdentity: Hashable, Sendable {
    package let id: Int32
    /// The start time in clock ticks since the machine was started.
    package let startedAt: String
    /// The boot id, since the ticks start again with the machine.
    package let boot: String

    package static let current =
        ProcessIdentity(getpid()) ?? ProcessIdentity(id: getpid(), startedAt: "", boot: "")

    private init(id: Int32, startedAt: String, boot: String) {
        self.id = id
        self.startedAt = startedAt
        self.boot = boot
    }

    /// Identifies the process that has this number now.
    package init?(_ id: Int32) {
        guard let data = FileManager.default.contents(atPath: "/proc/\(id)/stat") else { return nil }
        // The name, in brackets, may contain blanks and brackets of its own.
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        self.init(
            id: id, startedAt: String(fields[19]),
            boot: String(decoding: boot, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    package init?(text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let id = NumberRange.process.read(parts[0]) else { return nil }
        self.init(id: id, startedAt: String(parts[1]), boot: String(parts[2]))
    }

    package var text: String { "\(self.id) \(self.startedAt) \(self.boot)" }

    package var isAlive: Bool { ProcessIdentity(self.id) == self }
}
