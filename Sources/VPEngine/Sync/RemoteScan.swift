import Foundation
import VPScripts

/// Lists the files of the workspace on an instance, in one round trip.
///
/// Requires sh and find on the instance, and also stat where find has no suitable output format (busybox).
package struct RemoteScan: Sendable {
    package let shell: RemoteShell
    package let remoteRoot: String
    /// Names of folders that the scan skips.
    package var prunedFolders: Set<String> = Self.defaultPrunedFolders
    /// The time after which an unfinished listing is aborted.
    var deadline: Duration { self.shell.patience.listing }
    /// `true` to list only files that changed since the instance came up (`LastLook`), and no folders.
    package var isNewerOnly = false
    /// Paths of folders that the scan skips, relative to the root.
    package var prunedPaths: [SyncPath] = []
    /// The mark that a scan writes when it creates the workspace's root, or finds it without one.
    package var mark = ""

    package init(shell: RemoteShell, remoteRoot: String) {
        self.shell = shell
        self.remoteRoot = remoteRoot
    }

    /// Folders that never contain results: every machine recreates them, or they belong to rsync. Some of
    /// these names count only if the folder's contents or neighbours confirm them; see `evidence`.
    package static let defaultPrunedFolders: Set<String> = Set([
        ".git", "__pycache__", ".ipynb_checkpoints", ".tox", ".nox", "models--*", "datasets--*",
        TransferFolder.partial, TransferFolder.projects,
    ]).union(Self.evidence.keys)

    /// Conditions that a folder of that name must meet to be skipped. find(1) checks them for few folders,
    /// since each check starts a process. A folder that only has the name is treated as a normal folder.
    private static let evidence: [String: [String]] = {
        let environment = [
            "-exec", "test", "-e", "{}/pyvenv.cfg", "-o", "-e", "{}/conda-meta", ";",
        ]
        let cache = ["-exec", "test", "-e", "{}/CACHEDIR.TAG", ";"]
        var evidence = [
            "node_modules": ["-exec", "sh", "-c", #"test -e "${1%/*}/package.json""#, "sh", "{}", ";"]
        ]
        for name in ["venv", ".venv", "env", ".env", "virtualenv", ".virtualenv", "conda", ".conda"] {
            evidence[name] = environment
        }
        for name in [".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".cache", "target"] {
            evidence[name] = cache
        }
        return evidence
    }()

    /// find(1) arguments that match the topmost folders that can be recreated, for listing each with its
    /// size.
    package static var remade: [String] {
        Self.condition(
            Self.defaultPrunedFolders.subtracting([".git", TransferFolder.partial, TransferFolder.projects]))
    }

    private static func condition(_ names: Set<String>) -> [String] {
        let words = names.sorted().map { name in
            Self.evidence[name].map { ["(", "-name", name] + $0 + [")"] } ?? ["-name", name]
        }
        return ["-type", "d", "("] + words.joined(separator: ["-o"]) + [")"]
    }

    /// The result of a look at the instance.
    package struct Listing: Sendable {
        /// Files, links and empty folders of the workspace.
        package var files: FileTree = [:]
        /// The targets of the links.
        package var linkTargets: [SyncPath: [UInt8]] = [:]
        /// Listed names that no file can have.
        package var impossible: [SyncPath] = []
        /// Every folder, empty or not.
        package var folders: Set<SyncPath> = []
        /// Versions that an upload moved aside, keyed by their original paths; see `TransferFolder.aside`.
        package var aside: FileTree = [:]
        /// `true` if a transfer has left something that must be removed.
        package var hasRemains = false
        /// Free space on the disk of the workspace, in bytes; nil if it was not requested or is unknown.
        package var freeBytes: Int64?
        /// The workspace's mark before the scan; empty if it had none or if it was not requested.
        package var mark = ""
        /// The output of find; nil if it was not GNU find, the only one whose output is also available as a
        /// digest.
        var records: ArraySlice<UInt8>?
        /// Names of folders that the scan skipped.
        var prunedFolders: Set<String> = []
    }

    /// The level of detail that a digest of the workspace covers.
    package enum Detail: String, Sendable {
        /// Files, links and folders by name. No file's metadata is read, which makes it the fastest look
        /// there is.
        case names
        /// The same information as a listing.
        case versions
    }

    /// Lists the files. A root that does not exist is listed as empty.
    ///
    /// `makesRoot` creates it in the same round trip, for a transfer that follows, and reads the free space
    /// there. `clearsTemporaries` removes rsync's temporary files.
    package func scan(makesRoot: Bool = false, clearsTemporaries: Bool = false) async throws(EngineError)
        -> Listing
    {
        try self.listing(
            in: try await self.run(
                self.script(makesRoot: makesRoot, clearsTemporaries: clearsTemporaries)))
    }

    /// Returns nil, without transferring a listing, if the digest of the workspace is `known`.
    func scan(unless known: String) async throws(EngineError) -> Listing? {
        let result = try await self.run(self.script(makesRoot: false, unless: known))
        return result.isSuccess && result.output == Self.knownMark ? nil : try self.listing(in: result)
    }

    private func listing(in result: ProcessResult) throws(EngineError) -> Listing {
        let activity = self.activity
        // A listing without its last line was truncated, and must not be taken for a smaller tree.
        guard result.isSuccess, result.output.last == 0,
            let start = result.output.dropLast().lastIndex(of: 0).map({ $0 + 1 })
                ?? (result.output.isEmpty ? nil : 0),
            result.output[start...].starts(with: Self.endMark)
        else {
            throw EngineError(
                .downloadFailed, activity, detail: result.lastErrorLine ?? "the listing was cut short")
        }
        var words = TreeRecords.Reader(result.output[(start + Self.endMark.count)...])
        let kilobytes = words.number()
        let mark = words.preview.bytes.drop { $0 == 0x20 }
        let records = result.output[..<start]
        guard let contents = Self.parse(records) else {
            throw EngineError(.downloadFailed, activity, detail: "the listing cannot be understood")
        }
        guard contents.tree.count <= Limit.rows else {
            throw EngineError(.downloadFailed, activity, detail: Limit.words)
        }
        var listing = Self.sort(contents)
        listing.freeBytes = NumberRange.bytes.check(kilobytes?.multipliedSaturated(by: 1024))
        listing.prunedFolders = self.prunedFolders
        listing.mark = String(decoding: mark, as: UTF8.self)
        if !records.starts(with: Self.statMark) { listing.records = records }
        return listing
    }

    /// Returns the digest of the current files; nil if there is none (busybox's find, or no such root).
    package func digest(_ detail: Detail) async throws(EngineError) -> String? {
        let result = try await self.run(
            ScriptFile.digestTree.text(
                ["root": self.remoteRoot, "detail": detail.rawValue, "newer": self.newer],
                arguments: self.pruningWords))
        return result.isSuccess ? ContentDigest.ofInput(result.output) : nil
    }

    /// Returns the text that find would have printed for `listing` at `detail`, as input for `ContentDigest`.
    static func printed(_ detail: Detail, of listing: Listing) -> [UInt8]? {
        guard let records = listing.records else { return nil }
        let end = Array("end".utf8)
        guard detail == .names else { return records + end }
        var reader = TreeRecords.Reader(records)
        var names: [UInt8] = []
        while !reader.isAtEnd {
            if let link = reader.link() {
                guard reader.path() != nil else { return nil }
                names.append(FileEntry.Kind.symbolicLink.rawValue)
                names.append(UInt8(ascii: " "))
                TreeRecords.write(link, to: &names)
            } else {
                guard let entry = reader.entry(), let path = reader.path() else { return nil }
                names.append(entry.kind.rawValue)
                names.append(UInt8(ascii: " "))
                TreeRecords.write(path, to: &names)
            }
        }
        return names + end
    }

    private static let endMark = Array("end ".utf8)
    private static let knownMark = Array("known \0".utf8)
    private static let statMark = Array("stat\0".utf8)

    private var newer: String { self.isNewerOnly ? "1" : "" }

    /// find(1) arguments that skip folders.
    private var pruningWords: [String] {
        let paths = self.prunedPaths.flatMap { path in
            // Characters with a meaning in patterns are replaced by `?`.
            let name = String(decoding: path.bytes, as: UTF8.self)
            let pattern = String(name.map { "*?[]\\".contains($0) ? "?" : $0 })
            return ["-path", "./" + pattern, "-prune", "-o"]
        }
        return paths
            + (self.prunedFolders.isEmpty ? [] : Self.condition(self.prunedFolders) + ["-prune", "-o"])
    }

    package func script(makesRoot: Bool, clearsTemporaries: Bool = false, unless known: String? = nil)
        -> String
    {
        ScriptFile.scan.text(
            [
                "root": self.remoteRoot, "makes_root": makesRoot ? "1" : "",
                "temporary": clearsTemporaries ? TransferFolder.temporary : "", "own": TransferFolder.own,
                "known": known ?? "", "newer": self.newer, "mark": self.mark,
                "mark_file": TransferFolder.project,
            ], arguments: self.pruningWords)
    }

    /// Parses records of files and folders, and of links: `l path`, NUL, target, NUL.
    static func parse(_ records: ArraySlice<UInt8>) -> Contents? {
        var contents = Contents()
        var records = records
        if records.starts(with: Self.statMark) {
            records = records.dropFirst(Self.statMark.count)
            guard let end = records.firstIndex(of: 0), let files = Self.parseStat(records[..<end]) else {
                return nil
            }
            for (path, entry) in files { contents.add(path, entry) }
            records = records[(end + 1)...]
        }
        var reader = TreeRecords.Reader(records)
        while !reader.isAtEnd {
            if let link = reader.link() {
                guard let target = reader.path() else { return nil }
                // readlink(1) ends the target with a line feed, find does not.
                let bytes =
                    target.bytes.last == UInt8(ascii: "\n") ? target.bytes.dropLast() : target.bytes[...]
                contents.add(link, FileEntry(linkTo: bytes), target: Array(bytes))
            } else {
                // Our listings request only files, links and folders.
                guard let entry = reader.entry(), entry.kind != .other, entry.size >= 0,
                    let path = reader.path()
                else { return nil }
                contents.add(path, entry)
            }
        }
        return contents
    }

    /// The contents of a listing while it is parsed.
    struct Contents {
        var tree: FileTree = [:]
        var targets: [SyncPath: [UInt8]] = [:]
        var impossible: [SyncPath] = []

        mutating func add(_ path: SyncPath, _ entry: FileEntry, target: [UInt8]? = nil) {
            guard path.isPlain else {
                self.impossible.append(path)
                return
            }
            // If a name occurs twice, the last record replaces the earlier one completely: a link never keeps
            // a file's size.
            self.tree[path] = entry
            if target != nil || !self.targets.isEmpty { self.targets[path] = target }
        }
    }

    /// Moves our own files out of the tree and removes folders that are not empty.
    private static func sort(_ contents: consuming Contents) -> Listing {
        var listing = Listing()
        listing.linkTargets = contents.targets
        listing.impossible = contents.impossible
        // The tree is moved, not copied: two million entries take as much memory as a small machine has.
        swap(&listing.files, &contents.tree)
        let own = SyncPath(TransferFolder.own)
        let aside = SyncPath(TransferFolder.aside)
        var ours: [SyncPath] = []
        for (path, entry) in listing.files {
            if path == own || path.isBelow(own) {
                ours.append(path)
                if entry.kind != .folder, path.isBelow(aside) {
                    listing.aside[SyncPath(path.bytes.dropFirst(aside.bytes.count + 1))] = entry
                }
            } else if entry.kind == .folder {
                listing.folders.insert(path)
            }
        }
        listing.hasRemains = !ours.isEmpty
        var filled: Set<SyncPath> = []
        for path in listing.files.keys {
            if let parent = path.parent, listing.folders.contains(parent) { filled.insert(parent) }
        }
        for path in ours { listing.files[path] = nil }
        listing.files[SyncPath(TransferFolder.project)] = nil
        for folder in filled { listing.files[folder] = nil }
        return listing
    }

    /// Parses lines of `mode-in-hex size seconds date time.fraction zone inode-seconds|./path`, the output of
    /// busybox's stat.
    ///
    /// A path may contain line feeds: a line that does not look like the start of a record belongs to the
    /// record before.
    static func parseStat(_ output: ArraySlice<UInt8>) -> FileTree? {
        var tree: FileTree = [:]
        var current: (entry: FileEntry, path: [UInt8])?
        func close() {
            guard let current else { return }
            tree[SyncPath(current.path)] = current.entry
        }
        for line in output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if let record = Self.statRecord(line) {
                close()
                current = record
            } else if current != nil {
                current?.path += [UInt8(ascii: "\n")] + line
            } else if !line.isEmpty {
                return nil
            }
        }
        // The last record's own line feed produced an empty line.
        if current?.path.last == UInt8(ascii: "\n") { current?.path.removeLast() }
        close()
        return tree
    }

    private static func statRecord(_ line: ArraySlice<UInt8>) -> (entry: FileEntry, path: [UInt8])? {
        guard let bar = line.firstIndex(of: UInt8(ascii: "|")),
            line[(bar + 1)...].starts(with: Array("./".utf8))
        else { return nil }
        let fields = String(decoding: line[..<bar], as: UTF8.self).split(separator: " ")
        guard fields.count >= 3, let size = NumberRange.bytes.read(fields[1]),
            let mode = NumberRange.fileMode.check(Int64(fields[0], radix: 16)),
            let seconds = Int64(fields[2])
        else { return nil }
        var information = stat()
        information.st_mode = UInt32(mode)
        information.st_size = Int(size)
        information.st_mtim.tv_sec = Int(seconds)
        if fields.count > 4, let point = fields[4].firstIndex(of: ".") {
            let digits = fields[4][fields[4].index(after: point)...].prefix(9)
            information.st_mtim.tv_nsec =
                Int(digits + String(repeating: "0", count: 9 - digits.count)) ?? 0
        }
        // The last field is the inode's time only if it is all digits: a zone has a sign, and a time has
        // colons.
        if fields.count > 4, let last = fields.last, last.allSatisfy(\.isNumber) {
            information.st_ctim.tv_sec = NumberRange.fileTime.read(last).map { Int(clamping: $0) } ?? 0
        }
        return (FileEntry(information), Array(line[(bar + 3)...]))
    }
}
