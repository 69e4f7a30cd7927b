import Foundation
import Testing
import VPEngine
import VPTUICore

@Suite struct LogBufferTests {
    private func lines(_ chunks: [UInt8]...) -> [LogLine] {
        var buffer = LogBuffer()
        for chunk in chunks { buffer.append(chunk) }
        return (buffer.firstNumber..<buffer.endNumber).map { buffer.line($0) }
    }

    private func texts(_ text: String) -> [String] { self.lines(Array(text.utf8)).map(\.text) }

    @Test(arguments: [
        ("a\nb", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("10%\r20%\r30%", ["30%"]),
        ("10%\r20%\ndone", ["20%", "done"]), ("\n\nx", ["", "", "x"]), ("a\tb", ["a       b"]),
        ("\u{1B}[2J\u{1B}[Hx", ["x"]), ("\u{1B}]0;title\u{07}x", ["x"]),
        ("\u{1B}]8;;http://x\u{1B}\\link", ["link"]),
        ("\u{1B}P1;2q###\u{1B}\\x", ["x"]), ("a\u{7F}\u{08}\u{07}b", ["b"]),
        ("\u{9B}31mx\u{9D}0;t\u{07}y", ["xy"]),
        ("\u{1B}(Bx", ["x"]), ("\u{1B}[?25lx\u{1B}[?25h", ["x"]),
        ("\u{1B}]0;never ended\nnext", ["", "next"]),
        ("é日本\u{A0}", ["é日本\u{A0}"]), ("\u{1B}[1", []), ("x\u{1B}\ny", ["x", "y"]),
    ])
    func onlyTextRemains(_ text: String, _ expected: [String]) {
        #expect(self.texts(text) == expected)
    }

    @Test func invalidUTF8IsReplaced() {
        #expect(self.lines([0x61, 0xFF, 0x62, 0xC3, 0x0A]).map(\.text) == ["a\u{FFFD}b\u{FFFD}"])
    }

    /// However the bytes are cut into pieces, the lines are the same.
    @Test func piecesDoNotMatter() {
        let bytes = Array((Samples.log + "\n\u{1B}]0;x\u{1B}\\\u{9B}32mgrün\u{1B}[0m\tx\r\n日\r本").utf8)
        let whole = self.lines(bytes)
        for size in 1...7 {
            var buffer = LogBuffer()
            var start = 0
            while start < bytes.count {
                buffer.append(Array(bytes[start..<min(bytes.count, start + size)]))
                start += size
            }
            #expect((0..<buffer.endNumber).map { buffer.line($0) } == whole, "in pieces of \(size)")
        }
    }

    @Test func coloursBecomeRoles() {
        let line = self.lines(
            Array("a\u{1B}[1;31mb\u{1B}[38;5;46mc\u{1B}[38;2;20;20;250;44md\u{1B}[me".utf8))[0]
        #expect(line.text == "abcde")
        #expect(
            line.runs == [
                .init(start: 1, style: Style(.red, on: .base, .bold)),
                .init(start: 2, style: Style(.brightGreen, on: .base, .bold)),
                .init(start: 3, style: Style(.brightBlue, on: .base, .bold)), .init(start: 4, style: .plain),
            ])
    }

    @Test func memoryIsBounded() {
        var buffer = LogBuffer()
        for part in 0..<300 { buffer.append(Array(String(repeating: "line \(part)\n", count: 100).utf8)) }
        #expect(buffer.count == LogBuffer.maximumLines)
        #expect(buffer.endNumber == 30_000)
        buffer.append([UInt8](repeating: 0x78, count: 3 << 20))
        #expect(buffer.line(buffer.endNumber - 1).text.utf8.count <= LogBuffer.maximumLineBytes + (3 << 20))
        #expect(buffer.count <= LogBuffer.maximumLines + 1)
    }

    /// Random bytes in any pieces: nothing but printable text comes out.
    @Test func randomBytesLeaveNoControls() {
        var seed: UInt64 = 7
        func next() -> UInt8 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: seed >> 33)
        }
        var buffer = LogBuffer()
        for _ in 0..<400 {
            buffer.append(
                (0..<97).map { _ in next() % 3 == 0 ? [0x1B, 0x5B, 0x9B, 0xC2][Int(next()) % 4] : next() })
        }
        for number in buffer.firstNumber..<buffer.endNumber {
            #expect(
                !buffer.line(number).text.unicodeScalars.contains {
                    $0.value < 0x20 || 0x7F...0x9F ~= $0.value
                })
        }
    }
}

