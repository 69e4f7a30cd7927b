import Foundation
import Testing
import VPEngine
import VPTestSupport

/// Logs that no program has written: the corpus behind other prefixes,
/// and lines that are made up from a seed. A figure may be missing there; a wrong one never.
@Suite struct TrainingVariantTests {
    // MARK: Prefixes

    /// What logging libraries, launchers and containers write before each line.
    private static let prefixes: [(name: String, text: @Sendable (Int) -> String)] = [
        ("date", { "2026-03-02 10:\(Self.two($0 / 60 % 60)):\(Self.two($0 % 60)),123 - INFO - " }),
        ("bracket", { "[10:\(Self.two($0 / 60 % 60)):\(Self.two($0 % 60))] " }),
        ("container", { "2026-03-02T10:00:\(Self.two($0 % 60)).123456789Z stdout F " }),
        ("root", { _ in "INFO:root:" }),
        ("mpi", { _ in "[1,0]<stdout>:" }),
        ("rank", { _ in "[rank0]: " }),
        ("actor", { _ in "(RayTrainWorker pid=1234, ip=10.0.0.3) " }),
        ("glog", { "I0302 12:00:00.\(100_000 + $0) 140123 main.py:77] " }),
        ("compose", { _ in "trainer-1  | " }),
        ("syslog", { "Mar  2 10:00:\(Self.two($0 % 60)) gpu01 python[4242]: " }),
        ("colour", { _ in "\u{1B}[32m" }),
    ]

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Tables that stand under their header by columns, and logs whose prefix is what they are about.
    private static let unmoved: Set<String> = [
        "fastai", "spacy", "ultralytics", "yolov5", "stable-baselines3", "rllib-tune", "ray-tune-sweep",
        "lm-eval", "ranks-torchrun", "torchtitan", "unsloth",
    ]

