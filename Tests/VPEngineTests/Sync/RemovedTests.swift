import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What one side removed after both had it: it is not pushed back, and can be had again.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct RemovedTests {
    private func begin(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        for name in ["main.py", "in/a", "in/b"] { try folder.write(name, to: "project/\(name)") }
        #expect(try await instance.sync().upload().transferredFiles == 3)
        return instance
    }

    @Test(arguments: [1, 200]) func whatTheJobRemovedStaysRemoved(bulk: Int) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            unlink("\(instance.remote)/in/a")
            let up = try await instance.sync(settings: .init(bulkFiles: bulk)).upload()
            #expect(up.isWhole && up.transferredFiles == 0 && up.removedThere == ["in/a"], "\(up)")
            #expect(!folder.exists("instance/in/a") && folder.exists("project/in/a"))
            // Named once, also where something else is sent.
            try folder.write("new", to: "project/new")
            let next = try await instance.sync(settings: .init(bulkFiles: bulk)).upload()
            #expect(next.transferredFiles == 1 && next.removedThere.isEmpty, "\(next)")
            #expect(!folder.exists("instance/in/a"))
            // Who edits it, or names it, sends it.
            try folder.write("edited", to: "project/in/a")
            #expect(try await instance.sync().upload().transferredFiles == 1)
            #expect(try folder.read("instance/in/a") == "edited")
            unlink("\(instance.remote)/in/a")
            #expect(try await instance.sync().upload().removedThere == ["in/a"])
            #expect(try await instance.sync().upload(PathSelection(paths: ["in"])).transferredFiles == 1)
            #expect(try folder.read("instance/in/a") == "edited")
            #expect(try await instance.sync().upload().transferredFiles == 0)
        }
    }

    /// A result that was brought is part of the project: a job that cleans up must not get it back.
    @Test func aResultThatTheJobRemovedStaysRemoved() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try folder.write("r", to: "instance/out/result")
            mkdir("\(instance.remote)/empty", 0o755)
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(try await instance.sync().upload().transferredFiles == 0)
            try FileManager.default.removeItem(atPath: "\(instance.remote)/out")
            rmdir("\(instance.remote)/empty")
            let up = try await instance.sync().upload()
            #expect(up.transferredFiles == 0 && up.removedThere == ["out/result"], "\(up)")
            #expect(!folder.exists("instance/out") && !folder.exists("instance/empty"))
            #expect(try folder.read("project/out/result") == "r")
            // Made anew there, it comes.
            try folder.write("again", to: "instance/out/result")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 1)
            #expect(try folder.read("project/out/result") == "again")
        }
    }

    /// Nothing at all is left of what both had: another disk, which gets everything.
    @Test(arguments: [true, false]) func anEmptyDiskIsFilled(keepsRoot: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            try FileManager.default.removeItem(atPath: instance.remote)
            if keepsRoot {
                // An image may bring files of such names along.
                for name in ["other", "main.py"] { try folder.write("the image's", to: "instance/\(name)") }
            }
            let up = try await instance.sync().upload()
            #expect(up.transferredFiles == (keepsRoot ? 2 : 3) && up.removedThere.isEmpty, "\(up)")
        }
    }

    @Test func aResultRemovedHereCanBeHadAgain() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            for name in ["out/a", "out/b", "top"] { try folder.write(name, to: "instance/\(name)") }
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 3)
            #expect(try await instance.sync().download(conflictSuffix: "7").removedHere.isEmpty)
            try FileManager.default.removeItem(atPath: "\(instance.project)/out")
            // By the short way, where nothing changed there, and by the long one.
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.transferredFiles == 0 && down.removedHere == ["out/a", "out/b"], "\(down)")
            try folder.write("born", to: "instance/born")
            let long = try await instance.sync().download(conflictSuffix: "7")
            #expect(long.transferredFiles == 1 && long.removedHere == ["out/a", "out/b"], "\(long)")
            let one = try await instance.sync().download(
                PathSelection(paths: ["out/a"]), conflictSuffix: "7")
            #expect(one.transferredFiles == 1 && one.removedHere == ["out/b"], "\(one)")
            #expect(try folder.read("project/out/a") == "out/a" && !folder.exists("project/out/b"))
            let rest = try await instance.sync().download(PathSelection(paths: ["out/"]), conflictSuffix: "7")
            #expect(rest.transferredFiles == 1 && rest.removedHere.isEmpty, "\(rest)")
        }
    }

    @Test func onlyWhatIsNamedComes() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            for name in ["out/a.pt", "out/b.txt", "log", "ckpt/[1]*", "ckpt/11x"] {
                try folder.write(name, to: "instance/\(name)")
            }
            let down = { (paths: [String], excludes: [String]) in
                try await instance.sync().download(
                    PathSelection(paths: paths, excludes: excludes), conflictSuffix: "7")
            }
            #expect(try await down(["out/*.pt"], []).transferredFiles == 1)
            #expect(folder.exists("project/out/a.pt") && !folder.exists("project/log"))
            // A name with characters of patterns is itself.
            #expect(try await down(["ckpt/[1]*"], ["11x"]).transferredFiles == 1)
            #expect(folder.exists("project/ckpt/[1]*") && !folder.exists("project/ckpt/11x"))
            #expect(try await down([], ["out/", "ckpt/"]).transferredFiles == 1)
            await #expect { try await down(["nowhere"], []) } throws: {
                ($0 as? EngineError)?.code == .downloadFailed
            }
            // What was left out is not here yet: the next sync brings it.
            #expect(try await down([], []).transferredFiles == 2)
            #expect(try await down([], []).transferredFiles == 0)
        }
    }

    @Test func smallFilesComeFirstAndAFullDiskGetsThem() {
        func item(_ name: String, _ size: Int64) -> SyncPlan.Item {
            .init(path: SyncPath(name), entry: FileEntry(kind: .file, size: size, modified: 1, mode: 0o644))
        }
        let items = [item("big", 1 << 30), item("metrics", 4096), item("log", 1 << 16)]
        #expect(
            WorkspaceSync.batches(items).map { $0.map(\.path.description) } == [["metrics", "log"], ["big"]])
        #expect(WorkspaceSync.batches([item("a", 5), item("b", 1 << 21)]).count == 1)
        #expect(WorkspaceSync.batches([]).isEmpty)
        var plan = SyncPlan(.down)
        plan.transfers = items
        #expect(Room(plan, bytes: 1 << 40) == nil)
        let room = Room(plan, bytes: 1 << 29)
        #expect(items.filter { room?.leaves($0) == true }.map(\.path) == [SyncPath("big")])
        // Of files of one size those come that fit.
        plan.transfers = (0..<10).map { item("\($0)", 100) }
        let half = Room(plan, bytes: 550)
        #expect(plan.transfers.count { half?.leaves($0) == true } == 5)
    }
}
