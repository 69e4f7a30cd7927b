import Foundation
import Testing
import VPTUICore
import VPTestSupport

/// What bytes of a terminal mean, whatever pieces they come in.
@Suite struct InputDecoderTests {
    typealias Event = InputDecoder.Event

    /// The events of `text`, in pieces of `size` bytes that come `gap` seconds after each other.
    private func events(
        _ text: String, size: Int = .max, gap: Double = 0.001, _ settings: InputDecoder.Settings = .init()
    ) -> [Event] { self.events(Array(text.utf8), size: size, gap: gap, settings) }

    private func events(
        _ bytes: [UInt8], size: Int = .max, gap: Double = 0.001, _ settings: InputDecoder.Settings = .init()
    ) -> [Event] {
        var decoder = InputDecoder(settings: settings)
        var events: [Event] = []
        var now = 100.0
        var rest = bytes[...]
        while !rest.isEmpty {
            if let deadline = decoder.deadline, deadline <= now { events += decoder.timedOut(at: now) }
            events += decoder.feed(rest.prefix(size), at: now)
            rest = rest.dropFirst(size)
            now += gap
        }
        // Nothing more comes.
        while let deadline = decoder.deadline { events += decoder.timedOut(at: deadline) }
        return events
    }

    private static let legal: [(String, Key)] = [
        ("a", .character("a")), ("é", .character("é")), ("👍", .character("👍")), ("\r", .enter),
        ("\n", .enter),
        ("\t", .tab), ("\u{7F}", .backspace), ("\u{03}", .control("c")), ("\u{08}", .control("h")),
        ("\u{1B}[A", .up), ("\u{1B}OB", .down), ("\u{1B}[1;1C", .right), ("\u{1B}[H", .home),
        ("\u{1B}[8~", .end),
        ("\u{1B}[5~", .pageUp), ("\u{1B}[6~", .pageDown), ("\u{1B}[3~", .delete), ("\u{1B}[Z", .backTab),
        ("\u{1B}OP", .function(1)), ("\u{1B}[24~", .function(12)), ("\u{1B}[25~", .function(13)),
        ("\u{1B}[[B", .function(2)), ("\u{1B}d", .alt("d")), ("\u{1B}D", .alt("D")), ("\u{1B}日", .alt("日")),
        ("\u{1B}", .escape), ("[", .character("[")), ("O", .character("O")),
    ]

    @Test(arguments: legal) func keysAreRead(_ bytes: String, _ key: Key) {
        #expect(self.events(bytes) == [.key(key)])
        // Two bytes that are no lone ESC, slowly: the rest of a sequence may take its time.
        if bytes.utf8.count > 2 {
            let head = Array(bytes.utf8.prefix(2))
            var decoder = InputDecoder()
            var events = decoder.feed(head, at: 0)
            events += decoder.timedOut(at: 0.9)
            events += decoder.feed(bytes.utf8.dropFirst(2), at: 1.9)
            #expect(events == [.key(key)])
        }
    }