    private static func lines(_ name: String) throws -> [Substring]? {
        guard !Self.unmoved.contains(String(name.dropFirst())) else { return nil }
        let text = String(decoding: try TrainingCorpus.bytes(name), as: UTF8.self)
        guard !text.unicodeScalars.contains("\r") else { return nil }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    private static func wrong(_ name: String, _ text: String) throws -> [String] {
        let path = TrainingCorpus.folder.appendingPathComponent(name + ".expect.json")
        let expected = try JSONDecoder().decode(TrainingCorpus.Expectation.self, from: Data(contentsOf: path))
        return TrainingCorpus.faults(TrainingCorpus.read(Array(text.utf8)), expected)
            .filter { !$0.hasSuffix("is missing") && !$0.hasSuffix("is nil") && !$0.contains("nil s") }
    }

    @Test(arguments: 0..<11) func aPrefixMakesNoFigureWrong(_ index: Int) throws {
        let prefix = Self.prefixes[index]
        var count = 0
        for name in try TrainingCorpus.names("") {
            guard let lines = try Self.lines(name) else { continue }
            let text = lines.enumerated().map { number, line in
                line.allSatisfy(\.isWhitespace) ? String(line) : prefix.text(number) + line
            }.joined(separator: "\n")
            let wrong = try Self.wrong(name, text)
            #expect(wrong.isEmpty, "\(prefix.name) \(name): \(wrong.joined(separator: "; "))")
            count += 1
        }
        #expect(count > 50)
    }

    @Test func linesOfOthersBetweenMakeNoFigureWrong() throws {
        let others = [
            "/opt/app/loss.py:12: UserWarning: reduction: mean", "processed file batch_0012.bin in 12.3 ms",
            "GET /loss?step=3 200 1.2ms", "Mem: 64G used: 12.5G (19%)",
        ]
        for name in try TrainingCorpus.names("") {
            guard let lines = try Self.lines(name) else { continue }
            let text = lines.enumerated().map { "\($1)\n\(others[$0 % others.count])" }.joined(
                separator: "\n")
            let wrong = try Self.wrong(name, text)
            #expect(wrong.isEmpty, "\(name): \(wrong.joined(separator: "; "))")
        }
    }

    /// Each rank writes the same line, or all that follow from carriage returns and line feeds of Windows.
    @Test(arguments: ["ranks", "twice", "crlf"]) func howALineEndsAndComesAgainDoesNotMatter(_ kind: String)
        throws
    {
        for name in try TrainingCorpus.names("") where name != "/json-lines" {
            guard let lines = try Self.lines(name) else { continue }
            if kind != "crlf", lines.contains(where: { $0.contains("\u{1B}") }) { continue }
            // Without a step or a time, nothing tells the same line from the next of the same value.
            if kind == "twice", name == "/coqui-tts" || name == "/sklearn-sgd" { continue }
            let text = lines.flatMap { line in
                switch kind {
                case "ranks": ["[rank0]: \(line)", "[rank1]: \(line)"]
                case "twice": [String](repeating: String(line), count: 8)
                default: ["\(line)\r"]
                }
            }.joined(separator: "\n")
            let wrong = try Self.wrong(name, text)
            #expect(wrong.isEmpty, "\(kind) \(name): \(wrong.joined(separator: "; "))")
        }
    }

    // MARK: Made up

    /// A log of a seed, and what is in it.
    private struct MadeUp {
        var text = ""
        /// Of each name the newest value, and how often it was there.
        var series: [String: (last: Double, count: Int)] = [:]
        var progress: (done: Double, total: Double)?

        private static let losses = [
            "loss", "train_loss", "train/loss", "Training Loss", "total_loss", "loss_ce", "ce_loss",
            "mlm_loss", "Loss", "nll_loss", "kd loss", "perplexity", "mse",
        ]
        private static let evaluations = [
            "val_loss", "val/loss", "valid_loss", "eval_loss", "Val Loss", "validation loss", "test_loss",
            "dev loss", "val_acc", "eval/accuracy", "Val Acc", "val mIoU", "dev wer", "eval_bleu", "val.f1",
        ]
        private static let steps = [
            "step", "Step", "iter", "iteration", "global_step", "it", "Iter", "batch", "Batch", "update",
        ]
        private static let stamps = [
            "", "[INFO] ", "2026-03-02 10:11:12,345 - INFO - ", "2026-03-02 10:11:12 ",
            "[2026-03-02 10:11:12] ", "INFO:root:", "[rank0]: ", "I0302 10:11:12.345678 12 train.py:88] ",
            "10:11:12 | ", "[10:11:12] INFO ", "\u{1B}[36mINFO\u{1B}[0m ", "(worker pid=31) ",
        ]

        static func written(_ value: Double, _ generator: inout SeededGenerator) -> String {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: String(format: "%.4f", value)
            case 1: String(format: "%.6f", value)
            case 2: String(format: "%.3e", value)
            default: String(format: "%g", value)
            }
        }

        init(seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            func pick(_ texts: [String]) -> String { texts.randomElement(using: &generator) ?? "" }
            let loss = pick(Self.losses)
            let evaluation = pick(Self.evaluations)
            var sign = pick([": ", "=", " = ", ":", "=", " "])
            if sign == " ", loss.contains("/") || evaluation.contains("/") { sign = "=" }
            var gap = pick([", ", " | ", " - ", "; ", "\t", "  ", " "])
            let isOpen = sign == ": " || sign == " = " || loss.contains(" ") || evaluation.contains(" ")
            if gap == " ", isOpen || sign == " " { gap = ", " }
            let total = [100, 1000, 5000, 12_345].randomElement(using: &generator) ?? 100
            let step = pick(Self.steps)
            let saysTotal = Bool.random(using: &generator)
            let isBracketed = Int.random(in: 0..<3, using: &generator) == 0
            let hasCommas = Int.random(in: 0..<5, using: &generator) == 0
            let stamp = pick(Self.stamps)
            // `INFO:root:step:3 - ` is how a logger writes the line of a source.
            if stamp == "INFO:root:", sign == ":", gap == " - " { gap = ", " }
            let end = pick(["\n", "\n", "\r\n", "\n\n"])
            func number(_ value: Int) -> String {
                hasCommas && value >= 1000
                    ? "\(value / 1000)," + String(format: "%03d", value % 1000) : "\(value)"
            }
            var value = 3.0
            var done = 0
            for _ in 0..<12 {
                done = min(total, done + Int.random(in: 1...max(1, total / 12), using: &generator))
                value *= Double.random(in: 0.85..<1.02, using: &generator)
                let counted =
                    isBracketed ? "[\(number(done))/\(number(total))]" : "\(number(done))/\(number(total))"
                let place =
                    saysTotal ? "\(step) \(counted)" : "\(step)\(sign == " " ? " " : sign)\(number(done))"
                let text = Self.written(value, &generator)
                var fields = [
                    place, "\(loss)\(sign)\(text)", "lr\(sign)\(String(format: "%.3e", value * 1e-4))",
                ]
                if Bool.random(using: &generator) {
                    let time = Double.random(in: 0..<1, using: &generator)
                    fields.append("time\(sign)\(String(format: "%.3f", time))")
                }
                self.text += stamp + fields.joined(separator: gap) + end
                self.add(loss, text)
                self.add("lr", String(format: "%.3e", value * 1e-4))
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    let text = Self.written(value * 1.1, &generator)
                    self.text += stamp + "\(step)\(sign == " " ? " " : sign)\(number(done))" + gap
                    self.text += "\(evaluation)\(sign)\(text)" + end
                    self.add(evaluation, text)
                }
                if Int.random(in: 0..<5, using: &generator) == 0 {
                    self.text += stamp + "saving checkpoint to out/ckpt-\(done).pt (loss \(text))" + end
                }
            }
            if saysTotal { self.progress = (Double(done), Double(total)) }
        }

