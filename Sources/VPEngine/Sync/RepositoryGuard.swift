import Glibc

/// Sees to it that no two transfers make a repository together, each of which brought but a part of it.
///
/// The gate judges a plan; what another instance, or another `vp`,
/// has put there since is known only at the moment in which a file takes its place.
struct RepositoryGuard {
    let folder: BeneathFolder

    /// Does `body`, unless `path` in its place would make a folder one that git takes for a repository:
    /// then returns nil.
    @discardableResult
    func placing<Result>(_ path: SyncPath, _ body: () -> Result) -> Result? {
        guard path.parts.contains(where: { !IncomingName.repositoryPart($0).isEmpty }) else { return body() }
        // Between the look and the placing nobody else may do the same.
        // Let go with the folder where it cannot be had.
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
