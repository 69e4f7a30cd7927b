import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// The script by itself: which shells take it, and what it makes of its settings.
@Suite struct WatchdogScriptTests {
    private static let settings = WatchdogScript.Settings(
        platform: .vast, instance: "7", apiBase: "http://127.0.0.1:1", workspace: "/work space", seconds: 60,
        capSeconds: 0, ending: .destroy, keepsUnsafeResults: true)

    private static let scripts = [
        WatchdogScript.watchdog, WatchdogScript.renew, WatchdogScript.look,
        WatchdogScript.arm(settings), WatchdogScript.markSafe(secondsAgo: 3),
        WatchdogScript.markSafe(upToTheEndOf: JobID("train-1")),
    ]

    @Test(arguments: [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
    func everyShellReadsIt(shell: [String]) async throws {
        guard Programs.path(of: shell[0]) != nil else { return }
        for script in Self.scripts {
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    shell[0], Array(shell.dropFirst()) + ["-n"],
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""],
                    input: Array(script.utf8)))
            #expect(result.isSuccess, "\(String(decoding: result.errorOutput, as: UTF8.self))")
        }
    }

    @Test(.requires("shellcheck")) func shellcheckFindsNothing() async throws {
        let result = try await SystemProcessRunner().run(
            ProcessCommand(
                "shellcheck", ["-s", "sh", "-"],
                environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""],
                input: Array(WatchdogScript.watchdog.utf8)))
        #expect(result.isSuccess, "\(String(decoding: result.output, as: UTF8.self))")
    }

    @Test(arguments: [
        ("state 100 160 none active 0", LeaseReport.state(now: 100, end: 160, cap: nil, use: .active)),
        ("state 100 none 900 idle 42", .state(now: 100, end: nil, cap: 900, use: .idle(42))),
        ("state 100 160 none unknown 0", .state(now: 100, end: 160, cap: nil, use: .unknown)),
        ("guard instance", .guarded(weakness: nil)),
        (
            "guard none the instance has no key of its own",
            .guarded(weakness: "the instance has no key of its own")
        ),
        ("absent", .absent), ("failed cannot write", .failed("cannot write")),
    ])
    func reportsAreRead(words: String, report: LeaseReport) {
        #expect(LeaseReport(line: Substring(WatchdogScript.mark + words)) == report)
    }

    @Test(arguments: ["vp-lease", "state 1 2 3 active 0", "vp-lease state x", "vp-lease guard"])
    func otherLinesAreNoReports(line: String) {
        #expect(LeaseReport(line: Substring(line)) == nil)
    }
}
