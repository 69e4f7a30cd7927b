import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// Against the real sshd of the loopback cloud, and the real ssh program's shared connection.
@Suite(.requires("sshd"), .timeLimit(.minutes(15)))
struct SharedConnectionTests {
    /// A shell whose connection stands; `runner` knows what else was started.
    private func withShell(_ body: (RemoteShell, RecordingRunner) async throws -> Void) async throws {
        try await withLoopbackCloud { cloud in
            try await TemporaryFolder.with { folder in
                let runner = RecordingRunner()
                let fixture = try EngineFixture(cloud: cloud, project: folder.path, runner: runner)
                let instance = try await fixture.create()
                let shell = try await fixture.engine.context.connections.shell(for: instance)
                _ = try await shell.run("exit 0\n")
                runner.forget()
                do {
                    try await body(shell, runner)
                } catch {
                    await fixture.engine.shutDown()
                    throw error
                }
                await fixture.engine.shutDown()
            }
        }
    }

    @Test func aScriptRunsWithoutAnotherProgram() async throws {
        try await self.withShell { shell, runner in
            let result = try await shell.run("echo out; echo error >&2; exit 7\n")
            #expect(result.ending == .exited(7))
            #expect(result.output == Array("out\n".utf8))
            #expect(result.errorOutput == Array("error\n".utf8))
            shell.openAhead(2)
            for word in ["first", "second"] {
                #expect(try await shell.run("printf \(word)\n").output == Array(word.utf8))
            }
            #expect(runner.commands.isEmpty)
        }
    }

    /// Far more than pipes and windows hold, in both directions at once.
    @Test func longScriptsAndLongAnswersPassEachOther() async throws {
        try await self.withShell { shell, runner in
            let line = "echo \(String(repeating: "x", count: 1_000))\n"
            let script = String(repeating: line, count: 3_000)
            let result = try await shell.run(script)
            #expect(result.ending == .exited(0))
            #expect(result.output.count == 3_000 * 1_001)
            #expect(runner.commands.isEmpty)
        }
    }

    @Test func cancellingEndsTheSession() async throws {
        try await self.withShell { shell, _ in
            let started = ByteCollector()
            let run = Task {
                try await shell.stream(
                    "trap '' PIPE; while echo running; do sleep 0.05; done; touch ~/ended\n",
                    onOutput: { started.append($0) }, onErrorOutput: { _ in })
            }
            try await wait(for: "the script") { started.bytes.isEmpty ? nil : true }
            run.cancel()
            let error = await #expect(throws: EngineError.self) { try await run.value }
            #expect(error?.code == .cancelled)
            try await wait(for: "its end there") {
                try? await shell.run("[ -e ~/ended ]\n").isSuccess ? true : nil
            }
        }
    }

    /// As the ssh program puts it: 255, and nothing is run again by itself.
    @Test func aConnectionThatBreaksIsTold() async throws {
        try await self.withShell { shell, runner in
            let started = ByteCollector()
            let run = Task {
                try await shell.stream(
                    "echo started; echo x >> ~/count; exec sleep 1000\n", onOutput: { started.append($0) },
                    onErrorOutput: { _ in })
            }
            try await wait(for: "the script") { started.bytes.isEmpty ? nil : true }
            await shell.close()
            #expect(try await run.value == .exited(RemoteShell.sshFailure))
            runner.forget()
            #expect(try await shell.run("cat ~/count\n").output == Array("x\n".utf8))
            // That one had to make the connection anew.
            #expect(runner.commands.map(\.program) == ["ssh"])
        }
    }

    @Test func sessionsRunSideBySide() async throws {
        try await self.withShell { shell, runner in
            try await withThrowingTaskGroup { group in
                for number in 0..<12 {
                    group.addTask {
                        // None ends before all are there.
                        let script = """
                            touch ~/here-\(number)
                            until set -- ~/here-*; [ $# -eq 12 ]; do sleep 0.05; done
                            echo \(number)

                            """
                        return try await shell.run(script).output
                    }
                }
                var outputs: [String] = []
                for try await output in group { outputs.append(String(decoding: output, as: UTF8.self)) }
                #expect(Set(outputs) == Set((0..<12).map { "\($0)\n" }))
            }
            #expect(runner.commands.isEmpty)
        }
    }

    @Test func aSocketThatNobodyServesIsLeftToTheProgram() async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder.path)/socket"
            for isThere in [false, true] {
                if isThere { try StrangeSocket(at: path).close() }
                let runner = RecordingRunner()
                let connection = SharedConnection(controlPath: path, remoteCommand: "false", runner: runner)
                let result = try await connection.run(
                    ProcessCommand("cat", [], environment: Self.environment, input: Array("kept".utf8)))
                #expect(result.output == Array("kept".utf8))
                #expect(runner.commands.count == 1)
            }
        }
    }

    /// What hangs up, speaks another version, or refuses (sshd's `MaxSessions`, ten where nobody changed it).
    private static let refusals: [[UInt8]] = [
        [], [255, 255, 255, 255],
        [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 9],
        [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4] + [0, 0, 0, 12, 0x80, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
    ]

    /// The program makes a connection of its own then, and its input is still whole.
    @Test(arguments: Self.refusals)
    func aSessionThatIsRefusedIsLeftToTheProgram(answer: [UInt8]) async throws {
        try await TemporaryFolder.with { folder in
            let path = "\(folder.path)/socket"
            let stranger = try StrangeSocket(at: path, answer: answer)
            let runner = RecordingRunner()
            let connection = SharedConnection(controlPath: path, remoteCommand: "false", runner: runner)
            let result = try await connection.run(
                ProcessCommand("cat", [], environment: Self.environment, input: Array("kept".utf8)))
            #expect(result.output == Array("kept".utf8))
            stranger.close()
        }
    }

    private static let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]
}
