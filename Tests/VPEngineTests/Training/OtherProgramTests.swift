import Foundation
import Testing
import VPEngine
import VPTestSupport

/// Lines of programs that are not in the corpus, as these print them: each was misread once.
@Suite struct OtherProgramTests {
    private static func last(_ log: String) -> [String: Double] {
        Dictionary(TrainingCorpus.read(Array(log.utf8)).series.map { ($0.name, $0.last) }) { $1 }
    }

    @Test func aLookAtTestDataIsNotTheOneAtTrainingData() {
        let log = """
            Training progress:  23%|██▎       | 7000/30000 [03:12<10:31, 36.4it/s, Loss=0.08]
            [ITER 7000] Evaluating test: L1 0.0412 PSNR 24.312 [02/03 10:00:00]
            [ITER 7000] Evaluating train: L1 0.0301 PSNR 27.112 [02/03 10:00:05]

            """
        let found = Self.last(log)
        #expect(found["test PSNR"] == 24.312 && found["PSNR"] == 27.112, "\(found)")
        #expect(found["test L1"] == 0.0412 && found["L1"] == 0.0301, "\(found)")
    }

    @Test func settingsInBracketsAreNoFigures() {
        let log = """
            Epoch: [0]  [  10/1250]  eta: 0:12:31  loss: 9.1231 (11.1231)  time: 0.5812
             Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.312
             Average Recall     (AR) @[ IoU=0.50      | area= small | maxDets=  1 ] = 0.512

            """
        let found = Self.last(log)
        #expect(found["loss"] == 9.1231 && found["IoU"] == nil && found["maxDets"] == nil, "\(found)")
    }

    @Test func aTitleLineSaysHowFarTheRunIs() {
        let block = { (step: Int) in
            """
                                    Learning iteration \(step)/1500

                               Computation: 21231 steps/s (collection: 3.912s, learning 0.712s)
                       Value function loss: 0.0412
                               Mean reward: \(step).5

            """
        }
        let figures = TrainingCorpus.read(Array((block(3) + block(4)).utf8))
        #expect(figures.progress?.done == 4 && figures.progress?.total == 1500)
        #expect(figures.series("Mean reward")?.values == [3.5, 4.5])
    }

    @Test func aTableBetweenTwoRowsTakesNone() {
        let log = """
                  Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
                   1/50      4.29G      1.216      1.973      1.294        215        640: 100%|██████████| 230/230
                             Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|████| 25/25
                               all        800       4012      0.612      0.541      0.573      0.341
                   2/50      4.31G      1.102      1.503      1.201        190        640: 100%|██████████| 230/230
                             Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|████| 25/25
                               all        800       4012      0.655      0.580      0.611      0.372

            """
        let figures = TrainingCorpus.read(Array(log.utf8))
        #expect(figures.series("box_loss")?.values == [1.216, 1.102] && figures.series("Instances") == nil)
        #expect(figures.series("mAP50")?.values == [0.573, 0.611])
        #expect(figures.progress?.done == 2 && figures.progress?.total == 50)
    }

    /// Of a line that came before, only the numbers are read: what they decide is decided anew.
    @Test(arguments: [true, false]) func linesOfOneShapeMayDiffer(_ remembers: Bool) {
        let reader = TrainingReader(patterns: [], remembers: remembers)
        for step in 1...30 {
            reader.read(Array("step \(step)/40 loss 0.\(step + 10) acc_top5 0.\(step + 10)\n".utf8))
        }
        // Past its total it is no progress; -0 is no step below it; another name has another digit.
        reader.read(Array("step 45/40 loss 0.77 acc_top5 0.77\n".utf8))
        reader.read(Array("step 31/40 loss 0.41 acc_top1 0.41\n".utf8))
        let figures = reader.figures()
        #expect(figures.progress?.done == 31 && figures.progress?.total == 40)
        #expect(figures.series("acc_top5")?.count == 31 && figures.series("acc_top1")?.values == [0.41])
        #expect(figures.series("loss")?.count == 32 && figures.series("loss")?.last == 0.41)
    }

    /// A line that says nothing because of its numbers decides nothing about others of its shape.
    /// Of speeds in a row each has its own unit, behind it or before it.
    @Test func speedsInARowKeepTheirUnits() {
        var found = Self.last(
            "Epoch[0] Batch [50]\tSpeed: 1234.5 samples/sec 98765.4 tokens/sec 2.06 updates/sec\n")
        #expect(found["tokens/sec"] == 98765.4 && found["updates/sec"] == 2.06, "\(found)")
        #expect(found["samples/sec"] == nil && found["Speed"] == 1234.5, "\(found)")
        found = Self.last("iter 3: opt 3.2ms loss 1.05 45.6 TFLOPS 1234.5 tok/s/gpu 78% MFU\n")
        #expect(found["TFLOPS"] == 45.6 && found["tok/s/gpu"] == 1234.5 && found["MFU"] == 78, "\(found)")
        found = Self.last("step 3 loss 1.05 tok/s 1234.5 mfu 34.5\n")
        #expect(found["tok/s"] == 1234.5 && found["mfu"] == 34.5, "\(found)")
    }

    @Test(arguments: [
        ("2h01m", 7260.0), ("1m23s", 83), ("1d2h", 93_600), ("1h2m3s", 3723), ("  0h 1m23s", 83), ("45s", 45),
    ])
    func timesLeftWithoutSpacesAreRead(text: String, seconds: Double) {
        for label in ["eta", "ETA:", "remaining:"] {
            let figures = TrainingCorpus.read(
                Array("iter 1/50 loss 1.9 \(label) \(text)\niter 2/50 loss 1.8 \(label) \(text)\n".utf8))
            #expect(figures.progress?.writtenSecondsLeft == seconds, "\(label) \(text)")
            #expect(figures.series("loss")?.values == [1.9, 1.8], "\(label) \(text)")
        }
        #expect(Self.last("iter 3 loss 1.9 | commit 1d2f3a\n")["loss"] == 1.9)
    }

