import Foundation
import Glibc
import Testing
import VPTestSupport

/// What a terminal sends, through a pseudo terminal: keys act, all else does nothing,
/// and nothing ends the dashboard.
@Suite(.serialized, .ownThread) struct InputTests {
    private func withSession(
        _ variables: [String: String] = [:], _ body: (PTYSession) throws -> Void
    ) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let environment = DashboardSession.environment(home: folder.path).merging(variables) { $1 }
            let session = try PTYSession(
                DashboardSession.program, environment: environment, directory: folder.path)
            try session.wait(for: "1 Instances")
            try body(session)
        }
    }

    /// The screen without its first row, which has the clock.
    private func rows(_ session: PTYSession) -> [String] { Array(session.screen.lines.dropFirst()) }

    /// Opens the help and closes it: the keys before have been read by then.
    private func expectAnswers(_ session: PTYSession, in pane: String = "Offers") throws {
        session.type("?")
        try session.wait(for: "Keys in \(pane)")
        session.type("\u{1B}")
        // The bar is drawn last.
        try session.wait("the help to close") { !$0.contains("Keys in") && $0.lines[29].contains("q quit") }
    }

    private func quit(_ session: PTYSession) throws {
        session.type("q")
        #expect(try session.waitForEnd() == .exited(0))
        #expect(session.hasModesOfStart && !session.screen.isAlternateScreen)
    }

    @Test func keysWithoutAMeaningDoNothing() async throws {
        try await self.withSession { session in
            session.type("2")
            try self.expectAnswers(session)
            let before = self.rows(session)
            for keys in [
                // Insert, Shift-Down, Ctrl-Space, a swipe to the side.
                "\u{1B}[2~\u{1B}[2~\u{1B}[2~\u{1B}[2~", "\u{1B}[1;2B", "\u{00}\u{00}\u{00}\u{00}\u{00}",
                "\u{1B}[<66;10;10M\u{1B}[<67;10;10M\u{1B}[<66;11;10M",
                // A cursor report, Alt-D, F13, Ctrl-Left, the keypad, focus, a palette answer.
                "\u{1B}[43;3R", "\u{1B}D", "\u{1B}[25~", "\u{1B}[5D\u{1B}Od", "\u{1B}Oq\u{1B}Oy",
                "\u{1B}[O\u{1B}[I", "\u{1B}]4;1;rgb:cdcd/0000/0000\u{1B}\\",
            ] {
                for byte in keys.utf8 {
                    try session.send(CollectionOfOne(byte))
                    // A lone ESC has 25 ms; all others have as long as they need.
                    if byte != 0x1B { session.read(milliseconds: 1) }
                }
                try session.send(keys.utf8)
                try self.expectAnswers(session)
                #expect(self.rows(session) == before, "\(keys.debugDescription)")
            }
            try self.quit(session)
        }
    }

    @Test func aPasteIsOneHoweverItArrives() async throws {
        try await self.withSession { session in
            session.type("2/")
            session.type("\u{1B}[200~D y")
            // Longer than a frame takes, again and again.
            for piece in ["\u{1B}[A q", " R \u{1B}", "[20", "1"] {
                for _ in 0..<5 { session.read(milliseconds: 10) }
                session.type(piece)
            }
            session.type(" x\u{1B}[201~ende")
            try session.wait(for: "xende")
            session.type("\u{1B}")
            try session.wait("the filter to close") { !$0.contains("xende") }
            // Nothing has the keys: a paste goes nowhere.
            try session.send(
                Array("\u{1B}[200~".utf8) + Array(String(repeating: "q R D y\n", count: 25_000).utf8)
                    + Array("\u{1B}[201~".utf8))
            try self.expectAnswers(session)
            session.type("/")
            try session.send(
                Array("\u{1B}[200~".utf8) + [UInt8](repeating: 0x61, count: 200_000)
                    + Array("zz\u{1B}[201~".utf8))
            try session.wait(for: "aazz")
            session.type("\u{1B}")
            try session.wait("the filter to close") { !$0.contains("aazz") }
            try self.quit(session)
        }
    }

    /// How many sequences are sent; `VP_INPUT_SEQUENCES=1000000` looks longer.
    private static let count =
        ProcessInfo.processInfo.environment["VP_INPUT_SEQUENCES"].flatMap(Int.init) ?? 4000
    /// A machine that is busy must not make an ESC of its own out of one whose rest is a moment late.
    private static let patient = ["ESCDELAY": "1000"]

    /// Sends `bytes` in pieces that end anywhere, with pauses of up to 3 ms.
    /// What the dashboard draws is taken in.
    private func sendInPieces(
        _ bytes: [UInt8], _ session: PTYSession, _ random: inout SequenceGenerator
    ) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 + random.below(400))
            try session.send(piece, seconds: 120)
            rest = rest.dropFirst(piece.count)
            session.read(milliseconds: Int32(random.below(4)))
        }
    }

    @Test func sequencesWithoutAKeyMakeNone() async throws {
        try await self.withSession(Self.patient) { session in
            session.type("2")
            try self.expectAnswers(session)
            let before = self.rows(session)
            var random = SequenceGenerator(seed: 5)
            let block = max(1000, Self.count / 100)
            for _ in 0..<max(1, Self.count / block) {
                let bytes = (0..<block).flatMap { _ in Array(random.sequence().utf8) }
                try self.sendInPieces(bytes, session, &random)
                try self.expectAnswers(session)
                #expect(self.rows(session) == before)
            }
            try self.quit(session)
        }
    }

    /// Keys of a text that is being edited, and what a second reader makes of the same bytes.
    @Test func keysAmongThemDoWhatAnotherReaderReads() async throws {
        try await self.withSession(Self.patient) { session in
            session.type("2/")
            var random = SequenceGenerator(seed: 6)
            let keys = [
                "a", "b", "k", "x", "D", "R", "7", "\u{1B}[D", "\u{1B}OD", "\u{1B}[C", "\u{1B}[H", "\u{1B}OF",
                "\u{7F}", "\u{1B}[3~", "\u{1B}[200~q D\u{1B}[A\u{1B}[201~",
            ]
            var model = TextModel()
            for round in 0..<max(20, Self.count / 200) {
                // Begins empty each time: what is too long is cut on screen.
                var input = "\u{1B}[F" + String(repeating: "\u{7F}", count: model.characters.count)
                for _ in 0..<100 {
                    input += random.below(4) == 0 ? random.pick(keys) : random.sequence()
                }
                input += "|"
                for key in ReferenceReader.keys(of: input) { model.apply(key) }
                try self.sendInPieces(Array(input.utf8), session, &random)
                let expected = String(model.characters)
                try session.wait("“\(expected)” in round \(round)") { $0.contains(expected) }
            }
            session.type("\u{1B}")
            try session.wait("the filter to close") { $0.lines[29].contains("q quit") }
            try self.quit(session)
        }
    }

    @Test func answersDoNothingBeforeDuringAndAfter() async throws {
        // Of terminals to DA1, DA2, CPR, OSC 4, 10 and 11, XTVERSION, focus and kitty's keyboard,
        // among others.
        let answers = SequenceGenerator.answers.joined() + "\u{1B}]11;rgb:1010/1414/1818\u{1B}\\"
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let session = try DashboardSession.start(in: folder.path)
            // Before it reads anything.
            session.type(answers)
            try session.wait(for: "1 Instances")
            try self.expectAnswers(session)
            session.type(answers)
            try self.expectAnswers(session)
            session.type(answers + "q")
            #expect(try session.waitForEnd() == .exited(0))
        }
    }

    /// A shell reads what is left when the dashboard has ended.
    @Test func anAnswerThatComesAfterTheLastKeyIsNotTypedIntoTheShell() async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let script = "\"$0\"; IFS= read -r line; echo \"read:$line:\""
            let session = try PTYSession(
                "/bin/sh", ["-c", script, DashboardSession.program],
                environment: DashboardSession.environment(home: folder.path), directory: folder.path)
            try session.wait("the question") { _ in
                String(decoding: session.tail, as: UTF8.self).contains("\u{1B}]11;?")
            }
            session.type("q")
            for _ in 0..<10 { session.read(milliseconds: 10) }
            session.type("\u{1B}]11;rgb:1010/1414/1818\u{1B}\\\u{1B}[?62;22c")
            try session.wait("the main screen") { !$0.isAlternateScreen }
            session.type("words\n")
            try session.wait(for: "read:words:")
        }
    }

    @Test func escapeWaitsForALateRestWhereItIsTold() async throws {
        try await self.withSession(["ESCDELAY": "5000"]) { session in
            session.type("2/abc")
            try session.wait(for: "abc")
            // An arrow key in two packets does not close what is open.
            session.type("\u{1B}")
            for _ in 0..<20 { session.read(milliseconds: 10) }
            session.type("[D")
            session.type("x")
            try session.wait(for: "abxc")
        }
    }

    @Test func aLoneByteOfACharacterHoldsNothingBack() async throws {
        try await self.withSession { session in
            session.type("2")
            try session.send([0xC3])
            try self.expectAnswers(session)
            try session.send([0xF0, 0x9F])
            try self.quit(session)
        }
    }

    /// What an earlier program left on is off, also when this one has ended.
    @Test func modesOfAnotherProgramAreReset() async throws {
        try await self.withSession { session in
            let begin = String(decoding: session.tail, as: UTF8.self)
            for mode in [
                "\u{1B}[?1003l", "\u{1B}[?1004l", "\u{1B}[?1015l", "\u{1B}[>4;0m", "\u{1B}[=0;1u",
                "\u{1B}[?2004h",
            ] {
                #expect(begin.contains(mode), "\(mode.debugDescription)")
            }
            // The kitty protocol has modes of its own for each screen.
            let screens = begin.components(separatedBy: "\u{1B}[?1049h")
            #expect(
                screens.first?.contains("\u{1B}[=0;1u") == true
                    && screens.last?.contains("\u{1B}[=0;1u") == true)
            session.type("q")
            let ending = try session.waitForEnd()
            #expect(ending == .exited(0))
            let end =
                String(decoding: session.tail, as: UTF8.self).components(separatedBy: "\u{1B}[?1049l").last
                ?? ""
            #expect(end.contains("\u{1B}[=0;1u"))
            #expect(session.screen.modes.isDisjoint(with: [1000, 1002, 1003, 1004, 1006, 2004]))
        }
    }

    @Test func exportedSizesAreThoseOfAnotherWindow() async throws {
        try await self.withSession(["LINES": "10", "COLUMNS": "40"]) { session in
            try session.wait("the last row") { $0.lines[29].contains("help") }
            #expect(session.screen.lines[5].count > 60)
            try self.quit(session)
        }
    }
}

