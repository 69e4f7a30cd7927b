import CBytes
import Testing
import VPTestSupport

/// The passes over a line's bytes: each version of them finds what a loop over single bytes does.
@Suite struct LinePassTests {
    private typealias Reading =
        @Sendable (
            UnsafePointer<UInt8>, Int, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<vp_line>
        ) -> Bool
    private typealias Finding =
        @Sendable (
            UnsafePointer<UInt8>, Int, UnsafePointer<UInt8>, UnsafeMutablePointer<vp_words>
        ) -> Bool

    private static let block = Int(VP_BLOCK)
    private static let readings: [Reading] = [vp_read_line, vp_read_line_plain]
    private static let findings: [Finding] = [vp_find_words, vp_find_words_plain]

    private static func isLetter(_ byte: UInt8) -> Bool { (byte & 0xDF) &- 0x41 < 26 }
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
    private static func isCapital(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }

    private static func bytes(_ alphabet: String, _ count: Int, _ generator: inout SeededGenerator) -> [UInt8]
    {
        let letters = Array(alphabet.utf8)
        return (0..<count).map { _ in letters.randomElement(using: &generator) ?? 0 }
    }

    // MARK: Ends and shapes

    private struct Line: Equatable {
        var length: Int
        var hasEscape: Bool
        var shape: [UInt8]
    }

    private static func expected(_ text: [UInt8]) -> Line? {
        guard let end = text.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) else { return nil }
        return Line(
            length: end, hasEscape: text[..<end].contains(0x1B),
            shape: text[..<end].map { Self.isDigit($0) ? 0x30 : $0 })
    }

    private static func read(_ text: [UInt8], by reading: Reading) -> (line: Line, hash: UInt64)? {
        var (shape, line) = ([UInt8](repeating: 0, count: text.count + Self.block), vp_line())
        guard reading(text, text.count, &shape, &line) else { return nil }
        let found = Line(length: line.length, hasEscape: line.has_escape, shape: Array(shape[..<line.length]))
        return (found, line.hash)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func aLineEndsWhereItDoes(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let count = Int.random(in: 0...150, using: &generator)
            var text = Self.bytes("loss 0123456789 \u{1B}\t▉", count, &generator)
            if Bool.random(using: &generator) { text.append(0x0D) }
            if Bool.random(using: &generator) { text += Self.bytes("x\n\u{1B}", 40, &generator) }
            let found = Self.readings.map { Self.read(text, by: $0) }
            for one in found { #expect(one?.line == Self.expected(text)) }
            #expect(found[0]?.hash == found[1]?.hash)
        }
    }

    /// Whatever follows it, and wherever the bytes that can be read end.
    @Test func onlyDigitsMayDifferInLinesOfOneHash() throws {
        var generator = SeededGenerator(seed: 5)
        for length in 0...130 {
            let text = Self.bytes("abc 019", length, &generator)
            let hash = try #require(Self.read(text + [0x0A], by: vp_read_line)).hash
            let others = text.map { Self.isDigit($0) ? 0x35 : $0 } + [0x0D] + Self.bytes("z9", 70, &generator)
            #expect(Self.read(others, by: vp_read_line)?.hash == hash)
            #expect(hash != 0)
            guard let index = text.indices.randomElement(using: &generator) else { continue }
            var changed = text
            changed[index] ^= 0x40
            #expect(Self.read(changed + [0x0A], by: vp_read_line)?.hash != hash)
            #expect(Self.read(text + [0x30, 0x0A], by: vp_read_line)?.hash != hash)
        }
    }

    // MARK: Words

    /// The places in a line, each as the index of a letter.
    private struct Places: Equatable {
        var known: Set<Int> = []
        var measures: Set<Int> = []
        var humps: Set<Int> = []
    }

    private static func table(_ words: [String: Int]) -> [UInt8] {
        var table = [UInt8](repeating: UInt8(vp_unknown), count: 1 << VP_PLACE_BITS)
        for (word, meaning) in words { table[Self.place(Array(word.utf8))] = UInt8(meaning) }
        return table
    }

    private static func place(_ word: some Collection<UInt8>) -> Int {
        Int(vp_place(word.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1 & 0xDF) }))
    }

    private static func expected(_ text: [UInt8], _ table: [UInt8]) -> Places {
        var (places, start) = (Places(), 0)
        while start < text.count {
            let stop = text[start...].firstIndex { !Self.isLetter($0) } ?? text.count
            let run = text[start..<stop]
            if !run.isEmpty, run.count < Self.block {
                let meaning = Int(table[Self.place(run)])
                if meaning == vp_known
                    || (meaning == vp_counted && vp_is_counted(text, start, stop, text.count))
                {
                    places.known.insert(start)
                }
                for index in run.indices.dropLast()
                where !Self.isCapital(text[index]) && Self.isCapital(text[index + 1]) {
                    places.humps.insert(index)
                }
            }
            let end = run.suffix(2).map { $0 & 0xDF }
            if run.count >= 5, end == [0x53, 0x53] || end == [0x43, 0x59] {
                places.measures.insert(stop - 1)
            }
            start = stop + 1
        }
        return places
    }

    private static func find(_ line: [UInt8], _ table: [UInt8], by finding: Finding) -> Places {
        let text = line + [UInt8](repeating: 0x61, count: Self.block)
        var (places, words) = (Places(), vp_words())
        func all(_ bits: UInt64) -> [Int] {
            (0..<64).filter { bits >> $0 & 1 != 0 }.map { words.index + $0 }
        }
        while finding(text, line.count, table, &words) {
            places.known.formUnion(all(words.known))
            places.measures.formUnion(all(words.measures))
            places.humps.formUnion(all(words.humps))
        }
        return places
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func wordsAreFoundWhereTheyStand(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let table = Self.table(["LOSS": vp_known, "LR": vp_known, "F": vp_known, "IMAGE": vp_counted])
        let pieces = [
            "loss", "Loss", "LR", "f", "f1", "image", "image/s", "images per", "/image ", "valLoss",
            "accuracy",
            "class", "policy", "lossless", "imageNet", " ", "_", "=", "é", "the", "x", "0.31",
        ]
        for _ in 0..<500 {
            var line: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                line += Array((pieces.randomElement(using: &generator) ?? "").utf8)
                if Bool.random(using: &generator) { line.append(0x20) }
                let isLong = Int.random(in: 0..<20, using: &generator) == 0
                if isLong {
                    line += Self.bytes("lossCy", .random(in: 50...90, using: &generator), &generator)
                }
            }
            let expected = Self.expected(line, table)
            for finding in Self.findings { #expect(Self.find(line, table, by: finding) == expected) }
        }
    }
}
