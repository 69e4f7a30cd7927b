/// The changes that a sync would make, decided from three trees: local, remote, and the state that both last
/// agreed on.
///
/// Pure: it reads files only through its parameters, and uses no connection.
package struct SyncPlan: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package var path: SyncPath
        /// The version that would move.
        package var entry: FileEntry
        /// The entry in its place on the other side, or nil if there is none.
        package var replaced: FileEntry?

        package var size: Int64 { self.entry.size }
    }

    /// A version on the instance that is not downloaded.
    package struct Refusal: Hashable, Sendable {
        package var item: Item
        /// nil for files that stay on the instance as part of a clone.
        package var reason: IncomingGate.Reason?
        /// The path reported for it: the file itself, or a folder that is refused as a whole.
        package var place: SyncPath
    }

    package enum Direction: Hashable, Sendable { case up, down }

    package let direction: Direction
    /// Items to move, in order of path.
    package var transfers: [Item] = []
    /// Items to remove on the instance: uploaded from here, unchanged there since, and deleted here.
    package var deletions: [Item] = []
    /// Items that changed on both sides since they last agreed, with the version of the side that is read.
    package var conflicts: [Item] = []
    /// Items that changed on the other side only, and are left as they are.
    package var keptOnOtherSide: [SyncPath] = []
    /// Items that both sides had, that were removed on the instance and are unchanged here: not uploaded
    /// again.
    package var removedThere: [SyncPath] = []
    /// Items that both sides had, that were removed here and are unchanged on the instance: not downloaded
    /// again.
    package var removedHere: [Item] = []
    /// Files that appear changed only by an inode's time, with the versions of both sides: only their
    /// contents can tell. They count as unchanged in this plan.
    package var doubts: [Item] = []
    /// Conflicts in which every file that is in the way on the instance also exists here.
    package var harmless: Set<SyncPath> = []
    /// Items that would move, but are outside the selection.
    package var unselected: [Item] = []
    /// Items that the settings leave on the instance.
    package var keptThere: [Item] = []
    package var unchangedFiles = 0
    /// Items that the gate keeps on the instance, in order of path.
    package var refused: [Refusal] = []
    /// Items that turned out to be the same on both sides, for the next agreed state.
    package var agreed: AgreedTree = [:]

    package init(_ direction: Direction) { self.direction = direction }

    package var totalBytes: Int64 { self.transfers.totalSize }

    /// `true` if nothing would be moved, removed or moved aside.
    package var isEmpty: Bool {
        self.transfers.isEmpty && self.deletions.isEmpty && self.conflicts.isEmpty
    }

    /// Plans an upload.
    ///
    /// No file that was created or changed on the instance is overwritten or deleted: if it differs from the
    /// agreed state, the local version is held back, and it is a conflict if that one changed as well. A file
    /// that was removed there and is unchanged here stays removed, unless nothing at all is left there of
    /// what both sides had: then it is another disk.
    ///
    /// `entry` answers for any local path, ignored ones included: a file that became ignored after it was
    /// uploaded does not count as deleted.
    /// - Parameters:
    ///   - isSameDisk: `true` if the remote workspace is known to be the one that was uploaded to before.
    ///   - sendsAgain: `true` for files that were removed there and are to be uploaded nevertheless.
    package static func upload(
        local: FileTree, entry: (SyncPath) -> FileEntry?, agreed: AgreedTree, remote: FileTree,
        remoteFolders: Set<SyncPath> = [], isSameDisk: Bool = false,
        sendsAgain: (SyncPath) -> Bool = { _ in false }
    ) -> SyncPlan {
        var plan = SyncPlan(.up)
        // A single file of the same name may come from the instance's image.
        let isSameDisk =
            isSameDisk
            || agreed.contains { path, base in
                remote[path].map { $0.kind != .folder && $0.change(since: base.there) != .content } ?? false
            }
        lazy var unknown = Self.unknownPlaces(remote, agreed)
        func addConflict(_ item: Item) {
            plan.conflicts.append(item)
            guard item.replaced.map({ $0.kind != item.entry.kind }) ?? true else { return }
            let place = ([item.path] + Array(item.path.ancestors)).first {
                remote[$0].map { $0.kind != .folder } ?? remoteFolders.contains($0)
            }
            if let place, !unknown.contains(place) { plan.harmless.insert(item.path) }
        }
        // Local folders in whose place the instance has a file or link of its own.
        var blocked: [SyncPath: Bool] = [:]
        func isBlocked(_ path: SyncPath) -> Bool {
            guard let folder = path.parent else { return false }
            if let known = blocked[folder] { return known }
            let there = remote[folder]
            let isInTheWay = there.map { $0.kind != .folder && !Self.maySpare($0, agreed[folder]) } ?? false
            let answer = isInTheWay || isBlocked(folder)
            blocked[folder] = answer
            return answer
        }
        for (path, here) in local {
            let base = agreed[path]
            guard let there = remote[path] else {
                let isInTheWay = isBlocked(path) || (here.kind != .folder && remoteFolders.contains(path))
                if let base, here.change(since: base.here).isSpare, isSameDisk, !sendsAgain(path) {
                    if isInTheWay {
                        plan.keptOnOtherSide.append(path)
                    } else if !remoteFolders.contains(path) {
                        plan.removedThere.append(path)
                    }
                } else if isInTheWay {
                    addConflict(Item(path: path, entry: here))
                } else if here.kind != .folder || !remoteFolders.contains(path) {
                    plan.transfers.append(Item(path: path, entry: here))
                }
                continue
            }
            if there.kind == .folder && here.kind != .folder {
                // The folder is empty, else it would not be in the tree.
                plan.transfers.append(Item(path: path, entry: here, replaced: there))
                continue
            }
            if here.kind == .folder && there.kind != .folder && !Self.maySpare(there, base) {
                // An empty folder has no content that would need to be uploaded.
                plan.keptOnOtherSide.append(path)
                continue
            }
            let (change, changeThere, isDoubtful) = Self.changes(here, there, base)
            if isDoubtful { plan.doubts.append(Item(path: path, entry: here, replaced: there)) }
            if Self.isSurelySame(here, there) {
                plan.unchangedFiles += 1
                plan.agreed[path] = AgreedEntry(
                    here: here, there: there, wasSent: base?.wasSent ?? false)
            } else if changeThere != .content {
                if change == .none {
                    plan.unchangedFiles += 1
                } else {
                    plan.transfers.append(Item(path: path, entry: here, replaced: there))
                }
            } else if change != .content {
                plan.keptOnOtherSide.append(path)
            } else {
                addConflict(Item(path: path, entry: here, replaced: there))
            }
        }
        for (path, base) in agreed where local[path] == nil {
            guard let there = remote[path], Self.maySpare(there, base) else { continue }
            if let here = entry(path), here.kind != .folder || base.here.kind == .folder { continue }
            plan.deletions.append(Item(path: path, entry: there))
        }
        plan.sort()
        return plan
    }

    /// Plans a download.
    ///
    /// No local file that changed since the agreed state is overwritten: the remote version of such a file
    /// becomes a conflict copy beside it. Nothing is deleted here. A file that is unchanged on the instance
    /// and was deleted here stays deleted.
    ///
    /// `local` answers for any path, ignored ones included, and returns nil for paths below a link. `refused`
    /// lists the items that `gate` rejects.
    /// - Parameter bringsAgain: `true` for files that were deleted here and are to be downloaded
    ///   nevertheless.
    package static func download(
        local: @escaping (SyncPath) -> FileEntry?, agreed: AgreedTree, remote: FileTree,
        gate: IncomingGate = IncomingGate(), bringsAgain: (SyncPath) -> Bool = { _ in false }
    ) -> SyncPlan {
        var plan = SyncPlan(.down)
        let judge = IncomingGate.Judge(gate, local: local, agreed: agreed, remote: remote)
        // Remote folders in whose place a file or link exists here.
        var blocked: [SyncPath: Bool] = [:]
        func isBlocked(_ path: SyncPath) -> Bool {
            guard let folder = path.parent else { return false }
            if let known = blocked[folder] { return known }
            let kind = local(folder)?.kind
            let answer = isBlocked(folder) || !(kind == nil || kind == .folder)
            blocked[folder] = answer
            return answer
        }
        func bring(_ item: Item, isConflict: Bool) {
            switch judge.verdict(on: item.path, item.entry) {
            case .accepted where !isConflict: plan.transfers.append(item)
            case .accepted: plan.conflicts.append(item)
            case .beside:
                // An empty folder has no content that could be lost, and a conflict copy of it would only be
                // in the way.
                guard item.entry.kind != .folder else {
                    plan.unchangedFiles += 1
                    return
                }
                var item = item
                // An empty folder, which an instance can create first, must not let a file into its place.
                if item.replaced?.kind == .folder { item.replaced = nil }
                plan.conflicts.append(item)
            case .refused(let reason, let place):
                plan.refused.append(Refusal(item: item, reason: reason, place: place))
            case .stays(let place): plan.refused.append(Refusal(item: item, reason: nil, place: place))
            }
        }
        for (path, there) in remote {
            let base = agreed[path]
            guard let here = local(path) else {
                let item = Item(path: path, entry: there)
                let isBehindLink = isBlocked(path)
                if let base, there.change(since: base.there).isSpare, isBehindLink || !bringsAgain(path) {
                    // Files below a local link were saved beside it.
                    if !isBehindLink, there.kind != .folder { plan.removedHere.append(item) }
                    continue
                }
                bring(item, isConflict: isBehindLink)
                continue
            }
            let (change, changeThere, isDoubtful) = Self.changes(here, there, base)
            if isDoubtful { plan.doubts.append(Item(path: path, entry: there, replaced: here)) }
            if Self.isSurelySame(here, there) {
                plan.unchangedFiles += 1
                plan.agreed[path] = AgreedEntry(
                    here: here, there: there, wasSent: base?.wasSent ?? false)
            } else if changeThere == .none || (changeThere == .permissions && change != .none) {
                if change == .content { plan.keptOnOtherSide.append(path) } else { plan.unchangedFiles += 1 }
            } else if change != .content {
                bring(Item(path: path, entry: there, replaced: here), isConflict: false)
            } else if there.kind == .folder {
                // An empty folder has no content that could be lost, no matter which file is in its place.
                plan.unchangedFiles += 1
            } else {
                bring(Item(path: path, entry: there, replaced: here), isConflict: true)
            }
        }
        plan.sort()
        return plan
    }

    /// `true` if two versions count as the same without reading them. A file that is not known from an
    /// earlier sync, or that changed on both sides, is a conflict until its contents were compared.
    private static func isSurelySame(_ here: FileEntry, _ there: FileEntry) -> Bool {
        here.kind != .file && here.isSameVersion(as: there)
    }

    /// Returns how each side changed since both agreed. A version whose change is unclear counts as changed
    /// if the other side did change, else as unchanged and doubtful.
    private static func changes(
        _ here: FileEntry, _ there: FileEntry, _ base: AgreedEntry?
    ) -> (here: FileEntry.Change, there: FileEntry.Change, isDoubtful: Bool) {
        guard let base else { return (.content, .content, false) }
        let (change, changeThere) = (here.change(since: base.here), there.change(since: base.there))
        guard change == .unclear || changeThere == .unclear else { return (change, changeThere, false) }
        if change == .content || changeThere == .content { return (.content, .content, false) }
        return (
            change == .unclear ? .none : change, changeThere == .unclear ? .none : changeThere, true
        )
    }

    /// `true` for a version on the instance that was uploaded from here and has not changed since.
    private static func maySpare(_ there: FileEntry, _ base: AgreedEntry?) -> Bool {
        base.map { $0.wasSent && there.change(since: $0.there).isSpare } ?? false
    }

    /// Remote files that exist nowhere here, and the folders that contain them.
    private static func unknownPlaces(_ remote: FileTree, _ agreed: AgreedTree) -> Set<SyncPath> {
        var places: Set<SyncPath> = []
        for (path, there) in remote where there.kind != .folder {
            if let base = agreed[path], there.change(since: base.there).isSpare { continue }
            places.insert(path)
            for folder in path.ancestors where !places.insert(folder).inserted { break }
        }
        return places
    }

    private mutating func sort() {
        self.transfers.sort { $0.path < $1.path }
        self.deletions.sort { $0.path < $1.path }
        self.conflicts.sort { $0.path < $1.path }
        self.keptOnOtherSide.sort()
        self.removedThere.sort()
        self.removedHere.sort { $0.path < $1.path }
        self.doubts.sort { $0.path < $1.path }
        self.refused.sort { $0.item.path < $1.item.path }
    }
}

extension Sequence<SyncPlan.Item> {
    /// In bytes. A listing may claim any size: an overflowing sum is the largest `Int64`.
    package var totalSize: Int64 {
        self.reduce(0) { sum, item in
            let (total, overflows) = sum.addingReportingOverflow(Swift.max(0, item.size))
            return overflows ? .max : total
        }
    }
}

extension FileEntry.Change {
    /// `true` if the content is certainly unchanged.
    var isSpare: Bool { self == .none || self == .permissions }
}
