import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// `vp run`, `vp jobs --json` and the dashboard say the same of how a job ended, and it is true.
@Suite(.ownThread, .startsCloud, .requires("sshd", "rsync", "ssh", "python3"), .timeLimit(.minutes(15)))
struct JobEndingTests {
    private struct Ending {
        var words: [String]
        var status: Int32
        var state: String
        var code: Int?
        var signal: Int?
        var cause: String?
        /// What the dashboard's list says.
        var shown: String
    }

    private static func failed(_ words: [String], _ code: Int, _ cause: String? = nil) -> Ending {
        Ending(
            words: words, status: Int32(code), state: "failed", code: code, cause: cause,
            shown: "exit \(code)")
    }

    private static let endings: [Ending] = [
        Ending(words: ["true"], status: 0, state: "succeeded", code: 0, shown: "succeeded"),
        Self.failed(["exit 1"], 1), Self.failed(["sh", "-c", "exit 7"], 7),
        Ending(
            words: ["kill -9 $$"], status: 137, state: "failed", signal: 9, cause: "killed by SIGKILL",
            shown: "exit 137"),
        Self.failed(
            ["exit 137"], 137, "exit status 137, which a shell gives a command killed by SIGKILL"),
        Ending(
            words: ["python3", "-c", "import os; os.kill(os.getpid(), 11)"], status: 139, state: "failed",
            signal: 11, cause: "killed by SIGSEGV", shown: "exit 139"),
        Self.failed(["no-such-command"], 127, "command not found"),
        Self.failed(["echo true > tool; ./tool"], 126, "the command cannot be executed"),
        Self.failed(
            ["ulimit -v 400000; exec python3 -c 'bytearray(10**10)'"], 1,
            "out of memory: an allocation was refused"),
        Self.failed(
            ["echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB' >&2; exit 1"], 1,
            "GPU out of memory"),
        Self.failed(
            ["echo 'OSError: [Errno 28] No space left on device' >&2; exit 1"], 1,
            "disk full on the instance"),
    ]

