/// The rules that hold in one folder: its own ignore file's, those of the folders above, and the defaults.
///
/// git's exact semantics: the last matching rule of the nearest file that has one decides,
/// and nothing below an ignored folder can be asked for again. Written here and not asked of git, because
/// `git check-ignore` reads no other file name than `.gitignore`, and `git ls-files` neither says why nor
/// shows empty folders, and loses the outer rules inside a nested repository.
struct IgnoreRules: Sendable {
    private struct Level: Sendable {
        /// How many bytes of a path stand before what this level's patterns are compared with.
        var prefixLength: Int
        var rules: IgnoreRuleTable
    }

    /// Nearest last.
    private var levels: [Level]
    private let always: IgnoreRuleTable

    /// `defaults` hold everywhere, and any ignore file overrules them; none overrules `always`.
    init(defaults: [String], always: [IgnoreRule] = []) {
        self.levels = [Level(prefixLength: 0, rules: IgnoreRuleTable(Self.rules(defaults)))]
        self.always = IgnoreRuleTable(always)
    }

    /// Rules that stand in no file.
    static func rules(_ patterns: [String]) -> [IgnoreRule] {
        patterns.enumerated().compactMap { index, text in
            IgnoreRule(line: Array(text.utf8)[...], origin: .init(file: nil, line: index + 1))
        }
    }

    /// The same rules and those of an ignore file in `folder`; nil is the root.
    func adding(_ content: [UInt8], of file: SyncPath, in folder: SyncPath?) -> IgnoreRules {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = content.starts(with: byteOrderMark) ? content.dropFirst(3) : content[...]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rules = lines.enumerated().compactMap { index, line in
            // What git reads as C strings ends at a NUL.
            IgnoreRule(line: line.prefix { $0 != 0 }, origin: .init(file: file, line: index + 1))
        }
        guard !rules.isEmpty else { return self }
        var copy = self
        copy.levels.append(
            Level(prefixLength: folder.map { $0.bytes.count + 1 } ?? 0, rules: IgnoreRuleTable(rules)))
        return copy
    }

    /// The rule that decides on `path`, whose folders are not ignored; nil where none speaks of it.
    func decision(on path: [UInt8], isFolder: Bool) -> IgnoreRule? {
        let name = path.lastIndex(of: SyncPath.slash).map { path[($0 + 1)...] } ?? path[...]
        if let rule = self.always.last(for: path[...], name: name, isFolder: isFolder) { return rule }
        for level in self.levels.reversed() {
            let relative = path[level.prefixLength...]
            if let rule = level.rules.last(for: relative, name: name, isFolder: isFolder) { return rule }
        }
        return nil
    }
}
