import Foundation
import Glibc
import Synchronization

/// A snapshot of `/proc`: the processes that descend from ours.
struct ProcessTable {
    private struct Entry {
        var parent: pid_t
        var name: Substring
    }

    private let entries: [pid_t: Entry]
    private let children: [pid_t: [pid_t]]

    init() {
        var entries: [pid_t: Entry] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name),
                let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                // The name of the program comes second, in parentheses, and may contain anything.
                let start = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), start < end
            else { continue }
            let fields = text[text.index(after: end)...].split(separator: " ")
            // A zombie has ended; it only waits to be reaped.
            if fields.count > 1, fields[0] != "Z", let parent = pid_t(fields[1]) {
                entries[process] = Entry(parent: parent, name: text[text.index(after: start)..<end])
            }
        }
        self.entries = entries
        self.children = Dictionary(grouping: entries.keys) { entries[$0]?.parent ?? 0 }
    }

    /// A table of the last second, shared by all callers.
    static func recent() -> ProcessTable {
        Self.latest.withLock { latest in
            let now = ContinuousClock.now
            if let latest, now - latest.time < .seconds(1) { return latest.table }
            let table = ProcessTable()
            latest = (now, table)
            return table
        }
    }

    private static let latest = Mutex<(time: ContinuousClock.Instant, table: ProcessTable)?>(nil)

    /// `root` and everything below it. An orphan in a process namespace belongs to the namespace's init, so
    /// nothing in a sandbox escapes this tree.
    func tree(below root: pid_t) -> [pid_t] {
        guard self.entries[root] != nil else { return [] }
        var found = [root]
        var next = 0
        while next < found.count {
            found += self.children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// Processes that have `mark` in their environment.
    func marked(_ mark: String) -> [pid_t] {
        let needle = Data("VP_LOOPBACK_MARK=\(mark)".utf8)
        return self.entries.keys.filter { process in
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ")
            return environment?.range(of: needle) != nil
        }
    }

    /// The kernel's name of the process, at most 15 bytes.
    func name(of process: pid_t) -> String { self.entries[process].map { String($0.name) } ?? "" }

    static func commandLine(of process: pid_t) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            .trimmingCharacters(in: .whitespaces)
    }
}
