import Foundation

/// `.vp/incoming/NAME-…`, the folder for the files of one transfer from one instance until they are moved
/// into place.
///
/// It is below `.vp`, which is never uploaded, and on the same file system as the files. A lock on it tells
/// other transfers, including those of other processes, that it is in use; the folders of dead processes are
/// removed.
final class StagingFolder: Sendable {
    /// The subfolder that a transfer fills.
    static let files = "files"
    private static let archive = SyncPath("archive")
    private static let parent = SyncPath(".vp/incoming")
    private static let own = SyncPath(".vp")

    let folder: BeneathFolder
    private let project: BeneathFolder
    private let place: SyncPath
    /// Folders that an interrupted transfer from the same instance has left.
    private let abandoned: [BeneathFolder]

    var path: String { self.folder.path }

    init(in project: BeneathFolder, name: String) throws(BeneathFolder.Failure) {
        self.project = project
        let abandoned = Self.clean(project, keeping: name)
        self.abandoned = abandoned.map(\.folder)
        var made: (SyncPath, BeneathFolder)?
        // Another transfer may remove the empty parent folder when it ends, at any time.
        for _ in 0..<100 where made == nil {
            try project.makeFolders(for: Self.parent, isFolder: true, mode: 0o700)
            let digits = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            let place = Self.parent.appending("\(name)-\(digits)")
            do throws(BeneathFolder.Failure) {
                try project.makeFolder(place, mode: 0o700)
                let folder = try BeneathFolder(place, in: project)
                // Another process may have cleaned the folder up before it was locked.
                guard Self.lock(folder) != .inUse, project.entry(of: place) != nil else { continue }
                made = (place, folder)
            } catch {
                guard error.number == ENOENT || error.number == EEXIST else { throw error }
            }
        }
        guard let (place, folder) = made else { throw BeneathFolder.Failure(EBUSY) }
        self.place = place
        self.folder = folder
        try folder.makeFolder(SyncPath(Self.files), mode: 0o700)
    }

    // MARK: What is staged

    static func path(of file: SyncPath) -> SyncPath {
        SyncPath(Array("\(Self.files)/".utf8) + file.bytes)
    }

    func entry(of file: SyncPath) -> FileEntry? { self.folder.entry(of: Self.path(of: file)) }

    /// Makes rsync resume files of `items` that an interrupted transfer has in part. Only their bytes are
    /// used, which came from the same instance: rsync compares all of them.
    func resume(_ items: [SyncPlan.Item]) {
        guard !self.abandoned.isEmpty else { return }
        for item in items where item.entry.kind == .file {
            let name = item.path.bytes.lastIndex(of: SyncPath.slash).map { item.path.bytes[($0 + 1)...] }
            let above = item.path.parent.map { $0.bytes + [SyncPath.slash] } ?? []
            let partial = SyncPath(
                above + Array("\(TransferFolder.partial)/".utf8) + (name ?? item.path.bytes[...]))
            for folder in self.abandoned {
                for source in [partial, item.path].map(Self.path(of:))
                where folder.entry(of: source)?.kind == .file {
                    try? self.folder.makeFolders(for: Self.path(of: partial), mode: 0o700)
                    try? folder.rename(
                        source, to: Self.path(of: partial), in: self.folder, .withoutReplacing)
                }
            }
        }
        for folder in self.abandoned { self.removeAbandoned(folder) }
    }

    // MARK: Archives

    /// Creates an empty folder for one archive's members; nil if that fails.
    func makeArchiveFolder() -> String? {
        try? self.folder.removeTree(Self.archive)
        guard (try? self.folder.makeFolder(Self.archive, mode: 0o700)) != nil else { return nil }
        return "\(self.folder.path)/\(Self.archive)"
    }

    func takeArchive(_ items: [SyncPlan.Item]) {
        for item in items where item.entry.kind == .file {
            let source = SyncPath(Self.archive.bytes + [SyncPath.slash] + item.path.bytes)
            guard self.folder.entry(of: source)?.kind == .file else { continue }
            let target = Self.path(of: item.path)
            try? self.folder.makeFolders(for: target, mode: 0o700)
            try? self.folder.remove(target)
            try? self.folder.rename(source, to: target, in: self.folder, .withoutReplacing)
        }
        try? self.folder.removeTree(Self.archive)
    }

    // MARK: Ending

    func remove() {
        for folder in self.abandoned { self.removeAbandoned(folder) }
        try? self.project.removeTree(self.place)
        Self.removeParents(self.project)
    }

    /// Renames the folder so that nothing removes it, and returns the new path.
    func keep() -> String {
        let kept = SyncPath(Self.own.bytes + Array("/kept-".utf8) + Array(self.folder.path.utf8.suffix(8)))
        let isMoved =
            (try? self.project.rename(self.place, to: kept, in: self.project, .withoutReplacing)) != nil
        return "\(self.project.path)/\(isMoved ? kept : self.place)"
    }

    /// Removes the folders that transfers from the instance `name` have left in `project`, and then all of
    /// our folders that are empty.
    static func discard(in project: BeneathFolder, name: String) {
        for (place, folder) in Self.clean(project, keeping: name) {
            withExtendedLifetime(folder) { try? project.removeTree(place) }
        }
        Self.removeParents(project)
    }

    private func removeAbandoned(_ folder: BeneathFolder) {
        guard let name = folder.path.split(separator: "/").last.map(String.init) else { return }
        try? self.project.removeTree(Self.parent.appending(name))
    }

    private static func removeParents(_ project: BeneathFolder) {
        try? project.removeEmptyFolder(self.parent)
        // In a project that has not been set up, only we use this folder.
        try? project.removeEmptyFolder(self.own)
    }

    private enum Lock { case taken, inUse, unknown }

    /// Locks the folder for as long as it is open; the system releases the lock if the process is killed.
    private static func lock(_ folder: BeneathFolder) -> Lock {
        if flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0 { return .taken }
        return errno == EWOULDBLOCK ? .inUse : .unknown
    }

    /// Removes the folders of dead transfers. Those of the instance `name` are returned instead, locked: they
    /// may be resumed.
    private static func clean(_ project: BeneathFolder, keeping name: String) -> [(
        name: SyncPath, folder: BeneathFolder
    )] {
        guard let parent = try? BeneathFolder(self.parent, in: project) else { return [] }
        var kept: [(SyncPath, BeneathFolder)] = []
        for item in parent.names() {
            let place = SyncPath(self.parent.bytes + [SyncPath.slash] + item.bytes)
            guard let folder = try? BeneathFolder(place, in: project) else {
                // Transfers leave only folders here, but an earlier version of vp put files here.
                try? project.remove(place)
                continue
            }
            guard self.lock(folder) == .taken else { continue }
            if item.bytes.starts(with: Array("\(name)-".utf8)) {
                kept.append((place, folder))
            } else {
                try? project.removeTree(place)
            }
        }
        return kept
    }
}
