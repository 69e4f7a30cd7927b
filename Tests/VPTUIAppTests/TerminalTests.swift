import Foundation
import Glibc
import Testing
import VPTestSupport

/// What the built `vp-tui` does to a terminal: draws, resizes, suspends, ends, and leaves it as it was.
@Suite(.serialized, .ownThread) struct TerminalTests {
    private func withSession(
        _ arguments: [String] = [], width: Int = 100, height: Int = 30, terminal: String = "xterm-256color",
        locale: String = "C.UTF-8", _ body: (PTYSession) throws -> Void
    ) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let session = try DashboardSession.start(
                in: folder.path, arguments, width: width, height: height, terminal: terminal, locale: locale)
            try body(session)
        }
    }

    private func expectRestored(_ session: PTYSession) {
        #expect(!session.screen.isAlternateScreen)
        #expect(session.hasModesOfStart)
        // Bracketed paste is off again, and the cursor is on.
        #expect(!session.screen.modes.contains(2004))
    }

    @Test(arguments: ["xterm-256color", "screen-256color", "xterm", "vt100"])
    func drawsAndQuits(_ terminal: String) async throws {
        try await self.withSession(terminal: terminal) { session in
            try session.wait(for: "1 Instances")
            try session.wait(for: "No platform has a key yet.")
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
            self.expectRestored(session)
        }
    }

    @Test func showsItsKeysAndComesBack() async throws {
        try await self.withSession { session in
            try session.wait(for: "2 Offers")
            session.type("1?")
            try session.wait(for: "Keys in Instances")
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in Instances") }
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    @Test func followsTheSizeOfTheTerminal() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            for (width, height, text) in [
                (50, 10, "Too small: 50x10"), (160, 45, "4 Welcome"), (80, 24, "3 Jobs"),
            ] {
                session.resize(width: width, height: height)
                try session.wait(for: text)
            }
            for (width, height) in [(1, 1), (500, 200), (2, 60), (100, 30)] {
                session.resize(width: width, height: height)
            }
            try session.wait(for: "1 Instances")
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
            self.expectRestored(session)
        }
    }

    /// Under a shell with job control: a process without one is never stopped by Ctrl-z.
    @Test func suspendsAndComesBack() async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let script = "set -m; \"$0\"; echo \"stopped $?\"; read line; fg; echo \"ended $?\""
            let session = try PTYSession(
                "/bin/sh", ["-c", script, DashboardSession.program],
                environment: DashboardSession.environment(home: folder.path), directory: folder.path)
            try session.wait(for: "1 Instances")
            session.type("\u{1A}")
            try session.wait(for: "stopped 148")
            self.expectRestored(session)
            session.type("\n")
            try session.wait("the dashboard to come back") {
                $0.isAlternateScreen && $0.contains("1 Instances")
            }
            session.type("q")
            try session.wait(for: "ended 0")
            self.expectRestored(session)
        }
    }

    /// A signal ends the wait for the rest of what might have been an arrow key.
    @Test func escapeIsTakenAlsoWhenASignalComes() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            for _ in 0..<20 {
                session.type("?")
                try session.wait(for: "Keys in")
                session.type("\u{1B}")
                // Before, in and after the time that the rest has.
                for _ in 0..<3 {
                    session.read(milliseconds: 5)
                    session.send(signal: SIGCONT)
                }
                try session.wait("the help to close", seconds: 5) { !$0.contains("Keys in") }
            }
        }
    }

    @Test(arguments: [SIGHUP, SIGTERM]) func endsWithinASecondOf(_ signal: Int32) async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            session.send(signal: signal)
            #expect(try session.waitForEnd(seconds: 1) == .exited(128 + signal))
            self.expectRestored(session)
        }
    }

    @Test func endsWithinASecondOfItsTerminalsEnd() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            session.hangUp()
            _ = try session.waitForEnd(seconds: 1)
        }
    }

    @Test(arguments: [SIGSEGV, SIGILL]) func aCrashRestoresTheTerminal(_ signal: Int32) async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            session.send(signal: signal)
            #expect(try session.waitForEnd() == .signalled(signal))
            self.expectRestored(session)
        }
    }

    @Test func isGoneAfterKill() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            session.send(signal: SIGKILL)
            #expect(try session.waitForEnd() == .signalled(SIGKILL))
        }
    }

    @Test func drawsASCIIWhereTheLocaleHasNothingElse() async throws {
        try await self.withSession(locale: "C") { session in
            try session.wait(for: "1 Instances")
            #expect(session.screen.text.utf8.allSatisfy { $0 < 0x80 })
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    @Test func refusesAnUnknownTerminal() async throws {
        try await self.withSession(terminal: "no-such-terminal") { session in
            let end = try session.waitForEnd()
            #expect(end == .exited(64))
            #expect(session.screen.contains("no-such-terminal"))
            #expect(session.hasModesOfStart)
        }
    }

    @Test func pastedKeysDoNothing() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            session.type("\u{1B}[200~q?q\u{1B}[201~")
            session.type("1?")
            try session.wait(for: "Keys in Instances")
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in Instances") }
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    /// A generous bound: the machine that runs the tests may be busy. `bench/` measures.
    @Test func answersKeysAtOnce() async throws {
        try await self.withSession(width: 200, height: 50) { session in
            try session.wait(for: "1 Instances")
            var times: [Double] = []
            for index in 0..<40 {
                times.append(try #require(session.timeToOutput(after: index % 2 == 0 ? "1" : "2")))
                // Two keys taken in one turn can leave the screen as it was, and nothing to be seen.
                while session.read(milliseconds: 20) {}
            }
            times.sort()
            #expect(times[times.count / 2] < 0.05, "median \(times[times.count / 2])")
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }
}