    @Test(arguments: SequenceGenerator.answers + SequenceGenerator.keys)
    func whatMeansNothingDoesNothing(_ bytes: String) {
        for size in [Int.max, 1, 2, 3] {
            let events = self.events(bytes, size: size).filter { $0 != .identified }
            // Alt keys are keys of their own, which nothing here has a use for.
            #expect(
                events.allSatisfy { if case .key(.alt) = $0 { true } else { false } },
                "\(events) of \(bytes.debugDescription)")
        }
    }

    @Test(arguments: [
        "\u{1B}(B", "\u{1B}%G", "\u{1B}#8", "\u{1B}\r", "\u{1B}\u{1B}[A", "\u{1B}\u{1B}OA", "\u{1B}\u{7F}",
    ])
    func neitherDoTheseInOnePiece(_ bytes: String) {
        #expect(self.events(bytes) == [])
        #expect(self.events(bytes, size: 1) == [])
    }

    @Test func anAnswerNamesTheBackgroundAndAnotherEndsTheWait() {
        for size in [Int.max, 1, 5] {
            let answers = "\u{1B}]11;rgb:1010/1414/1818\u{1B}\\\u{1B}[?62;22c\u{1B}]11;rgb:ff/ff/ff\u{07}"
            #expect(
                self.events(answers, size: size) == [
                    .background("rgb:1010/1414/1818"), .identified, .background("rgb:ff/ff/ff"),
                ])
        }
    }

    @Test func mouseReportsAreReadInBothEncodings() {
        let point = Point(x: 9, y: 26)
        #expect(self.events("\u{1B}[<0;10;27M\u{1B}[<0;10;27m") == [.mouse(MouseEvent(.press, at: point))])
        #expect(self.events("\u{1B}[M *;") == [.mouse(MouseEvent(.press, at: point))])
        #expect(self.events("\u{1B}[<64;10;27M") == [.mouse(MouseEvent(.wheelUp, at: point))])
        var settings = InputDecoder.Settings()
        settings.takesMouse = false
        #expect(self.events("\u{1B}[<0;10;27M\u{1B}[M *;x", settings) == [.key(.character("x"))])
    }

    // MARK: ESC alone

    @Test func theEnvironmentSaysHowLong() {
        let wait = InputDecoder.Settings.escapeWait
        #expect(wait([:]) == 0.025 && wait(["SSH_TTY": ""]) == 0.025)
        #expect(
            wait(["SSH_CONNECTION": "10.0.0.1 2 10.0.0.2 22"]) == 0.1
                && wait(["SSH_TTY": "/dev/pts/1"]) == 0.1)
        #expect(wait(["ESCDELAY": "300", "SSH_TTY": "/dev/pts/1"]) == 0.3 && wait(["ESCDELAY": "0"]) == 0)
        #expect(wait(["ESCDELAY": "soon"]) == 0.025 && wait(["ESCDELAY": "-5"]) == 0.025)
    }

    @Test func theClipboardIsWrappedForScreenOnly() {
        let plain = ClipboardSequence.sequence(for: "abc", environment: [:])
        #expect(plain == "\u{1B}]52;c;YWJj\u{07}")
        #expect(
            ClipboardSequence.sequence(for: "abc", environment: ["TMUX": "/tmp/s,1,0", "STY": "1.x"]) == plain
        )
        #expect(
            ClipboardSequence.sequence(for: "abc", environment: ["STY": "1.x"]) == "\u{1B}P\(plain)\u{1B}\\")
        let long = ClipboardSequence.sequence(
            for: String(repeating: "x", count: 1000), environment: ["STY": "1.x"])
        let pieces = long.components(separatedBy: "\u{1B}\\")
        #expect(pieces.allSatisfy { $0.utf8.count <= 80 })
        #expect(
            pieces.map { $0.dropFirst(2) }.joined()
                == ClipboardSequence.sequence(for: String(repeating: "x", count: 1000), environment: [:]))
    }

    @Test func aLoneEscapeWaitsAsLongAsItIsTold() throws {
        for wait in [0.025, 0.1, 1.5] {
            var settings = InputDecoder.Settings()
            settings.escapeWait = wait
            var decoder = InputDecoder(settings: settings)
            #expect(decoder.feed([0x1B], at: 10) == [])
            #expect(try abs(#require(decoder.deadline) - 10 - wait) < 1e-9)
            #expect(decoder.timedOut(at: 10 + wait * 0.9) == [])
            #expect(decoder.timedOut(at: 10 + wait * 1.1) == [.key(.escape)])
            #expect(decoder.deadline == nil)
        }
    }

    /// The Esc has been taken for the key by then; nothing else comes of the sequence than its own key.
    @Test func theRestOfASequenceThatComesTooLateIsNotLetters() {
        func late(_ rest: String, size: Int = .max) -> [Event] {
            var decoder = InputDecoder()
            var events = decoder.feed([0x1B], at: 0) + decoder.timedOut(at: 0.03)
            var bytes = Array(rest.utf8)[...]
            var now = 0.06
            while !bytes.isEmpty {
                events += decoder.feed(bytes.prefix(size), at: now)
                bytes = bytes.dropFirst(size)
                now += 0.005
            }
            while let deadline = decoder.deadline { events += decoder.timedOut(at: deadline) }
            return events
        }
        for size in [Int.max, 1, 2] {
            #expect(late("[43;3R", size: size) == [.key(.escape)])
            #expect(late("]4;1;rgb:q/D/R\u{07}", size: size) == [.key(.escape)])
            #expect(late("[A", size: size) == [.key(.escape), .key(.up)])
            #expect(late("[200~qDR\u{1B}[201~", size: size) == [.key(.escape), .pasted("qDR")])
        }
        // Hands do not type so fast.
        #expect(late("[") == [.key(.escape), .key(.character("["))])
        #expect(late("Oj") == [.key(.escape), .key(.character("O")), .key(.character("j"))])
        #expect(late("j") == [.key(.escape), .key(.character("j"))])
    }

    @Test func escapePressedTwiceIsTwoKeys() {
        #expect(self.events("\u{1B}\u{1B}") == [.key(.escape), .key(.escape)])
        #expect(self.events("\u{1B}\u{1B}[43;3R") == [])
        #expect(self.events("\u{1B}\u{1B}[?1u") == [.key(.escape)])
    }

    // MARK: What never ends

    @Test(arguments: [
        "\u{1B}[", "\u{1B}[1;5", "\u{1B}O", "\u{1B}]11;rgb", "\u{1B}P>|x", "\u{1B}_G", "\u{1B}[M!",
    ])
    func aSequenceThatNeverEndsIsDropped(_ bytes: String) throws {
        var decoder = InputDecoder()
        #expect(decoder.feed(bytes.utf8, at: 0) == [])
        let deadline = try #require(decoder.deadline)
        #expect(deadline > 1 && deadline <= 5)
        #expect(decoder.timedOut(at: deadline) == [])
        #expect(decoder.feed("q".utf8, at: deadline + 1) == [.key(.character("q"))])
    }

    @Test func aSequenceOfAnyLengthTakesLittleAndActsNot() {
        let long = "\u{1B}[" + String(repeating: "1", count: 100_000) + "A"
        #expect(self.events(long + "x", size: 1000) == [.key(.character("x"))])
        let string = "\u{1B}]11;" + String(repeating: "q", count: 100_000) + "\u{07}"
        #expect(self.events(string + "x", size: 1000) == [.key(.character("x"))])
    }

    @Test func whatCutsASequenceShortBeginsAnother() {
        #expect(self.events("\u{1B}[1;\u{1B}[A") == [.key(.up)])
        #expect(self.events("\u{1B}]0;title\u{1B}[A") == [.key(.up)])
        #expect(self.events("\u{1B}[12\u{18}x") == [.key(.character("x"))])
    }

    // MARK: Pastes

    @Test func aPasteIsOneHoweverItArrives() {
        let text = String(repeating: "rm -rf / # \u{1B}[A \u{1B}[20 \u{1B} D y q é日\n", count: 6000)
        #expect(text.utf8.count > 200_000)
        for size in [Int.max, 65_536, 4096, 1021] {
            #expect(
                self.events("\u{1B}[200~\(text)\u{1B}[201~j", size: size, gap: 1.5) == [
                    .pasted(text), .key(.character("j")),
                ])
        }
        let short = "D y \u{1B}[201 q"
        #expect(self.events("\u{1B}[200~\(short)\u{1B}[201~", size: 1, gap: 0.02) == [.pasted(short)])
    }

    @Test func aPasteWithoutAnEndIsDelivered() throws {
        var decoder = InputDecoder()
        #expect(decoder.feed("\u{1B}[200~abc".utf8, at: 0) == [])
        #expect(decoder.timedOut(at: 5) == [])
        #expect(decoder.timedOut(at: try #require(decoder.deadline)) == [.pasted("abc")])
        #expect(decoder.feed("x".utf8, at: 20) == [.key(.character("x"))])
    }

    // MARK: Characters

    @Test(
        arguments: [
            [0xFF], [0xC3], [0x80], [0xE6, 0x97], [0xF0, 0x9F, 0x91], [0xC0, 0x80], [0xED, 0xA0, 0x80],
            [0xF5], [0xFE],
            [0xE0, 0x80], [0xF4, 0x90],
        ] as [[UInt8]])
    func anInvalidByteHoldsNothingBack(_ bytes: [UInt8]) {
        var decoder = InputDecoder()
        #expect(decoder.feed(bytes, at: 0) == [])
        #expect(decoder.feed("q".utf8, at: 1) == [.key(.character("q"))])
        #expect(self.events(bytes + Array("é".utf8)) == [.key(.character("é"))])
        #expect(self.events(bytes + Array("\u{1B}[A".utf8)) == [.key(.up)])
    }

    @Test func controlCharactersOfEightBitsBeginSequencesToo() {
        #expect(self.events("\u{9B}43;3Rx") == [.key(.character("x"))])
        #expect(self.events("\u{9D}4;1;rgb\u{1B}\\x") == [.key(.character("x"))])
        #expect(self.events("\u{85}x") == [.key(.character("x"))])
    }

    @Test func aLocaleOfOneByteACharacterHasItsOwn() {
        var settings = InputDecoder.Settings()
        settings.highBytes = (0x80...0xFF).map { $0 < 0xA0 ? nil : Unicode.Scalar(UInt32($0)) }
        #expect(self.events([0xE9, 0x71], settings) == [.key(.character("é")), .key(.character("q"))])
    }

    @Test func whatTheDescriptionKnowsEndsWhereItSays() {
        var settings = InputDecoder.Settings()
        settings.keys[Array("\u{1B}[7$".utf8)] = .some(nil)
        settings.keys[Array("\u{1B}OM".utf8)] = .enter
        settings.keys[Array("\u{1B}[224z".utf8)] = .function(1)
        settings.backspace = 8
        #expect(
            self.events("\u{1B}[7$q\u{1B}OM\u{1B}[224z\u{08}", settings) == [
                .key(.character("q")), .key(.enter), .key(.function(1)), .key(.backspace),
            ])
        #expect(self.events("\u{1B}OMx") == [.key(.character("x"))])
    }

    // MARK: All of it

    private static func name(_ event: Event) -> String? {
        switch event {
        case .key(.character(let character)): String(character)
        case .key(.control(let letter)): "ctrl-\(letter)"
        case .key(.function(let number)): "F\(number)"
        case .key(.alt), .identified, .background: nil
        case .key(let key): "\(key)"
        case .pasted(let text): "paste(\(text.utf8.count))"
        case .mouse: "mouse"
        }
    }

    /// `VP_INPUT_SEQUENCES=1000000` looks longer.
    private static var count: Int {
        ProcessInfo.processInfo.environment["VP_INPUT_SEQUENCES"].flatMap(Int.init) ?? 20_000
    }

    /// In random pieces, with pauses that are longer than a lone ESC waits; only within one,
    /// where they would make it a key, there is none.
    @Test func sequencesWithoutAKeyMakeNone() {
        var random = SequenceGenerator(seed: 14)
        var decoder = InputDecoder()
        var now = 0.0
        for _ in 0..<Self.count {
            let sequence = random.sequence()
            var rest = Array(sequence.utf8)[...]
            while !rest.isEmpty {
                let piece = rest.prefix(1 + random.below(rest.count))
                rest = rest.dropFirst(piece.count)
                let events = decoder.feed(piece, at: now)
                let acts = events.compactMap(Self.name)
                #expect(acts.isEmpty, "\(acts) of \(sequence.debugDescription)")
                let isLoneEscape = piece.last == 0x1B && !rest.isEmpty
                now += isLoneEscape ? 0.01 : Double(random.below(1500)) / 1000
                for event in decoder.timedOut(at: now) {
                    #expect(Self.name(event) == nil, "\(event) of \(sequence.debugDescription)")
                }
            }
        }
        #expect(decoder.feed("j".utf8, at: now + 20) == [.key(.character("j"))])
    }

    @Test func keysAmongThemAreWhatAnotherReaderReads() {
        var random = SequenceGenerator(seed: 20)
        let keys =
            Array(ReferenceDecoder.known.keys).sorted() + ["a", "Z", "7", "é", "日", "/", ":"]
            + ["\u{1B}[200~D y q\u{1B}[A\u{1B}[201~"]
        for _ in 0..<max(200, Self.count / 100) {
            var input = ""
            for _ in 0..<20 {
                input += random.below(2) == 0 ? random.pick(keys) : random.sequence()
            }
            var bytes = Array(input.utf8)[...]
            var decoder = InputDecoder()
            var names: [String] = []
            while !bytes.isEmpty {
                let piece = bytes.prefix(1 + random.below(9))
                bytes = bytes.dropFirst(piece.count)
                names += decoder.feed(piece, at: 0).compactMap(Self.name)
            }
            let expected = ReferenceDecoder.names(input).filter { $0 != "\u{00}" }
            #expect(names == expected, "\(input.debugDescription)")
        }
    }
}
