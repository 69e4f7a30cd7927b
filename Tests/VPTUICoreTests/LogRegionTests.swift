import Foundation
import Testing
import VPEngine
import VPTUICore
import VPTestSupport

/// Several progress bars: programs move the cursor up and write all of them again, which is one live region.
@Suite struct LogRegionTests {
    private static func lines(_ text: String) -> [String] {
        var buffer = LogBuffer()
        buffer.append(Array(text.utf8))
        return Self.lines(buffer).map(\.text)
    }

    private static func lines(_ buffer: LogBuffer) -> [LogLine] {
        (buffer.firstNumber..<buffer.endNumber).map { buffer.line($0) }
    }

    /// tqdm's bar at position 1 goes down, draws, and moves up again.
    private static let nested: String = {
        var text = "start\n\repochs 0/2\n\rsteps 0/3\u{1B}[A"
        for epoch in 1...2 {
            for step in 1...3 { text += "\n\rsteps \(step)/3\u{1B}[A" }
            text += "\repochs \(epoch)/2"
        }
        return text
    }()

    @Test func nestedBarsAreTwoRows() {
        #expect(Self.lines(Self.nested) == ["start", "epochs 2/2", "steps 3/3"])
        #expect(Self.lines(Self.nested + "\n\ndone\n") == ["start", "epochs 2/2", "steps 3/3", "done"])
    }

    @Test(arguments: [
        // rich erases from the last row to the first, and writes all again.
        (
            "a 1\nb 1\nc 1\r\u{1B}[2K\u{1B}[1A\u{1B}[2K\u{1B}[1A\u{1B}[2Ka 2\nb 2\nc 2\n",
            ["a 2", "b 2", "c 2"]
        ),
        // docker writes one of several rows, below the others or above them.
        ("a 1\nb 1\n\u{1B}[2A\u{1B}[2K\ra 2\r\u{1B}[2B", ["a 2", "b 1"]),
        ("a 1\nb 1\nc 1\n\u{1B}[2A\u{1B}[2K\rb 2\u{1B}[2Bend\n", ["a 1", "b 2", "c 1", "end"]),
        // indicatif moves to the first row and erases everything below.
        ("a 1\nb 1\r\u{1B}[1A\u{1B}[J\ra 2", ["a 2"]), ("a\nb\u{1B}[F\u{1B}[Kc\u{1B}[Ed", ["c", "d"]),
        ("a\nb\u{1B}Mc\n", ["c", "b"]),
        // Erased rows are empty, also if nothing is written there.
        ("a 50%\r\u{1B}[K\nb", ["", "b"]), ("a 50%\u{1B}[2K", []), ("a\u{1B}[Kb", ["ab"]),
        // Where there is no row, the cursor stays.
        ("\u{1B}[Aa", ["a"]), ("a\nb\u{1B}[9999Ac", ["c", "b"]),
        ("a\u{1B}[9999999999999999999999Bb\u{1B}[0Ac", ["c"]), ("a\nb\u{1B}[?1Ac", ["a", "bc"]),
        ("a\nb\u{1B}[1;1Ac", ["a", "bc"]),
    ])
    func rowsAreWrittenAgain(_ text: String, _ expected: [String]) {
        #expect(Self.lines(text) == expected)
        let newest = Array(text.utf8)
        var buffer = LogBuffer()
        for byte in newest { buffer.append([byte]) }
        #expect(Self.lines(buffer).map(\.text) == expected, "byte by byte")
        #expect(buffer.count == expected.count && buffer.endOffset == Int64(newest.count))
    }

    @Test func coloursOfRowsStay() {
        var buffer = LogBuffer()
        buffer.append(Array("\u{1B}[31mred\u{1B}[0m\nb\u{1B}[A\u{1B}[Bc".utf8))
        #expect(buffer.line(0).runs.first?.style.role == .red)
        #expect(buffer.line(0).text == "red" && buffer.line(1).text == "c")
    }

    /// A place in the file is found by the offset of its row, which stays that of the first writing.
    @Test func rowsKeepTheirOffsets() {
        var buffer = LogBuffer()
        buffer.append(Array("one\ntwo\nthree\u{1B}[2AONE\n".utf8))
        #expect(Self.lines(buffer).map(\.offset) == [0, 4, 8])
        #expect(buffer.number(at: 0) == 0 && buffer.number(at: 5) == 1 && buffer.number(at: 100) == 2)
        #expect(buffer.liveNumber == 1)
        // What is read again from there on replaces the rows.
        buffer.drop(from: 4)
        #expect(Self.lines(buffer).map(\.text) == ["ONE"] && buffer.endOffset == 4)
    }

