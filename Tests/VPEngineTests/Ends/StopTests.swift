import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// What a stop leaves, and what is believed of a stopped instance.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct StopTests {
    /// Another machine believes what the instance keeps of it, as long as nothing was written since.
    @Test(arguments: [false, true]) func anotherMachineBelievesWhatWasVerified(isWritten: Bool) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there("echo precious > model.bin", on: instance)
            _ = try await fixture.perform(.stop(instance.id))
            _ = try await fixture.perform(.start(instance.id))
            if isWritten { try await fixture.there("echo late > late.bin", on: instance) }
            var configuration = fixture.engine.configuration
            configuration.paths.stateFolder += "-elsewhere"
            configuration.paths.cacheFolder += "-elsewhere"
            let client = fixture.clients[.vast]!
            let other = try Engine(
                configuration: configuration, clients: [client], runner: SystemProcessRunner())
            do throws(EngineError) {
                _ = try await other.perform(.destroy(instance.id, DestroyRequest()), as: ActionID()) { _ in }
                #expect(!isWritten)
            } catch {
                #expect(isWritten && error.code == .unsafeResults, "\(error)")
            }
            await other.shutDown()
            #expect(await fixture.cloud.instanceCount == (isWritten ? 1 : 0))
        }
    }

    /// The watchdog's own part, by itself: a folder stands for the instance,
    /// and a stop only calls the platform.
    @Test(arguments: [VPEngine.Platform.runpod, .vast])
    func theWatchdogKeepsWhatAStopWouldWipe(platform: VPEngine.Platform) async throws {
        try await TemporaryFolder.with { folder in
            let home = folder.path + "/home"
            let workspace = folder.path + "/workspace"
            try folder.write("done\n", to: "home/.vp/jobs/train-1/log")
            try folder.write("code=0\n", to: "home/.vp/jobs/train-1/status")
            try folder.write("", to: "home/.vp/since")
            // What changed since is told by whole ticks of the kernel's clock.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)],
                ofItemAtPath: folder.path + "/home/.vp/since")
            // On another disk than the one that is kept, which is the first part of a path.
            let set = "/var/tmp/vp-set-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: set) }
            try FileManager.default.createDirectory(atPath: set, withIntermediateDirectories: true)
            try Data("precious\n".utf8).write(to: URL(fileURLWithPath: set + "/a.bin"))
            try folder.write("x\n", to: "workspace/x")
            symlink(set, workspace + "/data")
            symlink("/", workspace + "/everything")
            // A pod's volume is at /workspace, which a test has not.
            let kept = platform == .runpod ? workspace + "/.vp-kept" : ""
            let text = WatchdogScript.watchdog
            let start = try #require(text.range(of: "# outside:"))
            let end = try #require(text.range(of: "processes() {"))
            let script = """
                workspace=\(ShellQuoting.quoted(workspace)) kept=\(ShellQuoting.quoted(kept))
                jobs=$HOME/.vp/jobs lease=$HOME/.vp/lease keeps_unsafe=1
                say() { echo "$1"; }
                \(text[start.lowerBound..<end.lowerBound])
                keep
                mkdir -p "$lease"; : > "$lease/safe"
                if unsafe; then echo unsafe; else echo safe; fi
                sleep 0.1; echo more > \(ShellQuoting.quoted(set + "/b.bin"))
                if unsafe; then echo unsafe; else echo safe; fi
                """
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    "sh", ["-s"],
                    environment: [
                        "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "", "HOME": home,
                    ], input: Array(script.utf8)))
            let words = String(decoding: result.output, as: UTF8.self)
            func keptFile(_ name: String) -> String? {
                try? String(contentsOfFile: workspace + "/.vp-kept/" + name, encoding: .utf8)
            }
            let isKept = platform == .runpod
            #expect((keptFile("jobs/train-1/log") == "done\n") == isKept, "\(words)")
            #expect((keptFile("links/data/a.bin") == "precious\n") == isKept, "\(words)")
            #expect(keptFile("links/everything/etc/passwd") == nil)
            // Results behind a link keep an instance as those before it do.
            #expect(words.hasSuffix("safe\nunsafe\n"), "\(words)")
        }
    }
}
