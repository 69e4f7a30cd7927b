/// What a sync would do, and what is not sent: for people and scripts, not for the sync itself.
public struct SyncPreview: Hashable, Sendable {
    public struct Change: Hashable, Sendable {
        public enum Action: String, Hashable, Sendable, CaseIterable { case send, delete, bring, conflict }

        public enum Reason: String, Hashable, Sendable, CaseIterable {
            case newHere = "new here"
            case changedHere = "changed here"
            case permissionsHere = "other permissions here"
            case goneHere = "sent before, and gone here"
            case newThere = "new on the instance"
            case changedThere = "changed on the instance"
            case changedOnBoth = "changed on both sides"
            case inTheWay = "something else is in its place"
        }

        public var action: Action
        public var path: String
        public var bytes: Int64
        public var reason: Reason
    }

    public var changes: [Change]
    public var unchangedFiles: Int
    /// Largest first.
    public var notSent: [NotSent]

    public func bytes(of action: Change.Action) -> Int64 {
        self.changes.saturatedSum { $0.action == action ? $0.bytes : 0 }
    }
}

/// Something in the project that is not sent.
public struct NotSent: Hashable, Sendable {
    public var path: String
    public var isFolder: Bool
    public var bytes: Int64
    public var files: Int
    /// True where counting was ended early: it is more than that.
    public var isAtLeast: Bool
    public var reason: String
}

/// Whether one path is sent, and what decides it.
public struct PathExplanation: Hashable, Sendable {
    public enum Verdict: String, Hashable, Sendable, CaseIterable {
        case sent, ignored, special, missing, outside
    }

    /// Below the project's folder.
    public var path: String
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
