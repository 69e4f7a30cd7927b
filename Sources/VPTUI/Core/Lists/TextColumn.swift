/// A column of texts. They repeat (there are few kinds of GPU): each is kept once, and a row has its number.
struct TextColumn: Sendable {
    /// In no text: UTF-8 never has it.
    private static let separator: UInt8 = 0xFF

    /// The texts, each with a separator behind it.
    private var bytes: [UInt8] = []
    /// Where each of them begins in `bytes`, and where they end.
    private var starts: [Int32] = [0]
    /// Which one each row has; -1 for none.
    private var numbers: [Int32] = []

    /// The number of each text, while they are appended.
    private var known: [String: Int32] = [:]

    init() {}

    init(_ texts: [String?]) {
        for (row, text) in texts.enumerated() { if let text { self.append(text, at: row) } }
        self.finish(rowCount: texts.count)
    }

    var isEmpty: Bool { self.bytes.isEmpty }

    /// Rows come in order; those that are passed over have no text.
    mutating func append(_ text: String, at row: Int) {
        self.fill(upTo: row)
        if let number = self.known[text] {
            self.numbers.append(number)
            return
        }
        let number = Int32(self.known.count)
        self.known[text] = number
        self.numbers.append(number)
        self.bytes.append(contentsOf: text.utf8)
        self.bytes.append(Self.separator)
        self.starts.append(Int32(self.bytes.count))
    }

    /// Nothing is appended any more.
    mutating func finish(rowCount: Int) {
        self.fill(upTo: rowCount)
        self.known = [:]
    }

    /// Rows that have had no text have none.
    private mutating func fill(upTo row: Int) {
        while self.numbers.count < row { self.numbers.append(-1) }
    }

    private var textCount: Int { self.starts.count - 1 }

    /// Where each row's text stands in the order of all; not a number where there is none.
    var ranks: [Double] {
        let texts = (0..<self.textCount).map { number in
            String(
                decoding: self.bytes[Int(self.starts[number])..<(Int(self.starts[number + 1]) - 1)],
                as: UTF8.self)
        }
        var ranks = Array(repeating: 0.0, count: texts.count)
        for (rank, number) in texts.indices.sorted(by: { texts[$0] < texts[$1] }).enumerated() {
            ranks[number] = Double(rank)
        }
        return self.numbers.map { $0 < 0 ? .nan : ranks[Int($0)] }
    }

    /// Sets the rows whose text has a match, negation aside.
    func mark(_ matcher: TextMatcher, in rows: inout [Bool]) {
        let matches = self.matches(matcher)
        guard matches.contains(true) else { return }
        for (row, number) in self.numbers.enumerated() where number >= 0 && matches[Int(number)] {
            rows[row] = true
        }
    }

    /// Which texts have a match.
    private func matches(_ matcher: TextMatcher) -> [Bool] {
        var matches = Array(repeating: false, count: self.textCount)
        self.bytes.withUnsafeBytes { bytes in
            if let needle = matcher.needle {
                // All at once: the needle has no separator, so that no match is in two of them.
                var number = 0
                var place = 0
                while let hit = needle.firstIndex(in: bytes, from: place) {
                    while Int(self.starts[number + 1]) <= hit { number += 1 }
                    matches[number] = true
                    place = Int(self.starts[number + 1])
                }
            } else {
                for number in matches.indices {
                    let range = Int(self.starts[number])..<(Int(self.starts[number + 1]) - 1)
                    matches[number] =
                        matcher.firstMatch(in: UnsafeRawBufferPointer(rebasing: bytes[range])) != nil
                }
            }
        }
        return matches
    }
}
