import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Whole syncs between two folders, by the real scripts and the real rsync.
@Suite(.requires("rsync"), .timeLimit(.minutes(15)))
struct WorkspaceSyncTests {
    /// These go by tar. What is there already, or comes meanwhile, is met as by rsync.
    @Test func manySmallFilesTravelTogether() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let names =
                (0..<300).map { "many/\($0 % 3)/file \($0)" } + (0..<150).map { "file-\($0)" }
                + ["-n", ".hidden", "..odd", "new\nline", "é/.a/..b", "quote'\"$`"]
            for name in names { try folder.write(name, to: "project/\(name)") }
            chmod("\(instance.project)/many/1", 0o750)
            chmod("\(instance.project)/file-7", 0o755)
            symlink("file-7", "\(instance.project)/link")
            try folder.write(String(repeating: "x", count: 1 << 19), to: "project/large")
            try folder.write("there", to: "instance/many/0/theirs")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == names.count + 2, "\(up)")
            for name in names {
                #expect(try String(contentsOfFile: "\(instance.remote)/\(name)", encoding: .utf8) == name)
            }
            #expect(FileManager.default.fileExists(atPath: "\(instance.remote)/many/0/theirs"))
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(instance.remote)/many/1")
            #expect(attributes[.posixPermissions] as? Int == 0o750)
            #expect(access("\(instance.remote)/file-7", X_OK) == 0)
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(instance.remote)/link")
                    == "file-7")
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/\(TransferFolder.own)"))
            #expect(try await instance.sync().upload().transferredFiles == 0)
        }
    }

    @Test func linksTravelBothWays() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            symlink("nowhere", "\(instance.remote)/there")
            symlink("nowhere-else", "\(instance.project)/here")
            try folder.write("x", to: "instance/file")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 2, "\(down)")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 1, "\(up)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(instance.remote)/here")
                    == "nowhere-else")
        }
    }

    @Test func linksThatDifferConflict() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            symlink("nowhere-1", "\(instance.remote)/a")
            symlink("nowhere-2", "\(instance.project)/a")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.conflicts == ["a"], "\(down)")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(instance.project)/a.remote-7")
                    == "nowhere-1")
        }
    }

    private func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func emptyFoldersAndPermissionsTravel() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try FileManager.default.createDirectory(
                atPath: "\(instance.project)/out/deep", withIntermediateDirectories: true)
            try self.write("#!/bin/sh", to: "\(instance.project)/run.sh")
            _ = try await instance.sync().upload()
            #expect(FileManager.default.fileExists(atPath: "\(instance.remote)/out/deep"))
            chmod("\(instance.project)/run.sh", 0o755)
            #expect(try await instance.sync().upload().transferredFiles == 1)
            #expect(access("\(instance.remote)/run.sh", X_OK) == 0)
            rmdir("\(instance.project)/out/deep")
            rmdir("\(instance.project)/out")
            _ = try await instance.sync().upload()
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/out"))
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 0)
            #expect(!FileManager.default.fileExists(atPath: "\(instance.project)/out"))
        }
    }

    /// busybox's find cannot print what is asked for, and there is no Python and no GNU tool.
    @Test(.requires("busybox")) func busyboxIsEnough() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let busybox = try #require(Programs.path(of: "busybox"))
            var programs: [String: String] = ["rsync": try #require(Programs.path(of: "rsync"))]
            for name in [
                "sh", "find", "stat", "mkdir", "rm", "rmdir", "mv", "df", "tail", "readlink", "sha256sum",
                "cat",
            ] { programs[name] = busybox }
            try instance.limitRemotePrograms(to: programs)
            let names = ["a b", "new\nline", "é", "x/y/z", String(repeating: "n", count: 255)]
            for name in names { try self.write(name, to: "\(instance.project)/\(name)") }
            symlink("a b", "\(instance.project)/link")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == names.count + 1, "\(up)")
            let again = try await instance.sync().upload()
            #expect(again.transferredFiles == 0 && again.unchangedFiles == names.count + 1, "\(again)")
            try self.write("result", to: "\(instance.remote)/out/new\nresult")
            try self.write("theirs", to: "\(instance.remote)/é")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == 2, "\(down)")
            #expect(self.read("\(instance.project)/out/new\nresult") == "result")
            #expect(self.read("\(instance.project)/é") == "theirs")
            try self.write("mine", to: "\(instance.project)/a b")
            unlink("\(instance.project)/x/y/z")
            try instance.meanwhile("echo kept > '\(instance.remote)/a b'", beforeCall: 2)
            let more = try await instance.sync().upload()
            #expect(more.isWhole && more.transferredFiles == 1 && more.deletedFiles == 1, "\(more)")
            #expect(self.read("\(instance.remote)/a b") == "mine")
            #expect(self.read("\(instance.remote)/a b.remote-7") == "kept\n")
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/x/y/z"))
        }
    }

    /// Between the look and the copy somebody writes there: neither version is lost.
    @Test func whatIsWrittenThereDuringAnUploadIsKept() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try self.write("1", to: "\(instance.project)/f")
            _ = try await instance.sync().upload()
            try self.write("mine", to: "\(instance.project)/f")
            try instance.meanwhileBeforeRsync("echo theirs > '\(instance.remote)/f'")
            _ = try await instance.sync().upload()
            #expect(self.read("\(instance.remote)/f") == "mine")
            #expect(self.read("\(instance.remote)/f.remote-7") == "theirs\n")
        }
    }

    @Test func whatIsEditedHereDuringADownloadIsKept() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try self.write("1", to: "\(instance.project)/f")
            _ = try await instance.sync().upload()
            try self.write("theirs", to: "\(instance.remote)/f")
            try instance.meanwhile("echo mine > '\(instance.project)/f'", beforeCall: 2)
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.conflicts == ["f"], "\(down)")
            #expect(self.read("\(instance.project)/f") == "mine\n")
            #expect(self.read("\(instance.project)/f.remote-7") == "theirs")
        }
    }

    /// Another machine synced with the same folder, or the manifest is lost: equal contents are no conflict.
    @Test func equalContentsOfAnotherTimeAreNoConflict() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for root in [instance.project, instance.remote] {
                try self.write("same", to: "\(root)/same")
                try self.write(root == instance.project ? "mine" : "your", to: "\(root)/differs")
            }
            utimes(
                "\(instance.remote)/same", [timeval(tv_sec: 5, tv_usec: 0), timeval(tv_sec: 5, tv_usec: 0)])
            let up = try await instance.sync().upload()
            #expect(up.conflicts == ["differs"] && up.transferredFiles == 0, "\(up)")
        }
    }

    @Test func verifyingReadsWhatSizeAndTimeHide() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try self.write("whole", to: "\(instance.remote)/model")
            _ = try await instance.sync().download(conflictSuffix: "7")
            var information = stat()
            stat("\(instance.project)/model", &information)
            try self.write("wh0le", to: "\(instance.project)/model")
            var times = [information.st_atim, information.st_mtim]
            utimensat(AT_FDCWD, "\(instance.project)/model", &times, 0)
            // As an earlier version kept it, and as a disk that lies would have it:
            // no inode's time says anything.
            let sync = instance.sync()
            let agreed = sync.loadAgreed().mapValues {
                AgreedEntry(here: $0.here.withoutInode, there: $0.there.withoutInode)
            }
            try sync.save(agreed)
            #expect(try await instance.sync().download(conflictSuffix: "7").conflicts == [])
            let verified = try await instance.sync().download(conflictSuffix: "7", verifiesContents: true)
            #expect(verified.conflicts == ["model"], "\(verified)")
            #expect(self.read("\(instance.project)/model.remote-7") == "whole")
            #expect(self.read("\(instance.project)/model") == "wh0le")
        }
    }

    /// A rented machine must not be able to write outside the project.
    @Test func nothingIsWrittenThroughALinkThatLeavesTheProject() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try FileManager.default.createDirectory(
                atPath: folder.path + "/elsewhere", withIntermediateDirectories: true)
            symlink(folder.path + "/elsewhere", "\(instance.project)/out")
            try self.write("x", to: "\(instance.remote)/out/result")
            let down = try await instance.sync().download(conflictSuffix: "7")
            // What cannot pass the link is a result all the same.
            #expect(down.isWhole && down.conflicts == ["out/result"], "\(down)")
            #expect(!folder.exists("elsewhere/result"))
            #expect(try folder.read("project/out.remote-7/result") == "x")
        }
    }

    @Test func moreThanTheLimitIsRefused() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for name in ["a", "b", "c"] { try self.write("12345", to: "\(instance.project)/\(name)") }
            for limit in [EngineConfiguration.Sync.Limit(bytes: 10), .init(files: 2)] {
                let sync = instance.sync(settings: .init(uploadLimit: limit))
                await #expect { try await sync.upload() } throws: {
                    ($0 as? EngineError)?.code == .uploadTooBig
                }
            }
            #expect(try await instance.sync(settings: .init(uploadLimit: nil)).upload().transferredFiles == 3)
        }
    }

    @Test func moreThanThisDiskHoldsIsNotBegun() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            try self.write("", to: "\(instance.remote)/huge")
            try #require(truncate("\(instance.remote)/huge", 1 << 43) == 0)
            let sync = instance.sync()
            await #expect { try await sync.download(conflictSuffix: "7") } throws: {
                ($0 as? EngineError)?.code == .localDiskFull
            }
        }
    }

    @Test func unusualFilesTravel() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let root = instance.project
            try self.write("", to: "\(root)/empty")
            try self.write("two names", to: "\(root)/one")
            link("\(root)/one", "\(root)/other")
            try self.write("", to: "\(root)/sparse")
            truncate("\(root)/sparse", 50_000_000)
            mkfifo("\(root)/pipe", 0o600)
            try self.write("later", to: "\(root)/future")
            let far = timeval(tv_sec: 4_000_000_000, tv_usec: 0)
            utimes("\(root)/future", [far, far])
            let broken: [UInt8] = Array("\(root)/".utf8) + [0x66, 0xff, 0xfe, 0]
            broken.withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { _ = creat($0.baseAddress!, 0o644) }
            }
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 6, "\(up)")
            var information = stat()
            stat("\(instance.remote)/sparse", &information)
            #expect(information.st_size == 50_000_000 && information.st_blocks < 1000)
            #expect(self.read("\(instance.remote)/other") == "two names")
            #expect(try await instance.sync().upload().unchangedFiles == 6)
        }
    }

    /// Each look brings only what looked the same the time before.
    @Test func theMirrorWaitsUntilAFileStandsStill() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let sync = instance.sync()
            try self.write("1", to: "\(instance.remote)/out/a.pt")
            try self.write("1", to: "\(instance.remote)/log.txt")
            func mirror(_ earlier: FileTree) async throws -> FileTree {
                try await sync.mirror(["*.pt"], unchangedSince: earlier, conflictSuffix: "7").files
            }
            var seen = try await mirror([:])
            #expect(self.read("\(instance.project)/out/a.pt") == nil)
            try self.write("22", to: "\(instance.remote)/out/a.pt")
            seen = try await mirror(seen)
            #expect(self.read("\(instance.project)/out/a.pt") == nil)
            // Written to once more while it is copied: not whole, so not placed.
            try instance.meanwhile("echo 333 > '\(instance.remote)/out/a.pt'", beforeCall: 3)
            seen = try await mirror(seen)
            #expect(self.read("\(instance.project)/out/a.pt") == nil)
            instance.endMeanwhile()
            seen = try await mirror(seen)
            #expect(self.read("\(instance.project)/out/a.pt") == "333\n")
            #expect(self.read("\(instance.project)/log.txt") == nil)
            let down = try await sync.download(conflictSuffix: "7")
            #expect(down.transferredFiles == 1 && down.unchangedFiles == 1, "\(down)")
        }
    }

    @Test func aCutTransferGoesOnAndLeavesNothingHalfWritten() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            let text = (0..<40_000).map { "line \($0)\n" }.joined()
            try self.write(text, to: "\(instance.project)/big")
            try self.write(text + "x", to: "\(instance.remote)/result")
            for way in [LocalInstance.Way.up, .down] {
                try instance.cut(way, after: 100_000)
                await #expect(throws: EngineError.self) {
                    way == .up
                        ? try await instance.sync().upload()
                        : try await instance.sync().download(conflictSuffix: "7")
                }
                #expect(self.read("\(instance.remote)/big") == (way == .up ? nil : text))
                #expect(self.read("\(instance.project)/result") == nil)
                try instance.cut(after: nil)
                let summary =
                    way == .up
                    ? try await instance.sync().upload()
                    : try await instance.sync().download(conflictSuffix: "7")
                #expect(summary.isWhole && summary.transferredFiles == 1, "\(summary)")
            }
            #expect(self.read("\(instance.project)/result") == text + "x")
        }
    }

    @Test func aPreviewTellsWhatEachSideHasAndWritesNothing() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try LocalInstance(in: folder.path)
            for name in ["same", "edited", "gone"] { try self.write(name, to: "\(instance.project)/\(name)") }
            try self.write("big", to: "\(instance.project)/data/raw.bin")
            try self.write("data/\n", to: "\(instance.project)/.vpignore")
            _ = try await instance.sync().upload()
            try self.write("edited twice", to: "\(instance.project)/edited")
            unlink("\(instance.project)/gone")
            try self.write("born", to: "\(instance.remote)/born")
            let preview = try await instance.sync().preview()
            let changes = preview.changes.map { "\($0.action.rawValue) \($0.path): \($0.reason.rawValue)" }
            #expect(
                changes == [
                    "send edited: changed here", "delete gone: sent before, and gone here",
                    "bring born: new on the instance",
                ])
            #expect(preview.notSent.map(\.path) == ["data/"])
            #expect(preview.notSent.first?.reason == ".vpignore:1: data/")
            #expect(preview.notSent.first?.bytes == 3)
            #expect(try await instance.sync().preview() == preview)
        }
    }

    /// A hundred thousand files are planned in a second.
    @Test func aLargePlanIsQuick() {
        var local: FileTree = [:]
        for number in 0..<100_000 {
            local[SyncPath("folder-\(number % 300)/sub/file-\(number).dat")] = FileEntry(
                kind: .file, size: Int64(number), modified: Int64(number) * 1_000_000_007, mode: 0o644)
        }
        let agreed = local.mapValues { AgreedEntry(here: $0, there: $0, wasSent: true) }
        let start = ContinuousClock.now
        let plan = SyncPlan.upload(local: local, entry: { local[$0] }, agreed: agreed, remote: local)
        #expect(plan.isEmpty && plan.unchangedFiles == 100_000)
        // An unoptimized build takes several times as long as what is shipped; bench/ holds the real figure.
        #expect(start.secondsUntilNow < 10)
    }
}
