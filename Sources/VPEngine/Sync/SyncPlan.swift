/// What a sync would move, decided from three trees: here, there, and what both last agreed on.
///
/// Pure: no file is looked at but through what is passed in, no connection is used.
package struct SyncPlan: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package var path: SyncPath
        /// The version that would move.
        package var entry: FileEntry
        /// What is in its place on the other side; nil where nothing is.
        package var replaced: FileEntry?

        package var size: Int64 { self.entry.size }
    }

    /// A version on the instance that does not come.
    package struct Refusal: Hashable, Sendable {
        package var item: Item
        /// nil for what stays there as a part of a clone.
        package var reason: IncomingGate.Reason?
        /// What is named for it: itself, or a folder of which all is refused.
        package var place: SyncPath
    }

    package enum Direction: Hashable, Sendable { case up, down }

    package let direction: Direction
    /// To move, in order of path.
    package var transfers: [Item] = []
    /// To remove on the instance: sent from here, changed by nobody since, and gone here.
    package var deletions: [Item] = []
    /// Changed on both sides since they last agreed, with the version of the side that is read.
    package var conflicts: [Item] = []
    /// Changed on the other side alone, so left as they are.
    package var keptOnOtherSide: [SyncPath] = []
    /// What both sides had, was removed on the instance, and is unchanged here: not sent again.
    package var removedThere: [SyncPath] = []
    /// What both sides had, was removed here, and is unchanged there: not brought again.
    package var removedHere: [Item] = []
    /// Files of which nothing but an inode's time says that they changed,
    /// with the versions of both sides: only their contents can tell. They count as unchanged here.
    package var doubts: [Item] = []
    /// Conflicts in which all that stands in the way on the instance is here as well.
    package var harmless: Set<SyncPath> = []
    /// What was not asked for, of what would move otherwise.
    package var unselected: [Item] = []
    /// What the settings leave on the instance.
    package var keptThere: [Item] = []
    package var unchangedFiles = 0
    /// What the gate keeps there, in order of path.
    package var refused: [Refusal] = []
    /// What was found to be the same on both sides, for the next agreed state.
    package var agreed: AgreedTree = [:]

    package init(_ direction: Direction) { self.direction = direction }

    package var totalBytes: Int64 { self.transfers.totalSize }

    /// True where nothing would be moved, removed or set aside.
    package var isEmpty: Bool {
        self.transfers.isEmpty && self.deletions.isEmpty && self.conflicts.isEmpty
    }

    /// Decides what goes up.
    ///
    /// Nothing born or changed on the instance is overwritten or deleted: where it differs from the agreed
    /// state the local version is kept back, and called a conflict if it changed as well.
    /// What was removed there and is unchanged here stays removed, unless nothing at all is left there of
    /// what both sides had: then it is another disk.
    ///
    /// `entry` answers for any path here, ignored ones included:
    /// what is ignored since it was sent is not gone.
    /// - Parameters:
    ///   - isSameDisk: the workspace there is known to be the one that was sent to before.
    ///   - sendsAgain: for what was removed there and is to be sent nevertheless.
    package static func upload(
        local: FileTree, entry: (SyncPath) -> FileEntry?, agreed: AgreedTree, remote: FileTree,
        remoteFolders: Set<SyncPath> = [], isSameDisk: Bool = false,
        sendsAgain: (SyncPath) -> Bool = { _ in false }
    ) -> SyncPlan {
        var plan = SyncPlan(.up)
        // A file of the same name may be one that an image brings along.
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
        // Folders that would lie where the instance has a file or link of its own.
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
                // It is empty, else it would not be in the tree.
                plan.transfers.append(Item(path: path, entry: here, replaced: there))
                continue
            }
            if here.kind == .folder && there.kind != .folder && !Self.maySpare(there, base) {
                // An empty folder is no content that would have to get there.
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

    /// Decides what comes down.
    ///
    /// No local file changed since the agreed state is overwritten: the remote version of such a file is a
    /// conflict, to be written beside it. Nothing is deleted here.
    /// A file that is unchanged there and was deleted here stays deleted.
    ///
    /// `local` answers for any path, ignored ones included, and for none below a link.
    /// What `gate` does not let in stands in `refused`.
    /// - Parameter bringsAgain: for what was deleted here and is to come nevertheless.
    package static func download(
        local: @escaping (SyncPath) -> FileEntry?, agreed: AgreedTree, remote: FileTree,
        gate: IncomingGate = IncomingGate(), bringsAgain: (SyncPath) -> Bool = { _ in false }
    ) -> SyncPlan {
        var plan = SyncPlan(.down)
        let judge = IncomingGate.Judge(gate, local: local, agreed: agreed, remote: remote)
        // Folders there in whose place a file or link is here.
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
                // An empty folder is no content that could be lost, and beside it would only be in the way.
                guard item.entry.kind != .folder else {
                    plan.unchangedFiles += 1
                    return
                }
                var item = item
                // An empty folder, which an instance can make first, is no way into its place.
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
                    // What lies behind a link here was put beside it.
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
                // Whatever is in its place, an empty folder is no content that could be lost.
                plan.unchangedFiles += 1
            } else {
                bring(Item(path: path, entry: there, replaced: here), isConflict: true)
            }
        }
        plan.sort()
        return plan
    }

    /// True where two versions need not be read to be called the same.
    /// A file that is not known from an earlier sync, or changed on both sides, is a conflict until its
    /// contents were compared.
    private static func isSurelySame(_ here: FileEntry, _ there: FileEntry) -> Bool {
        here.kind != .file && here.isSameVersion(as: there)
    }

    /// What became of each side since both agreed. A version of which that is not clear counts as changed
    /// where the other side did change, else as unchanged and doubtful.
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

    /// True for a version on the instance that was sent from here and that nobody changed since.
    private static func maySpare(_ there: FileEntry, _ base: AgreedEntry?) -> Bool {
        base.map { $0.wasSent && there.change(since: $0.there).isSpare } ?? false
    }

    /// Files there that nobody here has, and the folders that they are in.
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
    /// In bytes. A listing may claim any size: a sum that is too large is the largest there is.
    package var totalSize: Int64 {
        self.reduce(0) { sum, item in
            let (total, overflows) = sum.addingReportingOverflow(Swift.max(0, item.size))
            return overflows ? .max : total
        }
    }
}

extension FileEntry.Change {
    /// Its content is surely what it was.
    var isSpare: Bool { self == .none || self == .permissions }
}
