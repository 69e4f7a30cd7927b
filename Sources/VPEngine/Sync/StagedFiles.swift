import Foundation

/// Files that were brought into a folder of ours, and puts them where they belong.
///
/// Nothing is ever written under its final name: a whole file takes its place in one step, and only where what
/// it replaces is what the plan saw. So neither an edit made during the transfer nor a `kill -9` can cost a byte.
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

    let localRoot: String
    /// What a version gets behind its name where it cannot take its place.
    let suffix: String
    private let resolvedRoot: String
    private var checkedFolders: [SyncPath: String?] = [:]

    /// Below the project's own folder, which is never sent, and on the same file system as the files.
    var folder: String { "\(self.localRoot)/.vp/incoming" }

    init(localRoot: String, suffix: String) throws(EngineError) {
        self.localRoot = localRoot
        self.suffix = suffix
        self.resolvedRoot = Self.resolve(localRoot) ?? localRoot
        try PrivateFolder.make(self.folder)
    }

    /// The folder may go: nothing in it is needed any more.
    func remove() {
        try? FileManager.default.removeItem(atPath: self.folder)
        // Where the project has not been set up this folder is only ours.
        rmdir("\(self.localRoot)/.vp")
    }

    /// The version that is staged for `path`.
    func entry(of path: SyncPath) -> FileEntry? { FileEntry(at: path, below: self.folder) }

    /// Puts `item` in its place, or beside it where `isConflict` or where it turns out that the place is taken.
    mutating func place(_ item: SyncPlan.Item, isConflict: Bool) -> Outcome {
        if item.entry.kind == .folder { return self.makeFolder(item.path) }
        guard let staged = self.entry(of: item.path) else { return .absent }
        if !isConflict {
            if let problem = self.prepareFolder(of: item.path) { return .failed(problem) }
            switch self.move(item, staged) {
            case .moved: return .placed(FileEntry(at: item.path, below: self.localRoot) ?? staged)
            case .taken: break
            case .failed(let problem): return .failed(problem)
            }
        }
        return self.placeBeside(item.path, staged)
    }

    private mutating func makeFolder(_ path: SyncPath) -> Outcome {
        if let problem = self.prepareFolder(of: path) { return .failed(problem) }
        let isMade = path.withAbsolutePath(below: self.localRoot) { mkdir($0, 0o777) } == 0
        guard isMade || errno == EEXIST else { return .failed(String(cString: strerror(errno))) }
        return FileEntry(at: path, below: self.localRoot).map(Outcome.placed) ?? .absent
    }

    private enum Move {
        case moved, taken
        case failed(String)
    }

    /// Exchanges the staged file with what is in its place, and back where that is not what the plan saw.
    private func move(_ item: SyncPlan.Item, _ staged: FileEntry) -> Move {
        guard let expected = item.replaced else {
            return self.rename(item.path, to: item.path, .withoutReplacing)
        }
        let exchanged = self.rename(item.path, to: item.path, .exchanging)
        guard case .moved = exchanged else {
            // Removed meanwhile: then nothing is replaced.
            if FileEntry(at: item.path, below: self.localRoot) == nil {
                return self.rename(item.path, to: item.path, .withoutReplacing)
            }
            return exchanged
        }
        guard let replaced = self.entry(of: item.path), replaced.change(since: expected) == .none else {
            guard case .moved = self.rename(item.path, to: item.path, .exchanging) else {
                return .failed("it was edited just now; what was there is in \(self.folder)")
            }
            return .taken
        }
        _ = item.path.withAbsolutePath(below: self.folder) { unlink($0) }
        return .moved
    }

    private func rename(_ source: SyncPath, to target: SyncPath, _ manner: RenameManner) -> Move {
        let failure = source.withAbsolutePath(below: self.folder) { source in
            target.withAbsolutePath(below: self.localRoot) { manner.rename(source, $0) }
        }
        return switch failure {
        case nil: .moved
        case EEXIST, ENOTEMPTY, EISDIR, ENOTDIR: .taken
        case .some(let code): .failed(String(cString: strerror(code)))
        }
    }

    /// The remote version of a file that changed on both sides, as `name.remote-<suffix>`.
    private mutating func placeBeside(_ path: SyncPath, _ staged: FileEntry) -> Outcome {
        for number in 1...1000 {
            let suffix = number == 1 ? self.suffix : "\(self.suffix)-\(number)"
            let beside = self.nameBeside(path, suffix)
            if let problem = self.prepareFolder(of: beside) { return .failed(problem) }
            switch self.rename(path, to: beside, .withoutReplacing) {
            case .moved: return .beside(beside, staged)
            case .taken: continue
            case .failed(let problem): return .failed(problem)
            }
        }
        return .failed("there are a thousand versions of it already")
    }

    /// Where a file is in the way of a folder, it is the folder that gets another name.
    private func nameBeside(_ path: SyncPath, _ suffix: String) -> SyncPath {
        let blocking = path.ancestors.first { folder in
            FileEntry(at: folder, below: self.localRoot).map { $0.kind == .file || $0.kind == .other }
                ?? false
        }
        guard let blocking else { return path.beside(suffix) }
        return SyncPath(blocking.beside(suffix).bytes + path.bytes.dropFirst(blocking.bytes.count))
    }

    /// Makes the folders above `path`; answers with what is wrong, or nil.
    ///
    /// A link in the way may have been made on the instance, and lead anywhere: nothing is written through one
    /// that leaves the project.
    private mutating func prepareFolder(of path: SyncPath) -> String? {
        guard let folder = path.parent else { return nil }
        if let known = self.checkedFolders[folder] { return known }
        if let problem = self.prepareFolder(of: folder) {
            self.checkedFolders[folder] = .some(problem)
            return problem
        }
        let isMade = folder.withAbsolutePath(below: self.localRoot) { mkdir($0, 0o777) } == 0
        var problem: String?
        if !isMade && errno != EEXIST {
            problem = String(cString: strerror(errno))
        } else if !isMade {
            let resolved = folder.withAbsolutePath(below: self.localRoot) { Self.resolve($0) }
            if let resolved {
                let isInside = resolved == self.resolvedRoot || resolved.hasPrefix(self.resolvedRoot + "/")
                if !isInside { problem = "\(folder) is a link that leads out of the project" }
            } else {
                problem = "\(folder) cannot be entered"
            }
        }
        self.checkedFolders[folder] = .some(problem)
        return problem
    }

    private static func resolve(_ path: UnsafePointer<CChar>) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

