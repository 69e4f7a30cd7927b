import Foundation

/// Files that were brought into a folder of ours, and puts them where they belong.
///
/// Nothing is ever written under its final name: a whole file takes its place in one step,
/// and only where what it replaces is what the plan saw. So neither an edit made during the transfer nor a
/// `kill -9` can cost a byte. No folder is ever replaced, no link followed, and nothing removed that this
/// transfer did not make.
struct StagedFiles {
    enum Outcome {
        /// It is in its place now, and looks like this.
        case placed(FileEntry)
        /// Something else is in its place, which stays; it stands beside under this path.
        case beside(SyncPath, FileEntry)
        /// It was not brought.
        case absent
        case failed(String)
    }

    /// What a version gets behind its name where it cannot take its place.
    let suffix: String
    private let project: BeneathFolder
    private let staging: StagingFolder
    private var linkCount = 0

    /// Where a transfer puts the files it brings; nothing else is in it.
    var folder: String { "\(self.staging.path)/\(StagingFolder.files)" }

    /// Makes a staging folder of its own, on the file system of the project.
    init(localRoot: String, instance: InstanceID, suffix: String) throws(EngineError) {
        self.suffix = suffix
        let activity = EngineError.Activity("preparing to bring files", subject: "\(localRoot)/.vp")
        do throws(BeneathFolder.Failure) {
            self.project = try BeneathFolder(localRoot)
            self.staging = try StagingFolder(in: self.project, name: SSHTarget.alias(for: instance))
        } catch {
            let isFull = error.number == ENOSPC || error.number == EDQUOT
            throw EngineError(
                isFull ? .localDiskFull : .fileSystem, activity,
                detail: error.isInTheWay
                    ? "\(localRoot)/.vp/incoming is a link or a file, or lies in one; move it away"
                    : error.words)
        }
    }

    /// Takes over what an earlier transfer of these items from the same instance was cut off in,
    /// to be gone on with.
    func resume(_ items: [SyncPlan.Item]) { self.staging.resume(items) }

    /// The folder may go: nothing in it is needed any more.
    func remove() { self.staging.remove() }

    /// A fresh folder for one archive.
    func makeArchiveFolder() -> String? { self.staging.makeArchiveFolder() }

    /// Takes from an archive's folder what was asked for, if it is a file, and drops the rest.
    func takeArchive(_ items: [SyncPlan.Item]) { self.staging.takeArchive(items) }

    /// The version that is staged for `path`; a link is never staged by a transfer.
    func entry(of path: SyncPath) -> FileEntry? { self.staging.entry(of: path) }

    /// Puts `item` in its place, or beside it where `isConflict` or where it turns out that the place is
    /// taken.
    ///
    /// `target` is where a link leads: it is made here, of what the listing says.
    mutating func place(_ item: SyncPlan.Item, isConflict: Bool, linkTarget target: [UInt8]? = nil) -> Outcome
    {
        RepositoryGuard(folder: self.project).placing(item.path) {
            self.placeAllowed(item, isConflict: isConflict, linkTarget: target)
        } ?? .failed(IncomingReason.bareRepository.words)
    }

    private mutating func placeAllowed(
        _ item: SyncPlan.Item, isConflict: Bool, linkTarget target: [UInt8]?
    ) -> Outcome {
        if let (reason, _) = IncomingGate.refusal(of: item.path) { return .failed(reason.words) }
        let source: SyncPath
        let staged: FileEntry
        switch item.entry.kind {
        case .folder: return self.makeFolder(item.path)
        case .other: return .failed(IncomingGate.Reason.kind.words)
        case .symbolicLink:
            guard let target else { return .absent }
            self.linkCount += 1
            source = SyncPath("link-\(self.linkCount)")
            do throws(BeneathFolder.Failure) {
                try self.staging.folder.makeLink(source, to: target)
            } catch {
                return .failed(error.words)
            }
            staged = item.entry
        case .file:
            guard let entry = self.entry(of: item.path), entry.kind == .file else { return .absent }
            source = StagingFolder.path(of: item.path)
            staged = entry
            let mode = Umask.limit(item.entry.mode)
            if entry.mode & 0o7777 != mode {
                do throws(BeneathFolder.Failure) {
                    try self.staging.folder.setMode(mode, of: source)
                } catch {
                    // Some file systems have one mode for all (exFAT); that is no reason to have no results.
                    let isHarmless = entry.mode & 0o7000 == 0
                    guard isHarmless, error.number == EPERM || error.number == EOPNOTSUPP else {
                        return .failed(error.words)
                    }
                }
            }
        }
        // A folder in its place is no conflict before it is known to hold something.
        if !isConflict || item.replaced?.kind == .folder {
            switch self.move(item, source) {
            case .moved: return .placed(self.project.entry(of: item.path) ?? staged)
            case .taken: break
            case .failed(let problem): return .failed(problem)
            }
        }
        return self.placeBeside(item.path, source, staged)
    }

    private func makeFolder(_ path: SyncPath) -> Outcome {
        do throws(BeneathFolder.Failure) {
            try self.project.makeFolders(for: path, isFolder: true)
        } catch {
            // An empty folder is no content that could be lost: what stands in its place stays.
            guard error.isInTheWay else { return .failed(error.words) }
            if let entry = self.project.entry(of: path) { return .placed(entry) }
            return self.makeFolderBeside(path)
        }
        return self.project.entry(of: path).map(Outcome.placed) ?? .absent
    }

