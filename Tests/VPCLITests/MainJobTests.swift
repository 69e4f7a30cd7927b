import Foundation
import Glibc
import Testing
import VPTestSupport

/// Every line of the original's documentation, typed at a loopback cloud that runs in another process.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh")) struct MainJobTests {
    private static let platforms = ["vast", "runpod"]

    @Test(arguments: Self.platforms) func theWholePath(platform: String) async throws {
        let session = try await CloudSession()
        let harness = session.harness
        try harness.write("project/train.py", "print('trained')\nopen('model.bin', 'w').write('weights')\n")
        #expect(try await harness.vp("--init", "--name", "train").status == 0)

        let none = try await harness.vp("ls")
        #expect(none.stdout.contains("No instances. Rent one: vp create-instance"))
        let noInstance = try await harness.vp("python3", "train.py")
        #expect(noInstance.status == 201, "\(noInstance)")
        #expect(noInstance.stderr.contains("vp create-instance"))

        // Offers, by any spelling of the name.
        for spelling in ["RTX3090", "RTX_3090", "rtx 3090", "NVIDIA GeForce RTX 3090"] {
            let offers = try await harness.vp("offers", "--gpu-type", spelling, "--json", "--limit", "3")
            let rows = try #require(try offers.json()["offers"] as? [[String: Any]], "\(offers)")
            #expect(!rows.isEmpty && rows.allSatisfy { $0["gpu"] as? String == "RTX 3090" })
            #expect(
                Set(rows[0].keys).isSuperset(of: [
                    "platform", "id", "gpu", "gpu_count", "gpu_memory_bytes", "dollars_per_hour",
                    "reliability",
                    "location", "interruptible",
                ]))
        }

        let created = try await harness.vp("create-instance", "--platform", platform, "--gpu-type", "RTX3090")
        #expect(created.status == 0, "\(created)")
        #expect(created.stdout.contains("RTX 3090"))
        let listed = try await harness.vp("list-instances", "--json")
        let instance = try #require((try listed.json()["instances"] as? [[String: Any]])?.first, "\(listed)")
        let id = try #require(instance["id"] as? String)
        #expect(instance["status"] as? String == "running")
        #expect(
            Set(instance.keys).isSuperset(of: [
                "platform", "id", "name", "status", "gpu", "gpu_count", "dollars_per_hour", "created_at",
                "image",
                "ssh", "lease_ends_at",
            ]))
        #expect(try await harness.vp("ls", "-p", platform).stdout.contains(id))

        // Sync, run, sync.
        let run = try await harness.vp("python3", "train.py")
        #expect(run.status == 0, "\(run)")
        #expect(run.stdout == "trained\n")
        #expect(try harness.read("project/model.bin") == "weights")

        // Quoting is kept, and one word is shell text.
        let quoted = try await harness.vp("python3", "-c", "print(\"a b\")")
        #expect(quoted.stdout == "a b\n", "\(quoted)")
        let shell = try await harness.vp("cd /workspace && python3 train.py && echo \"$((1 + 2))\"")
        #expect(shell.stdout == "trained\n3\n", "\(shell)")
        #expect(try await harness.vp("--platform", platform, "run", "--", "echo", "a  b").stdout == "a  b\n")
        #expect(
            try await harness.vp("run", "-i", id, "--working-dir", "/tmp", "--", "pwd").stdout == "/tmp\n")

        // Parts of the path.
        try harness.write("project/new.txt", "new")
        let notSent = try await harness.vp("--no-sync", "run", "--", "cat", "new.txt")
        #expect(notSent.status == 1, "\(notSent)")
        #expect(try await harness.vp("--sync-only", "run", "--", "cat", "new.txt").stdout.isEmpty)
        #expect(try await harness.vp("run", "--no-sync", "--", "cat", "new.txt").stdout == "new")

        // The status is the job's.
        #expect(try await harness.vp("run", "--", "sh", "-c", "exit 7").status == 7)
        #expect(try await harness.vp("run", "--", "sh", "-c", "kill -9 $$").status == 137)

        // What was run, and what it printed.
        let jobs = try #require(try await harness.vp("jobs", "--json").json()["jobs"] as? [[String: Any]])
        #expect(
            Set(try #require(jobs.first).keys).isSuperset(of: [
                "id", "platform", "instance", "command", "state", "exit_code", "signal", "cause",
                "started_at",
                "ended_at", "dollars",
            ]))
        #expect(jobs.first?["signal"] as? Int == 9)
        let firstJob = try #require(jobs.last?["id"] as? String)
        #expect(try await harness.vp("logs", firstJob).stdout == "trained\n")

        // Results come back before the end, and the end is confirmed.
        _ = try await harness.vp("--no-sync", "run", "--", "sh", "-c", "echo late > late.txt")
        #expect(!harness.exists("project/late.txt"))
        let destroyed = try await harness.vp("destroy-instance", id)
        #expect(destroyed.status == 0, "\(destroyed)")
        #expect(try harness.read("project/late.txt") == "late\n")
        #expect(try await harness.vp("ls").stdout.contains("No instances."))
        let again = try await harness.vp("destroy-instance", id)
        #expect(again.status == 201, "\(again)")

        #expect(try harness.files(containing: session.apiKey).isEmpty, "the key reached a file")
        try await session.end()
    }

    @Test(arguments: Self.platforms) func outputAppearsWhileTheCommandRuns(platform: String) async throws {
        let session = try await CloudSession(seed: 2)
        let harness = session.harness
        let id = try await session.rent(platform)
        let child = try harness.start([
            "run", "--", "sh", "-c", "printf 'one '; until [ -e go ]; do sleep 0.05; done; echo two",
        ])
        try await child.waitForOutput("one ")
        #expect(child.isRunning && !child.text.contains("two"))
        // Another command on the same instance, at the same time.
        #expect(try await harness.vp("--no-sync", "run", "-i", id, "--", "touch", "go").status == 0)
        let output = try await child.output()
        #expect(output.status == 0)
        #expect(output.stdout == "one two\n")
        try await session.end()
    }

    /// Ctrl-C never kills: the job goes on, can be followed again, and can be ended.
    @Test(arguments: Self.platforms) func anInterruptedRunGoesOn(platform: String) async throws {
        let session = try await CloudSession(seed: 3)
        let harness = session.harness
        _ = try await session.rent(platform)
        let child = try harness.start([
            "run", "--", "sh", "-c", "echo begun; until [ -e go ]; do sleep 0.05; done; echo ended; exit 3",
        ])
        try await child.waitForOutput("begun")
        child.send(SIGINT)
        let detached = try await child.output(limit: .seconds(30))
        #expect(detached.status == 130)
        #expect(detached.stderr.contains("vp attach"), "\(detached)")

        let attached = try harness.start(["attach", "-1"])
        try await attached.waitForOutput("begun")
        #expect(try await harness.vp("--no-sync", "run", "--", "touch", "go").status == 0)
        let output = try await attached.output()
        #expect(output.stdout == "begun\nended\n", "\(output)")
        #expect(output.status == 3)
        try await session.end()
    }

    @Test(arguments: Self.platforms) func aJobCanBeCancelled(platform: String) async throws {
        let session = try await CloudSession(seed: 4)
        let harness = session.harness
        _ = try await session.rent(platform)
        let child = try harness.start(["run", "--", "sh", "-c", "echo begun; while :; do sleep 1; done"])
        try await child.waitForOutput("begun")
        let cancelled = try await harness.vp("cancel", "-1", "--json")
        #expect(cancelled.status == 0, "\(cancelled)")
        #expect(try cancelled.json()["state"] as? String == "cancelled")
        #expect(try await child.output().status != 0)
        try await session.end()
    }

    @Test func aWrongKeyIsSaidAndIsNoEmptyList() async throws {
        let session = try await CloudSession(seed: 5)
        let output = try await session.harness.vp(
            "ls", "--json", environment: ["VAST_API_KEY": "wrong-key-0123456789"])
        #expect(output.status == 200, "\(output)")
        #expect(try output.error()["code"] == "unauthorized")
        #expect(!output.stderr.contains("wrong-key"))
        let words = try await session.harness.vp("offers", "--gpu-type", "RTX 3090X")
        #expect(words.status == 200)
        #expect(words.stderr.contains("RTX 3090"), "\(words)")
        try await session.end()
    }

    @Test(arguments: Self.platforms) func stopAndStartAndSync(platform: String) async throws {
        let session = try await CloudSession(seed: 6)
        let harness = session.harness
        let id = try await session.rent(platform)
        try harness.write("project/data.txt", "1")
        #expect(try await harness.vp("sync", "--json").json()["files"] as? Int == 1)
        #expect(try await harness.vp("sync").stdout.contains("nothing to upload"))
        #expect(try await harness.vp("ssh", id, "--", "cat", "/workspace/data.txt").stdout == "1")
        let stopped = try await harness.vp("stop", id)
        #expect(stopped.status == 0, "\(stopped)")
        #expect(stopped.stdout.contains("Its disk costs"))
        let started = try await harness.vp("start", id)
        #expect(started.status == 0, "\(started)")
        let download = try await harness.vp("download", id)
        #expect(download.status == 0, "\(download) after \(started)")
        let refused = try await harness.vp("destroy-instance", id, "--discard-results")
        #expect(refused.status == 64, "no question without a terminal: \(refused)")
        #expect(try await harness.vp("destroy-instance", id, "--discard-results", "--yes").status == 0)
        try await session.end()
    }

    /// RunPod wipes the container's disk, and with it what shells read; vast.ai keeps it.
    @Test(arguments: Self.platforms) func variablesOutliveAStop(platform: String) async throws {
        let session = try await CloudSession(seed: 8)
        let harness = session.harness
        let rented = try await harness.vp(
            "create-instance", "--platform", platform, "--gpu-type", "RTX_3090", "--env", "COLOUR=it's $blue",
            "--env", "SECRET", "--json", environment: ["SECRET": "a\nb"])
        #expect(rented.status == 0, "\(rented)")
        let id = try #require(try rented.json()["id"] as? String)
        #expect(try await harness.vp("stop", id).status == 0)
        #expect(try await harness.vp("start", id).status == 0)
        let output = try await harness.vp("--no-sync", "run", "--", #"printf '%s|%s' "$COLOUR" "$SECRET""#)
        #expect(output.stdout == "it's $blue|a\nb", "\(output)")
        #expect(try await harness.vp("destroy-instance", id, "--discard-results", "--yes").status == 0)
        try await session.end()
    }

    /// Two versions of the same size, written in the same second: whoever compares whole seconds sees one.
    @Test(arguments: Self.platforms) func editsWithinOneSecondTravelBothWays(platform: String) async throws {
        let session = try await CloudSession(seed: 8)
        let harness = session.harness
        let id = try await session.rent(platform)
        let file = harness.path("project/a.txt")
        let second = time(nil)
        func write(_ text: String, nanoseconds: Int) throws {
            try harness.write("project/a.txt", text)
            var times = [
                timespec(tv_sec: second, tv_nsec: nanoseconds),
                timespec(tv_sec: second, tv_nsec: nanoseconds),
            ]
            try #require(utimensat(AT_FDCWD, file, &times, 0) == 0)
        }
        try write("one", nanoseconds: 100_000_000)
        #expect(try await harness.vp("sync").status == 0)
        try write("two", nanoseconds: 900_000_000)
        let up = try await harness.vp("run", "--", "cat", "a.txt")
        #expect(up.stdout == "two", "\(up)")

        let script =
            "import os; open('a.txt', 'w').write('six'); os.utime('a.txt', ns=(\(second)500000000,) * 2)"
        let down = try await harness.vp("python3", "-c", script)
        #expect(down.status == 0, "\(down)")
        #expect(try harness.read("project/a.txt") == "six")
        #expect(try await harness.vp("destroy-instance", id).status == 0)
        try await session.end()
    }

    /// `--enable-docker` builds first; a failed build stops everything.
    @Test func aFailedBuildStopsEverything() async throws {
        let session = try await CloudSession(seed: 7)
        let harness = session.harness
        _ = try await session.rent()
        try harness.write("project/Dockerfile", "FROM scratch\n")
        // Links to programs that exist: a script written here could be held open by a child that another test
        // forks at this moment, and the kernel then refuses to run it.
        func path(withDocker program: String) throws -> String {
            let folder = harness.path("bin-\(program)")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let target = try #require(Programs.path(of: program))
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/docker", withDestinationPath: target)
            return folder + ":" + (harness.environment["PATH"] ?? "")
        }
        let failing = try path(withDocker: "false")
        let failed = try await harness.vp(
            "run", "--enable-docker", "--", "touch", "ran", environment: ["PATH": failing])
        #expect(failed.status != 0)
        #expect(failed.stderr.contains("failed"), "\(failed)")
        #expect(try await harness.vp("jobs", "--json").json()["jobs"] as? [String] == [])
        let plain = try await harness.vp("run", "--", "true", environment: ["PATH": failing])
        #expect(plain.status == 0, "off by default: \(plain)")

        let built = try await harness.vp(
            "run", "--enable-docker", "--", "echo", "ran", environment: ["PATH": try path(withDocker: "echo")]
        )
        #expect(built.stdout == "ran\n", "the build's output is progress: \(built)")
        #expect(built.stderr.contains("build --tag vp-project --file \(harness.project)/Dockerfile"))
        try await session.end()
    }
}
