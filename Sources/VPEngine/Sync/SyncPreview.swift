/// What a sync would do, and what is not sent: for people and scripts, not for the sync itself.
public struct SyncPreview: Hashable, Sendable {
    /// A file, link or empty folder, and what a sync would do about it.
    public struct Change: Hashable, Sendable {
        /// `send` and `delete` change the instance, `bring` changes this side, and a `conflict` overwrites
        /// neither.
        public enum Action: String, Hashable, Sendable, CaseIterable { case send, delete, bring, conflict }

        /// Why that would be done, in words.
        public enum Reason: String, Hashable, Sendable, CaseIterable {
            /// The instance has none of that path.
            case newHere = "new here"
            /// It changed here since the last sync, and not on the instance.
            case changedHere = "changed here"
            /// The contents are the same, and its permissions changed here.
            case permissionsHere = "other permissions here"
            /// It was sent from here, nobody changed it on the instance, and it is gone here.
            case goneHere = "sent before, and gone here"
            /// There is none of that path here.
            case newThere = "new on the instance"
            /// It changed on the instance since the last sync, and not here.
            case changedThere = "changed on the instance"
            /// Both sides changed it since the last sync.
            case changedOnBoth = "changed on both sides"
            /// A file or link stands on one side where the other has a folder.
            case inTheWay = "something else is in its place"
        }

        /// What would be done.
        public var action: Action
        /// Relative to the project's folder.
        public var path: String
        /// The size of the version that would be moved or removed, or of one side's version of a conflict.
        public var bytes: Int64
        /// Why it would be done.
        public var reason: Reason
    }

    /// What would be sent, then what would be removed there, what would be brought, and the conflicts.
    public var changes: [Change]
    /// Files that are the same on both sides.
    public var unchangedFiles: Int
    /// Largest first.
    public var notSent: [NotSent]

    /// The total size of the changes with `action`.
    public func bytes(of action: Change.Action) -> Int64 {
        self.changes.saturatedSum { $0.action == action ? $0.bytes : 0 }
    }
}

/// Something in the project that is not sent.
public struct NotSent: Hashable, Sendable {
    /// Relative to the project's folder; a folder's ends in a slash.
    public var path: String
    /// True where all that is in it is left out with it.
    public var isFolder: Bool
    /// The sizes of all files in it, or its own.
    public var bytes: Int64
    /// How many files are in it; 1 for a file.
    public var files: Int
    /// True where counting was ended early: it is more than that.
    public var isAtLeast: Bool
    /// Which rule leaves it out (`.vpignore:3: *.ckpt`), or why it cannot be read.
    public var reason: String
}

/// Whether one path is sent, and what decides it.
public struct PathExplanation: Hashable, Sendable {
    /// What a sync makes of a path.
    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        /// No rule leaves it out.
        case sent
        /// A rule leaves it out.
        case ignored
        /// A device, socket or pipe, which is never sent.
        case special
        /// There is no such file here.
        case missing
        /// It is not below the project's folder.
        case outside
    }

    /// Below the project's folder.
    public var path: String
    /// What a sync makes of it.
    public var verdict: Verdict
    /// The pattern that decides, as it is written; nil where none speaks of it.
    public var pattern: String?
    /// `.vpignore:3`, `built in` or `configuration`; nil without a pattern.
    public var origin: String?
    /// How it stands with each instance it was synced with.
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
    /// Names what `listing` leaves out with its size, largest first. Folders with very many files are counted
    /// in part.
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
