import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Which version is on an instance before something runs there.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct ConflictChoiceTests {
    private func begin(_ folder: TemporaryFolder) async throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        for name in ["main.py", "same"] { try folder.write("first", to: "project/\(name)") }
        #expect(try await instance.sync().upload().isWhole)
        try folder.write("mine", to: "project/main.py")
        try folder.write("theirs", to: "instance/main.py")
        return instance
    }

    @Test func mineIsSentAndTheirsStaysBeside() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            let left = try await instance.sync().upload()
            #expect(left.undecided == ["main.py"] && left.conflicts == ["main.py"], "\(left)")
            #expect(try folder.read("instance/main.py") == "theirs")
            let up = try await instance.sync().upload(version: .mine)
            #expect(up.isWhole && up.transferredFiles == 1 && up.conflicts.isEmpty, "\(up)")
            #expect(try folder.read("instance/main.py") == "mine")
            #expect(try folder.read("instance/main.py.remote-7") == "theirs")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 1, "\(down)")
            #expect(try folder.read("project/main.py") == "mine")
            #expect(try folder.read("project/main.py.remote-7") == "theirs")
        }
    }

    @Test func theirsStaysAndMineIsKeptHere() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try await self.begin(folder)
            let up = try await instance.sync().upload(version: .theirs)
            #expect(up.transferredFiles == 0, "\(up)")
            #expect(
                try folder.read("instance/main.py") == "theirs" && folder.read("project/main.py") == "mine")
            // After a download yours is what is sent.
            #expect(try await instance.sync().download(conflictSuffix: "7").conflicts == ["main.py"])
            let next = try await instance.sync().upload()
            #expect(next.transferredFiles == 1 && next.undecided.isEmpty, "\(next)")
            #expect(try folder.read("instance/main.py") == "mine")
        }
    }

    /// What stands in the way there is told as long as nobody here has it,
    /// and makes room where mine is to be there.
    @Test(arguments: ["link", "file"]) func whatIsInTheWayIsDecidedOnce(kind: String) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("x", to: "project/elsewhere/x")
            #expect(try await instance.sync().upload().isWhole)
            try folder.write("result", to: "instance/data/deep/r")
            try folder.write("file", to: "instance/in/the")
            if kind == "link" {
                symlink("elsewhere", "\(instance.project)/data")
            } else {
                try folder.write("mine", to: "project/data")
            }
            try folder.write("below", to: "project/in/the/way")
            let up = try await instance.sync().upload()
            #expect(Set(up.undecided) == ["data", "in/the/way"], "\(up)")
            #expect(try await instance.sync().download(conflictSuffix: "7").isWhole)
            #expect(try folder.read("project/data.remote-7/deep/r") == "result")
            // All of it is here now: it is no reason not to run.
            let again = try await instance.sync().upload()
            #expect(again.undecided.isEmpty && !again.conflicts.isEmpty, "\(again)")
            let mine = try await instance.sync().upload(version: .mine)
            #expect(mine.isWhole && mine.conflicts.isEmpty, "\(mine)")
            #expect(FileEntry(at: SyncPath("data"), below: instance.remote)?.kind != .folder)
            #expect(try folder.read("instance/in/the/way") == "below")
            #expect(try folder.read("instance/data.remote-7/deep/r") == "result")
            #expect(try folder.read("instance/in/the.remote-7") == "file")
        }
    }

    @Test func aLinkThatLeadsOutIsNamedBeforeItIsSent() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("big", to: "outside/data")
            try folder.write("x", to: "project/sub/x")
            for (target, name) in [
                ("\(folder.path)/outside", "absolute"), ("../../outside", "sub/up"), ("x", "sub/inside"),
                ("../sub/x", "sub/around"), ("/nowhere/at/all", "broken"), ("/dev/null", "device"),
            ] { symlink(target, "\(instance.project)/\(name)") }
            let notices = Notices()
            var sync = instance.sync()
            sync.notice = { notices.add($0) }
            #expect(try await sync.upload().isWhole)
            let text = notices.all.joined()
            #expect(text.contains("absolute -> ") && text.contains("sub/up -> ../../outside"), "\(text)")
            #expect(text.contains("cp -rL") && text.contains(".vpignore") && text.hasPrefix("2 links"))
            // It is sent once, and named once.
            try folder.write("new", to: "project/new")
            #expect(try await sync.upload().transferredFiles == 1 && notices.all.count == 1)
        }
    }

    private final class Notices: @unchecked Sendable {
        private let lock = NSLock()
        private var texts: [String] = []
        var all: [String] { self.lock.withLock { self.texts } }
        func add(_ text: String) { self.lock.withLock { self.texts.append(text) } }
    }
}
