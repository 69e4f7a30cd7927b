import Foundation
import Testing
import VPEngine
import VPTestSupport

/// Runs that are made up, each from a seed: what is said of them, and how long they still take.
@Suite struct TrainingJudgeTests {
    /// A bell curve, well enough: three even numbers added up.
    private static func noise(_ generator: inout SeededGenerator) -> Double {
        var sum = -3.0
        for _ in 0..<3 { sum += Double.random(in: 0..<2, using: &generator) }
        return sum
    }

    private static func alarms(_ log: String) -> [TrainingAlarm] {
        let reader = TrainingReader()
        reader.read(Array(log.utf8))
        return TrainingJudge.alarms(reader.figures())
    }

    /// A loss that falls towards a floor, with an evaluation now and then.
    private static func healthy(seed: UInt64) -> String {
        var generator = SeededGenerator(seed: seed)
        let steps = Int.random(in: 60...400, using: &generator)
        let start = Double.random(in: 0.5...10, using: &generator)
        let floor = start * Double.random(in: 0.05...0.5, using: &generator)
        let pace = Double(steps) * Double.random(in: 0.2...0.6, using: &generator)
        let spread = start * Double.random(in: 0.01...0.1, using: &generator)
        var log = ""
        for step in 1...steps {
            let mean = floor + (start - floor) * exp(-Double(step) / pace)
            log += "step \(step)/\(steps) loss \(abs(mean + spread * Self.noise(&generator)))\n"
            if step % max(1, steps / 20) == 0 {
                log += "step \(step): val loss \(mean * 1.1 + 0.1 * spread * Self.noise(&generator))\n"
            }
        }
        return log
    }

    @Test func aHealthyRunHasNoAlarm() {
        for seed in 0..<1000 as Range<UInt64> {
            let alarms = Self.alarms(Self.healthy(seed: seed))
            #expect(alarms.isEmpty, "seed \(seed): \(alarms)")
        }
    }

