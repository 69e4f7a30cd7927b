import Foundation
import Glibc
import Testing
import VPTestSupport

/// Mouse, clipboard, colours, key file, line mode: what passes between the terminal and the dashboard.
@Suite(.serialized, .ownThread) struct MannersTests {
    private func withSession(
        _ arguments: [String] = [], _ variables: [String: String] = [:], file: String? = nil,
        _ body: (PTYSession) throws -> Void
    ) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            var environment = DashboardSession.environment(home: folder.path)
            environment.merge(variables) { _, new in new }
            if let file {
                let path = folder.path + "/config/variousplug"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                try file.write(toFile: path + "/dashboard.yaml", atomically: true, encoding: .utf8)
            }
            let session = try PTYSession(
                DashboardSession.program, arguments, environment: environment, directory: folder.path)
            try body(session)
        }
    }

    private func text(_ session: PTYSession) -> String { String(decoding: session.tail, as: UTF8.self) }

    @Test func takesTheMouseAndGivesItBack() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            try session.wait("the mouse") { $0.modes.contains(1000) }
            // A press on the third list, as xterm reports it (SGR encoding).
            session.type("\u{1B}[<0;10;27M\u{1B}[<0;10;27m")
            session.type("?")
            try session.wait(for: "Keys in Jobs")
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in Jobs") }
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
            #expect(!session.screen.modes.contains(1000) && !session.screen.modes.contains(1006))
        }
    }

    @Test func leavesTheMouseAloneWhereAsked() async throws {
        try await self.withSession(["--no-mouse"]) { session in
            try session.wait(for: "1 Instances")
            session.type("2?")
            try session.wait(for: "Keys in Offers")
            #expect(!session.screen.modes.contains(1000))
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in Offers") }
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    @Test func followsTheBackgroundThatTheTerminalNames() async throws {
        try await self.withSession { session in
            try session.wait(for: "1 Instances")
            try session.wait("the question") { _ in self.text(session).contains("\u{1B}]11;?") }
            // The light theme's bar; the answer itself is no key.
            session.type("\u{1B}]11;rgb:ffff/ffff/ffff\u{1B}\\")
            try session.wait("the light theme") { _ in self.text(session).contains("48;5;254") }
            session.type("?")
            try session.wait(for: "Keys in Offers")
            session.type("\u{1B}q")
        }
    }

    @Test func withoutColourThereIsNone() async throws {
        try await self.withSession([], ["NO_COLOR": "1"]) { session in
            try session.wait(for: "1 Instances")
            session.type("?")
            try session.wait(for: "Keys in")
            let text = self.text(session)
            #expect(!text.contains("[38;") && !text.contains("[48;") && !text.contains("[3" + "1m"))
        }
    }

    /// A description with direct colour, which not every machine has.
    private static let direct = #"""
        xterm-direct|a terminal of the tests,
        \tRGB, colors#0x1000000, pairs#0x7FFF,
        \tsetab=\E[%?%p1%{8}%<%t4%p1%d%e48:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
        \tsetaf=\E[%?%p1%{8}%<%t3%p1%d%e38:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m,
        \tuse=xterm-256color,

        """#

    /// mosh hands `COLORTERM` through, and shows nothing of the colours that go with it.
    @Test(
        .requires("tic"),
        arguments: [
            (["COLORTERM": "truecolor"], true), (["COLORTERM": "24bit"], true),
            (["TERM": "xterm-direct"], true),
            (["NCURSES_NO_UTF8_ACS": "1", "COLORTERM": "truecolor"], false), (["COLORTERM": "yes"], false),
            ([:], false),
        ])
    func coloursAreThoseThatTheTerminalShows(_ variables: [String: String], _ isDirect: Bool) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let source = folder.path + "/direct.ti"
            try Self.direct.replacingOccurrences(of: "\\t", with: "\t").write(
                toFile: source, atomically: true, encoding: .utf8)
            let tic = Process()
            tic.executableURL = URL(fileURLWithPath: "/bin/sh")
            tic.arguments = ["-c", "tic -x -o \"$1/.terminfo\" \"$2\"", "sh", folder.path, source]
            try tic.run()
            tic.waitUntilExit()
            try #require(tic.terminationStatus == 0)
            var environment = DashboardSession.environment(home: folder.path)
            environment["TERMINFO"] = folder.path + "/.terminfo"
            environment.merge(variables) { $1 }
            let session = try PTYSession(
                DashboardSession.program, environment: environment, directory: folder.path)
            try session.wait(for: "1 Instances")
            let text = self.text(session)
            let direct = text.contains("38:2:") || text.contains("38;2;")
            #expect(direct == isDirect && text.contains("38;5;") == !isDirect)
            session.type("q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    @Test func keysOfTheFileAreInForce() async throws {
        let file = "keys:\n  everywhere:\n    quit: [F10]\n    help: [F9]\n"
        try await self.withSession(file: file) { session in
            try session.wait(for: "1 Instances")
            session.type("q?")
            session.type("\u{1B}[20~")
            try session.wait(for: "Keys in")
            session.type("\u{1B}")
            try session.wait("the help to close") { !$0.contains("Keys in") }
            session.type("\u{1B}[21~")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    @Test(arguments: [
        ("keys:\n  instances:\n    destroy: [S]\n", "S means sync and destroy in Instances"),
        ("theme: sepia\n", "theme: “sepia” does not exist"), ("keys: 7\n", "keys must contain names"),
        ("themes:\n  sea:\n    accent: blue\ntheme: sea\n", "“blue” is not a colour"),
        ("them: dark\n", "“them” is not a setting"),
    ])
    func aFileThatCannotBeIsRefusedAtTheStart(_ file: String, _ words: String) async throws {
        try await self.withSession(file: file) { session in
            let end = try session.waitForEnd()
            #expect(end == .exited(200))
            let text = self.text(session).replacingOccurrences(of: "\r\n", with: "")
            #expect(text.contains(words), "\(text)")
            #expect(session.hasModesOfStart)
        }
    }

    @Test func remembersTheOrderOfALastTime() async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            for expected in ["gpu ↑", "gpu ↑"] {
                let session = try DashboardSession.start(in: folder.path)
                try session.wait(for: "2 Offers")
                session.type("2")
                if !session.screen.contains(expected) { session.type("o") }
                try session.wait(for: expected)
                session.type("q")
                #expect(try session.waitForEnd() == .exited(0))
            }
            #expect(FileManager.default.fileExists(atPath: folder.path + "/state/variousplug/dashboard.json"))
        }
    }

    /// Lines only: no escape sequence, no alternate screen, and the words of `vp`.
    @Test func plainModeSpeaksInLines() async throws {
        try await self.withSession(["--plain"]) { session in
            try session.wait(for: "Type help for the list of commands.")
            session.type("help\n")
            try session.wait(for: "An empty line shows everything.")
            session.type("create\n")
            try session.wait(for: "No platform has a key")
            session.type("quit\n")
            #expect(try session.waitForEnd() == .exited(0))
            #expect(!session.tail.contains(0x1B))
        }
    }
}