@Suite struct LogPaneTests {
    private func running(_ lines: Int) -> (State, MemoryLog) {
        var state = Samples.overview()
        let text = (0..<lines).map { "line \($0)\n" }.joined()
        Samples.openLog(&state, text)
        press(&state, .character("4"))
        return (state, MemoryLog(text))
    }

    /// Output arrives, and the file grows with it.
    private func grow(_ state: inout State, _ log: inout MemoryLog, _ text: String) {
        let event = EngineEvent.jobOutput(
            JobID("train-7"), offset: log.size(), bytes: Array(text.utf8))
        log.bytes += Array(text.utf8)
        answer(&state, update(&state, .engine(event, at: Samples.now)), log)
    }

    /// Presses a key, and answers what it asks of the file.
    /// Whatever shortened it: it is read anew, and not again and again.
    @Test(arguments: [false, true]) func aLogThatShrankIsReadAnew(filters: Bool) {
        var (state, log) = self.running(300)
        if filters {
            self.press(&state, log, .character("&"), .character("7"), .enter)
            #expect(!screenText(view(state)).contains("line 0298"))
        }
        log.bytes = Array("only 7 this".utf8)
        for _ in 0..<3 {
            let effects = update(&state, .tick(state.now.addingTimeInterval(5)))
            answer(&state, effects, log)
        }
        #expect(state.log.size == log.size())
        #expect(screenText(view(state)).contains("only 7 this"))
        #expect(!screenText(view(state)).contains("line 0297"))
    }

    private func press(_ state: inout State, _ log: MemoryLog, _ keys: Key...) {
        for key in keys { answer(&state, VPTUICoreTests.press(&state, key), log) }
    }

    private func press(_ state: inout State, _ keys: Key...) {
        for key in keys { _ = VPTUICoreTests.press(&state, key) }
    }

    private func shows(_ state: State, _ text: String) -> Bool { screenText(view(state)).contains(text) }

    @Test func opensAtTheEndAndFollows() {
        var (state, log) = self.running(500)
        #expect(state.log.isFollowing)
        self.grow(&state, &log, "the end\n")
        #expect(self.shows(state, "the end"))
    }

    @Test func scrollingUpPausesAndCountsWhatIsNew() {
        var (state, log) = self.running(500)
        self.press(&state, log, .character("k"))
        let top = state.log.top
        self.grow(&state, &log, "one\ntwo\nthree\n")
        #expect(state.log.top == top)
        #expect(self.shows(state, "paused, 3 new"))
        self.press(&state, log, .character("G"))
        #expect(state.log.isFollowing)
        self.press(&state, log, .character("f"))
        #expect(!state.log.isFollowing)
        self.press(&state, log, .character("f"))
        #expect(state.log.isFollowing)
    }

    @Test func reachingTheEndFollowsAgain() {
        var (state, log) = self.running(500)
        self.press(&state, log, .control("u"))
        #expect(!state.log.isFollowing)
        self.press(&state, log, .pageDown, .pageDown)
        #expect(state.log.isFollowing)
    }

    @Test func nothingIsDoubledOrLostAcrossAGap() {
        var (state, log) = self.running(2)
        let job = JobID("train-7")
        let next = log.size()
        // Overlap: the first part is known already.
        log.bytes += Array("A\n".utf8)
        _ = update(
            &state, .engine(.jobOutput(job, offset: next - 3, bytes: Array(" 1\nA\n".utf8)), at: Samples.now))
        #expect(state.log.buffer.line(2).text == "A")
        // A gap is read from the file first.
        log.bytes += Array("B\nC\n".utf8)
        let effects = update(
            &state, .engine(.jobOutput(job, offset: next + 4, bytes: Array("C\n".utf8)), at: Samples.now))
        #expect(effects.contains(.log(.readLog(LogReadRequest(job, .after(next + 2))))))
        answer(&state, effects, log)
        #expect((2..<5).map { state.log.buffer.line($0).text } == ["A", "B", "C"])
    }

    @Test func searchFindsTheNewestFirstAndGoesAround() {
        var (state, log) = self.running(300)
        self.press(&state, log, .character("/"))
        for letter in "line 1" { self.press(&state, log, .character(letter)) }
        self.press(&state, log, .enter)
        func hit() -> String {
            state.log.buffer.line(state.log.buffer.number(at: state.log.search?.hit ?? 0)).text
        }
        #expect(hit() == "line 199")
        #expect(self.shows(state, "111 of 111"))
        self.press(&state, log, .character("n"))
        #expect(hit() == "line 1")
        #expect(self.shows(state, "1 of 111") && self.shows(state, "wrapped around"))
        self.press(&state, log, .character("N"))
        #expect(hit() == "line 199")
        self.press(&state, .escape)
        #expect(state.log.search == nil)
        #expect(state.focus == .main)
    }

