import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What an instance answers before its end, and the scripts that ask.
@Suite struct LastLookTests {
    @Test(arguments: [
        "link\0../x\0/mnt\0d\0end\0", "link\0/x\0/mnt\0d\0end\0", "link\0a/.git/x\0/mnt\0d\0end\0",
        "link\0.vp/x\0/mnt\0d\0end\0", "link\0a\0mnt\0d\0end\0", "git\0../x\0bundle\0\0end\0",
        "folder\0x\0end\0",
        "link\0a\0/mnt\0d\0", "nonsense\0end\0", "",
    ])
    func anAnswerThatLiesIsRefused(answer: String) {
        #expect(LastLook.parse(Array(answer.utf8)) == nil)
    }

    @Test func anAnswerIsRead() throws {
        let tip = String(repeating: "a", count: 40)
        let words = "link\0d\0/mnt/set\0d\0folder\0/x\0remade\0venv\03\0git\0\0bundle\0\(tip) x \0end\0"
        let findings = try #require(LastLook.parse(Array(words.utf8)))
        #expect(findings.links == [.init(path: SyncPath("d"), target: SyncPath("/mnt/set"), isFolder: true)])
        #expect(findings.folders == [SyncPath("/x")])
        #expect(findings.remade == [.init(path: SyncPath("venv"), bytes: 3072)])
        #expect(findings.repositories == [.init(path: SyncPath(""), canBeBundled: true, tips: [tip])])
    }

    @Test(
        .requires("dash", "bash", "busybox"),
        arguments: [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
    func everyShellReadsTheScripts(shell: [String]) async throws {
        let scripts = [
            Array(LastLook.script(root: "/work space", folders: ["/x y"]).utf8), Array(LiveJobs.script.utf8),
            Array(LastLook.sizes(root: "/work space").utf8),
            LastLook.bundle(root: "/w", path: SyncPath("a b"), limit: 5),
            LastLook.file(SyncPath("/a b"), limit: 5),
            Array(WatchdogScript.order(discardsResults: true).utf8),
        ]
        for script in scripts {
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    shell[0], Array(shell.dropFirst()) + ["-n"],
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""], input: script))
            #expect(result.isSuccess, "\(String(decoding: result.errorOutput, as: UTF8.self))")
        }
    }
}
