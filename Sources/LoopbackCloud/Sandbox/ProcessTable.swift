import Foundation
import Glibc

/// A look at `/proc`: which processes descend from ours.
struct ProcessTable {
    private let parents: [pid_t: pid_t]

    init() {
        var parents: [pid_t: pid_t] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let process = pid_t(name),
                let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
                // The name of the program comes second, in parentheses, and may hold anything.
                let end = text.lastIndex(of: ")")
            else { continue }
            let fields = text[text.index(after: end)...].split(separator: " ")
            // A zombie has ended; it only waits to be counted.
            if fields.count > 1, fields[0] != "Z", let parent = pid_t(fields[1]) { parents[process] = parent }
        }
        self.parents = parents
    }

    /// `root` and everything below it. An orphan in a process namespace belongs to the namespace's init, so
    /// nothing in a sandbox escapes this tree.
    func tree(below root: pid_t) -> [pid_t] {
        guard self.parents[root] != nil else { return [] }
        let children = Dictionary(grouping: self.parents.keys) { self.parents[$0] ?? 0 }
        var found = [root]
        var next = 0
        while next < found.count {
            found += children[found[next]] ?? []
            next += 1
        }
        return found
    }

    /// Processes that carry `mark` in their environment.
    func marked(_ mark: String) -> [pid_t] {
        let needle = Data("VP_LOOPBACK_MARK=\(mark)".utf8)
        return self.parents.keys.filter { process in
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ")
            return environment?.range(of: needle) != nil
        }
    }

    static func commandLine(of process: pid_t) -> String {
        let bytes = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            .trimmingCharacters(in: .whitespaces)
    }

    /// The name the kernel knows the process by, at most 15 bytes.
    static func name(of process: pid_t) -> String {
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?
            .trimmingCharacters(in: .newlines) ?? ""
    }
}
