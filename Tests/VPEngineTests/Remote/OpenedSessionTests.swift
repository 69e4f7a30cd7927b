import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

struct OpenedSessionTests {
    private func command(_ script: String) -> ProcessCommand {
        ProcessCommand(
            "sh", ["-c", script], environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""])
    }

    private func open(_ script: String) -> OpenedSession {
        OpenedSession(self.command(script), runner: SystemProcessRunner())
    }

    @Test func aScriptThatComesLaterIsRunAndHeard() async throws {
        try await TemporaryFolder.with { folder in
            let session = self.open("echo early >&2; touch '\(folder.path)/open'; exec sh -s")
            try await wait(for: "the session") { folder.exists("open") ? true : nil }
            let output = ByteCollector()
            let errorOutput = ByteCollector()
            let ending = try await session.run(
                Array("echo out; echo error >&2; exit 3\n".utf8), onOutput: { output.append($0) },
                onErrorOutput: { errorOutput.append($0) })
            #expect(ending == .exited(3))
            #expect(output.bytes == Array("out\n".utf8))
            #expect(errorOutput.bytes == Array("early\nerror\n".utf8))
        }
    }

    @Test func aSessionThatIsGivenUpEnds() async throws {
        try await TemporaryFolder.with { folder in
            do {
                let sessions = OpenedSessions()
                sessions.fill(to: 2) { self.open("cat >/dev/null; echo x >> '\(folder.path)/ended'") }
                sessions.fill(to: 2) { preconditionFailure("there are two already") }
                sessions.removeAll()
            }
            try await wait(for: "both ends") { try? folder.read("ended") == "x\nx\n" ? true : nil }
        }
    }

    /// ssh that lost its connection, or was refused, says so when nobody listens. The next one is asked.
    @Test func aSessionThatEndedByItselfIsNotHandedOut() async throws {
        let session = self.open("exit 255")
        try await wait(for: "the end") { session.isOver ? true : nil }
        let sessions = OpenedSessions()
        sessions.fill(to: 1) { session }
        #expect(sessions.take() == nil)
    }

    @Test func cancellingEndsTheProcess() async throws {
        let session = self.open("exec sh -s")
        let run = Task {
            try await session.run(
                Array("exec sleep 1000\n".utf8), onOutput: { _ in }, onErrorOutput: { _ in })
        }
        run.cancel()
        let error = await #expect(throws: EngineError.self) { try await run.value }
        #expect(error?.code == .cancelled)
    }

    /// Two looks at the files and the job are sessions of the connection that is there.
    @Test(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
    func aRunOverAnOpenConnectionStartsNoSSH() async throws {
        try await withLoopbackCloud { cloud in
            try await TemporaryFolder.with { folder in
                let runner = RecordingRunner()
                let fixture = try EngineFixture(cloud: cloud, project: folder.path, runner: runner)
                let instance = try await fixture.create()
                let first = try await fixture.run(["true"], on: instance)
                #expect(first.job?.outcome == .exited(0))
                runner.forget()
                let summary = try await fixture.run(["echo hello"], on: instance)
                #expect(summary.job?.outcome == .exited(0))
                #expect(try fixture.output(of: summary) == "hello\n")
                #expect(!runner.commands.contains { ["ssh", "rsync"].contains($0.program) })
                await fixture.engine.shutDown()
            }
        }
    }

    /// None of a run's sessions waits to be opened. Seen by whoever starts ssh, since none is shared here.
    @Test(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
    func aRunOpensItsSessionsAtOnce() async throws {
        try await withLoopbackCloud { cloud in
            try await TemporaryFolder.with { folder in
                let runner = RecordingRunner()
                let fixture = try EngineFixture(cloud: cloud, project: folder.path, runner: runner)
                let instance = try await fixture.create()
                #expect(try await fixture.run(["true"], on: instance).job?.outcome == .exited(0))
                let socket = try await fixture.engine.context.connections.shell(for: instance).target
                    .controlPath
                #expect(rename(socket, socket + ".kept") == 0)
                let stranger = try StrangeSocket(at: socket)
                runner.forget()
                let summary = try await fixture.run(["echo hello"], on: instance)
                #expect(summary.job?.outcome == .exited(0))
                #expect(try fixture.output(of: summary) == "hello\n")
                let commands = runner.commands.filter { $0.program == "ssh" }
                #expect(commands.count == 3)
                #expect(commands.allSatisfy { $0.laterInput != nil })
                #expect(!runner.commands.contains { $0.program == "rsync" })
                stranger.close()
                #expect(rename(socket + ".kept", socket) == 0)
                await fixture.engine.shutDown()
            }
        }
    }
}
