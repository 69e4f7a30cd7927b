import Foundation
import Glibc
import Yams

/// Changes single values of a YAML file and leaves everything else as its owner wrote it, comments included.
///
/// Yams can only rewrite a whole document, without its comments. So the text is edited at the place that the
/// parser names, and the result is parsed again: if it is not exactly the old document plus the change, the
/// document is rewritten after all.
package struct ConfigurationEditor {
    package private(set) var text: String

    package init(text: String) {
        self.text = text
    }

    /// Sets the value at `key`, a dotted path; nil writes `null`.
    package mutating func set(_ key: String, to value: String?) throws(EngineError) {
        let path = key.split(separator: ".").map(String.init)
        let new = value.map { Node($0, Tag(.str), .doubleQuoted) } ?? Node("null", Tag(.null), .plain)
        do {
            let root = try Yams.compose(yaml: self.text)
            guard root == nil || root?.null != nil || root?.mapping != nil else {
                throw ConfigurationFile.error("expected `key: value` lines")
            }
            let expected = Self.replacing(path[...], in: root, with: new)
            let edited = Self.edited(self.text, root: root, path: path, literal: Self.literal(value))
            if let edited, let result = try? Yams.compose(yaml: edited), Self.isSame(result, expected) {
                self.text = edited
            } else {
                self.text = try Yams.serialize(node: expected)
            }
        } catch let error as EngineError {
            throw error
        } catch {
            throw ConfigurationFile.error("the file cannot be changed: it is not valid YAML")
        }
    }

    /// Applies `changes` to the file at `path`, which is created with `mode` if it does not exist.
    ///
    /// Readers see the old file or the new one, never half of one. An existing file keeps its mode, unless
    /// `mode` is `0600`, which closes the file to others.
    package static func apply(
        _ changes: [(key: String, value: String?)], to path: String, mode: mode_t
    ) throws(EngineError) {
        // A configuration that is a symbolic link into somebody's dotfiles remains one.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        var editor = ConfigurationEditor(text: try ConfigurationFile.contents(of: target) ?? "")
        for change in changes { try editor.set(change.key, to: change.value) }
        try Self.write(editor.text, to: target, mode: mode)
    }

    /// Replaces the file at `path` in one step.
    package static func write(_ text: String, to path: String, mode: mode_t) throws(EngineError) {
        let activity = EngineError.Activity("writing the configuration", subject: path)
        let folder = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: mode & 0o077 == 0 ? 0o700 : 0o755])
        } catch {
            throw EngineError(.fileSystem, activity, detail: "\(folder) cannot be made")
        }
        var status = stat()
        let kept = mode & 0o077 != 0 && stat(path, &status) == 0 ? status.st_mode & 0o777 : mode
        let temporary = "\(folder)/.\((path as NSString).lastPathComponent).\(getpid()).new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kept)
        guard descriptor >= 0 else { throw Self.failure(activity, errno) }
        let bytes = Array(text.utf8)
        var problem: Int32?
        // The mode given to open() passes through the umask.
        if fchmod(descriptor, kept) != 0 { problem = errno }
        var done = 0
        while done < bytes.count, problem == nil {
            let written = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 { done += written } else if errno != EINTR { problem = errno }
        }
        if problem == nil, fsync(descriptor) != 0 { problem = errno }
        close(descriptor)
        if problem == nil, rename(temporary, path) != 0 { problem = errno }
        if let problem {
            unlink(temporary)
            throw Self.failure(activity, problem)
        }
    }

    private static func failure(_ activity: EngineError.Activity, _ code: Int32) -> EngineError {
        EngineError(
            code == ENOSPC ? .localDiskFull : .fileSystem, activity, detail: String(cString: strerror(code)))
    }

    // MARK: - Editing

    private static func literal(_ value: String?) -> String {
        guard let value else { return "null" }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Returns the expected document after the change.
    private static func replacing(_ path: ArraySlice<String>, in node: Node?, with new: Node) -> Node {
        guard let first = path.first else { return new }
        var mapping = node?.mapping ?? Node.Mapping([])
        mapping[Node(first)] = Self.replacing(path.dropFirst(), in: mapping[Node(first)], with: new)
        return .mapping(mapping)
    }

    /// Compares two documents, ignoring the order of a mapping's keys, as YAML does.
    private static func isSame(_ lhs: Node, _ rhs: Node) -> Bool {
        if let left = lhs.mapping, let right = rhs.mapping {
            return left.count == right.count
                && left.allSatisfy { key, value in right[key].map { Self.isSame(value, $0) } ?? false }
        }
        if let left = lhs.sequence, let right = rhs.sequence {
            return left.count == right.count && zip(left, right).allSatisfy { Self.isSame($0, $1) }
        }
        return lhs == rhs
    }

    /// Returns `text` with the one change made in place; nil if that is not straightforward.
    private static func edited(_ text: String, root: Node?, path: [String], literal: String) -> String? {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        var node = root
        var depth = 0
        while depth < path.count, let next = node?.mapping?[Node(path[depth])] {
            node = next
            depth += 1
        }
        guard depth < path.count else {
            guard let mark = node?.scalar?.mark, lines.indices.contains(mark.line - 1) else { return nil }
            let line = lines[mark.line - 1]
            guard let rest = Self.tail(of: line, from: mark.column - 1) else { return nil }
            var old = Substring(rest.value)
            if let quote = old.first, quote == "\"" || quote == "'", let end = old.lastIndex(of: quote) {
                old = old[end...].dropFirst()
            }
            let comment = old.range(of: " #").map { String(old[$0.lowerBound...]) } ?? ""
            lines[mark.line - 1] = rest.head + literal + comment
            return lines.joined(separator: "\n") + "\n"
        }
        let missing = path[depth...]
        guard depth > 0 else {
            lines += Self.block(missing, indent: 0, literal: literal)
            return lines.joined(separator: "\n") + "\n"
        }
        // A block mapping begins at its first key: a line inserted before it with the same indent belongs to
        // the mapping.
        guard let mark = node?.mapping?.mark, lines.indices.contains(mark.line - 1) else { return nil }
        lines.insert(
            contentsOf: Self.block(missing, indent: mark.column - 1, literal: literal), at: mark.line - 1)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func tail(of line: String, from column: Int) -> (head: String, value: String)? {
        let scalars = line.unicodeScalars
        guard let index = scalars.index(scalars.startIndex, offsetBy: column, limitedBy: scalars.endIndex)
        else {
            return nil
        }
        return (String(line[..<index]), String(line[index...]))
    }

    private static func block(_ path: ArraySlice<String>, indent: Int, literal: String) -> [String] {
        path.enumerated().map { offset, key in
            let isLast = offset == path.count - 1
            return String(repeating: " ", count: indent + 2 * offset) + key + (isLast ? ": \(literal)" : ":")
        }
    }
}

extension ConfigurationEditor {
    /// A platform's key as a file contains it.
    package struct KeptKey: Hashable, Sendable {
        package var key: APIKey
        /// False beside `enabled: false`: the key is not used.
        package var isEnabled: Bool
    }

    /// Reads the keys in `path`, including those of disabled platforms; empty if there is no such file.
    package static func keys(in path: String) throws(EngineError) -> [Platform: KeptKey] {
        guard let file = try ConfigurationFile(path: path) else { return [:] }
        var keys: [Platform: KeptKey] = [:]
        for platform in Platform.allCases {
            for place in KeyLookup.places(for: platform) where keys[platform] == nil {
                guard let text = try file.text(place) else { continue }
                let isEnabled = try file.flag("platforms.\(platform.rawValue).enabled") != false
                keys[platform] = KeptKey(key: APIKey(text), isEnabled: isEnabled)
            }
        }
        return keys
    }

    /// Empties the places in `path` that can contain keys of `platforms`.
    package static func removeKeys(of platforms: [Platform], from path: String) throws(EngineError) {
        guard let file = try ConfigurationFile(path: path) else { return }
        var changes: [(key: String, value: String?)] = []
        for platform in platforms {
            for place in KeyLookup.places(for: platform) where try file.text(place) != nil {
                changes.append((place, nil))
            }
        }
        try Self.apply(changes, to: path, mode: 0o644)
    }
}
