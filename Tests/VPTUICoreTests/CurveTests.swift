import Foundation
import Testing
import VPEngine
import VPTestSupport

@testable import VPTUICore

/// Axes, ranges and curves by themselves.
@Suite struct CurveTests {
    @Test func ticksAreRoundAndWithinTheAxis() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<2000 {
            let size = pow(10, Double.random(in: -8..<9, using: &generator))
            let low = Double.random(in: -1..<1, using: &generator) * size
            let scale = CurveScale(low, low + size * Double.random(in: 0.001..<3, using: &generator))
            for count in [2, 5, 9] {
                let ticks = scale.ticks(count)
                #expect(ticks.count <= count && ticks.count >= count / 3, "\(scale) \(count): \(ticks)")
                for tick in ticks {
                    #expect(tick.value >= scale.low - size * 1e-9 && tick.value <= scale.high + size * 1e-9)
                }
                guard ticks.count > 1 else { continue }
                let step = ticks[1].value - ticks[0].value
                let lead = step / pow(10, floor(log10(step) + 1e-9))
                #expect([1, 2, 5].contains { abs(lead - $0) < 1e-3 }, "a step of \(step)")
            }
        }
    }

    @Test(arguments: [
        (0.0, 1.0, 4, ["0", "0.5", "1.0"]), (0, 1000, 5, ["0", "200", "400", "600", "800", "1000"]),
        (0, 100_000, 5, ["0", "20k", "40k", "60k", "80k", "100k"]),
        (0, 2_500_000, 5, ["0", "500k", "1.0M", "1.5M", "2.0M", "2.5M"]),
        (0.0312, 0.0331, 4, ["0.0315", "0.0320", "0.0325", "0.0330"]),
    ]) func labelsAreShort(_ low: Double, _ high: Double, _ count: Int, _ labels: [String]) {
        #expect(CurveScale(low, high).ticks(count + 1).map(\.label) == labels)
    }

    @Test func aClockHasItsOwnSteps() {
        #expect(
            CurveScale(0, 5400, unit: .seconds).ticks(7).map(\.label) == [
                "0", "15m", "30m", "45m", "1h", "1h15m", "1h30m",
            ])
        #expect(CurveScale(0, 90, unit: .seconds).ticks(4).map(\.label) == ["0", "30s", "1m", "90s"])
    }

    @Test func aLogarithmicAxisHasPowersOfTen() {
        #expect(CurveScale(0.001, 10, isLog: true).ticks(6).map(\.value) == [0.001, 0.01, 0.1, 1, 10])
        // Where there is nothing above 0, it is no logarithmic one.
        #expect(!CurveScale(-1, 10, isLog: true).isLog)
        let scale = CurveScale(0.01, 100, isLog: true)
        #expect(abs(scale.share(1) - 0.5) < 1e-9 && abs(scale.value(at: 0.5) - 1) < 1e-9)
    }

    @Test func aSpikeDoesNotRuleTheAxis() throws {
        var values = (0..<500).map { 0.2 + 3 * exp(-Double($0) / 80) }
        let calm = try #require(CurveScale.robustRange(values))
        #expect(calm.low == values.min() && calm.high == values.max())
        values[250] = 900
        let robust = try #require(CurveScale.robustRange(values))
        #expect(robust.high < 5)
        // Of ten points as well.
        let few = try #require(CurveScale.robustRange([3, 2.5, 2.2, 2, 900, 1.8, 1.7, 1.6, 1.55, 1.5]))
        #expect(few.high < 4)
        #expect(try #require(CurveScale.robustRange([5, 4])).high == 5)
    }

    @Test func smoothingStartsWhereTheCurveDoes() {
        let smooth = ChartCurve.smoothed([4, 2, .nan, 2, 2], 0.9)
        #expect(smooth[0] == 4 && smooth[2].isNaN)
        #expect(smooth[4] > 2 && smooth[4] < smooth[1])
        #expect(
            ChartCurve.smoothed([Double](repeating: 7, count: 50), 0.97).allSatisfy { abs($0 - 7) < 1e-9 })
    }

    @Test func parametersThatDifferAreFound() {
        let jobs = [
            "python train.py --lr 0.1 --seed=1 model=big --amp",
            "python train.py --lr 0.01 --seed=1 model=big -b 8",
        ].map { JobParameters($0) }
        #expect(JobParameters.differing(jobs) == ["lr", "amp", "b"])
        #expect(jobs.map { $0.value("lr") } == ["0.1", "0.01"] && jobs[0].value("amp") == "yes")
        #expect(JobParameters("x --shift -0.5 tail").value("shift") == "-0.5")
    }

    @Test func theLoadIsKeptInBoundedMemory() {
        var history = LoadHistory()
        for second in 0..<10_000 {
            history.add(second < 5000 ? 0 : 1, at: Date(timeIntervalSince1970: Double(second)))
        }
        #expect(history.times.count <= LoadHistory.limit)
        let columns = history.columns(4) { $0 / 10_000 }
        #expect(columns[0] == 0 && columns[3] == 1)
        #expect(history.columns(4) { $0 < 1000 ? 0.1 : nil }[3] == nil)
    }
}

