/// Decides which names and kinds of files may be downloaded from an instance, and where they may go.
///
/// Somebody else is root on a rented machine, and the code that runs there may be somebody else's too. Files
/// from there are accepted only where nothing on this computer acts on them without being asked: not the next
/// upload, not git, not an editor. Every download passes through this gate, by `SyncPlan.download`, and
/// `StagedFiles` checks once more before it moves a file into place.
package struct IncomingGate: Sendable {
    package typealias Reason = IncomingReason

    package enum Verdict: Hashable, Sendable {
        case accepted
        /// Is saved only as a conflict copy, `name.remote-…`.
        case beside
        case refused(Reason, at: SyncPath)
        /// Stays on the instance as part of a clone that was made there. The path is the one reported for
        /// everything below it.
        case stays(SyncPath)
    }

    /// Maximum length in bytes of one path component and of a whole path, as on Linux.
    package static let partLimit = 255
    package static let pathLimit = 4096

    private let accepted: IgnoreRules?

    /// `patterns` (in `.gitignore` syntax) match names that programs on this computer act on and that the
    /// user wants nevertheless.
    package init(accepting patterns: [String] = []) {
        self.accepted = patterns.isEmpty ? nil : IgnoreRules(defaults: patterns)
    }

    /// Returns why a path is refused regardless of all other files, or nil if it is not.
    package static func refusal(of path: SyncPath) -> (reason: Reason, at: SyncPath)? {
        guard path.isPlain else { return (.impossible, path) }
        guard path.bytes.count <= self.pathLimit else { return (.tooLong, path) }
        for part in path.parts {
            if part.count > self.partLimit { return (.tooLong, path) }
            if case .refused(let reason) = IncomingName(part) {
                return (reason, SyncPath(path.bytes[..<part.endIndex]))
            }
        }
        return nil
    }

    /// Returns the verdict on `path`, of the given kind on the instance, judged by its name alone.
    private func verdict(onName path: SyncPath, _ kind: FileEntry.Kind) -> Verdict {
        if let (reason, place) = Self.refusal(of: path) { return .refused(reason, at: place) }
        if kind == .other { return .refused(.kind, at: path) }
        guard let part = path.parts.first(where: { IncomingName($0) == .acting }) else { return .accepted }
        return self.isAsked(for: path) ? .accepted : .stays(SyncPath(path.bytes[..<part.endIndex]))
    }

    /// Returns the verdict on a single `path` that does not come from a listing, for example one behind a
    /// link.
    func verdict(
        on path: SyncPath, _ kind: FileEntry.Kind, local: @escaping (SyncPath) -> FileEntry?
    ) -> Verdict {
        let entry = FileEntry(kind: kind, size: 0, modified: 0, mode: 0)
        return Judge(self, local: local, agreed: [:], remote: [path: entry]).verdict(on: path, entry)
    }

    private func isAsked(for path: SyncPath) -> Bool {
        guard let accepted = self.accepted else { return false }
        if let rule = accepted.decision(on: path.bytes, isFolder: false) { return !rule.isNegated }
        return path.ancestors.contains { folder in
            accepted.decision(on: folder.bytes, isFolder: true).map { !$0.isNegated } ?? false
        }
    }

    /// Judges the names of one listing of an instance together.
    package struct Judge {
        private let gate: IncomingGate
        private let local: (SyncPath) -> FileEntry?
        private let agreed: AgreedTree
        /// Folders that git would take for repositories once the local and the incoming files are together.
        private let repositories: Set<SyncPath>
        private let isRootRepository: Bool
        /// Folders that contain a file uploaded from here, and folders that contain a downloaded file that
        /// was created on the instance.
        private let sent: Set<SyncPath>
        private let born: Set<SyncPath>

        init(
            _ gate: IncomingGate, local: @escaping (SyncPath) -> FileEntry?, agreed: AgreedTree,
            remote: FileTree
        ) {
            self.gate = gate
            self.local = local
            self.agreed = agreed
            let root = SyncPath([])
            let (layouts, hasActing) = Self.survey(remote)
            let repositories = layouts.filter { folder, parts in
                var parts = parts
                for (name, part) in IncomingName.RepositoryParts.names where !parts.contains(part) {
                    let path = folder == root ? SyncPath(name) : folder.appending(name)
                    if local(path) != nil { parts.insert(part) }
                }
                return parts.isComplete
            }
            self.repositories = Set(repositories.keys.filter { $0 != root })
            self.isRootRepository = repositories[root] != nil
            var sent: Set<SyncPath> = []
            var born: Set<SyncPath> = []
            if hasActing {
                for (path, entry) in agreed {
                    for folder in path.ancestors {
                        let isNew =
                            entry.wasSent ? sent.insert(folder).inserted : born.insert(folder).inserted
                        if !isNew { break }
                    }
                }
            }
            self.sent = sent
            self.born = born
        }

        /// Returns the verdict on `path` as it is on the instance.
        package func verdict(on path: SyncPath, _ entry: FileEntry) -> Verdict {
            switch self.gate.verdict(onName: path, entry.kind) {
            case .refused(let reason, let place): return .refused(reason, at: place)
            case .accepted: return self.repositoryVerdict(path)
            case .stays(let place):
                if case .refused(let reason, let place) = self.repositoryVerdict(path) {
                    return .refused(reason, at: place)
                }
                if self.local(path) != nil || self.agreed[path]?.wasSent == true { return .beside }
                return self.cameFromThere(place.parent) ? .stays(place) : .beside
            case .beside: return .beside
            }
        }

        /// `true` if a folder, or one above it, first appeared on the instance, as a clone does.
        private func cameFromThere(_ folder: SyncPath?) -> Bool {
            guard let folder else { return false }
            if self.sent.contains(folder) { return false }
            if self.born.contains(folder) || self.local(folder) == nil { return true }
            return self.cameFromThere(folder.parent)
        }

        private func repositoryVerdict(_ path: SyncPath) -> Verdict {
            if self.isRootRepository, let part = path.parts.first,
                IncomingName.isRepositoryContent(part)
            {
                return .refused(.bareRepository, at: SyncPath(part))
            }
            guard !self.repositories.isEmpty else { return .accepted }
            for folder in path.ancestors where self.repositories.contains(folder) {
                let rest = path.bytes[(folder.bytes.count + 1)...]
                if IncomingName.isRepositoryContent(rest.prefix { $0 != SyncPath.slash }) {
                    return .refused(.bareRepository, at: folder)
                }
            }
            return .accepted
        }

        /// Returns which parts of a repository each remote folder has, and whether any name is one that
        /// programs act on.
        private static func survey(_ remote: FileTree) -> (
            layouts: [SyncPath: IncomingName.RepositoryParts], hasActing: Bool
        ) {
            var layouts: [SyncPath: IncomingName.RepositoryParts] = [:]
            var hasActing = false
            for path in remote.keys {
                var start = 0
                for index in 0...path.bytes.count
                where index == path.bytes.count || path.bytes[index] == SyncPath.slash {
                    let part = path.bytes[start..<index]
                    if !hasActing, IncomingName(part) == .acting { hasActing = true }
                    let found = IncomingName.repositoryPart(part)
                    if !found.isEmpty {
                        layouts[SyncPath(path.bytes[..<max(0, start - 1)]), default: []].formUnion(found)
                    }
                    start = index + 1
                }
            }
            return (layouts, hasActing)
        }
    }
}

extension IncomingReason {
    /// The reason in words; completes "PATH: …".
    package var words: String {
        switch self {
        case .impossible: "no file can have this name"
        case .tooLong: "its name is too long"
        case .kind: "it is neither a file, a folder nor a link"
        case .ownFolder: ".vp holds settings, which are taken only from this computer"
        case .repository: "git on this machine would run programs that a .git from an instance names"
        case .bareRepository:
            "git on this machine would treat it as a repository, and run programs that it names"
        case .ignoreFile: "only your own ignore file decides which files are uploaded"
        case .staging: "vp uses this name itself while it syncs"
        }
    }
}

extension SyncPath {
    /// The path's components from left to right, as slices of `bytes`.
    var parts: [ArraySlice<UInt8>] {
        self.bytes.split(separator: Self.slash, omittingEmptySubsequences: false)
    }

    func appending(_ name: String) -> SyncPath {
        SyncPath(self.bytes + [Self.slash] + Array(name.utf8))
    }
}