/// Ways of renaming that never replace a file unseen.
private enum RenameManner: UInt32 {
    // Values of RENAME_NOREPLACE and RENAME_EXCHANGE in <linux/fs.h>.
    case withoutReplacing = 1
    case exchanging = 2

    private typealias Renameat2 =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    // glibc has it since 2.28, and the Swift overlay does not show it.
    private static let renameat2 = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "renameat2").map {
        unsafeBitCast($0, to: Renameat2.self)
    }

    /// nil, or the error's number.
    func rename(_ source: UnsafePointer<CChar>, _ target: UnsafePointer<CChar>) -> Int32? {
        if let renameat2 = Self.renameat2 {
            if renameat2(AT_FDCWD, source, AT_FDCWD, target, self.rawValue) == 0 { return nil }
            // A file system without these manners (some network ones) says so.
            guard errno == EINVAL || errno == ENOSYS else { return errno }
        }
        switch self {
        case .withoutReplacing:
            if link(source, target) != 0 { return errno }
            unlink(source)
            return nil
        case .exchanging:
            // Three steps in place of one. The version that was there is never without a name.
            let kept = String(cString: source) + ".replaced"
            if link(target, kept) != 0 { return errno }
            if Foundation.rename(source, target) != 0 {
                defer { unlink(kept) }
                return errno
            }
            return Foundation.rename(kept, source) == 0 ? nil : errno
        }
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