/// The pane, as it stands on the screen.
@Suite struct CurvePaneTests {
    private static let train7 = JobID("train-7")

    private static func log(_ steps: Int, every: Int = 1, _ value: (Int) -> Double, eval: Int = 0) -> String {
        var text = ""
        for step in stride(from: every, through: steps * every, by: every) {
            text += "step \(step)/\(steps * every) loss \(value(step))\n"
            if eval > 0, step % eval == 0 { text += "step \(step): val_loss \(value(step) * 1.2)\n" }
        }
        return text
    }

    private static func pane(_ text: String, width: Int = 200, height: Int = 50) -> State {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: width, height: height)))
        Samples.openLog(&state, text)
        press(&state, .character("4"), .character("m"))
        return state
    }

    /// The rows of the chart, without the axis.
    private static func chart(_ state: State) throws -> [String] {
        let plot = try #require(MetricsScreen.plot(state))
        let buffer = view(state)
        return (plot.y..<plot.maxY).map { y in
            String(
                buffer.row(y)[buffer.row(y).startIndex + plot.x..<buffer.row(y).startIndex + plot.maxX].map(
                    \.text))
        }
    }

    @Test(arguments: [3, 10, 500, 100_000]) func aCurveHasTheWholeWidth(_ count: Int) throws {
        let state = Self.pane(Self.log(count) { 1 + 3 * exp(-Double($0) / Double(count) * 4) })
        let rows = try Self.chart(state)
        let width = rows[0].count
        let columns = (0..<width).filter { column in rows.contains { Array($0)[column] != " " } }
        // A point stands for several of many: the last may be a little before the end.
        #expect(columns.first == 0 && (columns.last ?? 0) >= width - 2, "\(rows.joined(separator: "\n"))")
        #expect(columns.count > width * 9 / 10)
        let text = screenText(view(state))
        #expect(text.contains("┬") && text.contains("┤") && text.contains("best 1."))
    }

    @Test func aSpikeIsClippedAndMarked() throws {
        var state = Self.pane(Self.log(500) { $0 == 250 ? 900 : 0.2 + 3 * exp(-Double($0) / 80) })
        #expect(try Self.chart(state)[0].contains("▲"))
        #expect(screenText(view(state)).contains("▲ 1 beyond, to 900"))
        press(&state, .character("r"))
        #expect(try !Self.chart(state)[0].contains("▲"))
        #expect(screenText(view(state)).contains("800 ┤"))
    }

    @Test func trainingAndEvaluationAreDrawnTogether() {
        let state = Self.pane(Self.log(400, { 1 + 2 * exp(-Double($0) / 100) }, eval: 40))
        let text = screenText(view(state))
        #expect(text.contains("a loss   b val_loss"), "\(text)")
    }

    @Test func theCursorSaysWhatStandsThere() throws {
        var state = Self.pane(Self.log(100) { Double(200 - $0) })
        press(&state, .left)
        #expect(screenText(view(state)).contains("step 100   loss 100"))
        for _ in 0..<400 { press(&state, .character("h")) }
        #expect(state.metrics.cursor == 1)
        #expect(screenText(view(state)).contains("step 1   loss 199"))
        press(&state, .right)
        #expect((state.metrics.cursor ?? 0) > 1)
        press(&state, .escape)
        #expect(state.metrics.cursor == nil && state.mainContent == .metrics)
        press(&state, .escape)
        #expect(state.mainContent == .log)
    }

    @Test func theAxesChange() {
        var state = Self.pane(Self.log(300) { pow(10, 3 - Double($0) / 60) })
        #expect(screenText(view(state)).contains("┤"))
        press(&state, .character("y"), .character("e"), .character("x"))
        let text = screenText(view(state))
        #expect(text.contains("EMA 0.6") && text.contains("log") && text.contains("no time known"), "\(text)")
        #expect(text.contains("0.1 ┤") && text.contains("100 ┤"))
        press(&state, .character("x"))
        #expect(state.metrics.options.x == .epoch)
    }

    @Test func checkpointsAndNotNumbersAreMarked() {
        var text = Self.log(100) { 1 + 1 / Double($0) }
        text +=
            "Saving model checkpoint to out/checkpoint-100\nstep 101/200 loss nan\nstep 102/200 loss nan\n"
        let shown = screenText(view(Self.pane(text)))
        #expect(shown.contains("◆ 1 checkpoint") && shown.contains("✗"), "\(shown)")
    }

    @Test func markedJobsAreReadAndDrawnBehind() throws {
        var state = Self.pane(Self.log(200) { 1 + 2 * exp(-Double($0) / 50) })
        press(&state, .character("3"))
        state.jobs.select(JobID("train-6"))
        var effects = press(&state, .character(" "))
        #expect(state.jobs.marks == [JobID("train-6")])
        press(&state, .character("4"))
        effects += update(&state, .tick(state.now))
        #expect(effects.contains(.log(.readMetrics(JobID("train-6")))), "\(effects)")
        answer(
            &state, [.log(.readMetrics(JobID("train-6")))],
            MemoryLog(Self.log(100) { 2 + 2 * exp(-Double($0) / 50) }))
        #expect(state.metrics.job == Self.train7 && state.metrics.series.first?.count == 200)
        var text = screenText(view(state))
        #expect(text.contains("a loss train-7   b train-6"), "\(text)")
        press(&state, .character("t"))
        text = screenText(view(state))
        #expect(text.contains("job") && text.contains("time") && text.contains("cost"), "\(text)")
        // It is over: once is enough.
        #expect(
            update(&state, .tick(state.now.addingTimeInterval(20))).allSatisfy {
                $0 != .log(.readMetrics(JobID("train-6")))
            })
        press(&state, .character("o"))
        #expect(!screenText(view(state)).contains("b train-6"))
    }

    @Test func aPinnedJobStaysBehindTheNext() {
        var state = Self.pane(Self.log(200) { 1 + 2 * exp(-Double($0) / 50) })
        press(&state, .character("p"))
        let effects = press(&state, .character("["))
        let next = state.metrics.job
        #expect(next != Self.train7 && state.mainContent == .metrics && state.metrics.pinned == Self.train7)
        #expect(effects.contains { if case .log(.readMetrics) = $0 { true } else { false } })
        let reading = state.metrics.others[Self.train7]
        #expect(reading?.figures.series.first?.count == 200)
    }

    /// Letters of curves that end side by side have the order of the curves, also where they have no room.
    @Test(arguments: [
        [0.9, 0.5, 0.1], [0.5, 0.45, 0.4], [0.4, 0.5, 0.45], [1.5, 1.49, 1.48], [0.01, 0, 0.02],
    ])
    func lettersStandInTheOrderOfTheirCurves(_ ends: [Double]) throws {
        let curves = zip("abc", ends).map { letter, end in
            ChartCurve(
                name: String(letter), role: .good, letter: letter,
                points: [(0.0, 1.5), (9.0, end), (10.0, end)].map { x, value in
                    ChartCurve.Point(x: x, value: value, low: value, high: value)
                })
        }
        var buffer = CellBuffer(size: Size(width: 60, height: 20))
        let chart = CurveChart(curves, isLog: false, isRobust: false)
        chart.draw(in: buffer.bounds, .braille, of: &buffer)
        let places = try "abc".map { letter in
            let cells = (0..<20).flatMap { y in (0..<60).map { (x: $0, y: y) } }
            return try #require(cells.first { buffer[$0.x, $0.y].text == letter }, "\(letter)")
        }
        for (upper, lower) in [(0, 1), (0, 2), (1, 2), (1, 0), (2, 0), (2, 1)] where ends[upper] > ends[lower]
        {
            #expect(
                places[upper].y < places[lower].y || places[upper].x < places[lower].x,
                "\(screenText(buffer))")
        }
    }

    @Test func theLoadStandsUnderItsSteps() {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: 200, height: 50)))
        Samples.openLog(&state, "")
        Samples.load(&state)
        let reader = TrainingReader()
        for step in 0..<60 {
            reader.arrival = Samples.now.timeIntervalSince1970 + Double(step - 60) * 2
            reader.read(Array("step \(step) loss \(60 - step)\n".utf8))
        }
        let reading = TrainingReading(reader.figures())
        _ = update(&state, .log(.metricsRead(Self.train7, reading, end: 1)))
        press(&state, .character("4"), .character("m"))
        #expect(screenText(view(state)).contains("GPU"))
        press(&state, .character("x"))
        let text = screenText(view(state))
        #expect(text.contains("1m") && !text.contains("no time known"), "\(text)")
    }

    @Test func anySizeIsDrawn() {
        var state = Self.pane(Self.log(60, { Double($0) }, eval: 10))
        press(&state, .left)
        for width in stride(from: 1, through: 130, by: 7) {
            for height in stride(from: 1, through: 50, by: 3) {
                _ = update(&state, .resized(Size(width: width, height: height)))
                for plotting: Settings.Plotting in [.braille, .blocks, .ascii] {
                    state.settings.plotting = plotting
                    _ = view(state)
                    _ = state.metrics.options
                }
                press(&state, .right, .character("t"))
            }
        }
    }
}
