/// What a sync would move, decided from three trees: here, there, and what both last agreed on.
///
/// Pure: no file is looked at, no connection is used.
package struct SyncPlan: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package var path: SyncPath
        package var size: Int64
    }

    /// Files to move, in order of path.
    package var transfers: [Item] = []
    /// Files to remove on the instance: sent from here, changed by nobody since, and gone here.
    package var deletions: [SyncPath] = []
    /// Changed on both sides since they last agreed.
    package var conflicts: [Item] = []
    /// Changed on the other side alone, so left as they are.
    package var keptOnOtherSide: [SyncPath] = []
    package var unchangedFiles = 0
    /// Files that are the same on both sides, for the next agreed state.
    package var agreed: FileTree = [:]

    package var totalBytes: Int64 { self.transfers.reduce(0) { $0 + $1.size } }

    package var isEmpty: Bool {
        self.transfers.isEmpty && self.deletions.isEmpty && self.conflicts.isEmpty
    }

    /// Decides what goes up.
    ///
    /// Nothing born or changed on the instance is overwritten or deleted: where it differs from the agreed
    /// state the local version is kept back, and called a conflict if it changed as well.
    package static func upload(local: FileTree, agreed: FileTree, remote: FileTree) -> SyncPlan {
        var plan = SyncPlan()
        for (path, here) in local {
            let there = remote[path]
            let base = agreed[path]
            if let there, there.isSameVersion(as: here) {
                plan.unchangedFiles += 1
                plan.agreed[path] = here
            } else if there == nil || Self.isSame(there, base) {
                plan.transfers.append(Item(path: path, size: here.size))
            } else if Self.isSame(here, base) {
                plan.keptOnOtherSide.append(path)
            } else {
                plan.conflicts.append(Item(path: path, size: here.size))
            }
        }
        for (path, base) in agreed where local[path] == nil {
            guard let there = remote[path], there.isSameVersion(as: base) else { continue }
            plan.deletions.append(path)
        }
        plan.sort()
        return plan
    }

    /// Decides what comes down.
    ///
    /// No local file changed since the agreed state is overwritten: the remote version of such a file is a
    /// conflict, to be written beside it. Nothing is deleted here. A file that was sent, is unchanged there
    /// and was deleted here stays deleted.
    ///
    /// `local` answers for any path, ignored ones included.
    package static func download(local: (SyncPath) -> FileEntry?, agreed: FileTree, remote: FileTree)
        -> SyncPlan
    {
        var plan = SyncPlan()
        for (path, there) in remote {
            let base = agreed[path]
            guard let here = local(path) else {
                if !Self.isSame(there, base) { plan.transfers.append(Item(path: path, size: there.size)) }
                continue
            }
            if here.isSameVersion(as: there) {
                plan.unchangedFiles += 1
                plan.agreed[path] = here
            } else if Self.isSame(here, base) {
                plan.transfers.append(Item(path: path, size: there.size))
            } else if Self.isSame(there, base) {
                plan.keptOnOtherSide.append(path)
            } else {
                plan.conflicts.append(Item(path: path, size: there.size))
            }
        }
        plan.sort()
        return plan
    }

    private static func isSame(_ entry: FileEntry?, _ base: FileEntry?) -> Bool {
        guard let entry, let base else { return false }
        return entry.isSameVersion(as: base)
    }

    private mutating func sort() {
        self.transfers.sort { $0.path < $1.path }
        self.deletions.sort()
        self.conflicts.sort { $0.path < $1.path }
        self.keptOnOtherSide.sort()
    }
}
