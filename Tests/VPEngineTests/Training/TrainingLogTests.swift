import Foundation
import Testing
import VPEngine
import VPTestSupport

/// A job's log as files: standard error that is kept apart, times of arrival, and every figure one by one.
@Suite struct TrainingLogTests {
    /// As a Trainer writes them: figures on standard output, the bar on standard error.
    private static let output = (1...8).map {
        "{'loss': \(Double(9 - $0) / 4), 'epoch': \(Double($0) / 4)}\n"
    }
    private static let errors =
        ["Map: 100%|██████████| 500/500 [00:01<00:00, 4822.01 examples/s]\n"]
        + (0..<8).map { "\r \($0 * 12)%|█▏        | \($0 * 5)/40 [00:0\($0)<00:20,  1.50it/s]" }

    private static func read(_ output: [String], _ errors: [String], _ folder: TemporaryFolder) throws
        -> TrainingFigures
    {
        try folder.write(output.joined(), to: "x.log")
        try folder.write(errors.joined(), to: "x.errors.log")
        let log = TrainingLog(path: folder.path + "/x.log")
        log.advance()
        return log.reading(now: Date(timeIntervalSinceNow: 60)).figures
    }

    @Test func aBarOnStandardErrorIsHowFarTheRunIs() async throws {
        try await TemporaryFolder.with { folder in
            let figures = try Self.read(Self.output, Self.errors, folder)
            #expect(figures.series("loss")?.last == 0.25 && figures.series("loss")?.count == 8)
            #expect(figures.progress?.done == 35 && figures.progress?.total == 40)
            #expect(figures.writtenSecondsLeft == 20)
            // Without figures beside it, a bar is of anything.
            #expect(try Self.read(["downloading\n"], Self.errors, folder).isEmpty)
            // And one of data is none, whatever stands beside it.
            let data = (1...9).map { "\rMap: \($0)%|█ | \($0)/100 [00:01<00:09, 10.00 examples/s]" }
            #expect(try Self.read(Self.output, data, folder).progress == nil)
        }
    }

