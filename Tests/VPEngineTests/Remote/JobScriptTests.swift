import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// The job scripts on the shells that instances have, without a network.
@Suite(.serialized, .requires("dash", "bash", "busybox", "perl"), .timeLimit(.minutes(15)))
struct JobScriptTests {
    private static let shells = JobShell.Kind.allCases

    @Test(
        arguments: Self.shells,
        [
            ("exit 0", Job.Outcome.exited(0)), ("exit 1", .exited(1)), ("exit 7", .exited(7)),
            ("no-such-command", .exited(127)), ("touch x; ./x", .exited(126)),
            ("kill -9 $$", .signalled(9)), ("kill -SEGV $$", .signalled(11)), ("exit 137", .exited(137)),
            ("exit 139", .exited(139)), ("exit 255", .exited(255)),
        ])
    func howACommandEndedIsTold(kind: JobShell.Kind, ending: (command: String, outcome: Job.Outcome))
        async throws
    {
        try await JobShell.with(kind) { shell in
            let (_, end) = try await shell.end(shell.script(.shell(ending.command)))
            #expect(end.outcome == ending.outcome)
            #expect(!end.isAmbiguous)
            #expect(abs(end.startedAt?.timeIntervalSinceNow ?? -1000) < 60)
            if kind.hasPerl { #expect((end.peakBytes ?? 0) > 100_000) }
        }
    }

    /// What ends a lone program is seen as it is, however it was given.
    @Test(arguments: Self.shells)
    func aLoneProgramIsNotHiddenByTheShell(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let script = shell.script(.arguments(["sleep", "1000"]))
            async let ended = shell.end(script)
            let session = try await shell.wait(for: "pid").split(separator: " ")[0]
            let comm = "/proc/\(session)/comm"
            try await wait(for: "the program in the command's process") {
                let name = (try? String(contentsOfFile: comm, encoding: .utf8)) ?? ""
                return name.hasPrefix("sleep") || name.hasPrefix("busybox") ? name : nil
            }
            kill(try #require(pid_t(session)), SIGKILL)
            #expect(try await ended.end.outcome == .signalled(9))
        }
    }

    @Test(arguments: Self.shells)
    func theOutputComesThroughInOrder(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let command = "echo a; echo b >&2; printf 'c\\0\\377\\r\\n'; echo d >&2"
            let (output, end) = try await shell.end(shell.script(.shell(command)))
            #expect(output == Array("a\nb\nc".utf8) + [0, 255, 13, 10] + Array("d\n".utf8))
            #expect(end.logBytes == Int64(output.count))
            var sum = POSIXChecksum()
            sum.add(output[...])
            // Debian's busybox has no cksum; lengths are compared all the same.
            #expect(end.checksum == (kind == .busybox && end.checksum == nil ? nil : sum.value))
            let (rest, _) = try await shell.run(shell.script(.shell("")).follow(from: 4))
            #expect(rest == Array(output[4...]))
        }
    }

