import Foundation

/// Distinguishes one project from others, on this computer and on an instance: the mark of a remote workspace
/// says whose it is.
package struct ProjectIdentity: Hashable, Sendable {
    /// Identifies this folder on this machine.
    package let tag: String
    /// Names that clones and worktrees of one project share.
    let names: Set<String>

    init(tag: String, names: Set<String>) {
        self.tag = tag
        self.names = names
    }

    /// Identifies the project in `root`, and gives it an id if it is set up and has none.
    package init(root: String) {
        let machine =
            (try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8))
            ?? ProcessInfo.processInfo.hostName
        func digest(_ text: String) -> String { StableDigest.hex("\(machine)\n\(text)") }
        self.tag = digest(root)
        var names: Set<String> = []
        if let id = Self.id(of: root) { names.insert("vp-\(StableDigest.hex(id))") }
        if let repository = Self.repository(of: root) {
            names.insert("git-\(digest(repository))")
            if let origin = Self.origin(of: repository) {
                // A repository that was cloned from a local folder belongs to that folder's project.
                let local = Self.path(of: origin, from: repository).flatMap(Self.repository(of:))
                names.insert(local.map { "git-\(digest($0))" } ?? "url-\(StableDigest.hex(origin))")
            }
        }
        self.names = names
    }

    private static let idLimit = 64

    /// The id in `.vp/id`, which is created if the folder `.vp` exists; nil if it does not, or if the id
    /// cannot be written.
    private static func id(of root: String) -> String? {
        let file = "\(root)/.vp/id"
        guard let folder = try? BeneathFolder(root) else { return nil }
        for _ in 0..<2 {
            // A link is refused: it could lead to one of the user's secrets.
            if let kind = folder.entry(of: SyncPath(".vp/id"))?.kind {
                guard kind == .file, let text = SmallFile.text(at: file) else { return nil }
                let id = text.trimmingCharacters(in: .whitespacesAndNewlines)
                let isPlain = id.utf8.allSatisfy { byte in
                    byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || (0x30...0x39).contains(byte))
                }
                return !id.isEmpty && id.utf8.count <= Self.idLimit && isPlain ? id : nil
            }
            guard folder.entry(of: SyncPath(".vp"))?.kind == .folder else { return nil }
            let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                if errno == EEXIST { continue }
                return nil
            }
            defer { close(descriptor) }
            let id = (0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined()
            guard StandardStreams.write(Array("\(id)\n".utf8), to: descriptor) else { return nil }
            return id
        }
        return nil
    }

    /// The folder that a repository and all its worktrees share; nil if `root` is not the top of one.
    private static func repository(of root: String) -> String? {
        let place = "\(root)/.git"
        var information = stat()
        guard stat(place, &information) == 0 else { return nil }
        if information.st_mode & S_IFMT == S_IFDIR { return Self.realPath(place) }
        // `gitdir: …/.git/worktrees/NAME`, whose `commondir` says `../..`.
        guard let line = SmallFile.text(at: place)?.split(whereSeparator: \.isNewline).first,
            line.hasPrefix("gitdir: ")
        else { return nil }
        let own = Self.absolute(String(line.dropFirst("gitdir: ".count)), from: root)
        let common = SmallFile.text(at: "\(own)/commondir").map {
            Self.absolute($0.trimmingCharacters(in: .newlines), from: own)
        }
        return Self.realPath(common ?? own)
    }

    /// The URL that a repository was cloned from.
    private static func origin(of repository: String) -> String? {
        var isOrigin = false
        for line in SmallFile.text(at: "\(repository)/config")?.split(whereSeparator: \.isNewline) ?? [] {
            let words = line.trimmingCharacters(in: .whitespaces)
            if words.hasPrefix("[") { isOrigin = words == "[remote \"origin\"]" }
            guard isOrigin, words.hasPrefix("url"), let equal = words.firstIndex(of: "=") else { continue }
            var url = words[words.index(after: equal)...].trimmingCharacters(in: .whitespaces)
            // User name and password are removed.
            if let scheme = url.range(of: "://"), let at = url.lastIndex(of: "@"), scheme.upperBound < at {
                url = String(url[..<scheme.upperBound]) + String(url[url.index(after: at)...])
            }
            return url.hasSuffix(".git") ? String(url.dropLast(4)) : url
        }
        return nil
    }

    /// The local folder that `origin` names; nil if it is a URL.
    private static func path(of origin: String, from repository: String) -> String? {
        let path = origin.hasPrefix("file://") ? String(origin.dropFirst(7)) : origin
        guard path.hasPrefix("/") || path.hasPrefix(".") else { return nil }
        return Self.absolute(path, from: (repository as NSString).deletingLastPathComponent)
    }

    private static func absolute(_ path: String, from folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    // MARK: The mark

    /// The line that marks a remote workspace as this project's.
    var mark: String { ([self.tag] + self.names.sorted()).joined(separator: " ") }

    /// The owner of a workspace.
    enum Owner: Hashable { case this, sibling, other }

    /// - Parameter mark: the workspace's mark; an empty one means that nobody owns it yet.
    func owner(of mark: String) -> Owner {
        let words = Set(mark.split(separator: " ").map(String.init))
        if words.isEmpty || words.contains(self.tag) { return .this }
        return words.isDisjoint(with: self.names) ? .other : .sibling
    }

    func owner(comparedWith other: ProjectIdentity) -> Owner { self.owner(of: other.mark) }
}
