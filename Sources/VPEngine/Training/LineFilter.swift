import Foundation

/// Finds the lines that may report on a training, without reading them.
///
/// Most of a program's output has no word of the grammar. Four bytes at every second position are
/// looked up in a bit table that holds all groups of four from all words; on a hit, the word around it
/// is compared in full.
struct LineFilter {
    private static let bits = 19
    /// Turns small letters into capitals by masking a byte.
    private static let fold: UInt32 = 0xDFDF_DFDF

    /// Built once, and then only read.
    nonisolated(unsafe) private static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << (Self.bits - 3))
        table.initialize(repeating: 0, count: 1 << (Self.bits - 3))
        func add(_ bytes: [UInt8]) {
            var four: UInt32 = 0
            for (index, byte) in bytes.enumerated() { four |= UInt32(byte) << UInt32(index * 8) }
            let place = Self.place(four & Self.fold)
            table[place >> 3] |= 1 << UInt8(place & 7)
        }
        // The bytes that may surround a word: anything but letters, after folding.
        let others = (0..<0x20).map { UInt8($0) } + [0x40, 0x5B, 0x5C, 0x5D, 0x5F]
        for word in Self.words {
            let bytes = Array(word.utf8)
            if bytes.count >= 5 {
                add(Array(bytes[0..<4]))
                add(Array(bytes[1..<5]))
            } else if bytes.count == 4 {
                add(bytes)
                for other in others { add(Array(bytes[1..<4]) + [other]) }
            } else if bytes.count == 3 {
                for other in others {
                    add(bytes + [other])
                    add([other] + bytes)
                }
                // `valAcc`, `trainMSE`
                for letter in "NLTS".utf8 { add([letter] + bytes) }
            }
        }
        // Short words such as `lr` and `f1` are looked up with the bytes around them, or nearly every
        // group would be a hit.
        let before = " \t\"'`,([|/.-_@:=".utf8.map { $0 & 0xDF } + [0x0A, 0x0D]
        let behind = " \t\"':=_)/|,-.".utf8.map { $0 & 0xDF }
        let value = " \t:=\"'[(-.0123456789NI".utf8.map { $0 & 0xDF }
        for word in ["LR", "F1", "KL", "EM", "AP"] {
            let bytes = Array(word.utf8)
            for other in behind {
                for next in value { add(bytes + [other, next]) }
                for first in before { add([first] + bytes + [other]) }
            }
        }
        for bar in ["it/s", "s/it"] { add(Array(bar.utf8)) }
        for other in others {
            add(Array("t/s".utf8) + [other])
            add(Array("/it".utf8) + [other])
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
    private static func place(_ four: UInt32) -> Int {
        Int(truncatingIfNeeded: (four &* 0x9e37_79b1) >> UInt32(32 - Self.bits))
    }

    private let table = Self.table
    private let words = GrammarWords()

    /// Returns the position of a word of the grammar in `text`, or nil.
    func find(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        let table = self.table
        var index = 0
        let last = count &- 4
        while index <= last {
            // Eight positions at a time, so that a line without a word takes only a few cycles.
            if index &+ 18 <= count {
                var found: UInt8 = 0
                var step = 0
                while step < 16 {
                    let place = Self.place(Self.four(text, index &+ step))
                    found |= table[place &>> 3] &>> UInt8(truncatingIfNeeded: place & 7)
                    step &+= 2
                }
                if found & 1 == 0 {
                    index &+= 16
                    continue
                }
            }
            let end = min(last &+ 1, index &+ 16)
            while index < end {
                let place = Self.place(Self.four(text, index))
                if table[place &>> 3] &>> UInt8(truncatingIfNeeded: place & 7) & 1 != 0,
                    self.isWord(text, index, count)
                {
                    return index
                }
                index &+= 2
            }
        }
        // A word of three letters at the very end.
        return count >= 2 && self.isWord(text, count - 2, count) ? count - 2 : nil
    }

    @inline(__always)
    private static func four(_ text: UnsafePointer<UInt8>, _ index: Int) -> UInt32 {
        UnsafeRawPointer(text + index).loadUnaligned(as: UInt32.self) & Self.fold
    }

    @inline(__always)
    private func isLetter(_ byte: UInt8) -> Bool { (byte & 0xDF) &- 0x41 < 26 }

    /// `true` if one of the four bytes at `index` belongs to a word of the grammar.
    private func isWord(_ text: UnsafePointer<UInt8>, _ index: Int, _ count: Int) -> Bool {
        var start = index
        let end = min(index + 4, count)
        while start < end, !self.isLetter(text[start]) { start += 1 }
        guard start < end else { return false }
        var stop = start
        while start > 0, index - start < 24, self.isLetter(text[start - 1]) { start -= 1 }
        while stop < count, stop - index < 28, self.isLetter(text[stop]) { stop += 1 }
        if stop - start == 2, text[start] | 0x20 == 0x69, text[start + 1] | 0x20 == 0x74 {
            return (stop < count && text[stop] == 0x2F) || (start > 0 && text[start - 1] == 0x2F)
        }
        if stop - start > 3, text[start] == 0x6D, start > 0, text[start - 1] &- 0x30 < 10 {
            // `ESC[36mstep`
            start += 1
        }
        if stop - start == 1, text[start] | 0x20 == 0x66, stop < count, text[stop] == 0x31 { return true }
        if stop - start == 1 {
            // The `s` of `s/it`, or a single letter before a word.
            guard stop + 2 < count, text[stop] == 0x2F || !self.isLetter(text[stop]) else { return false }
            return self.isWordAfter(text, stop + 1, count)
        }
        let uses = self.words.uses(text + start, stop - start)
        if uses.contains(.noun) {
            if self.isCounted(text, start, stop, count) { return true }
        } else if uses.contains(.wanted) {
            return true
        }
        if self.hasHump(text, start, stop) || self.endsInLoss(text, stop - start, stop) { return true }
        return stop < index + 4 && self.isWordAfter(text, stop + 1, count)
    }

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

    private func isWordAfter(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Bool {
        var stop = start
        while stop < count, stop - start < 28, self.isLetter(text[stop]) { stop += 1 }
        guard stop > start + 1 else { return false }
        if stop - start == 2, text[start] | 0x20 == 0x69, text[start + 1] | 0x20 == 0x74 {
            return text[start - 1] == 0x2F || (stop < count && text[stop] == 0x2F)
        }
        return self.words.uses(text + start, stop - start).contains(.wanted)
            || self.hasHump(text, start, stop)
    }

    private func hasHump(_ text: UnsafePointer<UInt8>, _ start: Int, _ stop: Int) -> Bool {
        for index in start..<(stop - 1) where text[index] & 0x20 != 0 && text[index + 1] & 0x20 == 0 {
            return true
        }
        return false
    }

    private func endsInLoss(_ text: UnsafePointer<UInt8>, _ length: Int, _ stop: Int) -> Bool {
        guard length > 4 else { return false }
        let four = Self.four(text, stop - 4)
        return four == 0x5353_4F4C || four == 0x5943_4152
    }
}
