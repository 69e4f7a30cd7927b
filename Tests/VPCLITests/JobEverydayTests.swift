import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// What everyday jobs do that is more than to run and to end.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct JobEverydayTests {
    /// The shell's 0 comes at once, and the instance must not go before the work is done.
    @Test func workInTheBackgroundIsDoneBeforeTheInstanceGoes() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            let run = try await harness.vp(
                "run", "--create", "--gpu", "RTX4090", "--destroy", "--",
                "nohup sh -c 'sleep 3; echo done > result.txt' > log.txt 2>&1 &")
            #expect(run.status == 0, "\(run)")
            #expect(try harness.read("project/result.txt") == "done\n")
            let job = try await local.job()
            #expect(job["state"] as? String == "succeeded" && job["exit_code"] as? Int == 0, "\(job)")
            let background = try #require(job["background"] as? [[String: Any]])
            #expect(background.count == 1 && background[0]["status"] as? Int == 0, "\(background)")
            #expect((background[0]["command"] as? String)?.contains("sleep 3") == true)
            let left = try #require(try await harness.vp("ls", "--json").json()["instances"] as? [Any])
            #expect(left.isEmpty)
        }
    }

    @Test func jobsOnOneInstance() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            try await self.leaveSomethingBehind(local)
            try await self.failInTheBackground(local)
            try await self.sendInput(local)
            try await self.writeToAFullDisk(local)
            let refused = try await harness.vp("run", "--detach", "--pull-every", "5m", "--", "true")
            #expect(
                refused.status == 64 && refused.stderr.contains("--detach stops following it"), "\(refused)")
        }
    }

    private func leaveSomethingBehind(_ local: LocalCloud) async throws {
        let run = try await local.harness.vp("run", "--linger", "1s", "--", "sleep 100000 & echo hi")
        #expect(run.status == 0 && run.stdout == "hi\n", "\(run)")
        #expect(
            run.stderr.contains("left 1 idle process behind") && run.stderr.contains("vp cancel"), "\(run)")
        let job = try await local.job()
        let background = try #require(job["background"] as? [[String: Any]])
        #expect(background.map { $0["state"] as? String } == ["left_behind"], "\(background)")
        #expect(background[0]["status"] is NSNull, "\(background)")
        #expect(try await local.harness.vp("jobs").stdout.contains("succeeded, 1 left behind"))
        #expect(try await local.harness.vp("jobs", "-1").stdout.contains("left behind"))
        let cancel = try await local.harness.vp("cancel", "-1")
        #expect(cancel.status == 0 && cancel.stdout.contains("left behind have ended"), "\(cancel)")
        #expect(try await local.harness.vp("jobs").stdout.contains("succeeded  "))
        #expect(try await local.harness.vp("cancel", "-1").status != 0)
    }

    private func failInTheBackground(_ local: LocalCloud) async throws {
        let run = try await local.harness.vp("run", "--", "(sleep 2; exit 3) >/dev/null 2>&1 & exit 0")
        #expect(run.status == 3, "\(run)")
        let job = try await local.job()
        #expect(job["state"] as? String == "failed" && job["exit_code"] as? Int == 0, "\(job)")
        let background = try #require(job["background"] as? [[String: Any]])
        #expect(background.compactMap { $0["status"] as? Int } == [3], "\(background)")
    }

    private func sendInput(_ local: LocalCloud) async throws {
        let harness = local.harness
        let small = try await harness.vp("run", "--stdin", "--", "wc", "-l", input: "a\nb\nc\n")
        #expect(
            small.status == 0 && small.stdout.trimmingCharacters(in: .whitespacesAndNewlines) == "3",
            "\(small)")
        // More than one part.
        let large = String(repeating: "0123456789abcde\n", count: 600_000)
        let counted = try await harness.vp("run", "--stdin", "--", "wc -c; ls ~/.vp", input: large)
        #expect(counted.status == 0 && counted.stdout.contains("9600000"), "\(counted)")
        #expect(!counted.stdout.contains("input-"), "\(counted)")
        let refused = try await harness.vp("run", "--", "cat", input: "data\n")
        #expect(refused.status == 64 && refused.stderr.contains("--stdin"), "\(refused)")
        let none = try await harness.vp("run", "--", "cat; echo end")
        #expect(none.status == 0 && none.stdout == "end\n", "\(none)")
    }

    /// The status of a job is not that of its output.
    private func writeToAFullDisk(_ local: LocalCloud) async throws {
        for words in [
            ["run", "--", "echo hi"], ["logs", "-1"], ["attach", "-1"], ["jobs", "--json"], ["jobs"],
            ["logs", "-f", "-1"], ["ls", "--json"], ["run", "--detach", "--json", "--", "true"],
            ["--version"], ["--help"], ["help", "run"], ["jobs", "--help"], [], ["offers", "--json"],
            ["cost"], ["status", "--json"], ["limits"], ["config-show", "--json"], ["why", "x"],
            ["doctor", "--json"],
            ["--generate-completion-script", "bash"],
        ] {
            let (status, errors) = try Self.full(local.harness, words)
            #expect(status == 200, "\(words): \(errors)")
            #expect(errors.contains("could not be written") && errors.contains("No space left"), "\(errors)")
        }
        let (status, _) = try Self.full(local.harness, ["run", "--", "echo hi; exit 7"])
        #expect(status == 7)
    }

    /// Runs `vp` with its standard output on a disk without room.
    private static func full(_ harness: CLIHarness, _ words: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", "exec \"$@\" >/dev/full </dev/null", "sh", CLIHarness.products + "/vp"] + words
        process.environment = harness.environment
        process.currentDirectoryURL = URL(fileURLWithPath: harness.project)
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    /// A login that prints is no answer, in scripts, in transfers by rsync and by tar, and in a job's log.
    @Test func whatALoginPrintsDoesNotCount() async throws {
        try await LocalCloud.with { local in
            let harness = local.harness
            _ = try await local.rent()
            let noise = "printf 'echo NOISE; echo NOISE >&2; printf noise\\n' > ~/.bashrc"
            #expect(try await harness.vp("run", "--", noise).status == 0)
            for number in 0..<250 { try harness.write("project/many/\(number)", "\(number)\n") }
            let run = try await harness.vp(
                "run", "--", "cat many/* | wc -l; mkdir out; for i in $(seq 250); do echo $i > out/$i; done")
            #expect(
                run.status == 0 && run.stdout.trimmingCharacters(in: .whitespacesAndNewlines) == "250",
                "\(run)")
            #expect(try harness.read("project/out/250") == "250\n")
            try harness.write("project/one", "x\n")
            let again = try await harness.vp("run", "--", "cat one > two; cat two")
            #expect(again.status == 0 && again.stdout == "x\n", "\(again)")
            #expect(try harness.read("project/two") == "x\n")
            #expect(try await harness.vp("logs", "-1").stdout == "x\n")
            #expect(
                try await harness.vp("destroy-instance", "--yes", local.job()["instance"] as? String ?? "")
                    .status == 0)
        }
    }
}
