/// Recognizes folders that mark themselves as caches with a `CACHEDIR.TAG`, by the convention of that name.
extension RemoteScan.Listing {
    private static let tag = Array("CACHEDIR.TAG".utf8)

    /// Removes such folders from the listing, as find does with those that it knows by name.
    ///
    /// `known` are paths that either side is known to have: a folder that contains one of them was synced,
    /// and is not treated as a cache.
    mutating func leaveCaches(known: some Sequence<SyncPath>) {
        var caches: Set<SyncPath> = []
        for (path, entry) in self.files where entry.kind == .file && path.bytes.count > Self.tag.count {
            guard path.bytes.suffix(Self.tag.count).elementsEqual(Self.tag), let folder = path.parent,
                path.bytes.count == folder.bytes.count + 1 + Self.tag.count
            else { continue }
            caches.insert(folder)
        }
        guard !caches.isEmpty else { return }
        for path in known {
            for folder in path.ancestors { caches.remove(folder) }
        }
        guard !caches.isEmpty else { return }
        func isInCache(_ path: SyncPath) -> Bool {
            caches.contains(path) || path.ancestors.contains(where: caches.contains)
        }
        self.files = self.files.filter { !isInCache($0.key) }
        self.linkTargets = self.linkTargets.filter { !isInCache($0.key) }
        self.folders = self.folders.filter { !isInCache($0) }
    }
}