        private mutating func add(_ name: String, _ text: String) {
            let name = name.lowercased()
            self.series[name] = (Double(text) ?? .nan, (self.series[name]?.count ?? 0) + 1)
        }
    }

    @Test func madeUpLogsHaveTheirFiguresAndNoOthers() {
        let others: Set<String> = [
            "time", "step", "iter", "iteration", "global_step", "it", "batch", "update",
        ]
        for seed in 0..<400 as Range<UInt64> {
            let log = MadeUp(seed: seed)
            let figures = TrainingCorpus.read(Array(log.text.utf8))
            let first = log.text.prefix { $0 != "\n" }
            for series in figures.series {
                let name = series.name.lowercased()
                if others.contains(name) { continue }
                guard let expected = log.series[name] else {
                    Issue.record("seed \(seed): \(series.name) is in no line: \(first)")
                    continue
                }
                #expect(
                    series.last == expected.last && series.count == expected.count,
                    "seed \(seed): \(name) \(series.last) × \(series.count), not \(expected): \(first)")
            }
            for name in log.series.keys
            where !figures.series.contains(where: { $0.name.lowercased() == name }) {
                Issue.record("seed \(seed): \(name) is missing: \(first)")
            }
            #expect(
                figures.progress?.done == log.progress?.done
                    && figures.progress?.total == log.progress?.total,
                "seed \(seed): \(String(describing: figures.progress)): \(first)")
        }
    }

    /// Bytes that no program has written: nothing traps, and nothing is read beyond the end.
    @Test func damagedLogsAreRead() throws {
        let pieces = [
            "99999999999999999999999999", "1e999", "-1e-999", "nan", "inf/", "/", "0/0", "1:2:3:4", "12:34",
            "1,234,567,890,123,456,789", "....", "====", "(((", "|||", "\u{FFFD}", "\u{1B}]", "@[", "\r", "│",
        ]
        let logs = try TrainingCorpus.names("").map { try TrainingCorpus.bytes($0) }
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            var bytes = logs.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1..<20, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
                case 2:
                    bytes.insert(
                        contentsOf: Array((pieces.randomElement(using: &generator) ?? "").utf8), at: place)
                case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: 0)
                default: bytes.removeSubrange(place...)
                }
            }
            _ = TrainingCorpus.read(bytes)
        }
    }
}