    /// A loss that is nearly 0 on most batches and a hundred times that on some, as at the end of many
    /// trainings, judged again and again.
    @Test(arguments: [1.8, 2.7, 3.6]) func aLossWithRareLargeValuesHasNoAlarm(tail: Double) {
        for seed in 0..<150 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let reader = TrainingReader()
            for step in 1...600 {
                let loss = 0.003 * exp(tail * Self.noise(&generator)) + exp(-Double(step) / 20)
                reader.read(Array("step \(step)/600 loss \(loss)\n".utf8))
                guard step % 30 == 0 else { continue }
                let alarms = TrainingJudge.alarms(reader.figures())
                #expect(alarms.isEmpty, "seed \(seed), step \(step): \(alarms)")
            }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aLossThatOnlyRisesDiverges(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let turn = Int.random(in: 100...400, using: &generator)
        var log = ""
        for step in 1...(turn * 2) {
            let mean =
                step < turn ? 1 + 3 * exp(-Double(step) / 60) : 1 + 3 * Double(step - turn) / Double(turn)
            log += "step \(step) loss \(mean + 0.1 * Self.noise(&generator))\n"
        }
        let alarms = Self.alarms(log)
        #expect(alarms.map(\.kind) == [.diverge])
        #expect(abs((alarms.first?.step ?? 0) - Double(turn)) < Double(turn) * 0.4, "\(turn): \(alarms)")
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func anEvaluationThatGetsNoBetterIsAPlateau(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var log = ""
        for epoch in 1...60 {
            let mean = 0.4 + exp(-Double(min(epoch, 20)) / 8) + Double(max(0, epoch - 20)) * 0.002
            log += "Epoch \(epoch)/100, Train Loss: \(1 / Double(epoch + 1)), "
            log += "Val Loss: \(mean + 0.002 * Self.noise(&generator))\n"
        }
        let alarms = Self.alarms(log)
        #expect(alarms.map(\.kind) == [.plateau] && alarms.first?.series == "Val Loss", "\(alarms)")
    }

    @Test(arguments: [
        "loss 2.1\nstep 2 loss nan\n", "step 1 loss=0.5 lr=1\nstep 2 loss=-inf lr=1\n",
        "[1]:step=1 loss=0.5\n[1]:step=2 loss=nan\n[0]:step=2 loss=0.5\n[1]:step=3 loss=nan\n",
    ])
    func aLossThatIsNoNumberIsAnAlarm(_ log: String) {
        #expect(Self.alarms(log).map(\.kind) == [.nan], "\(log)")
    }

    @Test(arguments: [
        "step    1/19560 | loss 11.009399 (+nanz)| norm 15.3210 (+nanz)| lr 8.57e-07\n",
        " iteration 100/ 500 | lm loss: 6.9E+00 | number of nan iterations:   0 |\n",
        "step:0/1770 val_loss:10.8258 train_time:0ms step_avg:nanms\n",
        "epoch 1 train_loss 0.7\nPseudo dice [0.8, nan]\n", "step 1 loss 0.5 grad_norm nan\n",
        "iter 8 step 1 | loss train: 1.931, val: n/a\n", "{\"step\":1,\"loss\":0.5,\"val_loss\":null}\n",
        "|    ep_rew_mean          | nan         |\n|    loss  | 0.1 |\n|   total_timesteps | 20 |\n-----\n",
        // It was, and is a number again.
        "step 1 loss nan\nstep 2 loss 0.4\n",
    ])
    func whatOnlyLooksLikeItIsNone(_ log: String) {
        #expect(Self.alarms(log).isEmpty, "\(log)")
    }

    // MARK: Time

    /// Steps as they arrive: each takes `second` seconds and a little more or less,
    /// every `evaluation` one pauses.
    private static func estimate(
        seed: UInt64, total: Double, until: Double, from first: Double = 0, second: Double,
        evaluation: (every: Double, seconds: Double)? = nil
    ) -> (estimate: TimeLeftEstimate, left: Double) {
        var generator = SeededGenerator(seed: seed)
        var estimate = TimeLeftEstimate()
        var time = 1_700_000_000.0
        var left = 0.0
        var step = first
        while step < total {
            step += 1
            var seconds = second * (1 + 0.1 * Self.noise(&generator))
            if let evaluation, step.truncatingRemainder(dividingBy: evaluation.every) == 0 {
                seconds += evaluation.seconds
            }
            if step > until {
                left += seconds
            } else {
                time += seconds
                estimate.add(done: step, of: total, at: time)
            }
        }
        return (estimate, (left - (estimate.secondsLeft(at: time) ?? .infinity)) / left)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aTenthOfARunTellsTheRest(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let total = Double(Int.random(in: 200...5000, using: &generator))
        let second = Double.random(in: 0.2...5, using: &generator)
        let tenth = (total / 10).rounded()
        let plain = Self.estimate(seed: seed, total: total, until: tenth, second: second)
        #expect(abs(plain.left) < 0.1, "constant: \(plain.left)")
        // Resumed at 40 %: a tenth further on.
        let resumed = Self.estimate(
            seed: seed, total: total, until: (total / 2).rounded(), from: (total * 0.4).rounded(),
            second: second)
        #expect(abs(resumed.left) < 0.1, "resumed: \(resumed.left)")
        let every = (total / 40).rounded()
        let evaluated = Self.estimate(
            seed: seed, total: total, until: tenth + 1, second: second,
            evaluation: (every, second * every * Double.random(in: 0.3...2, using: &generator)))
        #expect(abs(evaluated.left) < 0.1, "evaluated: \(evaluated.left)")
    }

    @Test func aStepThatGoesBackBeginsAnew() {
        var estimate = TimeLeftEstimate()
        for step in 0..<50 { estimate.add(done: Double(step), of: 100, at: Double(step)) }
        // The program was started again from its checkpoint, and is twice as slow.
        for step in 0..<20 { estimate.add(done: Double(40 + step), of: 100, at: 1000 + Double(step) * 2) }
        #expect(abs((estimate.secondsLeft(at: 1038) ?? 0) - 82) < 4)
    }

    @Test func aRunThatStandsStillIsStalled() {
        var estimate = TimeLeftEstimate()
        for step in 0..<8 { estimate.add(done: Double(step), of: 100, at: Double(step)) }
        #expect(!TrainingJudge.isStalled(estimate, at: 20))
        #expect(TrainingJudge.isStalled(estimate, at: 75))
        // A pause that it always makes is none.
        var paused = TimeLeftEstimate()
        var time = 0.0
        for step in 0..<60 {
            time += step % 10 == 9 ? 100 : 1
            paused.add(done: Double(step), of: 100, at: time)
        }
        #expect(!TrainingJudge.isStalled(paused, at: time + 500))
        #expect(TrainingJudge.isStalled(paused, at: time + 1500))
    }

    // MARK: A GPU at rest

    /// Minutes of rest, minutes that the job had run, and whether it had printed figures.
    @Test(arguments: [
        // Data and models are fetched before the first figure, however long that takes.
        (60, 60, false, false), (600, 600, false, false), (59.5, 60, false, false),
        // Checkpoints, evaluations on the processor.
        (5, 60, true, false), (14, 600, true, false), (14, 600, false, false),
        // Trains on the processor from the start, or has come to rest.
        (20, 20, true, true), (600, 600, true, true), (16, 60, true, true), (16, 60, false, true),
        // What an earlier job left, and this one has just begun.
        (600, 5, true, false),
    ])
    func aGPUThatRestsIsTold(_ rest: Double, _ age: Double, _ hasFigures: Bool, _ isIdle: Bool) throws {
        let reading = Self.reading(hasFigures ? "step 1 loss 0.5\nstep 2 loss 0.4\n" : "fetching data\n")
        let now = Date(timeIntervalSince1970: 1_000_000)
        let job = Job(
            id: JobID("j-1"), instance: InstanceID(platform: .vast, rawValue: "1"), command: .shell("x"),
            state: .running, createdAt: now, startedAt: now.addingTimeInterval(-age * 60),
            workspacePath: "/w", logPath: "/l")
        func alarms(_ seenAt: Date, _ job: Job) -> [TrainingAlarm] {
            reading.report(of: job, now: now, gpuRest: GPURest(seconds: rest * 60, seenAt: seenAt)).alarms
        }
        let found = alarms(now, job)
        #expect(found.map(\.kind) == (isIdle ? [.idle] : []))
        #expect(found.first?.at == (isIdle ? now.addingTimeInterval(-rest * 60) : nil))
        // Heard long ago, it says nothing of now; of a job that is over neither.
        #expect(alarms(now.addingTimeInterval(-1000), job).isEmpty)
        var over = job
        over.state = .succeeded
        #expect(alarms(now, over).isEmpty)
        #expect(reading.report(of: job, now: now).alarms.isEmpty)
    }

    // MARK: Names and places

    private static func last(_ log: String) -> [String: Double] {
        let reader = TrainingReader()
        reader.read(Array(log.utf8))
        return Dictionary(reader.figures().series.map { ($0.name, $0.last) }) { $1 }
    }

    @Test(arguments: [
        ("Validation loss at step 300: 1.25\nstep 301: loss 1.5\n", ["Validation loss": 1.25, "loss": 1.5]),
        (
            "epoch 3 | Train: loss 0.5 acc 0.9 | Val: loss 0.6 acc 0.8\n",
            ["train loss": 0.5, "val loss": 0.6]
        ),
        (
            "step 1,200/10,000 loss 0.5 throughput 12,345\n",
            ["loss": 0.5, "throughput": 12_345, "step": 1200]
        ),
        ("0: step 10 loss 0.5\n1: step 10 loss 0.7\n", ["loss": 0.5]),
        ("epoch,train_loss,val_loss\n1,0.5,0.625\n2,0.25,0.375\n", ["train_loss": 0.25, "val_loss": 0.375]),
        ("Train  Epoch 1 | Loss 0.5\nTest  Epoch 1 | Loss 0.75\n", ["loss": 0.5, "test loss": 0.75]),
        ("Step 2: {\"loss\": 0.5}\nEval at step 2: {\"loss\": 0.75}\n", ["loss": 0.5, "eval loss": 0.75]),
        ("[10:11:12] INFO Step 5, loss 0.5\n", ["loss": 0.5, "step": 5]),
        ("step 1 loss 0.5\nBest loss: 0.1 at step 1\nsaved checkpoint (loss 0.2)\n", ["loss": 0.5]),
    ])
    func figuresHaveTheirNames(_ log: String, _ expected: [String: Double]) {
        let found = Self.last(log)
        for (name, value) in expected { #expect(found[name] == value, "\(log): \(found)") }
    }

    // MARK: The user's own figures, and what ends a job

    @Test func aPatternOfTheUsersFindsItsFigure() throws {
        let pattern = try #require(FigurePattern(name: "gap", expression: "Δ=([-0-9.e]+)"))
        #expect(FigurePattern(name: "gap", expression: "(") == nil)
        let reader = TrainingReader(patterns: [pattern])
        reader.read(Array("round 1 Δ=0.5 ok\nnothing\nround 2 Δ=-2.5e-1 ok\n".utf8))
        let gap = reader.figures().series("gap")
        #expect(gap?.values == [0.5, -0.25] && gap?.count == 2)
        // An expression that would take for ever is given up.
        let slow = try #require(FigurePattern(name: "x", expression: "(a+)+b([0-9])"))
        let patient = TrainingReader(patterns: [slow])
        let start = Date()
        patient.read(Array((String(repeating: "a", count: 4000) + "\n").utf8))
        #expect(Date().timeIntervalSince(start) < 10)
    }

    @Test(arguments: [
        ("nan", "nan"), ("stall:10m,nan", "nan,stall:10m"),
        ("diverge, plateau,stall", "stall,diverge,plateau"),
    ])
    func stopRulesAreReadAndWritten(_ typed: String, _ text: String) throws {
        #expect(try StopRules(typed).text == text)
        for wrong in ["", "nan:3", "stall:10", "often"] {
            #expect(throws: TimeSpan.Problem.self) { try StopRules(wrong) }
        }
    }

    private static func reading(_ log: String) -> TrainingReading {
        let reader = TrainingReader()
        reader.read(Array(log.utf8))
        return TrainingReading(reader.figures())
    }

    @Test func threeLinesThatAreNoNumberEndAJob() throws {
        var decision = StopDecision(try StopRules("nan"))
        let good = "step 1 loss 0.5\nstep 2 loss nan\nstep 3 loss nan\n"
        #expect(decision.reason(Self.reading(good), at: 0) == nil)
        #expect(decision.reason(Self.reading(good + "step 4 loss 0.4\nstep 5 loss nan\n"), at: 1) == nil)
        let words = decision.reason(Self.reading(good + "step 4 loss nan\n"), at: 2)
        #expect(words == "--stop-on nan: loss is not a number since step 2")
    }

    @Test func aJobWithoutStepsForLongEnds() throws {
        var decision = StopDecision(try StopRules("stall:20s"))
        #expect(decision.reason(Self.reading("loading data\n"), at: 0) == nil)
        // What has not begun does not stand still.
        #expect(decision.reason(Self.reading("loading data\n"), at: 1000) == nil)
        let one = Self.reading("step 1 loss 0.5\n")
        #expect(decision.reason(one, at: 1001) == nil && decision.reason(one, at: 1015) == nil)
        let two = Self.reading("step 1 loss 0.5\nstep 2 loss 0.5\n")
        #expect(decision.reason(two, at: 1020) == nil && decision.reason(two, at: 1039) == nil)
        #expect(decision.reason(two, at: 1041)?.hasPrefix("--stop-on stall: no step") == true)
    }
}
