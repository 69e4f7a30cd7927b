import Glibc

/// One line of an ignore file.
package struct IgnoreRule: Hashable, Sendable {
    /// The place where the rule is written.
    package struct Origin: Hashable, Sendable {
        /// The ignore file, relative to the workspace's root; nil for built-in and configured rules.
        package var file: SyncPath?
        /// The line number, starting at 1.
        package var line: Int
    }

    /// The line as it is written.
    package let text: [UInt8]
    package let origin: Origin
    /// `true` for `!pattern`, which includes the paths that it matches.
    package let isNegated: Bool
    /// `true` for `pattern/`, which matches folders only.
    let needsFolder: Bool
    private let matcher: Matcher
    /// The first and the last byte that the last component of a path needs for a match; nil if any byte may
    /// match. `IgnoreRuleTable` uses them.
    let firstByte: UInt8?
    let lastByte: UInt8?

    private enum Matcher: Hashable, Sendable {
        /// Compared with the last component of a path.
        case name([UInt8])
        case nameEnding([UInt8])
        case nameContaining([UInt8])
        case nameGlob(GlobPattern)
        /// Compared with the path relative to the ignore file's folder; the path must begin with these bytes.
        case path(prefix: [UInt8], GlobPattern?)
        case nothing
    }

    /// nil for comments and empty lines.
    init?(line: ArraySlice<UInt8>, origin: Origin) {
        var line = line
        // git ignores the carriage return of a file that was written on another system.
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
        line = Self.trimmingBlanks(line)
        self.text = Array(line)
        self.origin = origin
        self.isNegated = line.first == UInt8(ascii: "!")
        if self.isNegated { line.removeFirst() }
        self.needsFolder = line.last == SyncPath.slash
        if self.needsFolder { line.removeLast() }
        self.matcher = Self.matcher(for: line)
        let isSpecial = { (byte: UInt8) in "*?[]\\".utf8.contains(byte) }
        let isName = !line.contains(SyncPath.slash)
        self.firstByte = line.first.flatMap { isName && !isSpecial($0) ? $0 : nil }
        self.lastByte = line.last.flatMap { isName && !isSpecial($0) ? $0 : nil }
    }

    private static func matcher(for pattern: ArraySlice<UInt8>) -> Matcher {
        let isSpecial = { (byte: UInt8) in "*?[\\".utf8.contains(byte) }
        guard !pattern.isEmpty else { return .nothing }
        if !pattern.contains(SyncPath.slash) {
            if !pattern.contains(where: isSpecial) { return .name(Array(pattern)) }
            let ending = pattern.dropFirst()
            if pattern.first == UInt8(ascii: "*"), !ending.contains(where: isSpecial) {
                return .nameEnding(Array(ending))
            }
            let middle = ending.dropLast()
            if pattern.first == UInt8(ascii: "*"), ending.last == UInt8(ascii: "*"),
                !middle.isEmpty, !middle.contains(where: isSpecial)
            {
                return .nameContaining(Array(middle))
            }
            return GlobPattern(pattern).map(Matcher.nameGlob) ?? .nothing
        }
        var pattern = pattern
        if pattern.first == SyncPath.slash { pattern.removeFirst() }
        // git compares the part without wildcards first and passes only the rest to its matcher, for which
        // that rest is a whole pattern: `a**/b` matches `ax/y/b`.
        let prefix = pattern.prefix { !isSpecial($0) }
        let rest = pattern[prefix.endIndex...]
        if rest.isEmpty { return .path(prefix: Array(prefix), nil) }
        guard let glob = GlobPattern(rest) else { return .nothing }
        return .path(prefix: Array(prefix), glob)
    }

    /// Removes trailing blanks, unless a backslash precedes them.
    private static func trimmingBlanks(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end: Int?
        var index = line.startIndex
        while index < line.endIndex {
            switch line[index] {
            case UInt8(ascii: " "): end = end ?? index
            case UInt8(ascii: "\\"):
                index += 1
                if index == line.endIndex { return line }
                end = nil
            default: end = nil
            }
            index += 1
        }
        return line[..<(end ?? line.endIndex)]
    }

    /// `true` if the rule's pattern matches. `path` is relative to the ignore file's folder, `name` its last
    /// component. `IgnoreRuleTable` asks no rule for folders about a file.
    func matches(path: ArraySlice<UInt8>, name: ArraySlice<UInt8>) -> Bool {
        switch self.matcher {
        case .name(let text): return name.count == text.count && name.elementsEqual(text)
        case .nameEnding(let text):
            return name.count >= text.count && name.suffix(text.count).elementsEqual(text)
        case .nameContaining(let text): return Self.contains(text, name)
        case .nameGlob(let glob): return glob.matches(name)
        case .path(let prefix, let glob):
            guard path.starts(with: prefix) else { return false }
            let rest = path.dropFirst(prefix.count)
            return glob?.matches(rest) ?? rest.isEmpty
        case .nothing: return false
        }
    }

    private static func contains(_ text: [UInt8], _ name: ArraySlice<UInt8>) -> Bool {
        name.withUnsafeBytes { name in
            text.withUnsafeBytes { text in
                guard name.count >= text.count else { return false }
                return (0...name.count - text.count).contains { start in
                    name[start] == text[0]
                        && memcmp(name.baseAddress! + start, text.baseAddress!, text.count) == 0
                }
            }
        }
    }
}
