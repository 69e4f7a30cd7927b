import Foundation

/// The downloaded files in a staging folder, and the operations that move them into place.
///
/// Nothing is ever written under its final name: a complete file is moved into place in one step, and only if
/// the file that it replaces is the one that the plan saw. So neither an edit made during the transfer nor a
/// `kill -9` can cost a byte. No folder is ever replaced, no link followed, and nothing removed that this
/// transfer did not create.
struct StagedFiles {
    enum Outcome {
        /// The file is now in its place, with this entry.
        case placed(FileEntry)
        /// Another file in its place stays; the downloaded one was saved as a conflict copy under this path.
        case beside(SyncPath, FileEntry)
        /// The file was not downloaded.
        case absent
        case failed(String)
    }

    /// The suffix that a conflict copy's name gets.
    let suffix: String
    /// A conflict copy that is still as it was made gives way to a newer version: all are of one job.
    let replacesCopies: Bool
    private let project: BeneathFolder
    private let staging: StagingFolder
    private var linkCount = 0

    /// The folder that a transfer downloads into; it contains nothing else.
    var folder: String { "\(self.staging.path)/\(StagingFolder.files)" }

    /// Creates a staging folder on the file system of the project.
    init(localRoot: String, instance: InstanceID, suffix: String, replacesCopies: Bool = false)
        throws(EngineError)
    {
        self.suffix = suffix
        self.replacesCopies = replacesCopies
        let activity = EngineError.Activity("preparing to download files", subject: "\(localRoot)/.vp")
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

    /// Takes over the partial files of these items that an interrupted transfer from the same instance has
    /// left, so that the next transfer resumes them.
    func resume(_ items: [SyncPlan.Item]) { self.staging.resume(items) }

    /// Removes the staging folder: nothing in it is needed any more.
    func remove() { self.staging.remove() }

    /// Creates an empty folder for one archive.
    func makeArchiveFolder() -> String? { self.staging.makeArchiveFolder() }

    /// Moves the requested items out of an archive's folder if they are files, and removes the rest.
    func takeArchive(_ items: [SyncPlan.Item]) { self.staging.takeArchive(items) }

    /// The staged entry for `path`; a transfer never stages a link.
    func entry(of path: SyncPath) -> FileEntry? { self.staging.entry(of: path) }

    /// Moves `item` into place, or saves it as a conflict copy if `isConflict` or if the place turns out to
    /// be taken.
    ///
    /// `target` is the target of a link: the link is created here, from the listing. With `replacesCopies`, a
    /// conflict copy that is still the version `broughtBefore` is replaced: a mirror brings a checkpoint many
    /// times.
    mutating func place(
        _ item: SyncPlan.Item, isConflict: Bool, linkTarget target: [UInt8]? = nil,
        broughtBefore: FileEntry? = nil
    ) -> Outcome {
        RepositoryGuard(folder: self.project).placing(item.path) {
            self.placeAllowed(item, isConflict: isConflict, linkTarget: target, broughtBefore)
        } ?? .failed(IncomingReason.bareRepository.words)
    }

    private mutating func placeAllowed(
        _ item: SyncPlan.Item, isConflict: Bool, linkTarget target: [UInt8]?, _ broughtBefore: FileEntry?
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
                    // Some file systems have one mode for all files (exFAT); that must not cost the user
                    // results.
                    let isHarmless = entry.mode & 0o7000 == 0
                    guard isHarmless, error.number == EPERM || error.number == EOPNOTSUPP else {
                        return .failed(error.words)
                    }
                }
            }
        }
        // A folder in its place is a conflict only if it turns out not to be empty.
        if !isConflict || item.replaced?.kind == .folder {
            switch self.move(item, source) {
            case .moved: return .placed(self.project.entry(of: item.path) ?? staged)
            case .taken: break
            case .failed(let problem): return .failed(problem)
            }
        }
        return self.placeBeside(item.path, source, staged, broughtBefore)
    }

    private func makeFolder(_ path: SyncPath) -> Outcome {
        do throws(BeneathFolder.Failure) {
            try self.project.makeFolders(for: path, isFolder: true)
        } catch {
            // An empty folder has no content that could be lost, so the file or link in its place stays.
            guard error.isInTheWay else { return .failed(error.words) }
            if let entry = self.project.entry(of: path) { return .placed(entry) }
            return self.makeFolderBeside(path)
        }
        return self.project.entry(of: path).map(Outcome.placed) ?? .absent
    }

    /// Creates the folder under another name if a file or link above it is in the way.
    private func makeFolderBeside(_ path: SyncPath) -> Outcome {
        for number in 1...1000 {
            let beside = self.nameBeside(path, number == 1 ? self.suffix : "\(self.suffix)-\(number)")
            guard (try? self.project.makeFolders(for: beside, isFolder: true)) != nil else { continue }
            return self.project.entry(of: beside).map { .beside(beside, $0) } ?? .absent
        }
        return .failed("a thousand versions of it exist already")
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

    /// Exchanges the staged file with the file in its place, and exchanges them back if that file is not the
    /// one that the plan saw.
    private func move(_ item: SyncPlan.Item, _ source: SyncPath) -> Move {
        do throws(BeneathFolder.Failure) {
            guard let expected = item.replaced else {
                do throws(BeneathFolder.Failure) {
                    try self.rename(source, to: item.path, .withoutReplacing)
                } catch {
                    // The folder is missing: only the first of many files in one folder gets here.
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
                // The file was removed meanwhile: then nothing is replaced.
                guard error.number == ENOENT, self.project.entry(of: item.path) == nil else { throw error }
                try self.rename(source, to: item.path, .withoutReplacing)
                return .moved
            }
            guard let replaced = self.staging.folder.entry(of: source),
                // The exchange itself has changed the inode's time.
                replaced.withoutInode.change(since: expected) == .none
            else { return self.giveBack(source, item.path) }
            try? self.staging.folder.remove(source)
            return .moved
        } catch {
            return Move(error)
        }
    }

    /// Returns the file that was in the place, and was written a moment ago, to its place, or at least gives
    /// it a name in the project.
    private func giveBack(_ source: SyncPath, _ path: SyncPath) -> Move {
        if (try? self.rename(source, to: path, .exchanging)) != nil { return .taken }
        for number in 1...100 {
            let kept = path.beside("replaced-\(number)")
            if (try? self.rename(source, to: kept, .withoutReplacing)) != nil {
                return .failed("it was edited during the transfer; the edited version is now \(kept)")
            }
        }
        let place = self.staging.keep()
        return .failed("it was edited during the transfer; the edited version is now in \(place)")
    }

    private func rename(_ source: SyncPath, to target: SyncPath, _ manner: RenameManner)
        throws(BeneathFolder.Failure)
    {
        try self.staging.folder.rename(source, to: target, in: self.project, manner)
    }

    /// Saves the remote version of a file that changed on both sides as `name.remote-<suffix>`.
    private func placeBeside(
        _ path: SyncPath, _ source: SyncPath, _ staged: FileEntry, _ broughtBefore: FileEntry?
    ) -> Outcome {
        for number in 1...1000 {
            let suffix = number == 1 ? self.suffix : "\(self.suffix)-\(number)"
            let beside = self.nameBeside(path, suffix)
            do throws(BeneathFolder.Failure) {
                try self.project.makeFolders(for: beside)
                try self.rename(source, to: beside, .withoutReplacing)
                return .beside(beside, staged)
            } catch {
                guard case .failed(let problem) = Move(error) else {
                    guard let existing = self.project.entry(of: beside) else { continue }
                    // An interrupted sync has already saved it there.
                    if existing.isExactly(staged) { return .beside(beside, staged) }
                    if self.replacesCopies, let broughtBefore, existing.isExactly(broughtBefore),
                        case .moved = self.move(
                            SyncPlan.Item(path: beside, entry: staged, replaced: existing), source)
                    {
                        return .beside(beside, staged)
                    }
                    continue
                }
                return .failed(problem)
            }
        }
        return .failed("a thousand versions of it exist already")
    }

    /// The name of a conflict copy. If a file or link is in the way of a folder, the folder gets the suffix.
    private func nameBeside(_ path: SyncPath, _ suffix: String) -> SyncPath {
        let blocking = path.ancestors.first { folder in
            self.project.entry(of: folder).map { $0.kind != .folder } ?? false
        }
        guard let blocking else { return path.beside(suffix) }
        return SyncPath(blocking.beside(suffix).bytes + path.bytes.dropFirst(blocking.bytes.count))
    }
}

extension FileEntry {
    /// `true` for the same version to the nanosecond: no two versions were ever written with the same time.
    fileprivate func isExactly(_ other: FileEntry) -> Bool {
        self.kind == other.kind && self.size == other.size && self.modified == other.modified
    }
}

extension SyncPath {
    /// The path with `.remote-<suffix>` after the name; the name is shortened if it would be too long.
    package func beside(_ suffix: String) -> SyncPath {
        let ending = Array(".remote-\(suffix)".utf8)
        let start = self.bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
        var name = self.bytes[start...]
        while name.count + ending.count > 255 {
            name.removeLast()
            // Characters are never cut in half.
            while let last = name.last, last & 0xc0 == 0x80, name.count > 1 { name.removeLast() }
            if let last = name.last, last >= 0xc0 { name.removeLast() }
        }
        return SyncPath(self.bytes[..<start] + name + ending)
    }
}
