import Foundation
import Testing
import VPEngine

/// The logs of `corpus`, each with what a demanding user expects of it; see its README.
@Suite struct TrainingCorpusTests {
    private struct Expectation: Decodable {
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

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("corpus")

    private static func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Self.folder.appendingPathComponent(folder).path)
            .filter { $0.hasSuffix(".log") }.map { folder + "/" + $0.dropLast(4) }.sorted()
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Self.folder.appendingPathComponent(name + ".log")))
    }

    private static func read(_ bytes: [UInt8]) -> TrainingFigures {
        let reader = TrainingReader()
        reader.read(bytes)
        return reader.figures()
    }

    /// The logs round now and then: `2.282` for `2.281975`.
    private static func isNear(_ a: Double, _ b: Double) -> Bool {
        a == b || abs(a - b) <= 1e-3 * max(abs(a), abs(b))
    }

    /// What is wrong with what was read; empty where all is as expected.
    private static func faults(_ figures: TrainingFigures, _ expected: Expectation) -> [String] {
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

    private static func tellsOfNotNumber(_ figures: TrainingFigures) -> Bool {
        !figures.notNumbers.isEmpty || figures.otherRanksNotNumber != nil
    }

    /// `1 day, 2:12:07`, `1:31`, `33 minutes and 42.59 seconds`; an expectation's own reading of it.
    private static func seconds(_ text: String) -> Int {
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

    @Test func eachLogIsReadAsExpected() throws {
        let names = try Self.names("")
        #expect(names.count == 86)
        for name in names {
            let path = Self.folder.appendingPathComponent(name + ".expect.json")
            let expected = try JSONDecoder().decode(Expectation.self, from: Data(contentsOf: path))
            let faults = Self.faults(Self.read(try Self.bytes(name)), expected)
            #expect(faults.isEmpty, "\(name): \(faults.joined(separator: "; "))")
        }
    }

    @Test func eachLossThatIsNoNumberIsTold() throws {
        let names = try Self.names("nan")
        #expect(names.count == 71)
        for name in names {
            #expect(Self.tellsOfNotNumber(Self.read(try Self.bytes(name))), "\(name)")
        }
    }

    @Test func logsOfNoTrainingHaveNoFigures() throws {
        let names = try Self.names("none")
        #expect(names.count == 15)
        var all: [UInt8] = []
        for name in names {
            let bytes = try Self.bytes(name)
            let figures = Self.read(bytes)
            #expect(figures.isEmpty && figures.writtenSecondsLeft == nil, "\(name): \(figures)")
            all += bytes
        }
        // One after the other, and once more: what is said twice is no curve.
        let figures = Self.read(all + all)
        #expect(figures.isEmpty, "\(figures.series.map(\.name))")
    }

    @Test func piecesDoNotMatter() throws {
        for name in try Self.names("") {
            let bytes = try Self.bytes(name)
            let whole = Self.read(bytes)
            for size in [1, 7, 64] {
                let reader = TrainingReader()
                var start = 0
                while start < bytes.count {
                    reader.read(Array(bytes[start..<min(bytes.count, start + size)]))
                    // Looking at what there is changes nothing.
                    if start % 3 == 0 { _ = reader.figures() }
                    start += size
                }
                #expect(Self.same(reader.figures(), whole), "\(name) in pieces of \(size)")
            }
        }
    }

    private static func same(_ a: TrainingFigures, _ b: TrainingFigures) -> Bool {
        // NaN is not equal to itself: what is shown of both is compared.
        "\(a)" == "\(b)"
    }
}
