import Glibc

/// Prevents two transfers from creating a git repository together when each of them brings only a part of it.
///
/// The gate judges a plan; files that another instance, or another `vp`, has put there since are known only
/// at the moment when a file is moved into place.
struct RepositoryGuard {
    let folder: BeneathFolder

    /// Runs `body`, unless `path` would complete a folder that git takes for a repository; then returns nil.
    @discardableResult
    func placing<Result>(_ path: SyncPath, _ body: () -> Result) -> Result? {
        guard path.parts.contains(where: { !IncomingName.repositoryPart($0).isEmpty }) else { return body() }
        // The lock is held between the check and the move, so that nobody else does the same in between. If
        // the file system has no locks, it proceeds without.
        while flock(self.folder.descriptor, LOCK_EX) != 0, errno == EINTR {}
        defer { flock(self.folder.descriptor, LOCK_UN) }
        return self.completesRepository(path) ? nil : body()
    }

    private func completesRepository(_ path: SyncPath) -> Bool {
        path.parts.contains { part in
            var parts = IncomingName.repositoryPart(part)
            guard !parts.isEmpty, self.folder.entry(of: SyncPath(path.bytes[..<part.endIndex])) == nil else {
                return false
            }
            let above = path.bytes[..<part.startIndex]
            for (name, other) in IncomingName.RepositoryParts.names
            where self.folder.entry(of: SyncPath(Array(above) + Array(name.utf8))) != nil {
                parts.insert(other)
            }
            return parts.isComplete
        }
    }
}
