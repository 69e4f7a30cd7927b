/// Folders that say of themselves that they can be made again: a `CACHEDIR.TAG` in them,
/// by the convention of that name.
extension RemoteScan.Listing {
    private static let tag = Array("CACHEDIR.TAG".utf8)

    /// Leaves such folders out, as find does those that it knows by name.
    ///
    /// `known` are paths that either side is known to have:
    /// a folder in which one lies is no cache to whoever sent it.
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
