import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Both ways of following a path: the kernel's, and step by step where it has none.
struct BeneathFolderTests {
    private func number(_ body: () throws(BeneathFolder.Failure) -> Void) -> Int32? {
        do throws(BeneathFolder.Failure) {
            try body()
            return nil
        } catch {
            return error.number
        }
    }

    @Test(arguments: [true, false]) func noLinkIsFollowed(asksKernel: Bool) async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("secret", to: "outside/secret")
            try folder.write("x", to: "root/real/file")
            symlink("../outside", "\(folder.path)/root/out")
            symlink("real", "\(folder.path)/root/inside")
            symlink("\(folder.path)/outside", "\(folder.path)/root/real/deep")
            let root = try BeneathFolder("\(folder.path)/root", asksKernel: asksKernel)
            for path in [
                "out/secret", "inside/file", "real/deep/secret", "real/../real/file", "../outside/secret",
            ] {
                let path = SyncPath(path)
                #expect(root.entry(of: path) == nil, "\(path)")
                #expect(self.number { () throws(BeneathFolder.Failure) in try root.remove(path) } != nil)
                #expect(self.number { () throws(BeneathFolder.Failure) in try root.makeFolder(path) } != nil)
            }
            #expect(root.entry(of: SyncPath("real/file"))?.kind == .file)
            #expect(root.entry(of: SyncPath("out"))?.kind == .symbolicLink)
            for path in ["out/new/x", "inside/new/x", "real/file/x"] {
                let failure = self.number { () throws(BeneathFolder.Failure) in
                    try root.makeFolders(for: SyncPath(path))
                }
                #expect(failure == ELOOP || failure == ENOTDIR, "\(path): \(failure ?? 0)")
            }
            try root.makeFolders(for: SyncPath("a/b/c/file"))
            #expect(root.entry(of: SyncPath("a/b/c"))?.kind == .folder)
            #expect(try folder.read("outside/secret") == "secret" && !folder.exists("outside/new"))
        }
    }

    @Test func aTreeIsRemovedWithoutFollowingItsLinks() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("kept", to: "outside/kept")
            try folder.write("x", to: "root/tree/a/b/file")
            symlink("\(folder.path)/outside", "\(folder.path)/root/tree/a/link")
            try BeneathFolder("\(folder.path)/root").removeTree(SyncPath("tree"))
            #expect(!folder.exists("root/tree") && folder.exists("outside/kept"))
            symlink("\(folder.path)/outside", "\(folder.path)/root/tree")
            #expect(throws: BeneathFolder.Failure.self) {
                try BeneathFolder("\(folder.path)/root").removeTree(SyncPath("tree"))
            }
            #expect(folder.exists("outside/kept"))
        }
    }

    /// Where a file system knows neither manner of renaming (network ones, exFAT), the same holds.
    @Test(arguments: [(true, true), (false, true), (false, false)])
    func nothingIsReplacedUnseen(asksKernel: Bool, hasLinks: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let root = try BeneathFolder(folder.path)
            func rename(_ manner: RenameManner, _ source: String, _ target: String) -> Int32? {
                source.withCString { source in
                    target.withCString { target in
                        manner.rename(
                            root.descriptor, source, root.descriptor, target, asksKernel: asksKernel,
                            hasLinks: hasLinks)
                    }
                }
            }
            try folder.write("1", to: "a")
            try folder.write("2", to: "b")
            try folder.write("3", to: "full/x")
            #expect(rename(.withoutReplacing, "a", "b") == EEXIST)
            #expect(rename(.withoutReplacing, "a", "full") == EEXIST)
            #expect(rename(.withoutReplacing, "a", "c") == nil)
            #expect(rename(.exchanging, "c", "b") == nil)
            #expect(try folder.read("c") == "2" && folder.read("b") == "1" && !folder.exists("a"))
            symlink("nowhere", "\(folder.path)/l")
            #expect(rename(.exchanging, "b", "l") == nil)
            #expect(try folder.read("l") == "1")
            #expect(rename(.exchanging, "b", "missing") == ENOENT)
            if !asksKernel { #expect(rename(.exchanging, "c", "full") == EISDIR) }
            #expect(try folder.read("full/x") == "3")
        }
    }

    @Test func aFlushReachesTheDisk() async throws {
        try await TemporaryFolder.with { folder in
            try folder.write("x", to: "a")
            try Durability.flush(folder.path)
            #expect(throws: EngineError.self) { try Durability.flush(folder.path + "/missing") }
        }
    }
}
