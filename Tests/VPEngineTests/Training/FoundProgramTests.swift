import Foundation
import Testing
import VPEngine

/// More lines of programs that are not in the corpus: each was misread, or a figure was missing.
@Suite struct FoundProgramTests {
    private static func last(_ log: String) -> [String: Double] {
        Dictionary(TrainingCorpus.read(Array(log.utf8)).series.map { ($0.name, $0.last) }) { $1 }
    }

    /// Tacotron 2 and WaveGlow write the iteration behind the name.
    @Test func aStepBetweenNameAndValueIsNoValue() {
        let log = """
            Train loss 110 0.310000 Grad Norm 0.820000 1.23s/it
            Train loss 120 0.300000 Grad Norm 0.810000 1.23s/it
            Validation loss 120: 0.432100

            """
        let figures = TrainingCorpus.read(Array(log.utf8))
        let found = Self.last(log)
        #expect(found["Train loss"] == 0.3 && found["Validation loss"] == 0.4321, "\(found)")
        #expect(found["Grad Norm"] == 0.81 && figures.step == 120, "\(figures)")
        let broken = TrainingCorpus.read(Array((log + "Train loss 130 nan Grad Norm nan 1.2s/it\n").utf8))
        #expect(broken.series.first { $0.name == "Train loss" }?.notNumberSince == 130)
        #expect(broken.series.first { $0.name == "Grad Norm" }?.last.isNaN == true, "no old value stays")
    }

    @Test func everyLossOfBasicSRMayBreak() {
        let lines = ["2.29e-02", "nan"].enumerated().map { index, value in
            "[train][epoch:  3, iter: \(index + 1),100, lr:(1.000e-04,)] l_g_pix: \(value) "
                + "l_g_gan: \(value) out_d_real: 20.0\n"
        }
        let series = TrainingCorpus.read(Array(lines.joined().utf8)).series
        let broken = series.filter { $0.notNumberSince != nil }.map(\.name)
        #expect(broken == ["l_g_pix", "l_g_gan"], "\(series)")
    }

    /// A unit's name, a number of episodes, the arguments of a call, and a sentence.
    @Test(arguments: [
        ("Epoch #6: env_step=300000, n/ep=7, loss=0.5", ["env_step", "epoch", "loss", "n/ep"]),
        ("epoch 3 train_loss=tensor(1.5, device='cuda:0')", ["epoch", "train_loss"]),
        (
            "step 7 loss 0.5 | number of skipped iterations:   0 | number of nan iterations:   0 |",
            ["loss", "step"]
        ),
        ("epoch 3: average binary cross entropy: 0.5", ["cross entropy", "epoch"]),
        ("step 7: the run has 151 steps and return 6.6.", ["return", "step"]),
    ])
    func namesAreWhatTheySay(line: String, names: [String]) {
        let found = Self.last("\(line)\n\(line.replacing("0.5", with: "0.4"))\n")
        #expect(Set(found.keys).subtracting(["n/ep"]) == Set(names).subtracting(["n/ep"]), "\(found)")
        #expect(found["epoch"] != 7, "\(found)")
    }

    @Test func aBoxMayWriteItsStepWithAnExponent() {
        let box = """
            ----------------------
            | grad_norm | 0.0913 |
            | loss      | 0.058  |
            | step      | 6e+03  |
            ----------------------

            """
        let figures = TrainingCorpus.read(Array(box.utf8))
        #expect(figures.series.first { $0.name == "loss" }?.last == 0.058, "\(figures)")
        #expect(figures.step == 6000)
    }

    /// YOLOv7 and the older YOLOv5 call a loss by its subject.
    @Test func aHeaderOfLossesNeedNotSayLoss() {
        let log = """
                 Epoch   gpu_mem       box       obj       cls     total    labels  img_size
               37/4999     55.1G   0.05411   0.01017   0.03715    0.0951        26      1856: 100%|███| 9/9

            """
        let found = Self.last(log)
        #expect(found["box_loss"] == 0.05411 && found["total_loss"] == 0.0951, "\(found)")
        let other = "    name     box   weight   colour\n       1    0.05     0.06     0.07\n"
        #expect(TrainingCorpus.read(Array(("epoch 1 loss 0.5\n" + other).utf8)).series.count == 2)
    }

    /// `epoch/batch` is no progress: its second number is no total.
    @Test func aPairIsNoProgress() {
        let lines = (1...4).map { "TRAIN Batch 3/\($0)00 loss \(3 - $0 / 2).5 lr 0.001\n" }
        #expect(TrainingCorpus.read(Array(lines.joined().utf8)).progress == nil)
        let resumed = "Step 500/1000 loss 2.0\nStep 500/2000 loss 2.0\nStep 900/2000 loss 1.1\n"
        #expect(TrainingCorpus.read(Array(resumed.utf8)).progress?.total == 2000)
        let counts = (1...4).map { "TRAIN Batch \($0)/100 loss 1.5 lr 0.001\n" }
        #expect(TrainingCorpus.read(Array(counts.joined().utf8)).progress?.total == 100)
    }

