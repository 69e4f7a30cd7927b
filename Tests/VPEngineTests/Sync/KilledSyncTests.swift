import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// A sync right after one that was killed: what the first has done is ours,
/// and makes no second version of anything.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct KilledSyncTests {
    private func begin(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        try folder.write("0", to: "project/f")
        #expect(try await instance.sync().upload().isWhole)
        return instance
    }

    private func names(_ root: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root).sorted()
    }

    /// With its time, as rsync has it.
    private func copy(_ source: String, to target: String) throws {
        var information = stat()
        stat(source, &information)
        try Data(contentsOf: URL(fileURLWithPath: source)).write(to: URL(fileURLWithPath: target))
        var times = [information.st_atim, information.st_mtim]
        utimensat(AT_FDCWD, target, &times, 0)
    }

    private func noteSending(_ instance: LocalInstance) throws {
        let sync = instance.sync()
        let entry = try #require(FileEntry(at: SyncPath("f"), below: instance.project))
        try sync.manifests.saveSending(
            [SyncPath("f"): entry], instance: instance.id, workspace: sync.workspace)
    }

    /// The rsync of one that was killed goes on for a moment, and puts there what the next is about to.
    @Test(arguments: [false, true]) func whatTheKilledOneStillSendsIsOurs(isEdited: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try folder.write("11", to: "project/f")
            try self.noteSending(instance)
            let copy = "\(folder.path)/copy"
            try self.copy("\(instance.project)/f", to: copy)
            if isEdited { try folder.write("222", to: "project/f") }
            try instance.meanwhileBeforeRsync("cp -p '\(copy)' '\(instance.remote)/f'")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.conflicts.isEmpty, "\(up)")
            #expect(try folder.read("instance/f") == (isEdited ? "222" : "11"))
            #expect(try self.names(instance.remote) == ["f"])
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.transferredFiles == 0, "\(down)")
            #expect(try self.names(instance.project) == ["f"])
        }
    }

    /// Killed twice, with an edit in between: what arrived of the first is still ours.
    @Test func whatWasSentBeforeTwoKillsIsOurs() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try folder.write("11", to: "project/f")
            try self.noteSending(instance)
            try self.copy("\(instance.project)/f", to: "\(instance.remote)/f")
            try folder.write("222", to: "project/f")
            // Every rsync of the second is cut.
            try instance.meanwhileBeforeRsync("exit 255")
            await #expect(throws: EngineError.self) { try await instance.sync().upload() }
            unlink("\(folder.path)/meanwhile-rsync")
            #expect(try folder.read("instance/f") == "11")
            try folder.write("3333", to: "project/f")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.conflicts.isEmpty && up.transferredFiles == 1, "\(up)")
            #expect(try folder.read("instance/f") == "3333")
        }
    }

    /// The file grew on while the one that was killed sent it: a beginning of it arrived.
    @Test(arguments: ["upload", "download"]) func aBeginningThatArrivedIsOurs(next: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try folder.write("line 0\n", to: "project/f")
            try self.noteSending(instance)
            try folder.write("line 0\nline 1\n", to: "project/f")
            try self.copy("\(instance.project)/f", to: "\(instance.remote)/f")
            try folder.write("line 0\nline 1\nline 2\n", to: "project/f")
            if next == "upload" {
                let up = try await instance.sync().upload()
                #expect(up.isWhole && up.conflicts.isEmpty, "\(up)")
                #expect(try folder.read("instance/f") == folder.read("project/f"))
            } else {
                let down = try await instance.sync().download(conflictSuffix: "7")
                #expect(down.isWhole && down.conflicts.isEmpty && down.transferredFiles == 0, "\(down)")
            }
            #expect(try self.names(instance.project) == ["f"] && self.names(instance.remote) == ["f"])
        }
    }
}