    /// Found by the random walk: the first search may go downward, from beyond the end.
    @Test func theFirstSearchMayGoDown() {
        var (state, log) = self.running(300)
        self.press(&state, log, .character("/"))
        for letter in "line 7" { self.press(&state, log, .character(letter)) }
        state.overlay = nil
        self.press(&state, log, .character("n"))
        #expect(self.shows(state, "1 of 11"))
    }

    @Test func searchesTheWholeFileNotTheWindow() {
        let lines = (0..<120_000).map { $0 == 17 ? "needle here\n" : "line \($0) of many\n" }
        let log = MemoryLog(lines.joined())
        var state = Samples.overview()
        state.log.open(JobID("train-7"))
        answer(&state, update(&state, .tick(Samples.now)), log)
        VPTUICoreTests.press(&state, .character("4"))
        #expect(state.log.start > 0)
        self.press(&state, log, .character("/"))
        for letter in "needle" { self.press(&state, log, .character(letter)) }
        self.press(&state, log, .enter)
        #expect(self.shows(state, "needle here"))
        #expect(self.shows(state, "1 of 1"))
        #expect(self.shows(state, "line 18 of many"))
    }

    @Test func scrollingReachesTheStartAndTheEndOfALargeFile() {
        let log = MemoryLog((0..<120_000).map { "line \($0) of many\n" }.joined())
        var state = Samples.overview()
        state.log.open(JobID("train-7"))
        answer(&state, update(&state, .tick(Samples.now)), log)
        VPTUICoreTests.press(&state, .character("4"))
        #expect(self.shows(state, "line 119999 of many"))
        self.press(&state, log, .character("g"))
        #expect(self.shows(state, "line 0 of many"))
        for _ in 0..<40 { self.press(&state, log, .pageDown) }
        #expect(!state.log.isFollowing)
        #expect(state.log.buffer.count <= LogBuffer.maximumLines)
        self.press(&state, log, .character("G"))
        #expect(self.shows(state, "line 119999 of many"))
        // Up from the end, every line is met in order and none twice.
        var expected = 119_999 - state.log.buffer.count
        for _ in 0..<200 { self.press(&state, log, .pageUp) }
        expected = state.log.buffer.firstNumber
        let texts = (expected..<state.log.buffer.endNumber).map { state.log.buffer.line($0).text }
        let numbers = texts.map { Int($0.split(separator: " ")[1]) ?? -1 }
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
    }

    @Test func keepsMatchingLinesWithContext() {
        var (state, log) = self.running(1000)
        self.press(&state, log, .character("&"))
        for letter in "~7$" { self.press(&state, log, .character(letter)) }
        self.press(&state, log, .enter)
        #expect(self.shows(state, "line 997") && !self.shows(state, "line 998"))
        #expect(state.log.buffer.count == 100)
        self.grow(&state, &log, "line 1006\nline 1007\n")
        #expect(self.shows(state, "line 1007") && !self.shows(state, "line 1006"))
        self.press(&state, log, .character("C"))
        #expect(self.shows(state, "line 998") && self.shows(state, "±2"))
        self.press(&state, log, .escape)
        #expect(state.log.filter == nil && self.shows(state, "line 1006"))
    }

    @Test func linesWithoutAWordAreKeptByNegation() {
        var (state, log) = self.running(50)
        self.press(&state, log, .character("&"))
        for letter in "!1" { self.press(&state, log, .character(letter)) }
        self.press(&state, log, .enter)
        #expect(self.shows(state, "line 49") && !self.shows(state, "line 41"))
    }

    @Test func longLinesWrapOrScroll() {
        var (state, log) = self.running(0)
        self.grow(&state, &log, String(repeating: "0123456789", count: 40) + "END\n")
        #expect(self.shows(state, "END"))
        self.press(&state, log, .character("w"))
        #expect(!self.shows(state, "END"))
        for _ in 0..<46 { self.press(&state, log, .character("l")) }
        #expect(self.shows(state, "END"))
    }

    @Test func timesAreThoseOfArrival() {
        var (state, log) = self.running(1)
        self.grow(&state, &log, "late\n")
        self.press(&state, log, .character("t"))
        #expect(self.shows(state, "12:04:31 late"))
        self.press(&state, log, .character("J"))
        for letter in "12:04" { self.press(&state, log, .character(letter)) }
        self.press(&state, log, .enter)
        #expect(state.overlay == nil)
    }

