import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// A job whose instance, platform or key goes away for a while, followed by somebody without a terminal.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(20)))
struct LostContactTests {
    private static let ticks = (1...10).map { "tick \($0)\n" }.joined()

    /// Writes ten lines and a result, then waits at `gate` where there is one.
    private static func job(pause: Double = 0.15, gate: String? = nil) -> String {
        "i=0; while [ $i -lt 10 ]; do i=$((i+1)); echo tick $i; sleep \(pause); done; echo result > result.txt"
            + (gate.map { "; while [ ! -e \($0) ]; do sleep 0.05; done" } ?? "")
    }

    private static func wait(for line: String, from child: ChildVP) async throws {
        try await waitUntil("`\(line)` or the end: \(child.errorText)", limit: .seconds(120)) {
            child.text.contains(line) || !child.isRunning
        }
    }

    private static func occurrences(of words: String, in text: String) -> Int {
        text.components(separatedBy: words).count - 1
    }

    /// What nobody is told looks like a program that hangs: the loss is said, and that it is over.
    @Test(arguments: [Market.vast, .runPod]) func aLossIsSaidAndItsEnd(platform: Market) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent(platform: platform.rawValue)
            let child = try local.harness.start(["run", "--", Self.job(pause: 0.5)])
            try await Self.wait(for: "tick 2\n", from: child)
            await local.cloud.inject(.hostOffline(.seconds(4)))
            let run = try await child.output()
            #expect(run.status == 0 && run.stdout == Self.ticks, "\(run)")
            // With ssh's words, then with the platform's, and once more where it lasts:
            // a rehearsal's minutes are short.
            #expect((1...3).contains(Self.occurrences(of: "vp: reconnecting", in: run.stderr)), "\(run)")
            #expect(Self.occurrences(of: "vp: connected again", in: run.stderr) == 1, "\(run)")
        }
    }

    /// Also to who attaches, and to who only reads the log.
    @Test(arguments: ["attach", "logs -f"]) func otherFollowersAreToldToo(verb: String) async throws {
        try await LocalCloud.with { local in
            let id = try await local.rent()
            let gate = "/tmp/gate-\(UUID().uuidString)"
            #expect(try await local.harness.vp("run", "--detach", "--", Self.job(gate: gate)).status == 0)
            let child = try local.harness.start(verb.split(separator: " ").map(String.init) + ["-1"])
            try await Self.wait(for: "tick 10\n", from: child)
            await local.cloud.inject(.hostOffline(.seconds(6)))
            try await waitUntil("the word: \(child.errorText)") {
                child.errorText.contains("vp: reconnecting") || !child.isRunning
            }
            // It is the platform that says so here.
            try await waitUntil("the reason: \(child.errorText)") {
                child.errorText.contains("offline") || !child.isRunning
            }
            _ = try await local.harness.vp("ssh", id, "--", "touch", gate)
            try await waitUntil("a way to open the gate") {
                try await local.harness.vp("ssh", id, "--", "touch", gate).status == 0
            }
            let output = try await child.output()
            #expect(output.status == 0 && output.stdout == Self.ticks, "\(output)")
            #expect(output.stderr.contains("vp: connected again"), "\(output)")
        }
    }

    /// A cut that is over at once is one line at most, and no job is given up.
    @Test func aShortCutEndsNothing() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let child = try local.harness.start(["run", "--", Self.job(pause: 0.3)])
            try await Self.wait(for: "tick 2\n", from: child)
            await local.cloud.inject(.connectionCut)
            let run = try await child.output()
            #expect(run.status == 0 && run.stdout == Self.ticks, "\(run)")
            #expect(Self.occurrences(of: "vp: reconnecting", in: run.stderr) <= 1, "\(run)")
        }
    }

    /// It runs, and the platform does not say where: that is no instance that has been stopped.
    @Test func whatHasNoAddressIsNotCalledStopped() async throws {
        try await LocalCloud.with { local in
            let id = try await local.rent(platform: "runpod")
            await local.cloud.inject(.hostOffline(.seconds(60)))
            #expect(try await local.harness.vp("ls").status == 0)
            let login = try await local.harness.vp("ssh", id, "--", "true")
            #expect(login.status == 203 && login.stderr.contains("names no address"), "\(login)")
            #expect(!login.stderr.contains("not running"), "\(login)")
        }
    }

    /// One platform that never answers holds up neither the command for long nor the other's rows.
    @Test(arguments: [Market.vast, .runPod]) func aPlatformThatHangsHidesNotTheOther(platform: Market)
        async throws
    {
        try await LocalCloud.with { local in
            let other: Market = platform == .vast ? .runPod : .vast
            let id = try await local.rent(platform: other.rawValue)
            await local.cloud.inject(Fault(.slow, times: .max, seconds: 50).on(platform))
            let start = ContinuousClock.now
            let list = try await local.harness.vp("ls")
            #expect(list.status == 202 && list.stdout.contains(id), "\(list)")
            #expect(list.stderr.contains(platform == .vast ? "vast.ai" : "RunPod"), "\(list)")
            #expect(list.stderr.contains("did not answer in time"), "\(list)")
            #expect(ContinuousClock.now - start < .seconds(40))
        }
    }

    /// The job is followed to its end, what it made is here, and the end that nobody could ask for is said.
    @Test(arguments: [Market.vast, .runPod]) func aKeyThatExpiresEndsNoJob(platform: Market) async throws {
        try await LocalCloud.with { local in
            let child = try local.harness.start([
                "run", "--create", "--destroy", "--platform", platform.rawValue, "--", Self.job(pause: 0.4),
            ])
            try await Self.wait(for: "tick 2\n", from: child)
            await local.cloud.inject(Fault.keyExpired.on(platform))
            // The way to the instance breaks as well, so that the platform is asked what has become of it.
            await local.cloud.inject(.connectionCut)
            let run = try await child.output(limit: .seconds(150))
            #expect(run.status == 209, "\(run)")
            #expect(run.stdout == Self.ticks, "\(run)")
            #expect(try local.harness.read("project/result.txt") == "result\n")
            let words = run.stderr
            #expect(words.contains("has not confirmed") && words.contains("an hour"), "\(run)")
            #expect(words.contains("refuses the key"), "\(run)")
            // Told by us, and with a key of its own, the instance ends itself.
            try await waitUntil("the instance's own end") { await local.cloud.instanceCount == 0 }
        }
    }

    /// Without an end that was asked for, the job's own status is the run's.
    @Test(arguments: [Market.vast, .runPod]) func aKeyThatExpiresChangesNoStatus(platform: Market)
        async throws
    {
        try await LocalCloud.with { local in
            _ = try await local.rent(platform: platform.rawValue)
            let child = try local.harness.start(["run", "--", Self.job(pause: 0.4) + "; exit 3"])
            try await Self.wait(for: "tick 2\n", from: child)
            await local.cloud.inject(Fault.keyExpired.on(platform))
            await local.cloud.inject(.connectionCut)
            let run = try await child.output()
            #expect(run.status == 3 && run.stdout == Self.ticks, "\(run)")
            #expect(try local.harness.read("project/result.txt") == "result\n")
            let list = try await local.harness.vp("ls", "-p", platform.rawValue)
            #expect(list.status == 200 && list.stderr.contains("refused the API key"), "\(list)")
        }
    }
}
