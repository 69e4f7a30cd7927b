/// The files of a workspace that a sync covers: all of them if no path is given.
package struct PathSelection: Hashable, Sendable {
    /// Relative to the workspace; an empty path means all of it. A folder stands for everything in it, and
    /// `*` has its meaning from ignore files.
    package let paths: [SyncPath]
    /// In `.gitignore` syntax.
    package let excludes: [String]

    package static let all = PathSelection()

    package init(paths: [String] = [], excludes: [String] = []) {
        self.paths = paths.map { SyncPath(withoutSlash: $0) }
        self.excludes = excludes
    }

    package var isAll: Bool { self.paths.isEmpty && self.excludes.isEmpty }

    /// A value that matches many paths against this selection.
    package var matcher: Matcher { Matcher(self) }

    package struct Matcher: Sendable {
        private let paths: [(path: SyncPath, pattern: IgnoreRules)]
        private let excluded: IgnoreRules?

        init(_ selection: PathSelection) {
            self.paths = selection.paths.map { path in
                let pattern = "/" + String(decoding: path.bytes, as: UTF8.self)
                return (path, IgnoreRules(defaults: [pattern]))
            }
            self.excluded = selection.excludes.isEmpty ? nil : IgnoreRules(defaults: selection.excludes)
        }

        /// `true` if the sync covers `path`.
        func includes(_ path: SyncPath) -> Bool {
            (self.paths.isEmpty || self.isNamed(path)) && self.excluded?.holds(for: path) != true
        }

        /// `true` if `path` was selected by name, and not only because everything is.
        func names(_ path: SyncPath) -> Bool { self.isNamed(path) && self.excluded?.holds(for: path) != true }

        private func isNamed(_ path: SyncPath) -> Bool {
            self.paths.contains { Self.covers($0, path) }
        }

        /// The first of the selected paths that matches nothing in `tree`.
        func unmatched(in tree: FileTree) -> SyncPath? {
            self.paths.first { named in !tree.keys.contains { Self.covers(named, $0) } }?.path
        }

        private static func covers(_ named: (path: SyncPath, pattern: IgnoreRules), _ path: SyncPath) -> Bool
        {
            named.path.bytes.isEmpty || path == named.path || path.isBelow(named.path)
                || named.pattern.holds(for: path)
        }
    }
}

extension IgnoreRules {
    /// `true` if a rule matches `path` or a folder above it; with `mayBeFolder`, `path` itself may be a
    /// folder.
    func holds(for path: SyncPath, mayBeFolder: Bool = false) -> Bool {
        if let rule = self.decision(on: path.bytes, isFolder: false) { return !rule.isNegated }
        return ((mayBeFolder ? [path] : []) + Array(path.ancestors)).contains { folder in
            self.decision(on: folder.bytes, isFolder: true).map { !$0.isNegated } ?? false
        }
    }
}

extension SyncPlan {
    /// Removes the items that `matcher` does not cover.
    mutating func select(_ matcher: PathSelection.Matcher) {
        func take(_ items: inout [Item]) {
            self.unselected += items.filter { !matcher.includes($0.path) }
            items.removeAll { !matcher.includes($0.path) }
        }
        take(&self.transfers)
        take(&self.conflicts)
        self.deletions.removeAll { !matcher.includes($0.path) }
    }
}

extension SyncPath {
    /// The path of a file or folder; a slash at the end, which marks a folder, is left out.
    init(withoutSlash path: String) {
        self.init(path.utf8.reversed().drop { $0 == Self.slash }.reversed())
    }
}