    /// Lines before a gap are from elsewhere in the file, and so are lines that were read later.
    @Test func otherPartsAreNotTouched() {
        var buffer = LogBuffer()
        buffer.append(Array("kept\nlast".utf8), at: 0)
        buffer.append(Array("x\u{1B}[5Ay".utf8), at: 1000)
        #expect(Self.lines(buffer).map(\.text) == ["kept", "last", "y"])
        var earlier = LogBuffer()
        earlier.append(Array("early\nbars\u{1B}[A".utf8), at: 0)
        var later = LogBuffer()
        later.append(Array("late".utf8), at: 500)
        later.prepend(earlier)
        later.append(Array("\u{1B}[9Anew".utf8))
        #expect(Self.lines(later).map(\.text) == ["early", "bars", "new"])
    }

    /// Whatever moves the cursor: rows are bounded, their offsets ascend, and nothing but text remains.
    @Test func hostileMovementsAreBounded() {
        var random = SeededGenerator(seed: 18)
        let pieces = [
            "\u{1B}[A", "\u{1B}[999A", "\u{1B}[3B", "\u{1B}[2K", "\u{1B}[J", "\u{1B}[K", "\u{1B}M", "\n",
            "\r", "x",
            "\u{8}", "日", "\u{1B}[E", "\u{1B}[2F", String(repeating: "long ", count: 2000),
        ]
        for _ in 0..<200 {
            let text = (0..<100).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            var buffer = LogBuffer()
            buffer.append(Array(text.utf8))
            let lines = Self.lines(buffer)
            #expect(lines.map(\.offset) == lines.map(\.offset).sorted(), "\(text.debugDescription)")
            #expect(lines.count <= text.utf8.count { $0 == 0x0A } + 1)
            #expect(lines.allSatisfy { $0.text.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
        }
        var buffer = LogBuffer()
        for _ in 0..<2000 { buffer.append(Array("row\n".utf8)) }
        buffer.append(Array(String(repeating: "\u{1B}[999A", count: 50).utf8))
        #expect(buffer.liveNumber == 1800 && buffer.count == 2000)
    }

    @Test func aPausedLogCountsRowsOnce() throws {
        var state = Samples.fleet()
        press(&state, .character("4"), .character("k"))
        let job = try #require(state.log.job)
        let before = state.log.newLines
        let bars = "\n\rsteps 1/3\u{1B}[A\n\rsteps 2/3\u{1B}[A\n\rsteps 3/3\u{1B}[A"
        _ = update(
            &state,
            .engine(
                .jobOutput(job, offset: state.log.size, bytes: Array((bars + "\n\nend\n").utf8)),
                at: Samples.now))
        #expect(!state.log.isFollowing && state.log.newLines - before == 3)
    }

    /// A search sees what the screen shows.
    @Test func erasedTextIsNotFound() throws {
        let text = Array("loss 1\u{1B}[2K\nloss 2\r\u{1B}[K\nloss 3\n".utf8)
        let scanner = LogScanner(MemoryLog(text))
        let matcher = try #require(TextMatcher(TextPattern("loss")))
        var hits = 0
        scanner.count(matcher, filter: nil, from: 0) { _, _, found in
            hits += found.count
            return true
        }
        #expect(hits == 1)
    }

    /// A frame that was written again has no row of its own: the row of the bar stands for it.
    @Test func aHitInABarIsShown() throws {
        var state = Samples.fleet()
        press(&state, .character("4"))
        let log = MemoryLog(Self.nested + "\n\n" + String(repeating: "more\n", count: 100))
        state.log.open(try #require(state.log.job))
        answer(&state, update(&state, .resized(Size(width: 120, height: 30))), log)
        press(&state, .character("/"))
        answer(&state, type(&state, "epochs") + press(&state, .enter), log)
        let row = try #require(
            (0..<30).first { y in String(view(state).row(y).map(\.text)).contains("epochs 2/2") })
        #expect(view(state).row(row).contains { $0.style.attributes.contains(.underline) })
    }

    @Test func aReaderOfLinesHearsBarsOnce() throws {
        var state = Samples.fleet()
        var reporter = PlainReporter()
        _ = reporter.report(state)
        let job = try #require(state.log.job)
        func say(_ text: String) -> [String] {
            _ = update(
                &state,
                .engine(
                    .jobOutput(job, offset: state.log.size, bytes: Array(text.utf8)), at: Samples.now))
            return reporter.report(state)
        }
        #expect(say("\nepochs 0/2\nsteps 0/3\u{1B}[A").allSatisfy { !$0.contains("epochs") })
        #expect(say("\n\rsteps 1/3\u{1B}[A\repochs 1/2").isEmpty)
        #expect(
            say("\n\nnext\nmore\n").filter { $0.contains("epochs 1/2") || $0.contains("steps 1/3") }.count
                == 2)
    }
}