    /// Of a log that is looked at again, or of an earlier session, as they were recorded.
    @Test func recordedTimesAreShownAgain() {
        var (state, log) = self.running(3)
        let job = JobID("train-7")
        VPTUICoreTests.press(&state, .character("["))
        let effects = VPTUICoreTests.press(&state, .character("]"))
        #expect(effects.contains(.log(.readTimes(job))))
        answer(&state, effects, log)
        self.press(&state, log, .character("t"))
        #expect(!self.shows(state, "11:04:31"))
        let arrival = LogState.Arrival(offset: 0, date: Samples.now.addingTimeInterval(-3600))
        _ = update(&state, .log(.timesRead(job, [arrival])))
        #expect(self.shows(state, "11:04:31"))
        // What has come since keeps its time.
        self.grow(&state, &log, "late\n")
        _ = update(&state, .log(.timesRead(job, [arrival])))
        #expect(self.shows(state, "12:04:31 late"))
        _ = update(&state, .log(.timesRead(JobID("train-6"), [])))
        #expect(self.shows(state, "12:04:31 late"))
    }

    @Test func otherJobsAreAKeyAway() {
        var (state, _) = self.running(3)
        let effects = VPTUICoreTests.press(&state, .character("["))
        #expect(state.log.job == JobID("train-6"))
        #expect(effects.contains(.log(.readMetrics(JobID("train-6")))))
        VPTUICoreTests.press(&state, .character("]"))
        #expect(state.log.job == JobID("train-7"))
    }

    @Test func writesToAFile() {
        var (state, _) = self.running(3)
        VPTUICoreTests.press(&state, .character("W"))
        #expect(
            VPTUICoreTests.press(&state, .enter).contains(
                .log(.writeLog(JobID("train-7"), path: "train-7.log", filter: nil))))
        _ = update(&state, .log(.logWritten(path: "train-7.log", .success(1200))))
        #expect(state.toasts.last?.text == "1.2 kB written to train-7.log")
    }

    /// Where rows begin, character by character; each scalar beside each kind of neighbour.
    @Test(arguments: [1, 2, 7]) func rowsBeginWhereCharactersDo(_ width: Int) {
        func reference(_ text: String) -> [Int] {
            var (starts, column, offset) = ([0], 0, 0)
            for character in text {
                let columns = DisplayWidth.of(character)
                if column + columns > width, column > 0 {
                    starts.append(offset)
                    column = 0
                }
                column += columns
                offset += character.utf8.count
            }
            return starts
        }
        let marks = [
            "", "\u{301}", "\u{200D}", "\u{FE0F}", "\u{11A8}", "\u{3099}", "e", "日", "한", "👍🏽", "\u{600}",
        ]
        for value in stride(from: UInt32(0x20), to: 0x2_0000, by: width == 2 ? 7 : 97) {
            guard let scalar = Unicode.Scalar(value), ![0x7F, 0x85].contains(value) else { continue }
            let text = marks.map { "\(scalar)\($0)\(scalar)" }.joined(separator: "a")
            #expect(
                LogLine(text: text).rowStarts(width: width) == reference(text), "\(String(value, radix: 16))")
        }
    }

    /// Counted once for all that a frame asks, also while the line is still being written.
    @Test func aLongLineIsCountedOnce() {
        for end in ["", "\n"] {
            var buffer = LogBuffer()
            buffer.append(Array((String(repeating: "é👍🏽", count: 90_000) + end).utf8))
            let clock = ContinuousClock()
            let first = clock.measure { _ = buffer.line(0).rowCount(width: 100) }
            let hundred = clock.measure { for _ in 0..<100 { _ = buffer.line(0).rowCount(width: 100) } }
            #expect(hundred < first, "\(first) for one, \(hundred) for a hundred more")
            buffer.append(Array("x".utf8))
            #expect(buffer.line(buffer.endNumber - 1).text.hasSuffix("x"))
        }
    }

    /// Wrapped rows of wide characters never lose one.
    @Test(arguments: [1, 2, 3, 5, 8]) func wideRowsHoldEveryCharacter(_ width: Int) {
        let line = LogLine(text: "ab日本語cd한글é👍🏽z")
        let starts = line.rowStarts(width: width)
        #expect(starts == starts.sorted() && Set(starts).count == starts.count)
        #expect(starts.allSatisfy { $0 < line.text.utf8.count })
    }
}
