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
        WatchdogScript.markSafe(upToTheEndOf: JobID("train-1")), bootGuard(.vast)!, bootGuard(.runpod)!,
    ]

    private static func bootGuard(_ platform: VPEngine.Platform) -> String? {
        BootGuard.text(LeaseTerms(), on: platform, apiBase: "http://127.0.0.1:1", workspace: "/work space")
    }

    @Test(
        .requires("dash", "bash", "busybox"),
        arguments: [["dash"], ["bash", "--posix"], ["busybox", "sh"]])
    func everyShellReadsIt(shell: [String]) async throws {
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
        let guards = Platform.allCases.compactMap(Self.bootGuard)
        #expect(guards.count == 2)
        for script in guards + [WatchdogScript.watchdog] {
            let result = try await SystemProcessRunner().run(
                ProcessCommand(
                    "shellcheck", ["-s", "sh", "-"],
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""],
                    input: Array(script.utf8)))
            #expect(result.isSuccess, "\(String(decoding: result.output, as: UTF8.self))")
        }
    }

    /// What vast.ai takes, with room for a few lines of the user's.
    @Test func aRentalHasRoomForTheGuard() throws {
        let text = try #require(Self.bootGuard(.vast))
        #expect(text.utf8.count < 3000)
        #expect(BootGuard.text(LeaseTerms(seconds: nil), on: .vast, apiBase: "", workspace: "") == nil)
        func onStart(_ own: String?) -> String? {
            let offer = Offer(
                id: OfferID(platform: .vast, rawValue: "1"), gpuName: "RTX 4090", gpuCount: 1,
                gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: 1))
            return VastWire.onStart(
                RentRequest(
                    offer: offer, name: "vp-x", image: "x", diskBytes: 1, onStart: own, bootGuard: text))
        }
        #expect(onStart(nil) == "#!/bin/sh\n\(text)")
        #expect(onStart("echo hi\nexit") == "#!/bin/sh\n\(text)echo hi\nexit")
        #expect(onStart("#!/bin/bash\necho hi") == "#!/bin/bash\n\(text)echo hi")
        // Not ours to change, or more than there is room for.
        let python = "#!/usr/bin/env python3\nprint(1)"
        #expect(onStart(python) == python)
        let long = String(repeating: "x", count: 3000)
        #expect(onStart(long) == long)
    }

    @Test(arguments: [
        ("state 100 160 none active 0", LeaseReport.state(now: 100, end: 160, cap: nil, use: .active)),
        ("state 100 none 900 idle 42", .state(now: 100, end: nil, cap: 900, use: .idle(42))),
        ("state 100 160 none unknown 0", .state(now: 100, end: 160, cap: nil, use: .unknown)),
        (
            "state 100 160 none active 0 1200",
            .state(now: 100, end: 160, cap: nil, use: .active, gpuRest: 1200)
        ),
        ("state 100 160 none unknown 0 0", .state(now: 100, end: 160, cap: nil, use: .unknown)),
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