/// What ends or stops the dashboard, and what may be wrong with the streams that it is started with.
@Suite(.serialized, .ownThread) struct EndingTests {
    @Test(arguments: [SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPWR, SIGALRM, SIGIO, 34, 40, 64])
    func anySignalThatEndsItRestoresTheTerminal(_ signal: Int32) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let session = try DashboardSession.start(in: folder.path)
            try session.wait(for: "1 Instances")
            session.send(signal: signal)
            #expect(try session.waitForEnd(seconds: 10) == .exited(128 + signal))
            #expect(!session.screen.isAlternateScreen && session.hasModesOfStart)
        }
    }

    /// Whoever waits for the dashboard stops with it, so that the shell has the terminal.
    @Test(arguments: [
        "sh -c '\"$0\"; true' \"$0\"", "timeout --foreground 1000 \"$0\"", "bash -c '\"$0\"; true' \"$0\"",
    ])
    func ctrlZStopsWhatWaitsForItToo(_ line: String) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            let script = "set -m; \(line); echo \"stopped $?\"; read line; fg; echo \"ended $?\""
            let session = try PTYSession(
                "/bin/sh", ["-c", script, DashboardSession.program],
                environment: DashboardSession.environment(home: folder.path), directory: folder.path)
            try session.wait(for: "1 Instances")
            session.type("\u{1A}")
            try session.wait(for: "stopped 148")
            session.type("\n")
            try session.wait("the dashboard to come back") {
                $0.isAlternateScreen && $0.contains("1 Instances")
            }
            session.type("q")
            try session.wait(for: "ended 0")
        }
    }

    /// Runs `line`, in which `$0` is the dashboard, and waits for words that end with `status N`.
    private static func expectStatus(
        _ status: Int32, of line: String, terminal: String = "xterm-256color", configuration: String = ""
    ) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            if !configuration.isEmpty {
                try FileManager.default.createDirectory(
                    atPath: folder.path + "/.vp", withIntermediateDirectories: true)
                try configuration.write(
                    toFile: folder.path + "/.vp/config.yaml", atomically: true, encoding: .utf8)
            }
            let script = "(\(line)) 2>/dev/null; echo \"status $?\""
            let session = try PTYSession(
                "/bin/sh", ["-c", script, DashboardSession.program],
                environment: DashboardSession.environment(home: folder.path, terminal: terminal),
                directory: folder.path)
            try session.wait(for: "status \(status)")
        }
    }

    /// An error whose words nobody takes is an error all the same.
    @Test(arguments: ["2>&-", "2>/dev/full", "2>&1 >&-"])
    func wordsThatNobodyTakesEndNothing(_ redirection: String) async throws {
        try await Self.expectStatus(64, of: "\"$0\" \(redirection)", terminal: "no-such-terminal")
    }

    /// A warning is said before the screen is drawn, and a project's file can cause it.
    @Test(arguments: ["2>&-", "2>/dev/full"]) func aWarningThatNobodyTakesEndsNothing(
        _ redirection: String
    ) async throws {
        try await Self.expectStatus(
            0, of: "echo quit | \"$0\" --plain \(redirection)", configuration: "no_such_setting: 1\n")
    }

    /// An answer that could not be written is no success.
    @Test(arguments: ["--version", "--help", "--print-keys"]) func anAnswerOnAFullDiskIsAFailure(
        _ option: String
    ) async throws {
        try await Self.expectStatus(200, of: "\"$0\" \(option) >/dev/full")
        try await Self.expectStatus(200, of: "\"$0\" \(option) >/dev/full 2>&1")
        try await Self.expectStatus(0, of: "\"$0\" \(option) >/dev/null 2>/dev/full")
    }
}
