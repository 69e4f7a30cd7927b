/// Compares both sides of a workspace: the changes that a sync would upload, and the files on the instance.
public struct WorkspaceReport: Hashable, Sendable {
    /// The comparison of a file on the instance with the local one.
    public enum Safety: Hashable, Sendable {
        /// The file is the same here and on the instance.
        case safe
        /// The file exists only on the instance, or is newer there: a destroy would lose it.
        case onlyThere
        /// The file changed on both sides.
        case conflict
        /// The file changed here since it was uploaded.
        case newerHere
    }

    /// A file or link on the instance.
    public struct File: Hashable, Sendable {
        /// Relative to the workspace.
        public var path: String
        /// The size on the instance.
        public var bytes: Int64
        /// Tells if a destroy would lose it.
        public var safety: Safety

        /// Creates a description of a file on the instance, compared with this side.
        public init(path: String, bytes: Int64, safety: Safety) {
            self.path = path
            self.bytes = bytes
            self.safety = safety
        }
    }

    /// A file, link or empty folder here.
    public struct Item: Hashable, Sendable {
        /// Relative to the project's folder.
        public var path: String
        /// The size here.
        public var bytes: Int64

        /// Creates an item of that size.
        public init(path: String, bytes: Int64) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// Files that `sync` would upload, largest first.
    public var uploads: [Item]
    /// Files that it would remove on the instance: uploaded from here, and deleted here.
    public var deletions: [String]
    /// Files that it would leave alone because both sides changed them.
    public var conflicts: [Item]
    /// Everything on the instance, largest first.
    public var files: [File]

    /// Creates a report of these lists, which are kept in the given order.
    public init(uploads: [Item], deletions: [String], conflicts: [Item], files: [File]) {
        self.uploads = uploads
        self.deletions = deletions
        self.conflicts = conflicts
        self.files = files
    }
}

extension WorkspaceSync {
    package func compared() async throws(EngineError) -> WorkspaceReport {
        let (_, remote, up, down, _) = try await self.lookAtBoth()
        let onlyThere = Set(down.transfers.map(\.path))
        let conflicts = Set(down.conflicts.map(\.path))
        let newerHere = Set(down.keptOnOtherSide)
        func items(_ items: [SyncPlan.Item]) -> [WorkspaceReport.Item] {
            items.sorted { ($1.size, $0.path) < ($0.size, $1.path) }.map {
                WorkspaceReport.Item(path: $0.path.description, bytes: $0.size)
            }
        }
        let files = remote.files.filter { $0.value.kind != .folder }.sorted {
            ($1.value.size, $0.key) < ($0.value.size, $1.key)
        }.map { path, entry in
            let safety: WorkspaceReport.Safety =
                if onlyThere.contains(path) {
                    .onlyThere
                } else if conflicts.contains(path) {
                    .conflict
                } else if newerHere.contains(path) {
                    .newerHere
                } else {
                    .safe
                }
            return WorkspaceReport.File(path: path.description, bytes: entry.size, safety: safety)
        }
        return WorkspaceReport(
            uploads: items(up.transfers), deletions: up.deletions.map(\.path.description),
            conflicts: items(up.conflicts), files: files)
    }
}
