import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

/// Signals at every stage of `vp run --create --destroy`, with and without a terminal,
/// on both platforms: answered within a second, and the instance is gone or in the ledger with the order to
/// end it.
@Suite(.serialized, .ownThread, .requires("sshd", "rsync"), .timeLimit(.minutes(10)))
struct SignalStageTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var stage: RunStage
        var signal: Int32
        var hasTerminal: Bool
        var platform: Market

        var testDescription: String {
            "signal \(self.signal) at \(self.stage) on \(self.platform.rawValue)"
                + (self.hasTerminal ? " with a terminal" : "")
        }
    }

    /// In CI each stage with two signals, terminal and platform in turn;
    /// `VP_SIGNAL_CASES=all` takes all of them.
    private static let cases: [Case] = {
        var cases: [Case] = []
        for stage in RunStage.allCases {
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                for hasTerminal in [false, true] {
                    for platform in [Market.vast, .runPod] {
                        cases.append(
                            Case(stage: stage, signal: signal, hasTerminal: hasTerminal, platform: platform))
                    }
                }
            }
        }
        if ProcessInfo.processInfo.environment["VP_SIGNAL_CASES"] == "all" { return cases }
        return cases.enumerated().filter { $0.offset % 7 == 2 }.map(\.element)
    }()

    @Test(arguments: Self.cases) func nothingIsForgotten(wanted: Case) async throws {
        try await StagedRun.with(wanted.stage, on: wanted.platform, terminal: wanted.hasTerminal) { run in
            try await run.send(wanted.signal)
            // The platform answers what it was asked, and nobody waits for the rest.
            if wanted.stage == .create { run.letGo() }
            #expect(try await run.end() == 128 + wanted.signal, "\(wanted.testDescription): \(run.text)")
            try await run.judge()
        }
    }

    /// The second does not wait for what the first has begun.
    @Test(arguments: [RunStage.create, .boot, .upload, .rest, .destroying], [Market.vast, .runPod])
    func twoInQuickSuccession(stage: RunStage, platform: Market) async throws {
        try await StagedRun.with(stage, on: platform, terminal: false) { run in
            run.kill(SIGTERM)
            try await run.send(SIGTERM)
            run.kill(SIGTERM)
            #expect(try await run.end(limit: .seconds(20)) == 128 + SIGTERM, "\(run.text)")
            try await run.judge()
        }
    }

    enum Loss: String, CaseIterable { case told, hungUp }

    /// Nobody is left who could answer it.
    @Test(arguments: Loss.allCases, [RunStage.boot, .upload])
    func aSignalEndsAQuestion(loss: Loss, stage: RunStage) async throws {
        try await StagedRun.with(stage, on: stage == .boot ? .vast : .runPod, terminal: true) { run in
            try await run.send(SIGINT)
            try await run.see("[d]estroy it or")
            switch loss {
            case .told: try await run.send(SIGTERM)
            case .hungUp: run.hangUp()
            }
            _ = try await run.end()
            try await run.judge()
        }
    }

    /// The terminal is closed while the job runs; and where that is to be ignored, as under nohup,
    /// TERM comes later.
    @Test(arguments: [false, true], [Market.vast, .runPod])
    func aTerminalThatGoesAwayLeavesTheOrder(isDeaf: Bool, platform: Market) async throws {
        try await StagedRun.with(.job, on: platform, terminal: true, deaf: isDeaf) { run in
            run.hangUp()
            if isDeaf { run.kill(SIGTERM) }
            #expect(try await run.end() == 128 + (isDeaf ? SIGTERM : SIGHUP))
            try await run.judge()
        }
    }

    /// An end that was asked for by itself is taken back by the user's key alone.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func destroyInstanceKeepsItsOrder(signal: Int32) async throws
    {
        try await LocalCloud.with { local in
            let id = try await local.rent()
            #expect(
                try await local.harness.vp("--no-sync", "run", "--", "echo result > result.txt").status == 0)
            let hold = AsyncStream<Void>.makeStream()
            let reached = AsyncStream<Void>.makeStream()
            local.cloud.intercept { request in
                guard request.method == "GET", request.path.contains("instances/") else { return .pass }
                reached.continuation.yield()
                for await _ in hold.stream { break }
                return .pass
            }
            let child = try local.harness.start(["destroy-instance", id])
            for await _ in reached.stream { break }
            child.send(signal)
            let output = try await child.output(limit: .seconds(20))
            hold.continuation.finish()
            local.cloud.intercept(nil)
            #expect(output.status == 128 + signal, "\(output)")
            #expect(output.stderr.contains("`vp ls`") == (signal != SIGINT), "\(output)")
            #expect(try await local.harness.vp("ls").status == 0)
            #expect(await local.cloud.instanceCount == (signal == SIGINT ? 1 : 0))
            if signal != SIGINT { #expect(try local.harness.read("project/result.txt") == "result\n") }
        }
    }
}
