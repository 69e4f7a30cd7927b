import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Signals at the stages of `vp run --create --destroy`: answered at once, and nothing is forgotten.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SignalTests {
    private static let rent = ["run", "--create", "--gpu", "RTX4090", "--destroy", "--"]

    /// A second watch must not take the signals from the first: the job's is the run's second.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalDuringTheJobLeavesTheJob(signal: Int32) async throws {
        try await LocalCloud.with { local in
            let child = try local.harness.start(
                Self.rent + ["echo begun; until [ -e /tmp/no-such-gate ]; do sleep 0.1; done"])
            try await child.waitForOutput("begun")
            child.send(signal)
            let output = try await child.output(limit: .seconds(20))
            #expect(output.status == 128 + signal, "\(output)")
            #expect(output.stderr.contains("vp attach project-1"), "\(output)")
            #expect(output.stderr.contains("not destroyed"), "\(output)")
            #expect(try await local.job("project-1")["state"] as? String == "running")
            #expect(try await local.harness.vp("cancel", "--kill", "project-1").status == 0)
        }
    }

    /// Nothing was run on what is half way up.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalDuringTheRentalLeavesNothing(signal: Int32) async throws {
        let session = try await CloudSession(seed: 41, faults: ["image-never-loads"])
        let harness = session.harness
        let child = try harness.start(Self.rent + ["true"])
        try await waitUntil("the rental; \(child.errorText)") {
            child.errorText.contains("loading the image: instance")
        }
        child.send(signal)
        let output = try await child.output(limit: .seconds(30))
        #expect(output.status == 128 + signal, "\(output)")
        #expect(output.stderr.contains("is gone"), "\(output)")
        #expect(try await harness.vp("ls").stdout.contains("No instances."))
        try await session.end()
    }

    /// The menu waits for a key, and whoever ends programs must not wait for that.
    @Test(.ownThread, arguments: [SIGTERM, SIGHUP])
    func theMenuIsLeftBySignals(signal: Int32) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            var environment = local.harness.environment
            environment["TERM"] = "xterm"
            let session = try PTYSession(
                CLIHarness.products + "/vp", ["run", "--", "echo begun; while :; do sleep 0.1; done"],
                width: 100, height: 30, environment: environment, directory: local.harness.project)
            try await session.see("begun")
            session.type("\u{3}")
            try await session.see("[d]etach")
            kill(session.processID, signal)
            #expect(try await session.seeEnd(limit: .seconds(20)) == .exited(128 + signal))
            #expect(try await local.job("project-1")["state"] as? String == "running")
        }
    }
}
