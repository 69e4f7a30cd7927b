import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// An instance that sends without end, or never says anything again.
@Suite(.requires("rsync"), .timeLimit(.minutes(5)))
struct BoundsTests {
    /// An instance whose programs `programs` stand before its real ones.
    private func instance(_ folder: TemporaryFolder, programs: [String: String]) async throws -> LocalInstance
    {
        let instance = try LocalInstance(in: folder.path)
        let ssh = try folder.read("bin/ssh").replacing(
            "exec /bin/sh -c \"$*\"", with: "PATH=$VP_TEST_FOLDER/hostile-bin:$PATH exec /bin/sh -c \"$*\"")
        try folder.writeProgram(ssh, to: "bin/ssh")
        for (name, text) in programs {
            try folder.writeProgram("#!/bin/sh\n\(text)\n", to: "hostile-bin/\(name)")
        }
        return instance
    }

    /// It is listed small and has no end once it is asked for.
    @Test(arguments: ["small", "deep/sm all"]) func aFileWithoutEndIsCutOff(_ name: String) async throws {
        try await TemporaryFolder.with { folder in
            let file = "\"$VP_TEST_FOLDER/instance/\(name)\""
            let instance = try await self.instance(
                folder,
                programs: [
                    "find":
                        "printf small > \(file); touch -d @1795000000 \(file); PATH=${PATH#*:} exec find \"$@\"",
                    "rsync": "truncate -s 40G \(file); PATH=${PATH#*:} exec rsync \"$@\"",
                ])
            try folder.write("small", to: "instance/\(name)")
            try folder.write("whole", to: "instance/other")
            let settings: EngineConfiguration.Sync = {
                var settings = EngineConfiguration.Sync()
                settings.growthAllowance = 1_000_000
                return settings
            }()
            let start = ContinuousClock.now
            let summary = try await instance.sync(settings: settings).download(conflictSuffix: "7")
            #expect(
                summary.missing.contains("\(name): the instance sent more data than it had listed"),
                "\(summary)")
            #expect(!folder.exists("project/\(name)"))
            #expect(ContinuousClock.now - start < .seconds(120))
        }
    }

    @Test func whatGrowsWithinTheAllowanceComes() {
        #expect(RsyncTransfer.limit(10, files: 2, allowance: 5) == 10 + 5 + 2 * 16_384)
        #expect(RsyncTransfer.limit(.max, files: .max, allowance: .max) == .max)
    }

    // MARK: Silence

    @Test func silenceEndsAndLifeDoesNot() async throws {
        let activity = EngineError.Activity("waiting")
        let limit = StallLimit(time: .milliseconds(100))
        await #expect {
            try await limit.watch(activity) { _ async throws(EngineError) in
                do { try await Task.sleep(for: .seconds(600)) } catch {
                    throw EngineError(.cancelled, activity)
                }
            }
        } throws: { ($0 as? EngineError)?.code == .unreachable }
        let start = ContinuousClock.now
        let value = try await limit.watch(activity) { alive async throws(EngineError) in
            while ContinuousClock.now - start < .milliseconds(300) {
                alive()
                await Task.yield()
            }
            return 5
        }
        #expect(value == 5)
    }

    /// Each program there that an answer needs, when it never ends.
    @Test(arguments: ["find", "rsync", "tar", "sha256sum"]) func aProgramThatHangsIsGivenUp(_ name: String)
        async throws
    {
        try await TemporaryFolder.with { folder in
            let instance = try await self.instance(folder, programs: [name: "exec sleep 1000"])
            try folder.write("theirs", to: "instance/.vpignore")
            try folder.write("result", to: "instance/result")
            let sync = instance.sync(patience: Patience(.seconds(1)))
            let start = ContinuousClock.now
            _ = try? await sync.download(conflictSuffix: "7", verifiesContents: name == "sha256sum")
            if name == "tar" {
                await #expect(throws: EngineError.self) { _ = try await sync.holdRefused() }
            }
            #expect(ContinuousClock.now - start < .seconds(60))
        }
    }
}