    @Test(arguments: Self.shells)
    func standardErrorHasALogOfItsOwnWhenAsked(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let script = shell.script(.shell("echo out; echo err >&2"), manner: .split)
            let (output, end) = try await shell.end(script)
            #expect(output == Array("out\n".utf8))
            #expect(end.errorBytes == 4)
            let (errors, _) = try await shell.run(script.follow(.errors, from: 0))
            #expect(errors == Array("err\n".utf8))
        }
    }

    @Test(arguments: Self.shells)
    func fiveStartsAtOnceMakeOneProcess(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let gate = shell.home + "/gate"
            let command = "echo x >> runs; while [ ! -e \(gate) ]; do sleep 0.05; done; cat runs"
            let script = shell.script(.shell(command))
            try await withThrowingTaskGroup { group in
                for _ in 0..<5 { group.addTask { try await shell.end(script) } }
                try await shell.wait(for: "pid")
                try Data().write(to: URL(fileURLWithPath: gate))
                for try await (output, end) in group {
                    #expect(output == Array("x\n".utf8))
                    #expect(end.outcome == .exited(0))
                }
            }
        }
    }

    /// They end although they ignore TERM, moved to another session and were adopted by init.
    @Test(arguments: Self.shells)
    func cancellingEndsTheWholeTree(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let command = """
                trap '' TERM
                setsid sh -c 'trap "" TERM; echo $$ >> all; while :; do sleep 0.1; done' &
                (setsid sh -c '(trap "" TERM; sh -c "echo \\$\\$ >> all; while :; do sleep 0.1; done") &' &)
                echo $$ >> all
                while [ "$(wc -l < all)" -lt 3 ]; do sleep 0.05; done
                echo ready
                while :; do sleep 0.1; done
                """
            let script = shell.script(.shell(command))
            async let watched = shell.end(script)
            try await shell.wait(for: "log")
            let (_, reports) = try await shell.run(script.cancel(grace: 0))
            guard case .ended(let end) = reports.last else { throw JobShell.WrongEnd() }
            #expect(end.wasCancelled)
            #expect(end.outcome == .signalled(9))
            #expect(try await watched.end.wasCancelled)
            let processes = try String(contentsOfFile: shell.home + "/workspace/all", encoding: .utf8)
                .split(separator: "\n").compactMap { pid_t($0) }
            #expect(processes.count == 3)
            for process in processes { #expect(!JobShell.runs(process)) }
        }
    }

    /// Two homes whose processes are seen by each other, as on a machine without containers.
    @Test(arguments: Self.shells)
    func aCancelLeavesTheSameNameOfAnotherHomeAlone(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            try await JobShell.with(kind) { other in
                let command = JobCommand.shell("echo $$; while [ ! -e stop ]; do sleep 0.05; done; echo done")
                let (script, same) = (shell.script(command), other.script(command))
                async let ended = shell.end(script)
                async let goesOn = other.end(same)
                try await shell.wait(for: "log")
                try await other.wait(for: "log")
                _ = try await shell.run(script.cancel(grace: 0))
                #expect(try await ended.end.wasCancelled)
                try Data().write(to: URL(fileURLWithPath: other.home + "/workspace/stop"))
                let (output, end) = try await goesOn
                #expect(String(decoding: output, as: UTF8.self).hasSuffix("done\n"))
                #expect(end.outcome == .exited(0))
            }
        }
    }

    @Test(arguments: Self.shells)
    func termComesFirst(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let command = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"
            let script = shell.script(.shell(command))
            async let watched = shell.end(script)
            try await shell.wait(for: "log")
            _ = try await shell.run(script.cancel(grace: 20))
            let (output, end) = try await watched
            #expect(String(decoding: output, as: UTF8.self).hasSuffix("bye\n"))
            #expect(end.outcome == .exited(3))
            #expect(end.wasCancelled)
        }
    }

    /// Whatever a variable of the job is called, it is not taken for one of ours.
    @Test(arguments: Self.shells)
    func theJobsVariablesAreItsOwn(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let names = [
                "job", "folder", "after", "manner", "limit", "driver", "end", "stat", "before", "version",
                "child", "started", "began", "code",
            ]
            let command = names.map { "echo \"$\($0)\"" }.joined(separator: "; ") + "; exit 6"
            let script = shell.script(
                .shell(command),
                environment: Dictionary(uniqueKeysWithValues: names.map { ($0, "value of \($0)") }))
            let (output, end) = try await shell.end(script)
            let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(lines == names.map { "value of \($0)" })
            #expect(end.outcome == .exited(6))
            #expect(shell.file("environment") == "")
        }
    }

    /// Values are in no argument vector and in no file that others could read, or that stays.
    @Test(arguments: Self.shells)
    func theEnvironmentTravelsInAPrivateFile(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let value = "it's a \"secret\"\n$HOME"
            let command =
                "stat -c %a ~/.vp/jobs/*/environment; printf %s \"$TOKEN\"; echo; echo \"$PYTHONUNBUFFERED$VP_JOB\""
            let script = shell.script(.shell(command), environment: ["TOKEN": value])
            let (output, _) = try await shell.end(script)
            #expect(String(decoding: output, as: UTF8.self) == "600\n\(value)\n1\(script.job)\n")
            #expect(shell.file("environment") == "")
        }
    }

    @Test func aTerminalIsGivenWhenAsked() async throws {
        try await JobShell.with(.dash) { shell in
            let script = shell.script(
                .shell("tty >/dev/null && echo yes; stty size; sleep 1000 & exit 4"),
                manner: .terminal(columns: 132, rows: 43, hasKeyboard: true))
            let (output, end) = try await shell.end(script)
            #expect(String(decoding: output, as: UTF8.self).hasPrefix("yes\r\n"))
            #expect(end.outcome == .exited(4))
            _ = try await shell.run(script.cancel(grace: 0))
        }
        try await JobShell.with(.busybox) { shell in
            let script = shell.script(
                .shell("true"), manner: .terminal(columns: 80, rows: 24, hasKeyboard: true))
            let (output, end) = try await shell.end(script)
            #expect(String(decoding: output, as: UTF8.self).contains("needs perl"))
            #expect(end.outcome == .exited(126))
        }
    }

    @Test(arguments: Self.shells)
    func aFolderThatIsNotThereIsSaid(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            var script = shell.script(.shell("true"))
            script.workingDirectory = "/no/such/folder"
            let (output, end) = try await shell.end(script)
            #expect(end.outcome == .exited(126))
            #expect(JobCause.words(for: end, tail: output) == "the working folder cannot be entered")
        }
    }

    @Test(arguments: Self.shells)
    func longCommandsRun(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let text = "# " + String(repeating: "x", count: 200_000) + "\necho done; exit 5\n"
            let (output, end) = try await shell.end(shell.script(.shell(text)))
            #expect(output == Array("done\n".utf8))
            #expect(end.outcome == .exited(5))
        }
    }

    /// The kernel counts in the container's own cgroup, here a folder in its place,
    /// in either of its versions.
    @Test(
        .requires("bwrap"), .sandboxes, arguments: Self.shells,
        [
            ("memory.events", "low 0\\noom 1\\noom_kill 1\\n"),
            ("memory/memory.oom_control", "oom_kill_disable 0\\noom_kill 1\\n"),
        ])
    func aKillForWantOfMemoryIsTold(kind: JobShell.Kind, counter: (file: String, after: String)) async throws
    {
        try await self.withCounter(counter, kind) { shell, file in
            let kill = "printf '\(counter.after)' > \(file); kill -9 $$"
            let (_, end) = try await shell.end(shell.script(.shell(kill)))
            #expect(end.memoryRanOut)
            #expect(
                JobCause.words(for: end, tail: []) == "out of memory: killed by the instance's kernel")
            let (_, next) = try await shell.end(shell.script(.shell("kill -9 $$"), id: 2))
            #expect(!next.memoryRanOut)
        }
    }

    /// What goes on in the background is measured meanwhile.
    @Test(.requires("bwrap"), arguments: [JobShell.Kind.dash, .bareDash, .busybox])
    func aKillForWantOfMemoryIsToldBesideWorkInTheBackground(kind: JobShell.Kind) async throws {
        let counter = ("memory.events", "oom_kill 1\\n")
        try await self.withCounter(counter, kind) { shell, file in
            let kill = "echo a log of some length; printf '\(counter.1)' > \(file); sleep 2 & kill -9 $$"
            let (_, end) = try await shell.end(shell.script(.shell(kill)))
            #expect(end.memoryRanOut)
        }
    }

    private func withCounter(
        _ counter: (file: String, after: String), _ kind: JobShell.Kind,
        _ body: (JobShell, String) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with { folder in
            var shell = try JobShell(kind, in: folder)
            let file = try folder.write(
                counter.after.replacing("\\n", with: "\n").replacing("kill 1", with: "kill 0"),
                to: "cgroup/" + counter.file)
            let program = try #require(JobShell.find("bwrap"))
            let bind = [
                program, "--dev-bind", "/", "/", "--bind", folder.path + "/cgroup", "/sys/fs/cgroup", "--",
            ]
            let probe = try await SystemProcessRunner().run(
                ProcessCommand(program, Array(bind.dropFirst()) + ["/bin/true"], environment: [:]))
            // Where it is installed and forbidden, `.sandboxes` has skipped this.
            #expect(probe.isSuccess)
            shell.sandbox = bind
            try await body(shell, file)
        }
    }

    /// The list of processes shows where the texts are, not what they say.
    @Test(arguments: Self.shells)
    func noTextOfOursIsInTheListOfProcesses(kind: JobShell.Kind) async throws {
        try await JobShell.with(kind) { shell in
            let script = shell.script(.shell("sleep 1000"), limitSeconds: 500)
            async let ended = shell.end(script)
            try await shell.wait(for: "pid")
            let mark = Array("HOME=\(shell.home)".utf8)
            var seen = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(name) != nil {
                guard let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline"),
                    let variables = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
                    variables.split(separator: 0).contains(where: { $0.elementsEqual(mark) })
                else { continue }
                seen += 1
                // The command's own text ends with a line feed.
                let text = String(decoding: words, as: UTF8.self).replacing(
                    "sleep 1000\n", with: "sleep 1000")
                #expect(!text.contains("\n"), "\(text)")
            }
            #expect(seen >= 3)
            _ = try await shell.run(script.cancel(grace: 1))
            _ = try await ended
        }
    }

    @Test(.requires("shellcheck")) func shellcheckFindsNothing() async throws {
        try await TemporaryFolder.with { folder in
            let shell = try JobShell(.dash, in: folder)
            let script = shell.script(
                .arguments(["printf", "a b"]), environment: ["A": "b c"], after: 7, manner: .split,
                limitSeconds: 60)
            let texts = [
                ScriptFile.supervise.text, script.startAndReturn,
                script.startAndFollow(.errors, from: 7),
                script.catchUp(from: 1), script.cancel(grace: 10), JobScript.look(at: [script.job]),
            ]
            let program = try #require(JobShell.find("shellcheck"))
            for (number, text) in texts.enumerated() {
                let path = try folder.write("#!/bin/sh\n" + text, to: "script-\(number).sh")
                for dialect in ["sh", "dash", "busybox", "bash"] {
                    // Older versions know no busybox. Values are words or texts as they are: SC2209, SC2016.
                    let name = dialect == "busybox" ? "dash" : dialect
                    let result = try await SystemProcessRunner().run(
                        ProcessCommand(
                            program, ["-s", name, "-S", "style", "-e", "SC2016,SC2209", path],
                            environment: ["LC_ALL": "C.UTF-8"]))
                    let words = String(decoding: result.output, as: UTF8.self)
                    #expect(words == "")
                }
            }
        }
    }
}

extension JobReport {
    var isFollowing: Bool { if case .following = self { true } else { false } }
}
