import Foundation
import Glibc
import Testing
import VPTestSupport

@testable import vp

/// Jobs by the verbs a user types.
@Suite(.ownThread, .startsCloud, .requires("sshd", "rsync", "ssh", "git"), .timeLimit(.minutes(15)))
struct JobVerbTests {
    private func start(_ local: LocalCloud, _ words: String...) async throws -> String {
        let output = try await local.harness.start(["run", "--no-sync", "--detach"] + words).output()
        #expect(output.status == 0, "\(output)")
        return output.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func aDetachedRunPrintsItsIdAndAttachBringsTheResults() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try harness.write("project/a.txt", "a")
            // The driver is asked for beside the first job, which may not be over before the answer.
            let run = try await harness.vp(
                "run", "--detach", "--json", "-e", "GREETING=hi there", "-e", "HOME_OF", "--",
                "until [ -s ~/.vp/driver ]; do :; done; echo \"$GREETING $HOME_OF\" | tr a-z A-Z; echo result > out.txt",
                environment: ["HOME_OF": "mine"])
            #expect(run.status == 0, "\(run)")
            let job = try run.json()
            #expect(job["id"] as? String == "project-1")
            #expect(job["environment"] as? [String] == ["GREETING", "HOME_OF"])
            #expect(!harness.exists("project/out.txt"))
            let attached = try await harness.vp("attach", "-1", "--notify")
            #expect(attached.status == 0, "\(attached)")
            #expect(attached.stdout == "HI THERE MINE\n")
            #expect(try harness.read("project/out.txt") == "result\n")
            let record = try await local.job("project-1")
            #expect((record["results"] as? [String: Any])?["files"] as? Int == 1)
            #expect(record["dollars"] as? Double != nil)
            #expect(record["driver"] as? String != nil)
            #expect((record["hardware"] as? [String: Any])?["gpu"] as? String == "RTX 3090")
            // Values are kept nowhere.
            #expect(try harness.files(containing: "hi there").isEmpty)

            let missing = try await harness.vp("rerun", "project-1")
            #expect(missing.status == 64, "\(missing)")
            #expect(missing.stderr.contains("does not set: GREETING, HOME_OF."), "\(missing)")
            #expect(missing.stderr.contains("-e GREETING=… -e HOME_OF=…"))
            #expect(try await local.job()["id"] as? String == "project-1")
            let again = try await harness.vp(
                "rerun", "project-1", "-e", "GREETING=again", environment: ["HOME_OF": "yours"])
            #expect(again.stdout == "AGAIN YOURS\n", "\(again)")
            #expect(again.status == 0)
        }
    }

    @Test func theRevisionAndItsChangesAreKept() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try harness.write("project/train.py", "print('old')\n")
            let git = """
                git init -q && git add . && git -c user.name=n -c user.email=e commit -qm first \
                && echo "print('new')" > train.py && git rev-parse HEAD > ../commit
                """
            #expect(try await Program.run("/bin/sh", ["-c", "cd \"$0\" && \(git)", harness.project]) == 0)
            let commit = try harness.read("commit").trimmingCharacters(in: .whitespacesAndNewlines)
            let run = try await harness.vp("python3", "train.py")
            #expect(run.stdout == "new\n", "\(run)")
            let revision = try #require(try await local.job()["revision"] as? [String: Any])
            #expect(revision["commit"] as? String == commit)
            #expect(revision["dirty"] as? Bool == true)
            let patch = try String(
                contentsOfFile: try #require(revision["patch"] as? String), encoding: .utf8)
            #expect(patch.contains("-print('old')\n+print('new')\n"))
            let text = try await harness.vp("jobs", "-1")
            #expect(text.stdout.contains(commit) && text.stdout.contains("python3 train.py"), "\(text)")
        }
    }

    @Test func jobsWaitForTheirTurn() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let first = try await self.start(
                local, "--", "while [ ! -e \(gate) ]; do sleep 0.05; done; echo 1")
            let second = try await self.start(local, "--queue", "--", "echo 2")
            let third = try await self.start(local, "--after", first, "--", "echo 3")
            for id in [second, third] {
                #expect(try await local.job(id)["state"] as? String == "queued")
            }
            #expect(try await local.job(second)["after"] as? String == first)
            let watching = try local.harness.start(["attach", second])
            _ = try await self.start(local, "--", "touch", gate)
            let output = try await watching.output()
            #expect(output.stdout == "2\n", "\(output)")
            #expect(output.status == 0)
            _ = try await local.job(third) { $0["state"] as? String == "succeeded" }
            let started = try await [first, second].asyncMap { try await local.job($0) }
            let (end, begin) = (
                started[0]["ended_at"] as? String ?? "", started[1]["started_at"] as? String ?? ""
            )
            #expect(!end.isEmpty && end <= begin)
        }
    }

    @Test func logsShowWhatIsAskedFor() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            let id = try await self.start(local, "--", "seq 1 5; echo oops >&2")
            _ = try await local.job(id) { $0["state"] as? String == "succeeded" }
            #expect(try await harness.vp("logs", id).stdout == "1\n2\n3\n4\n5\noops\n")
            #expect(try await harness.vp("logs", "--tail", "2", id).stdout == "5\noops\n")
            #expect(try await harness.vp("logs", "--tail", "0", id).stdout == "")
            #expect(try await harness.vp("logs", "--since", "1h", "-1").stdout == "1\n2\n3\n4\n5\noops\n")
            #expect(try await harness.vp("logs", "--since", "2999-01-01T00:00:00Z", "-1").stdout == "")
            #expect(try await harness.vp("logs", "--since", "yesterday", "-1").status == 64)
            #expect(try await harness.vp("logs", "-f", "-1").stdout == "1\n2\n3\n4\n5\noops\n")

            let split = try await harness.vp(
                "run", "--no-sync", "--split-stderr", "--", "echo out; echo err >&2; exit 3")
            #expect(split.stdout == "out\n")
            #expect(split.stderr.hasPrefix("err\n"), "\(split)")
            #expect(split.status == 3)
            let logs = try await harness.vp("logs", "-1")
            #expect(logs.stdout == "out\n" && logs.stderr == "err\n", "\(logs)")

            let terminal = try await harness.vp("run", "--no-sync", "-t", "--", "tty >/dev/null && stty size")
            #expect(terminal.stdout == "24 80\r\n", "\(terminal)")
        }
    }

    @Test func cancelEndsAJobThatDefendsItself() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            let id = try await self.start(
                local, "--",
                """
                trap '' TERM
                setsid sh -c 'trap "" TERM; while :; do sleep 1001; done' &
                (setsid sh -c '(trap "" TERM; sh -c "while :; do sleep 1002; done") &' &)
                while :; do sleep 1003; done
                """)
            // Whole lines: the shells' own arguments hold these words as well.
            let list = "ps -eo args | grep -cx 'sleep 100[1-3]'; true"
            var count = ""
            while count != "3\n" { count = try await harness.vp("run", "--no-sync", "--", list).stdout }
            let cancelled = try await harness.vp("cancel", "--kill", "--json", id)
            #expect(cancelled.status == 0, "\(cancelled)")
            #expect(try cancelled.json()["state"] as? String == "cancelled")
            #expect(try await harness.vp("run", "--no-sync", "--", list).stdout == "0\n")
            #expect(try await harness.vp("cancel", id).status == 200)
        }
    }

    // MARK: Ctrl-C

    private func terminal(_ local: LocalCloud, _ command: String) throws -> PTYSession {
        try self.terminal(local, ["run", "--no-sync", "--", command])
    }

    private func terminal(_ local: LocalCloud, _ words: [String]) throws -> PTYSession {
        var environment = local.harness.environment
        environment["TERM"] = "xterm-256color"
        return try PTYSession(
            CLIHarness.products + "/vp", words, environment: environment,
            directory: local.harness.project)
    }

    /// The promise is 200 ms. A machine full of clouds may owe a process its turn for longer,
    /// so that one of a few attempts has to keep it, and each is far from a wait for anything else.
    @Test(arguments: ["d", "\u{3}"])
    func detachingTakesNoTime(key: String) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let job = try await self.start(
                local, "--",
                "while :; do sleep 0.05; [ ! -s \(gate) ] || { read -r n < \(gate); rm \(gate); echo go-$n; }; done"
            )
            var taken: [Duration] = []
            while taken.count < 8, !taken.contains(where: { $0 <= .milliseconds(200) }) {
                let session = try self.terminal(local, ["attach", job])
                // What comes after it was started comes over the connection, by which time there is a menu.
                _ = try await self.start(local, "--", "echo \(taken.count) > \(gate)")
                try await session.see("go-\(taken.count)")
                session.type("\u{3}")
                try await session.see("[d]etach")
                let start = ContinuousClock.now
                session.type(key)
                let end = try session.waitForEnd()
                taken.append(ContinuousClock.now - start)
                #expect(end == .exited(130))
            }
            #expect(taken.contains { $0 <= .milliseconds(200) }, "\(taken)")
            #expect(taken.allSatisfy { $0 < .seconds(3) }, "\(taken)")
            #expect(try await local.job(job)["state"] as? String == "running")
            #expect(try await local.harness.vp("cancel", "--kill", job).status == 0)
        }
    }

    @Test(arguments: ["d", "\u{3}"])
    func controlCAsksAndDetachesAtOnce(key: String) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let session = try self.terminal(
                local, "echo up; while [ ! -e \(gate) ]; do sleep 0.05; done; echo on")
            try await session.see("up")
            session.type("\u{3}")
            try await session.see("[d]etach")
            let start = ContinuousClock.now
            session.type(key)
            let end = try await session.seeEnd()
            let taken = ContinuousClock.now - start
            #expect(end == .exited(130))
            #expect(taken < .seconds(3), "\(taken)")
            #expect(session.screen.text.contains("vp attach project-1"))
            #expect(try await local.job("project-1")["state"] as? String == "running")
            _ = try await self.start(local, "--", "touch", gate)
            let job = try await local.job("project-1") { $0["state"] as? String != "running" }
            #expect(job["state"] as? String == "succeeded", "\(job)")
            #expect(try await local.harness.vp("logs", "project-1").stdout == "up\non\n")
        }
    }

    @Test func controlCKeepsWatchingOrStops() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let session = try self.terminal(
                local, "trap 'echo saved; exit 4' TERM; echo up; while :; do sleep 0.2; echo tick; done")
            try await session.see("up")
            session.type("\u{3}")
            try await session.see("[d]etach")
            session.type("k")
            // The log goes on where the menu was left.
            try await wait(for: "more of the log", limit: .seconds(60)) {
                _ = session.read(milliseconds: 0)
                let after = session.screen.text.components(separatedBy: "[d]etach").last
                return after?.contains("tick") == true ? true : nil
            }
            session.type("\u{3}")
            try await wait(for: "the menu once more", limit: .seconds(60)) {
                _ = session.read(milliseconds: 0)
                let questions = session.screen.text.components(separatedBy: "[d]etach").count - 1
                return questions > 1 ? true : nil
            }
            session.type("s")
            #expect(try await session.seeEnd() == .exited(4))
            #expect(session.screen.text.contains("saved"))
            let job = try await local.job("project-1")
            #expect(job["state"] as? String == "cancelled")
            #expect(job["exit_code"] as? Int == 4)
        }
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ change: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await change(element)) }
        return values
    }
}
