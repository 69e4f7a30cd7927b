import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// The local log is the remote one, byte for byte, whatever happens in between.
///
/// The sizes are for every day. `VP_TEST_LOG_MEGABYTES=200 VP_TEST_SECONDS=60 VP_TEST_CUT_SECONDS=2` is the
/// whole trial, and `VP_TEST_OUTAGE_SECONDS=300` that of a lost network.
@Suite(.ownThread, .startsCloud, .requires("sshd", "rsync", "ssh", "python3"), .timeLimit(.minutes(15)))
struct JobLogTests {
    private static func setting(_ name: String, _ standard: Double) -> Double {
        ProcessInfo.processInfo.environment[name].flatMap { Double($0) } ?? standard
    }

    /// Writes so many megabytes within so many seconds, in bursts: progress bars, colours, NUL,
    /// bytes that are no text, and lines without an end.
    private static let writer = """
        import os, random, sys, time
        megabytes, seconds, seed = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
        random.seed(seed)
        total, written, start = int(megabytes * 1e6), 0, time.monotonic()
        odd = [b'\\r 31%|###  |', b'\\x1b[31;1mred\\x1b[0m', b'\\0\\0', b'\\xff\\xfe\\xc3\\x28', b'\\n', b'\\r\\n',
               b'vp-job ended code=0\\n', b'\\x1b]0;title\\x07', '日本🚀'.encode()]
        while written < total:
            part = b''.join(random.choice(odd) if random.random() < .3 else random.randbytes(random.randint(1, 2000))
                            for _ in range(random.randint(1, 200)))[:total - written]
            os.write(random.choice([1, 2]), part)
            written += len(part)
            time.sleep(max(0, start + seconds * written / total - time.monotonic()))

        """

    @Test func cutsAndKillsLoseNothingAndDoubleNothing() async throws {
        let megabytes = Self.setting("VP_TEST_LOG_MEGABYTES", 12)
        let seconds = Self.setting("VP_TEST_SECONDS", 6)
        let pause = Self.setting("VP_TEST_CUT_SECONDS", 0.5)
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try harness.write("project/writer.py", Self.writer)
            #expect(try await harness.vp("sync").status == 0)
            let cutting = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(pause))
                    await local.cloud.inject(.connectionCut)
                }
            }
            defer { cutting.cancel() }
            var child = try harness.start(
                ["run", "--no-sync", "--", "python3", "writer.py", "\(megabytes)", "\(seconds)", "7"])
            let log = try await wait(for: "the job's log", limit: .seconds(60)) {
                harness.files(below: "", withSuffix: "project-1.log").first
            }
            // Whoever watches is killed twice, at a third and at two thirds.
            for share in [1.0, 2.0] {
                try await waitUntil("a part of the log", limit: .seconds(seconds * 4 + 60)) {
                    Self.size(log) > Int(megabytes * 1e6 * share / 3) || !child.isRunning
                }
                #expect(child.isRunning, "\(child.errorText)")
                child.send(SIGKILL)
                _ = try await child.status()
                child = try harness.start(["attach", "-1"])
            }
            let status = try await child.status(limit: .seconds(seconds * 4 + 120))
            cutting.cancel()
            #expect(status == 0, "\(child.errorText)")
            let remote = try #require(local.remoteFile("project-1/log"))
            #expect(Self.size(log) == Int(megabytes * 1e6))
            #expect(FileManager.default.contentsEqual(atPath: log, andPath: remote))
            #expect(child.printedExactly(contentsOf: log))
            let job = try await local.job()
            #expect((job["log"] as? [String: Any])?["verified"] as? Bool == true)
        }
    }

    /// The way to the instance is gone for a while, whoever watched is gone as well,
    /// the dashboard among them, and the job ends meanwhile.
    @Test func afterALostNetworkTheJobIsShownAsItIs() async throws {
        let outage = Self.setting("VP_TEST_OUTAGE_SECONDS", 4)
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try harness.write("project/writer.py", Self.writer)
            #expect(try await harness.vp("sync").status == 0)
            let watching = try harness.start(
                ["run", "--no-sync", "--", "python3 writer.py 2 \(outage * 0.7) 8; exit 5"])
            let log = try await wait(for: "the job's log") {
                harness.files(below: "", withSuffix: "project-1.log").first { Self.size($0) > 0 }
            }
            let dashboard = try local.dashboard()
            try await dashboard.see("project-1")
            let deadline = ContinuousClock.now + .seconds(outage)
            let isDown = Task {
                while !Task.isCancelled {
                    await local.cloud.inject(.connectionCut)
                    try? await Task.sleep(for: .milliseconds(20))
                }
            }
            // It says that it has lost the way, and does not say that the job ended.
            var connection: [String: Any] = [:]
            while connection["connection"] as? String != "reconnecting", watching.isRunning {
                connection = try await local.job("project-1")
            }
            #expect(connection["state"] as? String == "running")
            watching.send(SIGKILL)
            _ = try await watching.output()
            dashboard.type("q")
            _ = try await dashboard.seeEnd()
            let blind = try await local.job("project-1")
            #expect(blind["state"] as? String == "running")
            #expect(blind["connection"] as? String == "disconnected")
            let remote = try #require(local.remoteFile("project-1/log"))
            try await waitUntil("the job's end, seen by nobody", limit: .seconds(outage * 3 + 30)) {
                FileManager.default.fileExists(
                    atPath: (remote as NSString).deletingLastPathComponent + "/status")
            }
            while ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
            isDown.cancel()
            await isDown.value
            // Opened again, it shows the job as it is, and has its log.
            let again = try local.dashboard()
            try await again.see("project-1")
            again.type("3\r")
            try await again.see("exit status 5")
            again.type("q")
            _ = try await again.seeEnd()
            let job = try await local.job("project-1")
            #expect(job["state"] as? String == "failed", "\(job)")
            #expect(job["exit_code"] as? Int == 5)
            #expect(FileManager.default.contentsEqual(atPath: log, andPath: remote))
            #expect((job["log"] as? [String: Any])?["verified"] as? Bool == true)
        }
    }

    /// A copy that somebody damaged is found out by its checksum and fetched anew.
    @Test func aDamagedCopyIsFetchedAnew() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let command = "echo one; while [ ! -e \(gate) ]; do sleep 0.05; done; echo two"
            let watching = try harness.start(["run", "--no-sync", "--", command])
            try await watching.waitForOutput("one")
            let log = try #require(harness.files(below: "", withSuffix: "project-1.log").first)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
            try file.write(contentsOf: Data("0".utf8))
            try file.close()
            #expect(try await harness.vp("run", "--no-sync", "--", "touch", gate).status == 0)
            #expect(try await watching.output().status == 0)
            #expect(try String(contentsOfFile: log, encoding: .utf8) == "one\ntwo\n")
            let job = try await local.job("project-1")
            #expect((job["log"] as? [String: Any])?["verified"] as? Bool == true)
        }
    }

    private static func size(_ path: String) -> Int {
        var information = stat()
        return stat(path, &information) == 0 ? Int(information.st_size) : 0
    }
}
