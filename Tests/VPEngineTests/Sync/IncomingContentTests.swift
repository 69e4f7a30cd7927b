import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What comes of names that were asked for, of files that grow,
/// and of listings and downloads that do not end as they should.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct IncomingContentTests {
    /// What an ignore file asks for by name is looked for there as well.
    @Test func whatIsAskedForByNameTravels() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("!*.pyc\n!venv/\n", to: "project/.vpignore")
            try folder.write("code", to: "project/lib/a.pyc")
            try folder.write("x", to: "project/venv/x")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 3, "\(up)")
            #expect(try await instance.sync().upload().unchangedFiles == 3)
            try folder.write("born", to: "instance/b.pyc")
            try folder.write("born", to: "instance/venv/y")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 2)
            #expect(try folder.read("project/b.pyc") == "born")
        }
    }

    /// rsync would take the first two for comments.
    @Test(arguments: [1, 200]) func anyNameTravels(bulk: Int) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            // Up by tar or by rsync.
            let settings = EngineConfiguration.Sync(bulkFiles: bulk)
            let names = [
                "#train.py#", ";x", "#", "sub/#a", "-x", "--help", " blank ", "a:b", "*", "[x]", "!x",
            ]
            for name in names {
                try folder.write(name, to: "project/\(name)")
                try folder.write(name, to: "instance/\(name)-there")
            }
            let up = try await instance.sync(settings: settings).upload()
            #expect(up.isWhole && up.transferredFiles == names.count, "\(up)")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == names.count, "\(down)")
            for name in names {
                #expect(try folder.read("instance/\(name)") == name)
                #expect(try folder.read("project/\(name)-there") == name)
            }
            for name in names { unlink("\(instance.project)/\(name)") }
            #expect(try await instance.sync().upload().deletedFiles == names.count)
        }
    }

    /// Grown and born while the download runs: neither is a result that did not come.
    @Test func whatGrowsIsBroughtAsFarAsItGoes() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("line 0\n", to: "instance/log")
            // Before each of its calls the log grows, and another file is born.
            for call in 2...9 {
                try Data(
                    "echo line >> '\(instance.remote)/log'; echo x > '\(instance.remote)/born-\(call)'\n".utf8
                )
                .write(to: URL(fileURLWithPath: "\(folder.path)/meanwhile-\(call)"))
            }
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.later.contains("log"), "\(down)")
            #expect(try folder.read("project/log").hasPrefix("line 0\n"))
            instance.endMeanwhile()
            let next = try await instance.sync().download(conflictSuffix: "7")
            #expect(next.isWhole && next.later.isEmpty && next.conflicts.isEmpty, "\(next)")
            #expect(try folder.read("project/log") == folder.read("instance/log"))
        }
    }

    /// A file that grows here while it is sent comes back as nobody's change,
    /// and the next upload sends the rest.
    @Test func whatGrowsHereIsNoConflict() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.write("line 0\n", to: "project/log")
            for call in 1...9 {
                try Data("echo line >> '\(instance.project)/log'\n".utf8)
                    .write(to: URL(fileURLWithPath: "\(folder.path)/meanwhile-\(call)"))
            }
            let up = try await instance.sync().upload()
            #expect(up.conflicts.isEmpty && up.missing.isEmpty, "\(up)")
            instance.endMeanwhile()
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.conflicts.isEmpty && down.transferredFiles == 0, "\(down)")
            #expect(try await instance.sync().upload().isWhole)
            #expect(try folder.read("instance/log") == folder.read("project/log"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: instance.project) == ["log"])
        }
    }

    /// A download that was killed before it noted what it had done makes nothing twice.
    @Test func whatAKilledDownloadPlacedIsNotPlacedTwice() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for name in ["both", "theirs"] { try folder.write("1", to: "project/\(name)") }
            _ = try await instance.sync().upload()
            try folder.write("mine", to: "project/both")
            for name in ["both", "theirs", "new"] { try folder.write("changed", to: "instance/\(name)") }
            let state = "\(folder.path)/state"
            try FileManager.default.copyItem(atPath: state, toPath: "\(state)-before")
            #expect(try await instance.sync().download(conflictSuffix: "7").conflicts == ["both"])
            try FileManager.default.removeItem(atPath: state)
            try FileManager.default.moveItem(atPath: "\(state)-before", toPath: state)
            let again = try await instance.sync().download(conflictSuffix: "7")
            #expect(again.isWhole, "\(again)")
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: instance.project))
            #expect(names == ["both", "both.remote-7", "new", "theirs"])
        }
    }

    /// A listing without end, and one that is too long, end by themselves.
    @Test func aListingWithoutEndEnds() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try folder.writeProgram("#!/bin/sh\nexec yes 'f 1 1.0 644 a'\n", to: "endless")
            try folder.writeProgram("#!/bin/sh\nwhile :; do sleep 1; done\n", to: "silent")
            let programs = try ["sh", "yes", "sleep", "mkdir"].map {
                ($0, try #require(Programs.path(of: $0)))
            }
            try instance.limitRemotePrograms(
                to: Dictionary(uniqueKeysWithValues: programs + [("find", "\(folder.path)/endless")]))
            await #expect { try await instance.sync().download(conflictSuffix: "7") } throws: {
                ($0 as? EngineError)?.detail?.contains("limit") == true
            }
            unlink("\(folder.path)/remote-bin/find")
            symlink("\(folder.path)/silent", "\(folder.path)/remote-bin/find")
            let scan = RemoteScan(
                shell: instance.sync(patience: Patience(.milliseconds(300))).shell,
                remoteRoot: instance.remote)
            await #expect { try await scan.scan() } throws: {
                ($0 as? EngineError)?.detail?.contains("was not complete within") == true
            }
        }
    }
}
