import Foundation

/// Finds the lines that may report on a training, without reading them.
///
/// Most of a program's output has no word of the grammar. A word here is a run of letters, or a part of one
/// that a capital begins: `valLoss`. Letters are found in blocks of 64 bytes; the beginning of each run is
/// looked up in a bit table, and only on a hit is the run compared in full.
struct LineFilter {
    /// The bits of a place in the table.
    private static let bits: UInt64 = 16
    /// Turns small letters into capitals by masking a byte.
    private static let fold: UInt64 = 0xDFDF_DFDF_DFDF_DFDF

    /// A bit for each group of the first eight letters of a word. Built once, and then only read.
    nonisolated(unsafe) private static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << (Self.bits - 3))
        table.initialize(repeating: 0, count: 1 << (Self.bits - 3))
        for word in Self.words.union(["IT", "F"]) {
            var eight: UInt64 = 0
            for (index, byte) in word.utf8.prefix(8).enumerated() {
                eight |= UInt64(byte) << UInt64(index * 8)
            }
            let place = Self.place(eight)
            table[place >> 3] |= 1 << UInt8(place & 7)
        }
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
        let parts = words.flatMap { $0.split(whereSeparator: { !$0.isLetter }).map(String.init) }
        return Set(
            parts.filter {
                $0.count >= 2 && $0.allSatisfy(\.isASCII) && !["it", "ep", "ts", "tr"].contains($0)
            }
            .map { $0.uppercased() })
    }()

    @inline(__always)
    private static func place(_ eight: UInt64) -> Int {
        Int(truncatingIfNeeded: (eight &* 0x9e37_79b9_7f4a_7c15) &>> (64 &- Self.bits))
    }

    private let table = Self.table
    private let words = GrammarWords()

    /// Returns whether `text` has a word of the grammar. `readable` bytes can be read, at least eight more
    /// than `count`.
    func accepts(_ text: UnsafePointer<UInt8>, _ count: Int, _ readable: Int) -> Bool {
        var index = 0
        while index < count {
            var (letters, capitals) = Self.letters(text + index, readable &- index)
            if count &- index < 64 { letters &= (1 &<< UInt64(truncatingIfNeeded: count &- index)) &- 1 }
            capitals &= letters
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
            // A small letter before a capital.
            let hasHumps = letters & ~capitals & (capitals &>> 1) != 0
            while letters != 0 {
                let start = index &+ letters.trailingZeroBitCount
                // The sum's lowest bit is behind the run.
                let sum = letters &+ (letters & (0 &- letters))
                let stop = index &+ sum.trailingZeroBitCount
                letters &= sum
                if self.mayAccept(text + start, stop &- start), self.accepts(text, start, stop, count) {
                    return true
                }
                if hasHumps, self.acceptsParts(text, start, stop, count) { return true }
            }
            index = next
        }
        return false
    }

    /// Returns a bit for each of 64 bytes that is a letter, and for each that is a capital or no letter.
    @inline(__always)
    private static func letters(_ text: UnsafePointer<UInt8>, _ readable: Int) -> (UInt64, UInt64) {
        var letters: UInt64 = 0
        var capitals: UInt64 = 0
        var index = 0
        while index < 64, index < readable {
            let block = LineShape.block(text + index, readable &- index)
            let folded = (block & SIMD16(repeating: 0xDF)) &- SIMD16(repeating: 0x41)
            let shift = UInt64(truncatingIfNeeded: index)
            letters |= Self.packed(folded .< SIMD16(repeating: 26)) &<< shift
            capitals |= Self.packed((block & SIMD16(repeating: 0x20)) .== SIMD16()) &<< shift
            index &+= 16
        }
        return (letters, capitals)
    }

    /// Returns a bit for each of sixteen marks.
    @inline(__always)
    private static func packed(_ marks: SIMDMask<SIMD16<Int8>>) -> UInt64 {
        let bits = LineShape.bits(marks)
        let (low, high) = (bits[0] & 0x8040_2010_0804_0201, bits[1] & 0x8040_2010_0804_0201)
        return (low &* 0x0101_0101_0101_0101) &>> 56 | ((high &* 0x0101_0101_0101_0101) &>> 56) &<< 8
    }

    @inline(__always)
    private static func isLetter(_ byte: UInt8) -> Bool { (byte & 0xDF) &- 0x41 < 26 }

    /// Returns whether a run of letters may be a word, by its beginning and its end.
    @inline(__always)
    private func mayAccept(_ text: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        let unused = UInt64(truncatingIfNeeded: 8 &- min(length, 8)) &* 8
        let eight =
            UnsafeRawPointer(text).loadUnaligned(as: UInt64.self) & Self.fold & (.max &>> unused)
        let place = Self.place(eight)
        if self.table[place &>> 3] &>> UInt8(truncatingIfNeeded: place & 7) & 1 != 0 { return true }
        return length > 4 && Self.endsInMeasure(text + length)
    }

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
