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
        ("\u{1B}P1;2q###\u{1B}\\x", ["x"]), ("a\u{7F}\u{08}\u{07}b", ["ab"]),
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
    private func running(_ lines: Int) -> State {
        var state = Samples.overview()
        let text = (0..<lines).map { "line \($0)\n" }.joined()
        state.log.open(JobID("train-7"))
        press(&state, .character("4"))
        _ = update(&state, .logLoaded(JobID("train-7"), offset: 0, bytes: Array(text.utf8)))
        return state
    }

    private func grow(_ state: inout State, _ text: String) {
        let bytes = Array(text.utf8)
        let event = EngineEvent.jobOutput(JobID("train-7"), offset: state.log.nextOffset ?? 0, bytes: bytes)
        _ = update(&state, .engine(event, at: Samples.now))
    }

    @Test func opensAtTheEndAndFollows() {
        var state = self.running(500)
        #expect(state.log.isFollowing)
        self.grow(&state, "the end\n")
        #expect(screenText(view(state)).contains("the end"))
    }

    @Test func scrollingUpPausesAndCountsWhatIsNew() {
        var state = self.running(500)
        press(&state, .character("k"))
        let top = state.log.top
        self.grow(&state, "one\ntwo\nthree\n")
        #expect(state.log.top == top)
        #expect(screenText(view(state)).contains("paused, 3 new"))
        press(&state, .character("G"))
        #expect(state.log.isFollowing)
        press(&state, .character("f"))
        #expect(!state.log.isFollowing)
        press(&state, .character("f"))
        #expect(state.log.isFollowing)
    }

    @Test func reachingTheEndFollowsAgain() {
        var state = self.running(500)
        press(&state, .control("u"))
        #expect(!state.log.isFollowing)
        press(&state, .pageDown, .pageDown)
        #expect(state.log.isFollowing)
    }

    @Test func nothingIsDoubledOrLostAcrossAGap() {
        var state = self.running(2)
        let job = JobID("train-7")
        let next = state.log.nextOffset ?? 0
        // Overlap: the first part is known already.
        _ = update(
            &state, .engine(.jobOutput(job, offset: next - 3, bytes: Array(" 1\nA\n".utf8)), at: Samples.now))
        #expect(state.log.buffer.line(2).text == "A")
        // A gap is read from the file first.
        let now = state.log.nextOffset ?? 0
        #expect(
            update(&state, .engine(.jobOutput(job, offset: now + 2, bytes: [0x43, 0x0A]), at: Samples.now))
                == [.loadLog(job, from: now)])
        _ = update(&state, .logLoaded(job, offset: now, bytes: Array("B\nC\n".utf8)))
        #expect((2..<5).map { state.log.buffer.line($0).text } == ["A", "B", "C"])
    }

    @Test func searchFindsTheNewestFirstAndGoesAround() {
        var state = self.running(300)
        press(&state, .character("/"))
        _ = type(&state, "line 1")
        press(&state, .enter)
        #expect(state.log.hit == 199)
        press(&state, .character("n"))
        #expect(state.log.hit == 1)
        press(&state, .character("N"))
        #expect(state.log.hit == 199)
        press(&state, .escape)
        #expect(state.log.search.isEmpty)
        #expect(state.focus == .main)
    }

    @Test func longLinesWrapOrScroll() {
        var state = self.running(0)
        self.grow(&state, String(repeating: "0123456789", count: 40) + "END\n")
        #expect(screenText(view(state)).contains("END"))
        press(&state, .character("w"))
        #expect(!screenText(view(state)).contains("END"))
        for _ in 0..<46 { press(&state, .character("l")) }
        #expect(screenText(view(state)).contains("END"))
    }

    /// Wrapped rows of wide characters never lose one.
    @Test(arguments: [1, 2, 3, 5, 8]) func wideRowsHoldEveryCharacter(_ width: Int) {
        let line = LogLine(text: "ab日本語cd한글é👍🏽z")
        let starts = line.rowStarts(width: width)
        #expect(starts == starts.sorted() && Set(starts).count == starts.count)
        #expect(starts.allSatisfy { $0 < line.text.utf8.count })
    }
}