    @Test func figuresOfBothAreOneTraining() async throws {
        try await TemporaryFolder.with { folder in
            // A logger writes to standard error, `print` to the other, some to both.
            let lines = (1...6).map { "step \($0)/9 loss \(Double($0) / 2)\n" }
            let only = try Self.read(["hello\n"], lines, folder)
            #expect(only.series("loss")?.count == 6 && only.progress?.done == 6)
            let both = try Self.read(lines, lines + ["step 6 val_loss 1.5\n"], folder)
            #expect(both.series("loss")?.count == 6 && both.series("val_loss")?.last == 1.5)
            let bad = try Self.read(["step 1 loss 2\n"], ["step 1 val_loss nan\n"], folder)
            #expect(TrainingJudge.alarms(bad).map(\.series) == ["val_loss"])
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>) func theOrderOfTheTwoDoesNotMatter(_ seed: UInt64)
        async throws
    {
        var generator = SeededGenerator(seed: seed)
        var (first, second) = (Self.output[...], Self.errors[...])
        try await TemporaryFolder.with { folder in
            let whole = try Self.read(Self.output, Self.errors, folder)
            var (written, apart) = ("", "")
            let log = TrainingLog(path: folder.path + "/y.log")
            while !first.isEmpty || !second.isEmpty {
                if !first.isEmpty, second.isEmpty || Bool.random(using: &generator) {
                    written += first.removeFirst()
                } else {
                    apart += second.removeFirst()
                }
                try folder.write(written, to: "y.log")
                try folder.write(apart, to: "y.errors.log")
                if Bool.random(using: &generator) { log.advance() }
            }
            log.advance()
            let figures = log.reading(now: Date(timeIntervalSinceNow: 60)).figures
            #expect(figures.series == whole.series && figures.progress == whole.progress)
        }
    }

    @Test func pointsKnowWhenTheyArrived() async throws {
        try await TemporaryFolder.with { folder in
            let lines = ["step 1 loss 3\n", "step 2 loss 2\n", "epoch 1 step 3 loss 1\n"]
            try folder.write(lines.joined(), to: "x.log")
            try folder.write("1700000000000 0\n1700000060000 14\n1700000090000 28\n", to: "x.log.times")
            let log = TrainingLog(path: folder.path + "/x.log")
            log.advance()
            let loss = try #require(log.reading().figures.series("loss"))
            #expect(loss.times == [1_700_000_000, 1_700_000_060, 1_700_000_090])
            #expect(loss.epochs[0].isNaN && loss.epochs[2] == 1)
        }
    }

    /// What is judged now and then need not be read whole: its beginning and its newest lines are.
    @Test func aLogThatGrowsTooFastIsReadInParts() async throws {
        try await TemporaryFolder.with { folder in
            let lines = (0..<40_000).map { "step \($0)/99999 loss \($0 == 39_000 ? "nan" : "2.5") lr 1e-3\n" }
            let path = try folder.write(lines[..<100].joined(), to: "x.log")
            let log = TrainingLog(path: path, bounds: TrainingLog.Bounds(bytes: 50_000))
            #expect(log.advance() && !log.advance())
            #expect(log.reading().figures.series("loss")?.count == 100)
            try folder.write(lines.joined(), to: "x.log")
            #expect(log.advance() && !log.advance())
            let figures = log.reading().figures
            let loss = try #require(figures.series("loss"))
            // Of the line in whose middle it goes on, nothing: half a number is a wrong one.
            #expect(loss.last == 2.5 && loss.minimum == 2.5 && loss.maximum == 2.5 && figures.step == 39_999)
            #expect((1000..<3000).contains(loss.count) && figures.series.count == 3)
            #expect(figures.progress?.done == 39_999)
            // A log that is found long is read from its beginning, then from near its end.
            let late = TrainingLog(path: path, bounds: TrainingLog.Bounds(bytes: 50_000))
            #expect(late.advance() && late.reading().figures.step ?? 0 < 3000)
            #expect(late.advance() && late.reading().figures.step == 39_999)
        }
    }

    /// Of thousands of lines that are alike only some are read, but every rare one, and the newest.
    @Test(arguments: [nil, "epoch     train_loss  valid_loss\n0         0.512044    0.401230\n"])
    func rareLinesAreFoundAmongManyAlike(_ table: String?) async throws {
        try await TemporaryFolder.with { folder in
            var text = table ?? ""
            for step in 0..<20_000 {
                text += "step \(10_000 + step)/99999 loss \(5000..<5005 ~= step ? "nan" : "2.5") lr 1e-3\n"
                if step % 2000 == 1999 { text += "***** eval metrics *****\n  eval_acc = 0.\(step)\n" }
            }
            let path = try folder.write("hello\n", to: "x.log")
            let log = TrainingLog(
                path: path, bounds: TrainingLog.Bounds(bytes: 2_000_000, linesOfAShape: 64))
            log.advance()
            try folder.write("hello\n" + text, to: "x.log")
            log.advance()
            let figures = log.reading(now: Date(timeIntervalSinceNow: 60)).figures
            let loss = try #require(figures.series("loss"))
            #expect((64..<1000).contains(loss.count) && loss.last == 2.5 && loss.notNumberSince == nil)
            #expect(figures.progress?.done == 29_999 && figures.step == 29_999)
            let score = try #require(figures.series.first { $0.name.contains("acc") })
            #expect(score.count == 10 && score.isEvaluation && score.last == 0.19999)
            // A log that is not a number any more is so in its newest lines.
            let bad = (0..<500).map { "step \(30_000 + $0)/99999 loss nan lr 1e-3\n" }
            try folder.write("hello\n" + text + bad.joined(), to: "x.log")
            log.advance()
            #expect(log.reading().figures.notNumbers.first?.notNumberCount ?? 0 > 60)
        }
    }

    @Test func theMeansOfALongRunKeepItsExtremes() {
        let reader = TrainingReader()
        for step in 0..<20_000 { reader.read(Array("step \(step) loss \(step == 7777 ? 900 : 1)\n".utf8)) }
        let loss = reader.figures().series("loss")
        let points = loss?.points ?? []
        #expect(points.map(\.high).max() == 900 && points.map(\.low).min() == 1)
        #expect((points.map(\.value).max() ?? 900) < 100)
        #expect((loss?.values.count ?? 9999) < 1024 && loss?.times.count == loss?.values.count)
    }

    @Test func savedCheckpointsAreMarked() {
        let saving = [
            "Saving model checkpoint to out/checkpoint-500", "Saved checkpoint at step 500 to /ckpt/500",
            "Model saved to runs/exp/epoch3.pt", "INFO saving state to out/state.safetensors",
            "[2026-03-02 10:00:00] saved model weights in last.ckpt", "=> Saving checkpoint",
        ]
        let not = [
            "save_model=True checkpoint_every=500", "saving 12 images to out/grid.png",
            "Saved config to out/config.json",
            "Loading checkpoint out/checkpoint-500", "no checkpoint found", "checkpoint is kept on disk",
        ]
        for (lines, count) in [(saving, 1), (not, 0)] {
            for line in lines {
                let reader = TrainingReader()
                reader.read(
                    Array("step 499 loss 1.5\nstep 500 loss 1.25\n\(line)\n\(line)\nstep 501 loss 1\n".utf8))
                let figures = reader.figures()
                #expect(figures.checkpoints == [Double](repeating: 500, count: count), "\(line)")
                #expect(figures.series("loss")?.count == 3, "\(line)")
            }
        }
    }

    @Test func everyPointOfALongRunIsThere() async throws {
        try await TemporaryFolder.with { folder in
            let text = (0..<5000).map { "step \($0) loss \(Double($0) / 4)\nTest: loss 2\n" }.joined()
            let path = try folder.write(text + "step 5000 loss 7", to: "x.log")
            let descriptor = open(path, O_RDONLY)
            defer { close(descriptor) }
            var points: [String: [Double]] = [:]
            let box = Points()
            TrainingPoints.read(descriptor) { series, step, value in box.add(series.name, step, value) }
            points = box.values
            #expect(points["loss"] == (0..<5000).map { Double($0) / 4 } + [7])
            #expect(points["test loss"]?.count ?? 0 > 0 && box.steps["loss"]?.last == 5000)
        }
    }

    private final class Points {
        var values: [String: [Double]] = [:]
        var steps: [String: [Double]] = [:]

        func add(_ name: String, _ step: Double, _ value: Double) {
            self.values[name, default: []].append(value)
            self.steps[name, default: []].append(step)
        }
    }
}