    @Test func everyEndIsToldAlike() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            for ending in Self.endings {
                let run = try await harness.start(["run", "--no-sync", "--"] + ending.words).output()
                #expect(run.status == ending.status, "\(ending): \(run)")
                if let cause = ending.cause { #expect(run.stderr.contains(cause), "\(run)") }
                let job = try await local.job()
                #expect(job["state"] as? String == ending.state, "\(job)")
                #expect(job["exit_code"] as? Int == ending.code, "\(job)")
                #expect(job["signal"] as? Int == ending.signal, "\(job)")
                #expect(job["cause"] as? String == ending.cause, "\(job)")
                #expect((job["log"] as? [String: Any])?["verified"] as? Bool == true)
            }
            let list = try await harness.vp("jobs", "--json").json()["jobs"] as? [[String: Any]] ?? []
            #expect(list.reversed().map { $0["state"] as? String } == Self.endings.map(\.state))

            let dashboard = try local.dashboard()
            // The list alone: there every row has its room.
            try await dashboard.see("project-\(Self.endings.count)")
            dashboard.type("3+")
            _ = try await wait(for: "the lists alone", limit: .seconds(60)) {
                _ = dashboard.read(milliseconds: 0)
                return dashboard.screen.text.contains("││") ? nil : true
            }
            for (number, ending) in Self.endings.enumerated() {
                let row = try await wait(for: "project-\(number + 1)") {
                    _ = dashboard.read(milliseconds: 0)
                    return dashboard.screen.text.split(separator: "\n").map(String.init)
                        .first { $0.contains("project-\(number + 1) ") }
                }
                #expect(row.contains(ending.shown), "\(row)")
            }
            dashboard.type("q")
            _ = try await dashboard.seeEnd()
        }
    }

    @Test func aJobWhoseInstanceIsDestroyedIsLost() async throws {
        try await LocalCloud.with { local in
            let id = try await local.rent()
            let watching = try local.harness.start(["run", "--no-sync", "--", "echo up; sleep 1000"])
            try await watching.waitForOutput("up")
            let destroyed = try await local.harness.vp(
                "destroy-instance", id, "--yes", "--discard-results", "--end-jobs")
            #expect(destroyed.status == 0, "\(destroyed)")
            let run = try await watching.output()
            #expect(run.status == 207, "\(run)")
            let job = try await local.job()
            #expect(job["state"] as? String == "lost")
            #expect(job["cause"] as? String == "its instance was destroyed")
            #expect(job["dollars"] as? Double != nil)
            try await local.expectDashboard(shows: "lost: its instance was destroyed")
        }
    }

    @Test(arguments: [
        (Fault.vanished, "vast", "on-demand", "the platform no longer has this instance"),
        (Fault.preempted, "vast", "interruptible", "preempted: "),
        (Fault.preempted, "runpod", "interruptible", "preempted: "),
    ])
    func aJobWhoseInstanceIsTakenIsLost(
        fault: Fault, platform: String, type: String, cause: String
    ) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent("--instance-type", type, platform: platform)
            let watching = try local.harness.start(["run", "--no-sync", "--", "echo up; sleep 1000"])
            try await watching.waitForOutput("up")
            await local.cloud.inject(fault)
            let run = try await watching.output()
            #expect(run.status == 207, "\(run)")
            let job = try await local.job()
            #expect(job["state"] as? String == "lost")
            #expect((job["cause"] as? String)?.hasPrefix(cause) == true, "\(job)")
            #expect(run.stderr.contains(cause), "\(run)")
            #expect(try await local.harness.vp("logs", "-1").stdout == "up\n")
            try await local.expectDashboard(shows: "lost: \(cause)")
        }
    }

    /// RunPod keeps nothing of a container's own disk over a stop, vast.ai all of it;
    /// the job is over on either.
    @Test(arguments: ["vast", "runpod"])
    func aJobThatAStopEndsIsCancelled(platform: String) async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            let rented = try await harness.vp("create-instance", "--platform", platform, "--json")
            let id = try #require(try rented.json()["id"] as? String, "\(rented)")
            let ended = try await harness.vp("run", "--no-sync", "--detach", "--", "echo seen; exit 3")
            let watching = try harness.start(["run", "--no-sync", "--", "echo up; sleep 1000"])
            try await watching.waitForOutput("up")
            let stopped = try await harness.vp("stop", id, "--end-jobs")
            #expect(stopped.status == 0, "\(stopped)")
            let watched = try await watching.output()
            #expect(watched.status == 143, "\(watched)")
            // What had ended before, unseen, is told as it was.
            let first = ended.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await local.job(first)["exit_code"] as? Int == 3)
            for _ in 0..<2 {
                let job = try await local.job()
                #expect(job["state"] as? String == "cancelled", "\(job)")
                #expect(try await harness.vp("logs", "-1").stdout == "up\n")
                _ = try await harness.vp("start", id)
            }
        }
    }

    /// Nobody watched: the supervisor was killed, and with it all that is known.
    @Test func aJobWithoutASupervisorIsUnknownAndNeverSucceeded() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let harness = local.harness
            let started = try await harness.vp("run", "--no-sync", "--detach", "--", "echo up; exit 0")
            let id = started.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
            let killed = try await harness.vp("run", "--no-sync", "--detach", "--", "sleep 1000")
            let other = killed.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
            let kill = "read -r pid _ < ~/.vp/jobs/\(other)/supervisor; kill -9 $pid; pkill -x sleep; true"
            #expect(try await harness.vp("run", "--no-sync", "--", kill).status == 0)
            let job = try await local.job(other) { $0["state"] as? String != "running" }
            #expect(job["state"] as? String == "unknown", "\(job)")
            #expect(job["exit_code"] is NSNull)
            let succeeded = try await local.job(id)
            #expect(succeeded["state"] as? String == "succeeded")
            #expect(try await harness.vp("attach", other).status == 203)
            try await local.expectDashboard(shows: "unknown: the job's supervisor", rowsBelow: 1)
        }
    }
}