    /// SpeechBrain's evaluation has a bar without a label; the training's has figures.
    @Test func aBarWithoutFiguresIsNotTheTrainings() {
        var log = ""
        for epoch in 1...2 {
            log += "100%|██████████| 190/190 [03:10<00:00,  1.0it/s, train_loss=0.\(9 - epoch)]\n"
            log += "100%|██████████| 37/37 [00:10<00:00,  3.7it/s]\n"
            log +=
                "epoch: \(epoch), lr: 1.00 - train loss: 0.\(9 - epoch) - valid loss: 1.1, valid CER: 34.8\n"
        }
        #expect(TrainingCorpus.read(Array(log.utf8)).progress?.total == 190)
    }

    @Test func progressMayBeAPercentage() {
        let log = "Alpha: 0.0238  Progress: 12.12%  Words/thread/sec: 53.12k\n"
        let figures = TrainingCorpus.read(Array(log.utf8))
        #expect(figures.progress?.done == 12.12 && figures.progress?.total == 100, "\(figures)")
        #expect(!figures.series.contains { $0.name.lowercased() == "progress" })
        let cache = TrainingCorpus.read(Array("epoch 9/20 loss 1.1\nProgress: 100%\n".utf8))
        #expect(cache.progress?.done == 9)
    }

    /// A bar whose figures are a learning rate and names of its own.
    @Test func aBarWithALearningRateIsOfATraining() {
        let lines = (1...4).map { step in
            "Train epoch [1/1]:  \(step)%|█         | \(step)/100 [00:36<07:47, 5.00s/it, pg=-0.01\(step), "
                + "rm=0.62, act_lr=5e-7, cri=0.1]\n"
        }
        let figures = TrainingCorpus.read(Array(lines.joined().utf8))
        #expect(figures.progress?.done == 4 && figures.progress?.total == 100, "\(figures)")
        #expect(figures.series.first { $0.name == "pg" }?.last == -0.014, "\(figures.series)")
    }

    /// Lightning's metrics.csv has empty cells; others write times, spaces and steps with a point.
    @Test func commasMaySeparateNothing() {
        let lightning = "epoch,step,train_loss,val_loss\n3,149,1.90,\n3,150,1.850,\n3,159,,2.05\n"
        let found = Self.last(lightning)
        #expect(found["train_loss"] == 1.85 && found["val_loss"] == 2.05, "\(found)")
        let timed = """
            train_loss,global_step,epoch,created_at
            0.121,49.0,0,2025-11-07 06:01:10.484610
            0.119,99.0,0,2025-11-07 06:02:10.484610

            """
        #expect(TrainingCorpus.read(Array(timed.utf8)).step == 99)
        #expect(Self.last(timed)["train_loss"] == 0.119)
        let spaced = """
            Epoch ,FinishTime     ,LR    ,RMSE_Train ,RMSE_Val
                0 ,04.29_10:45:54 ,0.001 , 700.0000  ,800.000
                1 ,04.29_11:45:54 ,0.001 , 690.0000  ,795.000

            """
        let both = Self.last(spaced)
        #expect(both["RMSE_Train"] == 690 && both["RMSE_Val"] == 795, "\(both)")
    }

    /// rsl_rl prints a block of lines for each iteration.
    @Test func theTimeLeftMayHaveALineOfItsOwn() {
        let log = """
              Learning iteration 22/1500
                        Mean value loss: 0.6129
                                    ETA: 00:37:12

            """
        let figures = TrainingCorpus.read(Array((log + log).utf8))
        #expect(figures.writtenSecondsLeft == 2232, "\(figures)")
        for other in [
            "ETA: 00:37:12\nloss: 0.5\n", "epoch 1/9 loss 0.5\nDownloading\nETA: 00:10:09\nETA: 00:09:09\n",
        ] {
            #expect(TrainingCorpus.read(Array(other.utf8)).writtenSecondsLeft == nil)
        }
    }

    /// Frames and transactions are of films, games and servers, too.
    @Test(arguments: [
        "frame=\t1440 fps= 62 q=28.0 size=    3072kB time=00:01:00.00 bitrate= 419.4kbits/s dup=0 drop=0 speed=1.912x",
        "[ 90s ] thds: 8 tps: 123.49 qps: 2468.92 (r/w/o: 1/2/3) lat (ms,95%): 9.22 err/s: 0.00 reconn/s: 0.00",
        "progress: 45.0 s, 1234.9 tps, lat 0.890 ms stddev 0.101, 0 failed",
        "FPS: 69 | frame time: 16.9 ms | draw calls: 900 | score: 900",
        " 7 |     let loss = 3.0;", "step 9: packet loss: 0.9% jitter: 1.2 ms",
    ])
    func whatIsNoTrainingStaysSilent(line: String) {
        let log = (1...5).map { line.replacing("9", with: "\($0)") + "\n" }.joined()
        #expect(TrainingCorpus.read(Array(log.utf8)).series.isEmpty)
    }
}