    @Test func theNameOfALoggerIsNoRole() {
        let found = Self.last(
            "INFO:mi-test:Train Epoch: 3 [5%]\nINFO:mi-test:loss_disc=2.05, loss_gen=2.19\n")
        #expect(found["loss_disc"] == 2.05 && found["loss_gen"] == 2.19, "\(found)")
    }

    @Test func slashesBetweenFiguresSeparateThem() {
        let found = Self.last(
            "[100] return 3.2 / length 500.0 / model_loss 11.0 / actor_loss -0.19 / fps 45.3\n")
        #expect(found["model_loss"] == 11 && found["actor_loss"] == -0.19 && found["fps"] == 45.3, "\(found)")
    }

    /// The newest batch, and the running mean of all.
    @Test func groupsInBracketsAreToldApart() {
        let found = Self.last(
            "epoch 1, batch 7, loss[loss=1.95, simple_loss=0.3, over 12.0 frames. ], "
                + "tot_loss[loss=2.45, simple_loss=0.4, over 34.0 frames. ], batch size: 30, lr: 3.2e-03\n")
        #expect(found["loss"] == 1.95 && found["tot_loss.loss"] == 2.45, "\(found)")
        #expect(found["simple_loss"] == 0.3 && found["tot_loss.simple_loss"] == 0.4, "\(found)")
        #expect(found["lr"] == 0.0032, "\(found)")
    }

    @Test func countsInWordsAreProgress() {
        let figures = TrainingCorpus.read(
            Array("iteration: 5 of 50, loss 0.4\niteration: 6 of 50, loss 0.3\n".utf8))
        #expect(figures.progress?.done == 6 && figures.progress?.total == 50)
        let other = TrainingCorpus.read(Array("EarlyStopping counter: 5 out of 30\nepoch 3 loss 0.3\n".utf8))
        #expect(other.progress == nil)
    }

    @Test(arguments: ["Epoch 7/5", "Epoch 0/0", "step 9/8", "[9/8]", "-3/2 steps"])
    func aShapeIsNotEmptyForOneLine(_ empty: String) {
        let filled = empty.replacing("7", with: "2").replacing("0/0", with: "1/2").replacing("9", with: "3")
        let log = "step 1/9 loss 2\n" + String(repeating: empty + "\n", count: 4)
        for lines in [filled + "\n", filled + "\nstep 2/9 loss 1\n", "\(filled) \n\(filled)\n\(empty)\n"] {
            let found = [true, false].map { remembers in
                let reader = TrainingReader(patterns: [], remembers: remembers)
                reader.read(Array((log + lines).utf8))
                return reader.figures()
            }
            #expect(found[0].series == found[1].series && found[0].progress == found[1].progress, "\(lines)")
        }
    }

    /// Whole logs with other digits, file after file: what is remembered changes nothing.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func rememberingChangesNothing(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bytes: [UInt8] = []
        let names = try TrainingCorpus.names(".") + TrainingCorpus.names("none")
        for _ in 0..<6 {
            for name in names.shuffled(using: &generator) {
                bytes += try TrainingCorpus.bytes(name).map { byte in
                    let isOther = UInt8.random(in: 0..<3, using: &generator) == 0
                    return isOther && (0x30...0x39).contains(byte)
                        ? UInt8.random(in: 0x30...0x39, using: &generator) : byte
                }
            }
        }
        let found = [true, false].map { remembers in
            let reader = TrainingReader(patterns: [], remembers: remembers)
            reader.read(bytes)
            return reader.figures()
        }
        #expect(found[0].series == found[1].series && found[0].progress == found[1].progress)
        #expect(found[0].series.count > 100)
    }

    /// Words are looked for in blocks of 64 bytes: they are found wherever they stand.
    @Test(arguments: ["loss: 0.5", "valLoss=0.5", "my_iou 0.5", "f1: 0.5", "lr=0.5", "MSELoss: 0.5"])
    func aWordIsFoundAtEachColumn(_ word: String) throws {
        let reader = TrainingReader()
        reader.read(Array("step 1/999 loss 2\nstep 2/999 loss 1 lr 1\n".utf8))
        let before = reader.figures().series.map(\.count).reduce(0, +)
        for column in 0..<150 {
            // Another shape each time, and another place in its block.
            reader.read(Array((String(repeating: "-", count: column) + " \(word)\(column)\n").utf8))
        }
        #expect(reader.figures().series.map(\.count).reduce(0, +) == before + 150)
        // Nor is a word found in others.
        for column in 0..<150 {
            reader.read(Array((String(repeating: "x", count: column) + "glossary 0.5\(column)\n").utf8))
        }
        #expect(reader.figures().series.map(\.count).reduce(0, +) == before + 150)
    }

    @Test func lettersWithoutEndAreReadQuickly() {
        // Names are looked up only where a line may be a header: 1 MB took a second and more.
        var seed: UInt64 = 88_172_645_463_325_252
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bytes = (0..<400_000).map { index -> UInt8 in
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return index % 77 == 76 ? 0x0A : letters[Int(seed % 64)]
        }
        let start = Date()
        #expect(TrainingCorpus.read(bytes).isEmpty)
        #expect(Date().timeIntervalSince(start) < 20)
    }
}
