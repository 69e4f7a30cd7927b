import Foundation

/// Looks at a whole home folder from outside, before and after a round, and knows nothing of plans and gates.
///
/// What it demands of a sync with a hostile instance: outside the project nothing changes,
/// save in the folders that are the program's own; in it nothing changes that decides what is sent or that
/// programs here act on; nothing of what is only here is touched; no folder that holds something goes; no
/// file gets more rights than a file has.
struct HomeJudge {
    enum Item: Equatable {
        case file(content: [UInt8], mode: UInt32)
        case link(String)
        case folder
        case other
    }

    typealias Snapshot = [String: Item]

    let home: String
    /// With these the program, or the instance, may do what they like; relative to the home.
    let free: Set<String>
    /// What no round may change, relative to the project.
    let precious: Set<String>

    func look() -> Snapshot {
        var seen: Snapshot = [:]
        func walk(_ path: String) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(self.home)\(path)")) ?? []
            for name in names {
                let below = "\(path)/\(name)"
                if self.free.contains(below) || below.hasPrefix("/meanwhile-") { continue }
                let item = Self.item(at: "\(self.home)\(below)")
                seen[below] = item
                if item == .folder { walk(below) }
            }
        }
        walk("")
        return seen
    }

    private static func item(at path: String) -> Item {
        var information = stat()
        guard lstat(path, &information) == 0 else { return .other }
        switch information.st_mode & S_IFMT {
        case S_IFDIR: return .folder
        case S_IFLNK:
            return .link((try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "")
        case S_IFREG:
            let content = FileManager.default.contents(atPath: path) ?? Data()
            return .file(content: [UInt8](content), mode: information.st_mode & 0o7777)
        default: return .other
        }
    }

    /// What is wrong with the way from one look to the next; nil where nothing is.
    func complaint(_ before: Snapshot, _ after: Snapshot) -> String? {
        for path in Set(before.keys).union(after.keys) where before[path] != after[path] {
            let change = "\(path): \(Self.words(before[path])) -> \(Self.words(after[path]))"
            guard path.hasPrefix("/project/") else { return "outside the project \(change)" }
            let name = String(path.dropFirst("/project/".count))
            if self.precious.contains(name) { return "only copy \(change)" }
            let isFolder = after[path] == .folder
            // A folder that holds what stands beside has to be somewhere;
            // one that holds nothing has no business here.
            let isEmpty = isFolder && !after.keys.contains { $0.hasPrefix(path + "/") }
            if let words = Self.forbidden(name, isFolder: isFolder && !isEmpty) {
                return "\(words) \(change)"
            }
            if case .file(_, let mode)? = after[path], mode & 0o7000 != 0 { return "rights \(change)" }
            if case .other? = after[path] { return "no file \(change)" }
            if before[path] == .folder, after[path] != .folder,
                before.keys.contains(where: { $0.hasPrefix(path + "/") })
            {
                return "a folder that held something \(change)"
            }
        }
        return Self.repository(after).map { "a repository in \($0)" }
    }

    /// A folder that git would take for a repository; none was there at first.
    private static func repository(_ after: Snapshot) -> String? {
        let names = Set(after.keys.map { $0.lowercased() })
        return after.keys.first { path in
            let name = path.lowercased()
            guard name.hasSuffix("/head") else { return false }
            let folder = name.dropLast("/head".count)
            return names.contains("\(folder)/objects") && names.contains("\(folder)/refs")
        }
    }

    /// Names that must never come down.
    private static func forbidden(_ path: String, isFolder: Bool) -> String? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).map { $0.lowercased() }
        if parts.contains(where: { [".git", "git~1", ".vp", ".vpignore", "", ".", ".."].contains($0) }) {
            return "a forbidden name"
        }
        if isFolder { return nil }
        if parts.contains(".vscode") || parts.contains(".idea"), !path.contains(".remote-") {
            return "a file that an editor acts on"
        }
        if let name = parts.last, [".gitattributes", ".gitmodules", ".envrc"].contains(name) {
            return "a file that programs act on unasked"
        }
        return nil
    }

    private static func words(_ item: Item?) -> String {
        switch item {
        case nil: "nothing"
        case .file(let content, let mode):
            "file \(String(mode, radix: 8)) \(String(decoding: content.prefix(40), as: UTF8.self))"
        case .link(let target): "link to \(target)"
        case .folder: "folder"
        case .other: "other"
        }
    }
}
