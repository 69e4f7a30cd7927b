import Foundation
import VPEngine

/// The logs of the folder `corpus`, each with what a demanding user expects of it; see its README.
enum TrainingCorpus {
    struct Expectation: Decodable {
        struct Progress: Decodable {
            var done: Double
            var total: Double
        }

        var series: [String: Double]
        var core: [String]
        var points: [String: Int]
        var progress: Progress?
        var progressAlso: [[Double]]?
        var eta: String?
        var nan: Bool
        var aliases: [String: [String]]?
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("corpus")

    static func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.folder.appendingPathComponent(folder).path)
            .filter { $0.hasSuffix(".log") }.map { folder + "/" + $0.dropLast(4) }.sorted()
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name + ".log")))
    }

    static func read(_ bytes: [UInt8]) -> TrainingFigures {
        let reader = TrainingReader()
        reader.read(bytes)
        return reader.figures()
    }

    /// The logs round now and then: `2.282` for `2.281975`.
    static func isNear(_ a: Double, _ b: Double) -> Bool {
        a == b || abs(a - b) <= 1e-3 * max(abs(a), abs(b))
    }

    /// What is wrong with what was read; empty where all is as expected.
    static func faults(_ figures: TrainingFigures, _ expected: Expectation) -> [String] {
        var faults: [String] = []
        func found(_ name: String) -> FigureSeries? {
            let names = [name] + (expected.aliases?[name] ?? [])
            return names.lazy.compactMap { name in
                figures.series.first { $0.name.lowercased() == name.lowercased() }
            }.first
        }
        for (name, value) in expected.series {
            guard let series = found(name) else {
                if expected.core.contains(name) { faults.append("\(name) is missing") }
                continue
            }
            if !Self.isNear(series.last, value) { faults.append("\(name) is \(series.last), not \(value)") }
        }
        for (name, count) in expected.points {
            if let series = found(name), series.count != count {
                faults.append("\(name) has \(series.count) points, not \(count)")
            }
        }
        var wanted = expected.progress.map { [[$0.done, $0.total]] } ?? []
        wanted += expected.progressAlso ?? []
        let isRight =
            figures.progress.map { progress in
                wanted.contains { Self.isNear($0[0], progress.done) && Self.isNear($0[1], progress.total) }
            } ?? wanted.isEmpty
        if !isRight { faults.append("progress is \(String(describing: figures.progress))") }
        if figures.writtenSecondsLeft.map(Int.init(saturating:)) != expected.eta.map(Self.seconds) {
            faults.append("the time left is \(String(describing: figures.writtenSecondsLeft)) s")
        }
        if Self.tellsOfNotNumber(figures) != expected.nan { faults.append("not-a-number: \(!expected.nan)") }
        return faults
    }

    static func tellsOfNotNumber(_ figures: TrainingFigures) -> Bool {
        !figures.notNumbers.isEmpty || figures.otherRanksNotNumber != nil
    }

    /// `1 day, 2:12:07`, `1:31`, `33 minutes and 42.59 seconds`; an expectation's own reading of it.
    static func seconds(_ text: String) -> Int {
        var seconds = 0.0
        for part in text.replacingOccurrences(of: " and ", with: ", ").components(separatedBy: ", ") {
            if part.contains(":") {
                seconds += part.split(separator: ":").reduce(0) { $0 * 60 + (Double($1) ?? 0) }
                continue
            }
            var number = ""
            for character in part where character != " " {
                if character.isNumber || character == "." {
                    number.append(character)
                } else if let value = Double(number) {
                    seconds += value * (["d": 86_400.0, "h": 3600, "m": 60, "s": 1][character] ?? 0)
                    number = ""
                }
            }
        }
        return Int(seconds)
    }
}
