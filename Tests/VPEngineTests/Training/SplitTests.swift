import Foundation
import Testing
import VPEngine

/// Figures of the training and of an evaluation have the same name on most lines; some word says which it is.
@Suite struct SplitTests {
    /// Reads nine epochs of two lines with these forms: `EPOCH` and `LOSS` stand for the numbers.
    private static func read(_ train: String, _ evaluation: String) -> [FigureSeries] {
        var log = ""
        for epoch in 1...9 {
            for (form, loss) in [(train, 2.0), (evaluation, 2.5)] {
                let value = String(format: "%.2f", loss - Double(epoch) / 10)
                log += form.replacing("EPOCH", with: "\(epoch)").replacing("LOSS", with: value) + "\n"
            }
        }
        return TrainingCorpus.read(Array(log.utf8)).series
    }

    @Test(arguments: [
        (
            #"{"mode": "train", "epoch": EPOCH, "loss": LOSS}"#,
            #"{"mode": "val", "epoch": EPOCH, "loss": LOSS}"#
        ),
        (
            #"{"_type": "train_iter", "epoch": EPOCH, "loss": LOSS}"#,
            #"{"_type": "val_epoch", "epoch": EPOCH, "loss": LOSS}"#
        ),
        ("split: train, epoch: EPOCH, loss: LOSS", "split: valid, epoch: EPOCH, loss: LOSS"),
        ("mode train | epoch EPOCH | loss LOSS", "mode eval | epoch EPOCH | loss LOSS"),
        ("epoch EPOCH loss LOSS (train)", "epoch EPOCH loss LOSS (val)"),
        ("TRAIN\tEPOCH\tloss\tLOSS", "EVAL\tEPOCH\tloss\tLOSS"),
        ("训练 epoch EPOCH loss LOSS", "验证 epoch EPOCH loss LOSS"),
        (
            "Training Results - Epoch: EPOCH  Avg loss: LOSS",
            "Validation Results - Epoch: EPOCH  Avg loss: LOSS"
        ),
        ("step EPOCH - CTC Loss: LOSS | WER: 88.1", "Validation Metrics (step EPOCH) - CTC Loss: LOSS"),
        ("train (EPOCH/10) loss: LOSS", "valid (EPOCH/10) loss: LOSS"),
        ("epoch EPOCH: loss LOSS", "Evaluating epoch EPOCH: loss LOSS"),
        ("TRAIN Batch 0/EPOCH00 loss LOSS lr 0.01", "CV Batch 0/EPOCH00 loss LOSS history loss 2.0"),
        ("Batch EPOCH loss LOSS", "DEV Batch EPOCH loss LOSS"),
        (
            "Train: 100%|███| 50/50 [00:05<00:00, 10.0it/s, loss=LOSS]",
            "Validating epoch EPOCH: 100%|███| 10/10 [00:01<00:00, 10.0it/s, loss=LOSS]"
        ),
        (
            "train: 100%|███| 100/100 [00:33<00:00,  3.01it/s, dice_loss - LOSS]",
            "valid: 100%|███| 20/20 [00:06<00:00,  3.01it/s, dice_loss - LOSS]"
        ),
        (
            "Epoch EPOCH/9 Train: 100%|███| 50/50 [00:05<00:00, 10.0it/s, loss=LOSS]",
            "Epoch EPOCH/9 Val: 100%|███| 10/10 [00:01<00:00, 10.0it/s, loss=LOSS]"
        ),
    ])
    func aWordOfTheLineSaysWhich(train: String, evaluation: String) throws {
        let series = Self.read(train, evaluation).filter { $0.kind == .loss && !$0.name.contains("history") }
        #expect(series.count == 2, "\(series.map(\.name))")
        let here = try #require(series.first { !$0.isEvaluation })
        let there = try #require(series.first { $0.isEvaluation })
        #expect(here.count == 9 && here.last == 1.1, "\(here)")
        #expect(there.count == 9 && there.last == 1.6, "\(there)")
    }

