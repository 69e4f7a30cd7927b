import Foundation
import Glibc
import LoopbackCloud
import Testing
import VPTestSupport

@testable import vp

/// `-t`: the keyboard here is that of the job's terminal there.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct KeyboardTests {
    private static func terminal(_ local: LocalCloud, _ words: [String]) throws -> PTYSession {
        var environment = local.harness.environment
        environment["TERM"] = "xterm"
        return try PTYSession(
            CLIHarness.products + "/vp", words, width: 100, height: 30, environment: environment,
            directory: local.harness.project)
    }

    /// Typed text is answered, a new size arrives, Ctrl-C is the job's; detached, it is attached to again.
    @Test(.ownThread) func aPythonShellIsTalkedTo() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            func terminal(_ words: [String]) throws -> PTYSession { try Self.terminal(local, words) }
            let session = try terminal(["run", "-t", "--", "python3", "-c", "import code; code.interact()"])
            try await session.see("Ctrl-P Ctrl-Q")
            try await session.see(">>>")
            session.type("6*7000\r")
            try await session.see("42000")
            session.resize(width: 120, height: 40)
            session.type("import os, time\r")
            // The size travels beside the keys.
            for attempt in 1...60 {
                session.type("os.get_terminal_size(1)\r")
                let hasArrived: Void? = try? await session.see("columns=120, lines=40", limit: .seconds(1))
                if hasArrived != nil { break }
                #expect(attempt < 60, "\(session.screen.text)")
            }
            session.type("time.sleep(1000)\r")
            session.type("\u{3}")
            try await session.see("KeyboardInterrupt")
            session.type("\u{10}\u{11}")
            #expect(try await session.seeEnd() == .exited(130))

            let again = try terminal(["attach", "project-1"])
            try await again.see("Ctrl-P Ctrl-Q")
            again.type("8*7000\r")
            try await again.see("56000")
            again.type("raise SystemExit(7)\r")
            #expect(try await again.seeEnd() == .exited(7))
        }
    }

    /// A job that nobody has followed yet, and one that is run again, have the keyboard of who comes.
    @Test(.ownThread) func whoComesLaterHasTheKeyboard() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            func terminal(_ words: [String]) throws -> PTYSession { try Self.terminal(local, words) }
            let start = try terminal(
                ["run", "-t", "--detach", "--", "python3", "-c", "import code; code.interact()"])
            #expect(try await start.seeEnd() == .exited(0))
            let attached = try terminal(["attach", "-1"])
            try await attached.see(">>>")
            attached.type("6*7000\r")
            try await attached.see("42000")
            attached.type("raise SystemExit(3)\r")
            #expect(try await attached.seeEnd() == .exited(3))
            let again = try terminal(["rerun", "-1"])
            try await again.see(">>>")
            again.type("raise SystemExit(5)\r")
            #expect(try await again.seeEnd() == .exited(5))
        }
    }

    /// A shell is for a look at the project. Before the first sync there may be no folder for it.
    @Test(.ownThread) func aShellOpensInTheProjectsFolder() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let away = try await local.harness.vp("ssh", "--", "mv /workspace /away")
            #expect(away.status == 0, "\(away)")
            for folder in ["/root", "/workspace"] {
                let shell = try Self.terminal(local, ["ssh"])
                shell.type("echo in=$PWD, login=$(shopt -q login_shell && echo yes); exit 7\r")
                try await shell.see("in=\(folder), login=yes")
                #expect(try await shell.seeEnd() == .exited(7))
                #expect(try await local.harness.vp("sync").status == 0)
            }
            let plain = try await local.harness.vp("ssh", "--", "pwd; exit 3")
            #expect(plain.stdout == "/root\n" && plain.status == 3, "\(plain)")
        }
    }

    /// The keyboard is raw meanwhile, and nobody watches for this signal.
    @Test(.ownThread, arguments: [SIGQUIT, SIGTERM])
    func aSignalLeavesTheTerminalAsItWas(signal: Int32) async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let session = try Self.terminal(local, ["run", "-t", "--", "cat"])
            try await session.see("Ctrl-P Ctrl-Q")
            session.type("typed\r")
            try await session.see("typed")
            #expect(!session.hasModesOfStart)
            session.send(signal: signal)
            let end = try await session.seeEnd()
            #expect(end == (signal == SIGQUIT ? .signalled(SIGQUIT) : .exited(128 + signal)))
            #expect(session.hasModesOfStart)
        }
    }

    /// Nobody can type: the command's input is at its end.
    @Test func withoutATerminalHereTheInputIsAtItsEnd() async throws {
        try await LocalCloud.with { local in
            _ = try await local.rent()
            let run = try await local.harness.vp("run", "-t", "--", "cat; test -t 1 && echo terminal")
            #expect(run.status == 0 && run.stdout.contains("terminal"), "\(run)")
        }
    }

    @Test func theKeysForDetachingAreFoundInPieces() {
        var keys = DetachKeys()
        let pieces: [[UInt8]] = [[97, 16], [98], [16, 16], [17, 99]]
        let results = pieces.map { keys.take($0) }
        #expect(results.map(\.typed) == [[97], [16, 98], [16], []])
        #expect(results.map(\.isDetaching) == [false, false, false, true])
    }
}
