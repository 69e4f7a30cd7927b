import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// What becomes of processes that outlive a job's command.
@Suite(.serialized, .requires("dash", "bash", "busybox", "perl"), .timeLimit(.minutes(15)))
struct JobBackgroundTests {
    private static let shells = JobShell.Kind.allCases

    private func with(
        _ kind: JobShell.Kind, hasBash: Bool = false, _ body: (JobShell) async throws -> Void
    ) async throws {
        try await JobShell.with(kind, hasBash: hasBash, body)
    }

    /// The shell says 0 at once; the work is the loop's,
    /// and tells of itself in a file of the workspace alone.
    @Test(arguments: Self.shells)
    func workInTheBackgroundIsWaitedFor(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let command = """
                (for step in 1 2 3 4 5 6; do sleep 0.5; echo $step >> steps; done; exit 3) >/dev/null 2>&1 &
                """
            // Half a second between two signs of work is several on a machine that does other things.
            let (_, end) = try await shell.end(shell.script(.shell(command), lingerSeconds: 20))
            let steps = try String(contentsOfFile: shell.home + "/workspace/steps", encoding: .utf8)
            #expect(steps == "1\n2\n3\n4\n5\n6\n")
            #expect(end.outcome == .exited(0))
            #expect(end.background.map(\.state) == [.ended(kind.hasPerl ? 3 : nil)])
            #expect((end.seconds ?? 0) > 2)
        }
    }

    /// However soon it fails, the shell's 0 is not the whole truth.
    /// (What fails before the shell ends is the shell's.)
    @Test(arguments: [JobShell.Kind.dash, .bash])
    func aBackgroundThatFailsAtOnceIsTold(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let (_, end) = try await shell.end(
                shell.script(.shell("sh -c 'sleep 0.3; exit 4' >/dev/null 2>&1 &")))
            #expect(end.outcome == .exited(0))
            #expect(end.background.compactMap(\.status) == [4])
        }
    }

    /// A helper that the script itself ends is no work of its own, and neither is who reads its output.
    @Test(arguments: [JobShell.Kind.dash, .bash])
    func helpersOfTheScriptAreNoFailure(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let command = "sleep 1000 & echo hi | cat; kill $!"
            let (output, end) = try await shell.end(shell.script(.shell(command)))
            #expect(output == Array("hi\n".utf8))
            #expect(end.background == [])
        }
    }

    /// What it prints meanwhile comes through, and that it goes on is said.
    @Test(arguments: Self.shells)
    func theLogOfTheBackgroundIsFollowed(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let command = "(for step in 1 2 3 4 5 6; do sleep 0.5; echo $step; done) & echo begun"
            let (output, reports) = try await shell.run(
                shell.script(.shell(command)).startAndFollow(from: 0))
            #expect(String(decoding: output, as: UTF8.self) == "begun\n1\n2\n3\n4\n5\n6\n")
            #expect(reports.contains { if case .background(let count) = $0 { count > 0 } else { false } })
        }
    }

    /// It writes nothing anywhere.
    @Test(arguments: [JobShell.Kind.dash, .bareDash])
    func theProcessorAloneIsWork(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let gate = shell.home + "/gate"
            let command =
                "(trap 'exit 5' USR1; while [ ! -e \(gate) ]; do :; done) >/dev/null 2>&1 & echo $! > worker"
            let script = shell.script(.shell(command))
            async let watched = shell.end(script)
            _ = try await shell.wait(for: "background")
            // Longer than it may be silent.
            let start = ContinuousClock.now
            _ = try await VPTestSupport.wait(for: "some time") {
                start.duration(to: .now) > .seconds(4) ? true : nil
            }
            #expect(shell.file("status") == nil)
            try Data().write(to: URL(fileURLWithPath: gate))
            let end = try await watched.end
            #expect(end.background.map(\.state) == [.ended(kind.hasPerl ? 0 : nil)])
        }
    }

    /// Gives the machine a GPU of that load, used by the process whose number stands in `user` of the
    /// workspace.
    private func installGPU(load: Int, on shell: JobShell) throws {
        try shell.install(
            "nvidia-smi",
            """
            case $* in
            *compute-apps*) [ ! -e "$HOME/workspace/user" ] || cat "$HOME/workspace/user" ;;
            *utilization*) echo \(load) ;;
            *) echo 570.86 ;;
            esac
            """)
    }

    /// It writes nothing, and its processor rests.
    @Test(arguments: [JobShell.Kind.dash, .bareDash])
    func theGPUAloneIsWork(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            try self.installGPU(load: 80, on: shell)
            let gate = shell.home + "/gate"
            let work = "echo $$ > user; until [ -e \(gate) ]; do sleep 0.5; done; exit 5"
            let script = shell.script(.shell("sh -c '\(work)' >/dev/null 2>&1 &"))
            async let watched = shell.end(script)
            _ = try await shell.wait(for: "background")
            // Longer than it may be silent.
            let start = ContinuousClock.now
            _ = try await VPTestSupport.wait(for: "some time") {
                start.duration(to: .now) > .seconds(5) ? true : nil
            }
            #expect(shell.file("status") == nil)
            try Data().write(to: URL(fileURLWithPath: gate))
            let end = try await watched.end
            #expect(end.background.map(\.state) == [.ended(kind.hasPerl ? 5 : nil)])
        }
    }

    /// A model that is served and that nobody asks holds a GPU, and does nothing.
    @Test(arguments: [JobShell.Kind.dash, .bareDash])
    func aGPUThatIsOnlyHeldIsNoWork(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            try self.installGPU(load: 0, on: shell)
            let script = shell.script(.shell("sh -c 'echo $$ > user; exec sleep 1000' >/dev/null 2>&1 &"))
            let (_, end) = try await shell.end(script)
            #expect(end.outcome == .exited(0))
            #expect(end.background.map(\.state) == [.leftBehind])
            _ = try await shell.run(script.cancel(grace: 0))
        }
    }

    /// A service beside the command does not keep the job, and is named. Where perl adopts, one with an empty
    /// environment in a session of its own is found as well.
    @Test(arguments: Self.shells)
    func whatIsSilentIsLeftBehindAndCanBeEnded(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let number = Int.random(in: 100_000...999_999)
            let hidden = kind.hasPerl ? "(setsid env -i sleep \(number + 1) &)" : "true"
            let script = shell.script(.shell("sleep \(number) & \(hidden); exit 4"))
            let (_, end) = try await shell.end(script)
            #expect(end.outcome == .exited(4))
            #expect((end.seconds ?? 9) < 2, "the time of the wait is not the job's")
            let left = end.background.filter { $0.state == .leftBehind }
            #expect(left.count == (kind.hasPerl ? 2 : 1))
            #expect(
                left.allSatisfy {
                    $0.command.contains("sleep \(number)") || $0.command.contains("\(number + 1)")
                })
            for process in left { #expect(Self.runs(process.process)) }
            let (_, looked) = try await shell.run(JobScript.look(at: [script.job]))
            #expect(JobReport.background(in: looked).map(\.state) == left.map { _ in .leftBehind })
            let (_, reports) = try await shell.run(script.cancel(grace: 5))
            guard case .ended(let after) = reports.last else { throw JobShell.WrongEnd() }
            #expect(after.outcome == .exited(4) && !after.wasCancelled)
            #expect(JobReport.background(in: reports).map(\.state) == left.map { _ in .gone })
            #expect(reports.contains(.unadopted) == !kind.hasPerl)
            for process in left { #expect(!Self.runs(process.process)) }
        }
    }

    /// While the command runs, too.
    @Test func aCancelFindsWhoHidAway() async throws {
        try await self.with(.dash) { shell in
            let command =
                "(setsid env -i sh -c 'echo $$ > hidden; exec sleep 1000' &); while :; do sleep 0.1; done"
            let script = shell.script(.shell(command))
            _ = try await shell.run(script.startAndReturn)
            let path = shell.home + "/workspace/hidden"
            let hidden = try await VPTestSupport.wait(for: "the hidden process") {
                (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { pid_t($0.dropLast()) }
            }
            _ = try await shell.run(script.cancel(grace: 5))
            #expect(!Self.runs(hidden))
        }
    }

    @Test(arguments: [JobShell.Kind.dash, .bareBash])
    func withoutPatienceNothingIsWaitedFor(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let script = shell.script(
                .shell("(while :; do sleep 0.1; echo x >> all; done) >/dev/null 2>&1 &"), lingerSeconds: 0)
            let (_, end) = try await shell.end(script)
            #expect(end.outcome == .exited(0))
            #expect(end.background.contains { $0.state == .leftBehind })
            _ = try await shell.run(script.cancel(grace: 0))
        }
    }

    /// What the waiter asks of the instance meanwhile is no process of the job.
    @Test func aCancelDoesNotMeetTheWaitersOwnPrograms() async throws {
        try await self.with(.dash) { shell in
            try shell.install("nvidia-smi", "echo x >> \"$HOME/asked\"; sleep 2")
            let script = shell.script(.shell("sleep 1000 & echo up"), lingerSeconds: 20)
            _ = try await shell.run(script.startAndReturn)
            let path = shell.home + "/asked"
            // Once for the driver; then by the waiter.
            _ = try await VPTestSupport.wait(for: "the waiter's question", limit: .seconds(60)) {
                let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
                return text.count > 2 ? true : nil
            }
            let (_, reports) = try await shell.run(script.cancel(grace: 1))
            #expect(!reports.contains { if case .survivor = $0 { true } else { false } }, "\(reports)")
            guard case .ended(let end) = reports.last else { throw JobShell.WrongEnd() }
            #expect(end.wasCancelled)
        }
    }

    /// The end is written when nothing of the job is left, and what was saved is there then.
    @Test(arguments: Self.shells)
    func theEndComesAfterWhatIsSavedOnTERM(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let command = """
                sh -c 'trap "sleep 1; echo saved > saved; exit 0" TERM; echo up; while :; do sleep 0.1; done' &
                wait
                """
            let script = shell.script(.shell(command))
            async let watched = shell.end(script)
            try await shell.wait(for: "log")
            _ = try await shell.run(script.cancel(grace: 30))
            #expect(FileManager.default.fileExists(atPath: shell.home + "/workspace/saved"))
            let end = try await watched.end
            #expect(end.wasCancelled)
        }
    }

    /// `train 2>&1 | tee log`: who reads goes after who writes, so that the last words are in both logs.
    @Test(arguments: Self.shells)
    func theReaderAtTheEndOfAPipeOutlivesTheWriter(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let writer = "trap \"sleep 1; echo saved; exit 0\" TERM; echo up; while :; do sleep 0.1; done"
            let script = shell.script(.shell("sh -c '\(writer)' 2>&1 | tee copy"))
            async let watched = shell.end(script)
            try await shell.wait(for: "log")
            _ = try await shell.run(script.cancel(grace: 30))
            let output = try await watched.output
            let copy = try String(contentsOfFile: shell.home + "/workspace/copy", encoding: .utf8)
            for text in [String(decoding: output, as: UTF8.self), copy] {
                // Where the signal meets a shell's sleep, some say so.
                #expect(text.replacingOccurrences(of: "Terminated\n", with: "") == "up\nsaved\n")
            }
        }
    }

    @Test(arguments: [JobShell.Kind.dash, .busybox, .bareBash])
    func shellTextIsALineOfBash(kind: JobShell.Kind) async throws {
        try await self.with(kind, hasBash: true) { shell in
            try Data("echo noise; hello() { echo \"hello $1\"; }; export FROM=file\n".utf8)
                .write(to: URL(fileURLWithPath: shell.home + "/.bashrc"))
            let command = """
                source /dev/null; [[ a == a ]] && echo {1..3}; hello you; echo "$FROM ${BASH_ENV-unset}"
                cat /no/file &> /dev/null; false | true; echo $?; set -o pipefail; false | true; echo $?
                kill -9 $$
                """
            let (output, end) = try await shell.end(shell.script(.shell(command)))
            #expect(String(decoding: output, as: UTF8.self) == "1 2 3\nhello you\nfile unset\n0\n1\n")
            #expect(end.outcome == .signalled(9))
            // The last command of a line is the shell itself, so that what ends it is seen.
            let (_, lone) = try await shell.end(shell.script(.shell("sh -c 'kill -9 $$'"), id: 2))
            #expect(lone.outcome == .signalled(9))
        }
    }

    /// Where there is no bash, the shell of the login runs the line; one that is none leaves it to `sh`.
    @Test(arguments: [JobShell.Kind.dash, .busybox, .bareDash])
    func withoutBashTheShellOfTheLoginIsTaken(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            try shell.install("own-shell", "echo \"own $1\"; exec sh \"$@\"")
            var login = shell
            for (number, (own, output)) in [
                (shell.program("own-shell"), "own -c\nhi\n"), ("/usr/sbin/nologin", "hi\n"),
                ("/no/such/shell", "hi\n"), ("", "hi\n"),
            ].enumerated() {
                login.variables["SHELL"] = own
                let (text, end) = try await login.end(login.script(.shell("echo hi; exit 5"), id: number + 1))
                #expect(String(decoding: text, as: UTF8.self) == output, "\(own)")
                #expect(end.outcome == .exited(5))
            }
        }
    }

    @Test func aStartUpFileThatEndsTheShellIsNoSuccess() async throws {
        try await self.with(.dash, hasBash: true) { shell in
            try Data("exit 0\n".utf8).write(to: URL(fileURLWithPath: shell.home + "/.bashrc"))
            let (output, end) = try await shell.end(shell.script(.shell("echo done")))
            #expect(end.outcome == .exited(126))
            #expect(String(decoding: output, as: UTF8.self).contains("start-up file"))
        }
    }

    @Test(arguments: [JobShell.Kind.dash, .bareDash], [false, true])
    func aScriptThatCannotBeRunIsExplained(kind: JobShell.Kind, hasBash: Bool) async throws {
        try await self.with(kind, hasBash: hasBash) { shell in
            let folder = shell.home + "/workspace"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (name, text) in [
                ("windows", "#!/bin/sh\r\necho hi\r\n"), ("python", "#!/usr/bin/env python9\nprint()\n"),
                ("gone", "#!/no/such/program\n"),
            ] {
                try ProgramFile.write(text, to: "\(folder)/\(name)")
            }
            func cause(_ command: String, _ id: Int) async throws -> String? {
                let (output, end) = try await shell.end(shell.script(.shell(command), id: id))
                return JobCause.words(for: end, tail: output)
            }
            #expect(try await cause("./windows", 1)?.contains("CRLF") == true)
            #expect(
                try await cause("./python", 2)?.contains("interpreter is not on the instance: python9")
                    == true)
            #expect(try await cause("./gone a b", 3)?.contains("/no/such/program") == true)
            #expect(try await cause("echo fine; exit 127", 4) == nil)
            // Given as arguments, and called from another script.
            let (output, end) = try await shell.end(shell.script(.arguments(["./windows", "a b"]), id: 5))
            #expect(JobCause.words(for: end, tail: output)?.contains("CRLF") == true)
            #expect(try await cause("sh -c './python' && true", 6)?.contains("python9") == true)
        }
    }

    /// Our own text is in files there; a list of processes shows their names.
    @Test(arguments: Self.shells)
    func theSupervisorsTextIsInNoArgument(kind: JobShell.Kind) async throws {
        try await self.with(kind) { shell in
            let gate = shell.home + "/gate"
            let script = shell.script(.shell("while [ ! -e \(gate) ]; do sleep 0.05; done"))
            _ = try await shell.run(script.startAndReturn)
            for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
                let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
                guard words.range(of: Data(script.job.rawValue.utf8)) != nil else { continue }
                #expect(words.count < 1000 && words.range(of: Data("oom_kill".utf8)) == nil)
            }
            try Data().write(to: URL(fileURLWithPath: gate))
            try await shell.wait(for: "status")
        }
    }

    private static func runs(_ process: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
            return false
        }
        return !stat.contains(") Z")
    }
}

