/// The changes that a sync would make and the files that are not uploaded: for people and scripts, not for
/// the sync itself.
public struct SyncPreview: Hashable, Sendable {
    /// A file, link or empty folder, and what a sync would do with it.
    public struct Change: Hashable, Sendable {
        /// `send` and `delete` change the instance, `bring` changes this side, and a `conflict` overwrites
        /// neither.
        public enum Action: String, Hashable, Sendable, CaseIterable { case send, delete, bring, conflict }

        /// The action that would be taken.
        public enum Reason: String, Hashable, Sendable, CaseIterable {
            /// The instance has no file at that path.
            case newHere = "new here"
            /// It changed here since the last sync, and not on the instance.
            case changedHere = "changed here"
            /// The contents are the same, and the permissions changed here.
            case permissionsHere = "other permissions here"
            /// It was uploaded from here, nobody changed it on the instance, and it was deleted here.
            case goneHere = "sent before, and gone here"
            /// There is no local file at that path.
            case newThere = "new on the instance"
            /// It changed on the instance since the last sync, and not here.
            case changedThere = "changed on the instance"
            /// Both sides changed it since the last sync.
            case changedOnBoth = "changed on both sides"
            /// One side has a file or link where the other has a folder.
            case inTheWay = "something else is in its place"
        }

        /// The action that would be taken.
        public var action: Action
        /// Relative to the project's folder.
        public var path: String
        /// The size of the version that would be moved or removed, or of one side's version of a conflict.
        public var bytes: Int64
        /// The reason for the action.
        public var reason: Reason
    }

    /// The uploads, then the deletions on the instance, the downloads, and the conflicts.
    public var changes: [Change]
    /// The number of files that are the same on both sides.
    public var unchangedFiles: Int
    /// Files that are not uploaded, largest first.
    public var notSent: [NotSent]

    /// The total size of the changes with `action`.
    public func bytes(of action: Change.Action) -> Int64 {
        self.changes.saturatedSum { $0.action == action ? $0.bytes : 0 }
    }
}

/// A file or folder in the project that is not uploaded.
public struct NotSent: Hashable, Sendable {
    /// Relative to the project's folder; a folder's ends in a slash.
    public var path: String
    /// `true` for a folder that is excluded with everything in it.
    public var isFolder: Bool
    /// The total size of all files in it, or the size of the file.
    public var bytes: Int64
    /// The number of files in it; 1 for a file.
    public var files: Int
    /// `true` if counting was stopped early, so that the true numbers are larger.
    public var isAtLeast: Bool
    /// The rule that excludes it (`.vpignore:3: *.ckpt`), or the error if it cannot be read.
    public var reason: String
}

/// Tells if one path is uploaded, and which rule decides.
public struct PathExplanation: Hashable, Sendable {
    /// The result of a sync for one path.
    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        /// No rule excludes it.
        case sent
        /// A rule excludes it.
        case ignored
        /// A device, socket or pipe, which is never uploaded.
        case special
        /// There is no such file here.
        case missing
        /// It is not in the project's folder.
        case outside
    }

    /// Relative to the project's folder.
    public var path: String
    /// The result of a sync for this path.
    public var verdict: Verdict
    /// The deciding pattern, as it is written; nil if no rule matches.
    public var pattern: String?
    /// `.vpignore:3`, `built in` or `configuration`; nil without a pattern.
    public var origin: String?
    /// The state of the path on each instance that it was synced with.
    public var instances: [InstanceID: String]
}

extension SyncPreview {
    init(up: SyncPlan, down: SyncPlan, agreed: AgreedTree, notSent: [NotSent]) {
        var changes: [Change] = []
        func add(_ action: Change.Action, _ item: SyncPlan.Item, _ reason: Change.Reason) {
            changes.append(
                Change(action: action, path: item.path.description, bytes: item.size, reason: reason))
        }
        for item in up.transfers {
            let change = agreed[item.path].map { item.entry.change(since: $0.here) }
            let reason: Change.Reason =
                item.replaced == nil ? .newHere : change == .permissions ? .permissionsHere : .changedHere
            add(.send, item, reason)
        }
        for item in up.deletions { add(.delete, item, .goneHere) }
        for item in down.transfers { add(.bring, item, item.replaced == nil ? .newThere : .changedThere) }
        var seen = Set<SyncPath>()
        for item in up.conflicts + down.conflicts where seen.insert(item.path).inserted {
            add(.conflict, item, item.replaced == nil ? .inTheWay : .changedOnBoth)
        }
        self.init(
            changes: changes, unchangedFiles: min(up.unchangedFiles, down.unchangedFiles), notSent: notSent)
    }
}

extension LocalScan {
    /// Lists what `listing` excludes with its size, largest first. Folders with very many files are only
    /// partly counted.
    func notSent(_ listing: Listing) -> [NotSent] {
        listing.omissions.map { omission in
            let size = omission.isFolder ? self.size(below: omission.path, limit: 20_000) : nil
            let bytes = size?.bytes ?? self.entry(of: omission.path)?.size ?? 0
            return NotSent(
                path: omission.path.description + (omission.isFolder ? "/" : ""), isFolder: omission.isFolder,
                bytes: bytes, files: size?.files ?? 1, isAtLeast: size?.isCut ?? false,
                reason: omission.reason.words)
        }
        .sorted { ($0.bytes, $1.path) > ($1.bytes, $0.path) }
    }

    private func size(below folder: SyncPath, limit: Int) -> (bytes: Int64, files: Int, isCut: Bool) {
        var pending = [folder]
        var bytes: Int64 = 0
        var files = 0
        while let folder = pending.popLast() {
            for (path, entry) in self.contents(of: folder).items {
                if entry.kind == .folder {
                    pending.append(path)
                } else {
                    bytes += entry.size
                    files += 1
                }
                if files >= limit { return (bytes, files, true) }
            }
        }
        return (bytes, files, false)
    }

    func explain(_ path: SyncPath) -> PathExplanation {
        let rule = self.decision(on: path)
        let verdict: PathExplanation.Verdict =
            switch self.entry(of: path)?.kind {
            case nil: .missing
            case .other: .special
            case _ where rule.map { !$0.isNegated } ?? false: .ignored
            default: .sent
            }
        return PathExplanation(
            path: path.description, verdict: verdict,
            pattern: rule.map { String(decoding: $0.text, as: UTF8.self) }, origin: rule?.origin.words,
            instances: [:])
    }
}

extension LocalScan.Omission.Reason {
    var words: String {
        switch self {
        case .ignored(let rule): "\(rule.origin.words): \(String(decoding: rule.text, as: UTF8.self))"
        case .special: "neither file, folder nor link"
        case .unreadable(let problem): problem
        }
    }
}

extension IgnoreRule.Origin {
    var words: String {
        if let file = self.file { return "\(file):\(self.line)" }
        return self.line <= LocalScan.defaultIgnores.count ? "built in" : "configuration"
    }
}
