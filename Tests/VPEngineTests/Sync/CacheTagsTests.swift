import Testing
import VPTestSupport

@testable import VPEngine

/// `CACHEDIR.TAG` makes a folder one that can be made again.
struct CacheTagsTests {
    private func listing(_ names: [String]) -> RemoteScan.Listing {
        var listing = RemoteScan.Listing()
        for name in names {
            let kind: FileEntry.Kind = name.hasSuffix("/") ? .folder : .file
            listing.files[SyncPath(name.hasSuffix("/") ? String(name.dropLast()) : name)] = FileEntry(
                kind: kind, size: 1, modified: 1, mode: 0o644)
        }
        return listing
    }

    @Test func aTagLeavesItsFolderOut() {
        var listing = self.listing([
            "a", "c/CACHEDIR.TAG", "c/x", "c/d/y", "c/e/", "cc/x", "d/CACHEDIR.TAG.bak", "e/XCACHEDIR.TAG",
            "e/y",
        ])
        listing.leaveCaches(known: [SyncPath("a")])
        #expect(
            Set(listing.files.keys.map(\.description)) == [
                "a", "cc/x", "d/CACHEDIR.TAG.bak", "e/XCACHEDIR.TAG", "e/y",
            ])
    }

    /// The workspace is none, a folder of that name is no tag, and what was sent is no cache.
    @Test(arguments: [
        (["CACHEDIR.TAG", "x"], "q"), (["c/CACHEDIR.TAG/", "c/x"], "q"),
        (["c/CACHEDIR.TAG", "c/x/y"], "c/x/y"),
    ])
    func whatIsNoCacheStays(names: [String], known: String) {
        var listing = self.listing(names)
        let before = listing.files
        listing.leaveCaches(known: [SyncPath(known)])
        #expect(listing.files == before)
    }

    @Test(.requires("rsync")) func aCacheThereIsNeitherBroughtNorMissed() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("mine", to: "project/sent/x")
            try folder.write("", to: "project/sent/CACHEDIR.TAG")
            _ = try await instance.sync().upload()
            try folder.write("new", to: "instance/sent/new")
            try folder.write("made", to: "instance/cache/x")
            try folder.write("", to: "instance/cache/CACHEDIR.TAG")
            for _ in 0..<2 {
                let down = try await instance.sync().download(conflictSuffix: "7")
                #expect(down.isWhole)
                #expect(folder.exists("project/sent/new") && !folder.exists("project/cache"))
            }
        }
    }
}