    /// One figure of the line has the word, and the others go with it.
    @Test(arguments: [
        ("Epoch: EPOCH Train Loss: 1.10 Acc: LOSS", "Epoch: EPOCH Valid Loss: 1.60 Acc: LOSS"),
        ("epoch EPOCH loss: 1.1, acc: LOSS", "eval loss: 1.6, acc: LOSS"),
        ("(Epoch EPOCH) TRAIN LOSS:1.1 CER:LOSS%", "(Epoch EPOCH) VALID SET 0 LOSS:1.6 CER:LOSS%"),
    ])
    func aScoreGoesWithItsLoss(train: String, evaluation: String) throws {
        let series = Self.read(train, evaluation).filter { $0.kind != .loss && $0.kind != .epoch }
        #expect(series.count == 2, "\(series.map(\.name))")
        #expect(series.first { !$0.isEvaluation }?.last == 1.1, "\(series)")
        #expect(series.first { $0.isEvaluation }?.last == 1.6, "\(series)")
    }

    /// A score of an evaluation stands before the training's loss in many programs.
    @Test(arguments: [
        "Round EPOCH: test_acc: 0.62, loss: LOSS", "epoch EPOCH loss: LOSS val_loss: 9.9 acc: 0.5",
        "eval interval 100, epoch EPOCH | loss LOSS", "step EPOCH loss: LOSS (val set of 100)",
        "my-test-run step EPOCH loss LOSS", "Epoch EPOCH train loss LOSS test acc 0.5 f1 0.5",
    ])
    func otherWordsChangeNothing(line: String) throws {
        let series = Self.read(line, line).filter { $0.kind == .loss && !$0.isEvaluation }
        #expect(series.count == 1 && series[0].last == 1.6, "\(series)")
    }

    /// A word that every line has is the name of something: a machine, a run, a fold.
    @Test(arguments: [
        #"{"env": "dev", "step": EPOCH, "loss": LOSS}"#, #"{"name": "test", "epoch": EPOCH, "loss": LOSS}"#,
        "env: dev, step: EPOCH, loss: LOSS",
        "CV fold 3 epoch EPOCH loss LOSS", "Test run 3 epoch EPOCH loss LOSS",
        "Test Subject 3, Epoch EPOCH/9, Loss: LOSS, Test Acc: 39.20%", "Dev mode - epoch EPOCH - loss: LOSS",
        "Validation disabled - epoch EPOCH: loss LOSS", "valid tokens 3012, step EPOCH, loss LOSS",
        "CV 3/5 Epoch EPOCH/9: 100%|███| 50/50 [00:05<00:00, 10.0it/s, loss=LOSS]",
        "Epoch EPOCH | val loss: 1.80 | : 100%|███| 50/50 [00:05<00:00, 10.0it/s, loss=LOSS]",
        "step EPOCH eval_return 0.39 loss LOSS reward 3.1",
    ])
    func whatEveryLineSaysIsNoRole(line: String) throws {
        let series = Self.read(line, line)
        let losses = series.filter { $0.kind == .loss && !$0.isEvaluation }
        #expect(losses.count == 1 && losses[0].last == 1.6 && losses[0].count == 18, "\(series)")
        #expect(series.contains { $0.kind == .epoch || $0.kind == .step }, "\(series.map(\.name))")
    }

    /// The evaluation may come first: what was read of it is its own once the training's line is there.
    @Test func theRoleIsKnownAfterwards() {
        let series = Self.read("mode eval | epoch EPOCH | loss LOSS", "mode train | epoch EPOCH | loss LOSS")
            .filter { $0.kind == .loss }
        #expect(series.count == 2, "\(series)")
        #expect(series.first { $0.isEvaluation }.map { $0.count == 9 && $0.last == 1.1 } == true, "\(series)")
        #expect(
            series.first { !$0.isEvaluation }.map { $0.count == 9 && $0.last == 1.6 } == true, "\(series)")
    }

    /// Before the log is known to be of a training, figures are held apart as well.
    @Test func theFirstLinesAreToldApart() {
        let series = TrainingCorpus.read(
            Array("TRAIN\t1\tloss\t1.9\nEVAL\t1\tloss\t2.4\nTRAIN\t2\tloss\t1.8\nEVAL\t2\tloss\t2.3\n".utf8)
        ).series
        #expect(series.filter { !$0.isEvaluation }.map(\.count) == [2], "\(series)")
        #expect(series.filter(\.isEvaluation).map(\.count) == [2], "\(series)")
    }
}
