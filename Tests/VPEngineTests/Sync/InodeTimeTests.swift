import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// A file of the same size and time may hold something else. Its inode's time says so,
/// and reading it decides.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct InodeTimeTests {
    /// Writes `text` to `path`, and gives it the time that it had.
    private func rewrite(_ text: String, _ path: String) throws {
        var information = stat()
        stat(path, &information)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
        var times = [information.st_atim, information.st_mtim]
        utimensat(AT_FDCWD, path, &times, 0)
    }

    private func begin(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        for name in ["a", "b", "c"] { try folder.write("first", to: "project/\(name)") }
        #expect(try await instance.sync().upload().transferredFiles == 3)
        #expect(try await instance.sync().upload().transferredFiles == 0)
        return instance
    }

    @Test func anotherContentOfTheSameSizeAndTimeTravels() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try self.rewrite("mine!", "\(instance.project)/a")
            try self.rewrite("their", "\(instance.remote)/b")
            try self.rewrite("mine!", "\(instance.project)/c")
            try self.rewrite("their", "\(instance.remote)/c")
            let up = try await instance.sync().upload()
            #expect(up.transferredFiles == 1 && up.conflicts == ["c"], "\(up)")
            #expect(try folder.read("instance/a") == "mine!")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.transferredFiles == 2 && down.conflicts == ["c"], "\(down)")
            #expect(try folder.read("project/b") == "their" && folder.read("project/c.remote-7") == "their")
            #expect(try folder.read("project/c") == "mine!" && folder.read("project/a") == "mine!")
        }
    }

    /// Never synced before: nothing was compared, so nothing is the same yet.
    @Test func equalSizesAndTimesAreNoProof() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for (name, theirs) in [("same", "12345"), ("other", "54321")] {
                try folder.write("12345", to: "project/\(name)")
                try folder.write(theirs, to: "instance/\(name)")
                for root in [instance.project, instance.remote] {
                    utimes(
                        "\(root)/\(name)", [timeval(tv_sec: 5, tv_usec: 0), timeval(tv_sec: 5, tv_usec: 0)])
                }
            }
            let up = try await instance.sync().upload()
            #expect(up.conflicts == ["other"] && up.undecided == ["other"], "\(up)")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.conflicts == ["other"], "\(down)")
            #expect(try folder.read("project/other.remote-7") == "54321")
        }
    }

    /// A second name, or another owner, changes the inode and no content: read once, and then known.
    @Test func anInodeAloneIsNoChange() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            link("\(instance.project)/a", "\(folder.path)/a")
            link("\(instance.remote)/b", "\(folder.path)/b")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 0 && up.conflicts.isEmpty, "\(up)")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 0 && down.conflicts.isEmpty, "\(down)")
            _ = instance.connections()
            #expect(try await instance.sync().upload().transferredFiles == 0)
            #expect(instance.connections() == 1)
        }
    }

    /// Gone here, and there perhaps something else: it stays there, and comes.
    @Test func whatMayHaveChangedThereIsNotDeleted() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try self.rewrite("their", "\(instance.remote)/a")
            unlink("\(instance.project)/a")
            unlink("\(instance.project)/b")
            let up = try await instance.sync().upload()
            #expect(up.deletedFiles == 1 && folder.exists("instance/a"), "\(up)")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(try folder.read("project/a") == "their")
        }
    }

    /// Manifests of earlier versions have no such time, and stat of busybox has it in seconds.
    @Test func recordsWithAndWithoutItAreRead() throws {
        var old = TreeRecords.Reader(Array("f 5 1795000000.5 644 a\0".utf8)[...])
        let read = old.entry()
        let entry = try #require(read)
        #expect(entry.inodeChanged == 0 && entry.modified == 1_795_000_000_500_000_000)
        var known = entry
        known.inodeChanged = 1_795_000_001_000_000_007
        #expect(known.change(since: entry) == .none && entry.change(since: known) == .none)
        var other = known
        other.inodeChanged += 1
        #expect(other.change(since: known) == .unclear)
        other.mode = 0o755
        #expect(other.change(since: known) == .permissions)
        var bytes: [UInt8] = []
        TreeRecords.write(known, to: &bytes)
        TreeRecords.write(SyncPath("a"), to: &bytes)
        #expect(TreeRecords.tree(bytes[...]) == [SyncPath("a"): known])
        let lines = """
            81a4 5 1795000000 2026-11-18 01:46:40.500000000 +0000 1795000001|./x
            81a4 5 1795000000 2026-11-18 01:46:40.500000000 +0000|./y

            """
        let tree = try #require(RemoteScan.parseStat(Array(lines.utf8)[...]))
        #expect(tree[SyncPath("x")]?.inodeChanged == 1_795_000_001_000_000_000)
        #expect(tree[SyncPath("x")]?.modified == 1_795_000_000_500_000_000)
        #expect(tree[SyncPath("y")]?.inodeChanged == 0)
    }
}
