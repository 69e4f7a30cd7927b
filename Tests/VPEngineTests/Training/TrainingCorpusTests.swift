import Foundation
import Testing
import VPEngine

/// The logs of `corpus`, each with what a demanding user expects of it; see its README.
@Suite struct TrainingCorpusTests {
    @Test func eachLogIsReadAsExpected() throws {
        let names = try TrainingCorpus.names("")
        #expect(names.count == 86)
        for name in names {
            let path = TrainingCorpus.folder.appendingPathComponent(name + ".expect.json")
            let expected = try JSONDecoder().decode(
                TrainingCorpus.Expectation.self, from: Data(contentsOf: path))
            let faults = TrainingCorpus.faults(TrainingCorpus.read(try TrainingCorpus.bytes(name)), expected)
            #expect(faults.isEmpty, "\(name): \(faults.joined(separator: "; "))")
        }
    }

    @Test func eachLossThatIsNoNumberIsTold() throws {
        let names = try TrainingCorpus.names("nan")
        #expect(names.count == 71)
        for name in names {
            #expect(
                TrainingCorpus.tellsOfNotNumber(TrainingCorpus.read(try TrainingCorpus.bytes(name))),
                "\(name)")
        }
    }

    @Test func logsOfNoTrainingHaveNoFigures() throws {
        let names = try TrainingCorpus.names("none")
        #expect(names.count == 15)
        var all: [UInt8] = []
        for name in names {
            let bytes = try TrainingCorpus.bytes(name)
            let figures = TrainingCorpus.read(bytes)
            #expect(figures.isEmpty && figures.writtenSecondsLeft == nil, "\(name): \(figures)")
            all += bytes
        }
        // One after the other, and once more: what is said twice is no curve.
        let figures = TrainingCorpus.read(all + all)
        #expect(figures.isEmpty, "\(figures.series.map(\.name))")
    }

    @Test func piecesDoNotMatter() throws {
        for name in try TrainingCorpus.names("") {
            let bytes = try TrainingCorpus.bytes(name)
            let whole = TrainingCorpus.read(bytes)
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