/// What a job is called whose command ended well and whose background did not, or nobody knows how.
@Suite struct JobJudgementTests {
    private static func ended(_ background: [JobRecord.BackgroundProcess], code: Int32 = 0) -> Job {
        var job = Job(
            id: JobID("train-1"), instance: InstanceID(platform: .vast, rawValue: "1"),
            command: .shell("x &"),
            createdAt: Date(), workspacePath: "/", logPath: "/", record: JobRecord())
        var end = JobEnd(outcome: .exited(code))
        end.background = background
        job.end(end, tail: [], now: Date())
        return job
    }

    private static func process(
        _ state: JobRecord.BackgroundProcess.State, atWork seconds: Int = 0
    ) -> JobRecord.BackgroundProcess {
        .init(process: 7, command: "python train.py", state: state, secondsAtWork: seconds)
    }

    @Test func aBackgroundThatFailedIsNoSuccess() {
        let job = Self.ended([Self.process(.ended(0)), Self.process(.ended(3))])
        #expect(job.state == .failed && job.exitStatus == 3 && job.outcome == .exited(0))
        #expect(job.cause?.contains("python train.py") == true)
    }

    @Test func aBackgroundWhoseEndIsUnknownIsNoSuccess() {
        let job = Self.ended([Self.process(.ended(nil))])
        #expect(job.state == .unknown && job.exitStatus == nil)
        // It worked on for long, and then fell silent.
        #expect(Self.ended([Self.process(.leftBehind, atWork: 100)]).state == .unknown)
    }

    @Test func whatIsLeftBehindIsNoFailure() {
        let job = Self.ended([
            Self.process(.leftBehind, atWork: 5), Self.process(.ended(141)), Self.process(.ended(143)),
            Self.process(.ended(0)),
        ])
        #expect(job.state == .succeeded && job.exitStatus == 0)
        #expect(job.record?.leftBehind.count == 1)
    }

    @Test func theCommandsOwnFailureComesFirst() {
        let job = Self.ended([Self.process(.ended(3)), Self.process(.ended(nil))], code: 5)
        #expect(job.state == .failed && job.exitStatus == 5)
    }
}