    /// Where what stands in the way of a folder is above it, that gets another name.
    private func makeFolderBeside(_ path: SyncPath) -> Outcome {
        for number in 1...1000 {
            let beside = self.nameBeside(path, number == 1 ? self.suffix : "\(self.suffix)-\(number)")
            guard (try? self.project.makeFolders(for: beside, isFolder: true)) != nil else { continue }
            return self.project.entry(of: beside).map { .beside(beside, $0) } ?? .absent
        }
        return .failed("there are a thousand versions of it already")
    }

    private enum Move {
        case moved, taken
        case failed(String)

        init(_ failure: BeneathFolder.Failure) {
            switch failure.number {
            case EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, ELOOP: self = .taken
            default: self = .failed(failure.words)
            }
        }
    }

    /// Exchanges the staged file with what is in its place, and back where that is not what the plan saw.
    private func move(_ item: SyncPlan.Item, _ source: SyncPath) -> Move {
        do throws(BeneathFolder.Failure) {
            guard let expected = item.replaced else {
                do throws(BeneathFolder.Failure) {
                    try self.rename(source, to: item.path, .withoutReplacing)
                } catch {
                    // The folder is missing: of many files in one only the first asks for it.
                    guard error.number == ENOENT else { throw error }
                    try self.project.makeFolders(for: item.path)
                    try self.rename(source, to: item.path, .withoutReplacing)
                }
                return .moved
            }
            try self.project.makeFolders(for: item.path)
            if expected.kind == .folder {
                do throws(BeneathFolder.Failure) {
                    try self.project.removeEmptyFolder(item.path)
                } catch {
                    if error.number != ENOENT { return Move(error) }
                }
                try self.rename(source, to: item.path, .withoutReplacing)
                return .moved
            }
            do throws(BeneathFolder.Failure) {
                try self.rename(source, to: item.path, .exchanging)
            } catch {
                // Removed meanwhile: then nothing is replaced.
                guard error.number == ENOENT, self.project.entry(of: item.path) == nil else { throw error }
                try self.rename(source, to: item.path, .withoutReplacing)
                return .moved
            }
            guard let replaced = self.staging.folder.entry(of: source),
                // The exchange itself has changed its inode.
                replaced.withoutInode.change(since: expected) == .none
            else { return self.giveBack(source, item.path) }
            try? self.staging.folder.remove(source)
            return .moved
        } catch {
            return Move(error)
        }
    }

    /// What was in the file's place was written a moment ago. It goes back,
    /// or at least gets a name in the project.
    private func giveBack(_ source: SyncPath, _ path: SyncPath) -> Move {
        if (try? self.rename(source, to: path, .exchanging)) != nil { return .taken }
        for number in 1...100 {
            let kept = path.beside("replaced-\(number)")
            if (try? self.rename(source, to: kept, .withoutReplacing)) != nil {
                return .failed("it was edited just now; what was there is in \(kept)")
            }
        }
        let place = self.staging.keep()
        return .failed("it was edited just now; what was there is in \(place)")
    }

    private func rename(_ source: SyncPath, to target: SyncPath, _ manner: RenameManner)
        throws(BeneathFolder.Failure)
    {
        try self.staging.folder.rename(source, to: target, in: self.project, manner)
    }

    /// The remote version of a file that changed on both sides, as `name.remote-<suffix>`.
    private func placeBeside(_ path: SyncPath, _ source: SyncPath, _ staged: FileEntry) -> Outcome {
        for number in 1...1000 {
            let suffix = number == 1 ? self.suffix : "\(self.suffix)-\(number)"
            let beside = self.nameBeside(path, suffix)
            do throws(BeneathFolder.Failure) {
                try self.project.makeFolders(for: beside)
                try self.rename(source, to: beside, .withoutReplacing)
                return .beside(beside, staged)
            } catch {
                guard case .failed(let problem) = Move(error) else {
                    // A sync that was cut off has put it there already.
                    if self.project.entry(of: beside)?.isExactly(staged) == true {
                        return .beside(beside, staged)
                    }
                    continue
                }
                return .failed(problem)
            }
        }
        return .failed("there are a thousand versions of it already")
    }

    /// Where a file or a link is in the way of a folder, it is the folder that gets another name.
    private func nameBeside(_ path: SyncPath, _ suffix: String) -> SyncPath {
        let blocking = path.ancestors.first { folder in
            self.project.entry(of: folder).map { $0.kind != .folder } ?? false
        }
        guard let blocking else { return path.beside(suffix) }
        return SyncPath(blocking.beside(suffix).bytes + path.bytes.dropFirst(blocking.bytes.count))
    }
}

extension FileEntry {
    /// The same version to the nanosecond: no two were ever written so.
    fileprivate func isExactly(_ other: FileEntry) -> Bool {
        self.kind == other.kind && self.size == other.size && self.modified == other.modified
    }
}

extension SyncPath {
    /// The same place, with `.remote-<suffix>` behind the name; cut where a name may not be that long.
    package func beside(_ suffix: String) -> SyncPath {
        let ending = Array(".remote-\(suffix)".utf8)
        let start = self.bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
        var name = self.bytes[start...]
        while name.count + ending.count > 255 {
            name.removeLast()
            // Never half a character.
            while let last = name.last, last & 0xc0 == 0x80, name.count > 1 { name.removeLast() }
            if let last = name.last, last >= 0xc0 { name.removeLast() }
        }
        return SyncPath(self.bytes[..<start] + name + ending)
    }
}
