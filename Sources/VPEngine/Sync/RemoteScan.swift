import Foundation

/// Lists the files of the workspace on an instance, in one round trip.
package struct RemoteScan: Sendable {
    package let shell: RemoteShell
    package let remoteRoot: String

    package init(shell: RemoteShell, remoteRoot: String) {
        self.shell = shell
        self.remoteRoot = remoteRoot
    }

    /// Folders that are never results: every machine makes them anew, or they are rsync's and ours.
    package static let prunedFolders = [
        ".git", "__pycache__", ".venv", "venv", "node_modules", ".ipynb_checkpoints", ".vp-partial",
        ".mypy_cache", ".pytest_cache", ".ruff_cache",
    ]

    /// Every file and link below the remote root. A root that does not exist has none.
    ///
    /// `makesRoot` creates it in the same round trip, for a transfer that follows.
    package func scan(makesRoot: Bool = false) async throws(EngineError) -> FileTree {
        let result = try await self.shell.run(self.script(makesRoot: makesRoot))
        let activity = EngineError.Activity(
            "listing files on the instance", platform: self.shell.target.instance.platform,
            subject: self.shell.target.instance.rawValue)
        guard result.isSuccess, result.output.suffix(Self.endMark.count).elementsEqual(Self.endMark) else {
            throw EngineError(
                .downloadFailed, activity, detail: result.lastErrorLine ?? "the listing was cut short")
        }
        return try Self.parse(result.output.dropLast(Self.endMark.count), activity: activity)
    }

    // A listing without this at its end was cut, and must not be taken for a smaller tree.
    private static let endMark = Array("end\0".utf8)

    package func script(makesRoot: Bool) -> String {
        let root = ShellQuoting.quoted(self.remoteRoot)
        let prunes = Self.prunedFolders.map { "-name \(ShellQuoting.quoted($0))" }.joined(separator: " -o ")
        return """
            export LC_ALL=C
            \(makesRoot ? "mkdir -p \(root) || exit 4" : ":")
            if cd \(root) 2>/dev/null; then
            find . -mindepth 1 -type d \\( \(prunes) \\) -prune -o \\( -type f -o -type l \\) \
            ! -name '*.pyc' -printf '%y %s %T@ %m %P\\0' || exit 3
            fi
            printf 'end\\0'
            """
    }

    /// Records of `type size seconds.fraction mode path`, each ended by NUL.
    static func parse(_ output: some Collection<UInt8>, activity: EngineError.Activity) throws(EngineError)
        -> FileTree
    {
        var tree: FileTree = [:]
        for record in output.split(separator: 0) {
            let fields = record.split(
                separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false)
            guard fields.count == 5, let type = fields[0].first, let kind = FileEntry.Kind(rawValue: type),
                let size = Int64(String(decoding: fields[1], as: UTF8.self)),
                let modified = Self.nanoseconds(fields[2]),
                let mode = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 8)
            else {
                throw EngineError(
                    .downloadFailed, activity,
                    detail: "unreadable line: \(SyncPath(record.prefix(80)))")
            }
            tree[SyncPath(fields[4])] = FileEntry(kind: kind, size: size, modified: modified, mode: mode)
        }
        return tree
    }

    /// `1795400000.1234567890` as nanoseconds; a fraction longer than nine digits is cut.
    private static func nanoseconds(_ text: some Collection<UInt8>) -> Int64? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1)
        guard let first = parts.first, let seconds = Int64(String(decoding: first, as: UTF8.self)) else {
            return nil
        }
        guard parts.count == 2 else { return seconds * 1_000_000_000 }
        let digits = String(decoding: parts[1].prefix(9), as: UTF8.self)
        guard let fraction = Int64(digits) else { return nil }
        var scale: Int64 = 1
        for _ in digits.count..<9 { scale *= 10 }
        return seconds * 1_000_000_000 + fraction * scale
    }
}
