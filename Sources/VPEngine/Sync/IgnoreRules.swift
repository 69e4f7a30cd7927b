/// The rules that apply in one folder: those of its own ignore file, those of the folders above, and the
/// defaults.
///
/// They have git's exact semantics: the last matching rule of the nearest file that has one decides, and
/// nothing below an ignored folder can be included again. git itself is not used, because `git check-ignore`
/// reads only files named `.gitignore`, and `git ls-files` neither gives the reason nor shows empty folders,
/// and loses the outer rules inside a nested repository.
struct IgnoreRules: Sendable {
    private struct Level: Sendable {
        /// The number of leading bytes of a path that this level's patterns are not compared with.
        var prefixLength: Int
        var rules: IgnoreRuleTable
    }

    /// The levels, the nearest folder last.
    private var levels: [Level]
    private let always: IgnoreRuleTable

    /// `defaults` apply everywhere, and any ignore file overrides them; no file overrides `always`.
    init(defaults: [String], always: [IgnoreRule] = []) {
        self.levels = [Level(prefixLength: 0, rules: IgnoreRuleTable(Self.rules(defaults)))]
        self.always = IgnoreRuleTable(always)
    }

    /// Parses rules that are not written in a file.
    static func rules(_ patterns: [String]) -> [IgnoreRule] {
        patterns.enumerated().compactMap { index, text in
            IgnoreRule(line: Array(text.utf8)[...], origin: .init(file: nil, line: index + 1))
        }
    }

    /// Returns these rules and those of an ignore file in `folder`; nil is the root.
    func adding(_ content: [UInt8], of file: SyncPath, in folder: SyncPath?) -> IgnoreRules {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = content.starts(with: byteOrderMark) ? content.dropFirst(3) : content[...]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rules = lines.enumerated().compactMap { index, line in
            // git reads the lines as C strings, which end at a NUL.
            IgnoreRule(line: line.prefix { $0 != 0 }, origin: .init(file: file, line: index + 1))
        }
        guard !rules.isEmpty else { return self }
        var copy = self
        copy.levels.append(
            Level(prefixLength: folder.map { $0.bytes.count + 1 } ?? 0, rules: IgnoreRuleTable(rules)))
        return copy
    }

    /// Returns the rule that decides on `path`, whose folders are not ignored; nil if no rule matches it.
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
