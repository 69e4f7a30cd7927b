import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// Syncs with an instance that has no rsync.
@Suite(.timeLimit(.minutes(15)))
struct TarTransferTests {
    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    private static let programs = [
        "sh", "find", "stat", "mkdir", "rm", "rmdir", "mv", "df", "tail", "readlink", "sha256sum", "cat",
        "tar",
        "ls",
    ]

    /// An instance with these programs, each from busybox or the system's own.
    private func instance(_ folder: TemporaryFolder, busybox: Bool) throws -> LocalInstance {
        let instance = try LocalInstance(in: folder.path)
        var programs: [String: String] = [:]
        for name in Self.programs {
            programs[name] = try #require(Programs.path(of: busybox ? "busybox" : name))
        }
        try instance.limitRemotePrograms(to: programs)
        return instance
    }

    private static let names = [
        "a b", "new\nline", "é", "-rf", "x/y/z", "quote'\"$`", String(repeating: "n", count: 255),
    ]

    @Test(.requires("busybox"), arguments: [false, true])
    func filesTravelBothWays(busybox: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try self.instance(folder, busybox: busybox)
            for name in Self.names { try folder.write(name, to: "project/\(name)") }
            chmod("\(instance.project)/-rf", 0o755)
            symlink("a b", "\(instance.project)/link")
            mkdir("\(instance.project)/empty", 0o755)
            link("\(instance.project)/a b", "\(instance.project)/second name")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == Self.names.count + 3, "\(up)")
            for name in Self.names { #expect(self.read("\(instance.remote)/\(name)") == name) }
            #expect(access("\(instance.remote)/-rf", X_OK) == 0)
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: "\(instance.remote)/link") == "a b")
            #expect(FileManager.default.fileExists(atPath: "\(instance.remote)/empty"))
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/\(TransferFolder.own)"))
            #expect(try await instance.sync().upload().transferredFiles == 0)

            for name in Self.names { try folder.write(name + name, to: "instance/out/\(name)") }
            try folder.write("theirs", to: "instance/é")
            let down = try await instance.sync().download(conflictSuffix: "7")
            #expect(down.isWhole && down.transferredFiles == Self.names.count + 1, "\(down)")
            for name in Self.names { #expect(self.read("\(instance.project)/out/\(name)") == name + name) }
            #expect(self.read("\(instance.project)/é") == "theirs")
            #expect(try await instance.sync().download(conflictSuffix: "7").transferredFiles == 0)
        }
    }

    @Test(.requires("busybox"), arguments: [false, true])
    func whatIsReplacedOrRemovedIsJudged(busybox: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let instance = try self.instance(folder, busybox: busybox)
            for name in ["kept", "edited", "gone/deep", "file"] {
                try folder.write("1", to: "project/\(name)")
            }
            #expect(try await instance.sync().upload().transferredFiles == 4)
            try folder.write("mine", to: "project/edited")
            try FileManager.default.removeItem(atPath: "\(instance.project)/gone")
            // A folder takes the place of a file.
            unlink("\(instance.project)/file")
            try folder.write("in it", to: "project/file/now")
            try instance.meanwhileBeforeRsync("echo theirs > '\(instance.remote)/edited'")
            let up = try await instance.sync().upload()
            #expect(up.isWhole && up.transferredFiles == 2 && up.deletedFiles == 2, "\(up)")
            #expect(self.read("\(instance.remote)/edited") == "mine")
            #expect(self.read("\(instance.remote)/edited.remote-7") == "theirs\n")
            #expect(self.read("\(instance.remote)/file/now") == "in it")
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/gone"))
            #expect(self.read("\(instance.remote)/kept") == "1")
        }
    }

    @Test func aCutTransferLeavesNothingHalfWritten() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try self.instance(folder, busybox: false)
            let text = (0..<40_000).map { "line \($0)\n" }.joined()
            try folder.write(text, to: "project/big")
            try folder.write(text + "x", to: "instance/result")
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

    /// Nobody who set a limit is to find a line in use.
    @Test func aLimitForTheRateIsNotIgnored() async throws {
        try await TemporaryFolder.with { folder in
            let instance = try self.instance(folder, busybox: false)
            try folder.write("1", to: "project/a")
            let sync = instance.sync(settings: .init(bandwidthLimit: 1_000_000))
            await #expect { try await sync.upload() } throws: {
                ($0 as? EngineError)?.code == .missingProgram
            }
            #expect(!FileManager.default.fileExists(atPath: "\(instance.remote)/a"))
        }
    }

    @Test func aFullDiskIsSaid() {
        #expect(RsyncTransfer.isDiskFull(["tar: a: Cannot write: No space left on device"]))
    }
}
