import Foundation

/// Lists the files of a workspace that a sync uploads, and the files that it does not.
package struct LocalScan: Sendable {
    package let workspace: Workspace
    /// The user's home, which is never a project.
    package let home: String?
    /// The name of the ignore files.
    private let ignoreFileName: String
    /// Patterns that apply unless an ignore file says otherwise.
    private let defaults: [String]

    package init(workspace: Workspace, environment: [String: String]) {
        self.init(workspace: workspace, home: environment["HOME"])
    }

    init(
        workspace: Workspace, home: String?, ignoreFileName: String = ".vpignore",
        defaults: [String] = Self.defaultIgnores
    ) {
        self.workspace = workspace
        self.home = home
        self.ignoreFileName = ignoreFileName
        self.defaults = defaults + workspace.extraIgnores
    }

    /// Patterns that are not uploaded unless a `.vpignore` includes them with `!pattern`: version control,
    /// our own files, secrets, and files that every machine recreates.
    package static let defaultIgnores = [
        ".git/", ".git", ".vp/", ".hg/", ".svn/",
        ".env", ".env.*", "!.env.example", "*.pem", "*.key", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
        ".netrc", ".aws/", ".ssh/", ".vast_api_key", ".runpod.yaml", "credentials.json",
        "__pycache__/", "*.pyc", ".venv/", "venv/", "node_modules/", ".ipynb_checkpoints/", ".DS_Store",
        ".mypy_cache/", ".pytest_cache/", ".ruff_cache/", "*.swp",
    ]

    /// Patterns that are never uploaded, whatever an ignore file says: our own names, and files that came
    /// from instances under names of ours.
    private static let neverSent = IgnoreRules.rules([
        "/.vp/", TransferFolder.own, TransferFolder.partial, TransferFolder.project, TransferFolder.projects,
        "*.remote-*", "/sweeps/",
    ])

    /// The rules that apply in the project's root folder unless an ignore file says otherwise.
    private var builtInRules: IgnoreRules { IgnoreRules(defaults: self.defaults, always: Self.neverSent) }

    /// `true` if the project's own ignore rules include a folder that the scan of an instance otherwise
    /// skips.
    func asksFor(_ pruned: String) -> Bool {
        let rules = self.rules(in: nil, self.builtInRules)
        return rules.decision(on: Array(pruned.utf8), isFolder: true)?.isNegated ?? false
    }

    /// A file or folder that is not uploaded, and the reason.
    package struct Omission: Hashable, Sendable {
        package enum Reason: Hashable, Sendable {
            case ignored(IgnoreRule)
            /// A device, socket or pipe.
            case special
            /// The system's error message.
            case unreadable(String)
        }

        package var path: SyncPath
        package var isFolder: Bool
        package var reason: Reason
    }

    package struct Listing: Sendable {
        /// Files, links and empty folders, in no order.
        package var entries: [(path: SyncPath, entry: FileEntry)] = []
        /// An excluded folder is listed once, for everything in it.
        package var omissions: [Omission] = []

        /// The entries by path, computed on every access.
        package var files: FileTree {
            var tree = FileTree(minimumCapacity: self.entries.count)
            for (path, entry) in self.entries { tree[path] = entry }
            return tree
        }

        var fingerprint: UInt64 { LocalScan.fingerprint(of: self.entries.lazy.map { ($0.path, $0.entry) }) }
    }

    /// Returns the same value for the same entries in any order.
    static func fingerprint(of entries: some Sequence<(key: SyncPath, value: FileEntry)>) -> UInt64 {
        var sum: UInt64 = 0
        for (path, entry) in entries { sum &+= StableDigest.hash(path.bytes, entry) }
        return sum
    }

    package func scan() throws(EngineError) -> Listing {
        try self.guardRoot()
        var listing = Listing()
        var pending: [(folder: SyncPath?, rules: IgnoreRules)] = [
            (nil, self.builtInRules)
        ]
        while let (folder, inherited) = pending.popLast() {
            if Task.isCancelled { throw EngineError(.cancelled, .init("reading the project folder")) }
            let (contents, problem) = self.contents(of: folder)
            if let problem {
                listing.omissions.append(
                    Omission(path: folder ?? SyncPath("."), isFolder: true, reason: .unreadable(problem)))
            }
            let ignoreFile = self.ignoreFile(in: folder)
            let rules =
                contents.contains { $0.path == ignoreFile } ? self.rules(in: folder, inherited) : inherited
            var isEmpty = true
            for (path, entry) in contents {
                let isFolder = entry.kind == .folder
                if let rule = rules.decision(on: path.bytes, isFolder: isFolder), !rule.isNegated {
                    listing.omissions.append(
                        Omission(path: path, isFolder: isFolder, reason: .ignored(rule)))
                    continue
                }
                isEmpty = false
                switch entry.kind {
                case .folder: pending.append((path, rules))
                case .file, .symbolicLink: listing.entries.append((path, entry))
                case .other:
                    listing.omissions.append(Omission(path: path, isFolder: false, reason: .special))
                }
            }
            if let folder, isEmpty, problem == nil, let entry = self.entry(of: folder) {
                listing.entries.append((folder, entry))
            }
        }
        return listing
    }

    /// Returns the rule that excludes `path`, or the last one that includes it; nil if no rule matches.
    package func decision(on path: SyncPath) -> IgnoreRule? {
        var rules = self.builtInRules
        let folders = Array(path.ancestors).reversed()
        rules = self.rules(in: nil, rules)
        for folder in folders {
            if let rule = rules.decision(on: folder.bytes, isFolder: true), !rule.isNegated { return rule }
            rules = self.rules(in: folder, rules)
        }
        return rules.decision(on: path.bytes, isFolder: self.entry(of: path)?.kind == .folder)
    }

    /// The entry at `path` now, ignored or not; nil if nothing is there or if the path leads through a link.
    package func entry(of path: SyncPath) -> FileEntry? { self.lookup()(path) }

    /// Returns a lookup for many paths, which opens the project's folder once.
    package func lookup() -> (SyncPath) -> FileEntry? {
        guard let folder = try? BeneathFolder(self.workspace.localRoot) else { return { _ in nil } }
        return { folder.entry(of: $0) }
    }

    /// `true` if a file of 1 MiB or more takes less room on disk than its length (a sparse file).
    func hasHoles(_ items: [SyncPlan.Item]) -> Bool {
        items.contains { item in
            guard item.entry.kind == .file, item.size >= 1 << 20 else { return false }
            var information = stat()
            let isThere = item.path.withAbsolutePath(below: self.workspace.localRoot) {
                lstat($0, &information) == 0
            }
            return isThere && Int64(information.st_blocks) * 512 < Int64(information.st_size)
        }
    }

    private func guardRoot() throws(EngineError) {
        let root = Self.realPath(self.workspace.localRoot)
        let activity = EngineError.Activity("reading the project folder", subject: self.workspace.localRoot)
        var isFolder: ObjCBool = false
        guard let root, FileManager.default.fileExists(atPath: root, isDirectory: &isFolder),
            isFolder.boolValue
        else {
            throw EngineError(.workspaceRefused, activity, detail: "it does not exist")
        }
        let home = self.home.flatMap(Self.realPath)
        if root == "/" || root == home || home?.hasPrefix(root + "/") == true {
            throw EngineError(.workspaceRefused, activity, detail: "\(root) is not a project folder")
        }
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Returns the contents of `folder`, and the error if it could not be read.
    ///
    /// Files are looked at through the folder's descriptor, which spares the system a walk along each path.
    func contents(of folder: SyncPath?) -> (items: [(path: SyncPath, entry: FileEntry)], problem: String?) {
        let path = folder ?? SyncPath(".")
        guard let stream = path.withAbsolutePath(below: self.workspace.localRoot, { opendir($0) }) else {
            // The folder was removed since it was seen, which is no more a problem than an earlier removal.
            return ([], errno == ENOENT ? nil : String(cString: strerror(errno)))
        }
        defer { closedir(stream) }
        let prefix = folder.map { $0.bytes + [SyncPath.slash] } ?? []
        var items: [(path: SyncPath, entry: FileEntry)] = []
        while let item = readdir(stream) {
            withUnsafePointer(to: &item.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    let length = strlen(name)
                    let bytes = UnsafeRawBufferPointer(start: name, count: length)
                    if bytes.elementsEqual([0x2e]) || bytes.elementsEqual([0x2e, 0x2e]) { return }
                    // The file was removed since the folder was read: it is treated as if it had never
                    // existed.
                    guard let entry = FileEntry(named: name, in: dirfd(stream)) else { return }
                    let path = SyncPath(
                        [UInt8](unsafeUninitializedCapacity: prefix.count + length) { buffer, count in
                            let raw = UnsafeMutableRawBufferPointer(buffer)
                            raw.copyBytes(from: prefix)
                            UnsafeMutableRawBufferPointer(rebasing: raw[prefix.count...])
                                .copyMemory(from: bytes)
                            count = prefix.count + length
                        })
                    items.append((path, entry))
                }
            }
        }
        return (items, nil)
    }

    private func ignoreFile(in folder: SyncPath?) -> SyncPath {
        let name = Array(self.ignoreFileName.utf8)
        return SyncPath(folder.map { $0.bytes + [SyncPath.slash] + name } ?? name)
    }

    private func rules(in folder: SyncPath?, _ inherited: IgnoreRules) -> IgnoreRules {
        let file = self.ignoreFile(in: folder)
        // As in git, rules are read from a file in the project, never through a link.
        guard FileEntry(at: file, below: self.workspace.localRoot)?.kind == .file,
            let content = file.withAbsolutePath(
                below: self.workspace.localRoot,
                { path in
                    FileManager.default.contents(
                        atPath: FileManager.default.string(
                            withFileSystemRepresentation: path, length: strlen(path)))
                })
        else { return inherited }
        return inherited.adding([UInt8](content), of: file, in: folder)
    }
}
