import Foundation

/// Finds the lines that may report on a training, without reading them.
///
/// Most of a program's output has no word of the grammar. A word here is a run of letters, or a part of one
/// that a capital begins: `valLoss`. Letters are found in blocks of 64 bytes; the first four of each run are
/// looked up in a table, and only on a hit is the run compared in full.
struct LineFilter {
    /// The bytes that must be readable from any byte of a line on: a block, and those compared with it.
    static let margin = 64 + 16

    /// The bits of a place in the table.
    private static let bits: UInt32 = 13

    /// 1 at the place of the first four letters of each word. Built once, and then only read.
    nonisolated(unsafe) private static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << Self.bits)
        table.initialize(repeating: 0, count: 1 << Self.bits)
        for word in Self.words.union(["IT", "F"]) {
            var four: UInt32 = 0
            for (index, byte) in word.utf8.prefix(4).enumerated() {
                four |= UInt32(byte) << UInt32(index * 8)
            }
            table[Self.place(four)] = 1
        }
        return UnsafePointer(table)
    }()

    /// For four bits that say which bytes are letters, a mask that keeps those before the first other byte,
    /// and turns small letters into capitals.
    nonisolated(unsafe) private static let masks: UnsafePointer<UInt32> = {
        let masks = UnsafeMutablePointer<UInt32>.allocate(capacity: 16)
        for bits in 0..<16 {
            let unused = UInt32(4 - (~bits).trailingZeroBitCount) * 8
            (masks + bits).initialize(to: unused == 32 ? 0 : 0xDFDF_DFDF & .max >> unused)
        }
        return UnsafePointer(masks)
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
        let parts = words.flatMap { $0.split(whereSeparator: { !$0.isLetter }).map(String.init) }
        return Set(
            parts.filter {
                $0.count >= 2 && $0.allSatisfy(\.isASCII) && !["it", "ep", "ts", "tr"].contains($0)
            }
            .map { $0.uppercased() })
    }()

    @inline(__always)
    private static func place(_ four: UInt32) -> Int {
        Int(truncatingIfNeeded: (four &* 0x9e37_79b1) &>> (32 &- Self.bits))
    }

    private let table = Self.table
    private let masks = Self.masks
    private let words = GrammarWords()

    /// Returns whether `text` has a word of the grammar. `margin` more bytes than `count` must be readable.
    func accepts(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var index = 0
        while index < count {
            let block = Block(text + index)
            var letters = block.letters
            if count &- index < 64 { letters &= (1 &<< UInt64(truncatingIfNeeded: count &- index)) &- 1 }
            var next = index &+ 64
            if letters &>> 63 != 0, next < count {
                // The last run may go on in the next block, which begins with it.
                let run = (~letters).leadingZeroBitCount
                if run < 64 {
                    next &-= run
                    letters &= (1 &<< UInt64(truncatingIfNeeded: 64 &- run)) &- 1
                } else {
                    // No word is so long, but it may end in one.
                    while next < count, Self.isLetter(text[next]) { next &+= 1 }
                    if Self.endsInMeasure(text + next) { return true }
                    letters = 0
                }
            }
            if self.accepts(runs: letters, text, index, count) { return true }
            if block.mayHaveMeasure, Self.endsInMeasure(letters, text + index) { return true }
            if block.hasCapitals {
                // Small letters before a capital.
                let capitals = letters & Block.withoutSmall(text + index)
                let humps = letters & ~capitals & (capitals &>> 1)
                if humps != 0, self.acceptsParts(of: letters, humps, text, index, count) { return true }
            }
            index = next
        }
        return false
    }

    /// Returns whether one of the runs of letters in a block is a word.
    @inline(__always)
    private func accepts(runs letters: UInt64, _ text: UnsafePointer<UInt8>, _ index: Int, _ count: Int)
        -> Bool
    {
        var starts = letters & ~(letters &<< 1)
        while starts != 0 {
            let bit = starts.trailingZeroBitCount
            starts &= starts &- 1
            let run = letters &>> UInt64(truncatingIfNeeded: bit)
            let start = index &+ bit
            let four = UnsafeRawPointer(text + start).loadUnaligned(as: UInt32.self)
            if self.table[Self.place(four & self.masks[Int(truncatingIfNeeded: run & 15)])] != 0,
                self.accepts(text, start, start &+ (~run).trailingZeroBitCount, count)
            {
                return true
            }
        }
        return false
    }

    /// Returns whether one of the runs of letters has more than four and ends in a measure.
    private static func endsInMeasure(_ letters: UInt64, _ text: UnsafePointer<UInt8>) -> Bool {
        // The last letters of runs of at least five.
        let five = letters & (letters &<< 1) & (letters &<< 2) & (letters &<< 3) & (letters &<< 4)
        var ends = five & ~(letters &>> 1)
        while ends != 0 {
            if Self.endsInMeasure(text + ends.trailingZeroBitCount + 1) { return true }
            ends &= ends &- 1
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
        if uses.contains(.noun) { return self.isCounted(text, start, stop, count) }
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

    /// `tokens/s`, `tokens_per_second`, `tokens per second`, `it/sec`.
    private func isCounted(_ text: UnsafePointer<UInt8>, _ start: Int, _ stop: Int, _ count: Int) -> Bool {
        if start > 0, text[start - 1] == 0x2F || text[start - 1] == 0x5F { return true }
        guard stop < count else { return false }
        switch text[stop] {
        case 0x2F, 0x5F, 0x3A, 0x3D: return true
        case 0x20: return stop + 2 < count && text[stop + 1] | 0x20 == 0x70 && text[stop + 2] | 0x20 == 0x65
        default: return false
        }
    }
}
