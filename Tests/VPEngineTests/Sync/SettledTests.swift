import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// A sync that has nothing to do finds that out by one question,
/// and never believes it where something changed.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct SettledTests {
    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    /// A project of three files that was sent, and whose results are here.
    private func settle(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        for name in ["a", "sub/b", "sub/deep/c"] { try folder.write(name, to: "project/\(name)") }
        try folder.write("out", to: "instance/out/result")
        #expect(try await instance.sync().upload().transferredFiles == 3)
        #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
        // The result is part of the project now.
        #expect(try await instance.sync().upload().transferredFiles == 0)
        #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 0)
        _ = instance.connections()
        return instance
    }

    @Test func nothingChangedIsOneQuestionAndNoRsync() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            // Whoever starts it now fails.
            try folder.writeProgram("#!/bin/sh\nexit 99\n", to: "bin/rsync")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 0 && up.unchangedFiles == 4, "\(up)")
            #expect(instance.connections() == 1)
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 0 && down.unchangedFiles == 4, "\(down)")
            #expect(instance.connections() == 1)
        }
    }

    @Test func everyChangeHereIsSent() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            var edits: [(words: String, edit: () throws -> Void, sent: Int, deleted: Int)] = []
            edits.append(("content", { try folder.write("A", to: "project/a") }, 1, 0))
            edits.append(("new", { try folder.write("n", to: "project/new") }, 1, 0))
            edits.append(("bits", { chmod("\(instance.project)/a", 0o755) }, 1, 0))
            edits.append(("gone", { unlink("\(instance.project)/sub/b") }, 0, 1))
            edits.append(("link", { symlink("a", "\(instance.project)/link") }, 1, 0))
            edits.append(("folder", { mkdir("\(instance.project)/empty", 0o755) }, 1, 0))
            edits.append(
                ("renamed", { rename("\(instance.project)/new", "\(instance.project)/newer") }, 1, 1))
            for (words, edit, sent, deleted) in edits {
                try edit()
                let up = try await instance.sync().upload()
                #expect(
                    up.isWhole && up.transferredFiles == sent && up.deletedFiles == deleted, "\(words): \(up)"
                )
                #expect(try await instance.sync().upload().transferredFiles == 0, "\(words)")
            }
            #expect(self.read("\(instance.remote)/a") == "A" && self.read("\(instance.remote)/newer") == "n")
            #expect(
                access("\(instance.remote)/a", X_OK) == 0 && access("\(instance.remote)/sub/b", F_OK) != 0)
        }
    }

    @Test func anotherDiskIsFilledAgain() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            unlink("\(instance.remote)/sub/b")
            #expect(try await instance.sync().upload().removedThere == ["sub/b"])
            // That is settled as well.
            _ = instance.connections()
            #expect(try await instance.sync().upload().transferredFiles == 0)
            #expect(instance.connections() == 1)
            try FileManager.default.removeItem(atPath: instance.remote)
            #expect(try await instance.sync().upload().transferredFiles == 4)
        }
    }

    @Test func everyChangeThereIsBrought() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            try folder.write("OUT", to: "instance/out/result")
            #expect(try await instance.sync().upload().transferredFiles == 0)
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(self.read("\(instance.project)/out/result") == "OUT")
            chmod("\(instance.remote)/out/result", 0o755)
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(access("\(instance.project)/out/result", X_OK) == 0)
            symlink("out", "\(instance.remote)/link")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            // Its target alone.
            unlink("\(instance.remote)/link")
            symlink("sub", "\(instance.remote)/link")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
        }
    }

    /// Results in a folder that is otherwise passed over are seen once something in it was sent.
    @Test func sendingIntoAPassedOverFolderLetsItBeSeen() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            try folder.write("!venv/\n", to: "project/.vpignore")
            try folder.write("x", to: "project/venv/sent")
            #expect(try await instance.sync().upload().transferredFiles == 2)
            try folder.write("y", to: "instance/venv/born")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(self.read("\(instance.project)/venv/born") == "y")
        }
    }

    /// What is in conflict stays so, however often it is asked.
    @Test func aConflictIsNotSettled() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.settle(folder)
            try folder.write("mine", to: "project/a")
            try folder.write("theirs", to: "instance/a")
            for _ in 0..<2 {
                let up = try await instance.sync().upload()
                #expect(up.conflicts == ["a"], "\(up)")
            }
        }
    }

    @Test func aDamagedStateIsNone() {
        let state = SettledState(
            fingerprint: 7, digest: String(repeating: "a", count: 64), prunedFolders: [".git", "venv"],
            unchangedFiles: 3)
        #expect(SettledState(text: state.text) == state)
        var none = state
        none.prunedFolders = []
        #expect(SettledState(text: none.text) == none)
        for count in 0..<state.text.count - 1 {
            #expect(SettledState(text: String(state.text.prefix(count))) == nil, "\(count)")
        }
    }

    @Test func equalEntriesHaveOneFingerprint() {
        let entry = FileEntry(kind: .file, size: 1, modified: 2, mode: 0o644)
        var other = entry
        other.modified = 3
        let tree: FileTree = [SyncPath("a"): entry, SyncPath("b"): other]
        let print = LocalScan.fingerprint(of: tree)
        #expect(LocalScan.fingerprint(of: Array(tree).reversed()) == print)
        let swapped: FileTree = [SyncPath("a"): other, SyncPath("b"): entry]
        #expect(LocalScan.fingerprint(of: swapped) != print)
        #expect(LocalScan.fingerprint(of: [SyncPath("a"): entry]) != print)
    }
}
