import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Two instances of one project that write files of the same names.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct NeighbourTests {
    private struct Pair {
        var first: LocalInstance
        var second: LocalInstance

        func sync(_ instance: LocalInstance) -> WorkspaceSync {
            var sync = instance.sync()
            let other = instance.id == self.first.id ? self.second : self.first
            let workspace = other.sync().workspace
            sync.neighbours = { [(other.id, workspace)] }
            return sync
        }
    }

    /// The first has made a result, which is here and went up to the second with the project.
    private func begin(_ folder: TemporaryFolder) async throws -> Pair {
        let pair = Pair(
            first: try LocalInstance(in: folder.path), second: try LocalInstance(in: folder.path, id: "8"))
        try folder.write("code", to: "project/train.py")
        _ = try await pair.sync(pair.first).upload()
        try folder.write("60 epochs", to: "instance/out/metrics.csv")
        #expect(try await pair.sync(pair.first).download(conflictSuffix: "train-1").transferredFiles == 1)
        #expect(try await pair.sync(pair.second).upload().isWhole)
        #expect(try folder.read("instance-8/out/metrics.csv") == "60 epochs")
        return pair
    }

    @Test func theResultOfOneStaysWhereTheOtherWritesItsOwn() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            try folder.write("10 epochs", to: "instance-8/out/metrics.csv")
            let down = try await pair.sync(pair.second).download(conflictSuffix: "train-2")
            #expect(down.conflicts == ["out/metrics.csv"] && down.isWhole, "\(down)")
            #expect(try folder.read("project/out/metrics.csv") == "60 epochs")
            #expect(try folder.read("project/out/metrics.csv.remote-train-2") == "10 epochs")
            // Neither instance gets the other's: its next job goes on from its own.
            #expect(try await pair.sync(pair.second).upload().isWhole)
            #expect(try folder.read("instance-8/out/metrics.csv") == "10 epochs")
            #expect(try await pair.sync(pair.first).upload().isWhole)
            #expect(try folder.read("instance/out/metrics.csv") == "60 epochs")
            // Everything is here, so that the instance may be destroyed.
            #expect(try await UnsafeResults(pair.sync(pair.second).outstanding()).isSafe)
            #expect(try await UnsafeResults(pair.sync(pair.first).outstanding()).isSafe)
        }
    }

    /// The second run on one instance goes on as before,
    /// and so does the other instance once the first is gone.
    @Test func theSameInstanceReplacesItsOwn() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            try folder.write("80 epochs", to: "instance/out/metrics.csv")
            #expect(try await pair.sync(pair.first).download(conflictSuffix: "train-3").conflicts.isEmpty)
            #expect(try folder.read("project/out/metrics.csv") == "80 epochs")
            try folder.write("10 epochs", to: "instance-8/out/metrics.csv")
            #expect(
                try await pair.second.sync().download(conflictSuffix: "train-4").conflicts == [
                    "out/metrics.csv"
                ])
            pair.first.sync().manifests.remove(instance: pair.first.id)
            try folder.write("90 epochs", to: "instance-8/out/other.csv")
            #expect(try await pair.sync(pair.second).download(conflictSuffix: "train-5").conflicts.isEmpty)
        }
    }

    /// What the user has changed here since is the user's, and goes up.
    @Test func whatWasChangedHereGoesUp() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            try folder.write("10 epochs", to: "instance-8/out/metrics.csv")
            _ = try await pair.sync(pair.second).download(conflictSuffix: "train-2")
            try folder.write("edited by hand", to: "project/out/metrics.csv")
            #expect(try await pair.sync(pair.second).upload().transferredFiles == 1)
            #expect(try folder.read("instance-8/out/metrics.csv") == "edited by hand")
        }
    }

    /// Equal contents are no conflict, whenever they were written.
    @Test func equalResultsAreOne() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            try folder.write("60 epochs", to: "instance-8/out/metrics.csv")
            let down = try await pair.sync(pair.second).download(conflictSuffix: "train-2")
            #expect(down.conflicts.isEmpty, "\(down)")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/project/out") == [
                    "metrics.csv"
                ])
        }
    }

    /// A mirror brings a checkpoint many times, and keeps the last beside the other's.
    @Test func aMirrorKeepsOneCopy() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            let sync = pair.sync(pair.second)
            func out() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/project/out").sorted()
            }
            func mirror() async throws {
                var seen: FileTree = [:]
                for _ in 1...2 {
                    seen = try await sync.mirror([], unchangedSince: seen, conflictSuffix: "train-2").files
                }
            }
            let copy = "metrics.csv.remote-train-2"
            for epochs in ["10", "11", "12"] {
                try folder.write("\(epochs) epochs", to: "instance-8/out/metrics.csv")
                try await mirror()
                #expect(try folder.read("project/out/\(copy)") == "\(epochs) epochs")
                #expect(try out() == ["metrics.csv", copy])
            }
            try folder.write("13 epochs", to: "instance-8/out/metrics.csv")
            #expect(try await sync.download(conflictSuffix: "train-2", replacesCopies: true).isWhole)
            #expect(try folder.read("project/out/\(copy)") == "13 epochs")
            #expect(try folder.read("project/out/metrics.csv") == "60 epochs")
            // A copy that the user has changed stays.
            try folder.write("13 epochs, and my notes", to: "project/out/\(copy)")
            try folder.write("14 epochs", to: "instance-8/out/metrics.csv")
            try await mirror()
            #expect(try folder.read("project/out/\(copy)") == "13 epochs, and my notes")
            #expect(try folder.read("project/out/\(copy)-2") == "14 epochs")
            // So does the copy of another job.
            try folder.write("15 epochs", to: "instance-8/out/metrics.csv")
            _ = try await sync.download(conflictSuffix: "train-3")
            #expect(try folder.read("project/out/\(copy)-2") == "14 epochs")
            #expect(try folder.read("project/out/metrics.csv.remote-train-3") == "15 epochs")
        }
    }

    /// What was edited here while the job writes it there comes as well: nothing waits for the end.
    @Test func aMirrorBringsWhatChangedOnBothSides() async throws {
        try await TemporaryFolder.with { folder in
            let pair = try await self.begin(folder)
            let sync = pair.sync(pair.first)
            try folder.write("my edit", to: "project/out/metrics.csv")
            try folder.write("80 epochs", to: "instance/out/metrics.csv")
            var seen: FileTree = [:]
            for conflicts in [[], ["out/metrics.csv"]] {
                let look = try await sync.mirror([], unchangedSince: seen, conflictSuffix: "train-2")
                #expect(look.conflicts == conflicts)
                seen = look.files
            }
            #expect(try folder.read("project/out/metrics.csv") == "my edit")
            #expect(try folder.read("project/out/metrics.csv.remote-train-2") == "80 epochs")
            #expect(try await UnsafeResults(sync.outstanding()).isSafe)
        }
    }
}
