import CBytes
import Foundation

/// Finds the lines that may report on a training, without reading them.
///
/// Most of a program's output has no word of the grammar. A word here is a run of letters, or a part of one
/// that a capital begins: `valLoss`. `vp_find_words` finds runs whose first four letters are those of a word,
/// and only these are compared in full.
struct LineFilter {
    /// The bytes that must be readable after a line.
    static let margin = Int(VP_BLOCK)

    /// What `vp_find_words` asks for the first four letters of words. Built once, and then only read.
    nonisolated(unsafe) private static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << VP_PLACE_BITS)
        table.initialize(repeating: 0, count: 1 << VP_PLACE_BITS)
        func add(_ words: Set<String>, _ meaning: UInt8) {
            for word in words {
                var four: UInt32 = 0
                for (index, byte) in word.utf8.prefix(4).enumerated() {
                    four |= UInt32(byte) << UInt32(index * 8)
                }
                table[Int(vp_place(four))] = meaning
            }
        }
        let nouns = Set(Self.nouns.map { $0.uppercased() })
        add(nouns, UInt8(vp_counted))
        add(Self.words.subtracting(nouns).union(["IT", "F"]), UInt8(vp_known))
        return UnsafePointer(table)
    }()

    /// Nouns that are counted per second: they matter only beside a `/`, a `_` or a `per`.
    static let nouns: Set<String> = [
        "tokens", "token", "tok", "samples", "sample", "images", "image", "words", "frames", "sec",
    ]

    /// The words, in capitals.
    static let words: Set<String> = {
        var words = Set(FigureGrammar.steps.keys).union(FigureGrammar.epochWords).union(
            FigureGrammar.roles.keys)
        for (word, meaning) in FigureGrammar.meanings {
            if case .figure = meaning { words.insert(word) }
        }
        words.formUnion([
            "lr", "learning", "learn", "eta", "remaining", "remain", "left", "finish", "trial",
            "progress",
        ])
        words.formUnion(Self.nouns)
        words.formUnion(["cross", "iters", "steps", "epochs", "kl", "em", "ap"])
        words.formUnion(FigureGrammar.saveWords)
        words.formUnion(["checkpoint", "checkpoints"])
        // The text between `_` and similar characters is a word of its own here.
        let parts = words.flatMap { word in word.utf8.split { !Self.isLetter($0) && $0 < 0x80 } }
        return Set(
            parts.filter { $0.count >= 2 && $0.allSatisfy { $0 < 0x80 } }.map {
                String(Substring($0)).uppercased()
            }
        ).subtracting(["IT", "EP", "TS", "TR"])
    }()

    private let table = Self.table
    private let words = GrammarWords()

    /// Returns whether `text` has a word of the grammar. `margin` bytes after it must be readable.
    func accepts(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var words = vp_words()
        while vp_find_words(text, count, self.table, &words) {
            let (index, letters) = (words.index, words.letters)
            while words.known != 0 {
                let bit = words.known.trailingZeroBitCount
                words.known &= words.known &- 1
                let length = (~(letters &>> UInt64(truncatingIfNeeded: bit))).trailingZeroBitCount
                let start = index &+ bit
                if self.accepts(text, start, start &+ length, count) { return true }
            }
            while words.measures != 0 {
                if Self.endsInMeasure(text + index + words.measures.trailingZeroBitCount + 1) { return true }
                words.measures &= words.measures &- 1
            }
            if words.humps != 0, self.acceptsParts(of: letters, words.humps, text, index, count) {
                return true
            }
        }
        return false
    }

    /// Returns whether a part of a run with humps is a word.
    private func acceptsParts(
        of letters: UInt64, _ humps: UInt64, _ text: UnsafePointer<UInt8>, _ index: Int, _ count: Int
    ) -> Bool {
        var letters = letters
        while letters != 0 {
            let start = index &+ letters.trailingZeroBitCount
            // The sum's lowest bit is behind the run.
            let sum = letters &+ (letters & (0 &- letters))
            let stop = index &+ sum.trailingZeroBitCount
            let hasHump = letters & ~sum & humps != 0
            letters &= sum
            if hasHump, self.acceptsParts(text, start, stop, count) { return true }
        }
        return false
    }

    @inline(__always)
    private static func isLetter(_ byte: UInt8) -> Bool { (byte & 0xDF) &- 0x41 < 26 }

    /// Returns whether the letters before `end` are `loss` or the end of `accuracy`.
    @inline(__always)
    private static func endsInMeasure(_ end: UnsafePointer<UInt8>) -> Bool {
        let four = UnsafeRawPointer(end - 4).loadUnaligned(as: UInt32.self) & 0xDFDF_DFDF
        return four == 0x5353_4F4C || four == 0x5943_4152
    }

    /// Returns whether a run of letters, or a part of one, is a word of the grammar.
    private func accepts(_ text: UnsafePointer<UInt8>, _ start: Int, _ stop: Int, _ count: Int) -> Bool {
        let length = stop - start
        let before = start > 0 ? text[start - 1] : 0
        let next = stop < count ? text[stop] : 0
        if length == 1 {
            // `f1`. Whether another digit stands there must not matter: lines are known by their shape.
            return text[start] & 0xDF == 0x46 && Self.isDigit(next) && !Self.isDigit(before)
                && (stop + 1 == count || !(Self.isDigit(text[stop + 1]) || Self.isLetter(text[stop + 1])))
        }
        if length == 2, text[start] | 0x20 == 0x69, text[start + 1] | 0x20 == 0x74 {
            return next == 0x2F || before == 0x2F
        }
        // `kl-divergence` is a package.
        if length == 2, next == 0x2D, stop + 1 < count, Self.isLetter(text[stop + 1]) { return false }
        if length > 4, Self.endsInMeasure(text + stop) { return true }
        let uses = self.words.uses(text + start, length)
        if uses.contains(.noun) { return vp_is_counted(text, start, stop, count) }
        return uses.contains(.wanted)
    }

    /// Returns whether a part of a run of letters is a word, where capitals begin the parts.
    private func acceptsParts(_ text: UnsafePointer<UInt8>, _ start: Int, _ stop: Int, _ count: Int) -> Bool {
        var first = start
        for index in start..<stop {
            let isEnd =
                index + 1 == stop || (text[index] & 0x20 != 0 && text[index + 1] & 0x20 == 0)
            guard isEnd else { continue }
            if index > first, self.accepts(text, first, index + 1, count) { return true }
            first = index + 1
        }
        return false
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
