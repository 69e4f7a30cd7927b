import Foundation

/// The files that the settings leave on an instance, even at its end.
extension EngineConfiguration.Sync {
    /// Tells if a path, or a folder above it, matches `sync.keep_there`.
    var keepsThere: (SyncPath) -> Bool {
        let patterns = self.keepThere.filter(Self.isPart)
        guard !patterns.isEmpty else { return { _ in false } }
        let rules = IgnoreRules(defaults: patterns)
        return { rules.holds(for: $0, mayBeFolder: true) }
    }

    /// A size as `12.3 MB`.
    static func words(_ bytes: Double) -> String { "\(Figures.fixed(bytes / 1e6, 1)) MB" }

    /// `false` for a pattern that matches everything: one line would give up a whole workspace.
    private static func isPart(_ pattern: String) -> Bool {
        !pattern.allSatisfy { "*/. ?!".contains($0) }
    }
}

extension SyncPlan {
    /// Moves the items that the settings leave on the instance to `keptThere`, unless they were selected by
    /// name.
    mutating func leave(
        _ settings: EngineConfiguration.Sync, unless isNamed: (SyncPath) -> Bool = { _ in false }
    ) {
        guard !settings.keepThere.isEmpty else { return }
        let keepsThere = settings.keepsThere
        func stays(_ item: Item) -> Bool { keepsThere(item.path) && !isNamed(item.path) }
        self.keptThere += (self.transfers + self.conflicts).filter(stays)
        self.transfers.removeAll(where: stays)
        self.conflicts.removeAll(where: stays)
    }

    /// The items that stay on the instance, as one line for each top-level folder, with its size.
    var wordsForWhatIsKept: [String] {
        Dictionary(grouping: self.keptThere) { item in
            SyncPath(item.path.bytes.prefix { $0 != SyncPath.slash })
        }.sorted { $0.key < $1.key }.map { name, items in
            let size = Double(items.totalSize)
            return "\(name) (\(EngineConfiguration.Sync.words(size))): sync.keep_there"
        }
    }
}
