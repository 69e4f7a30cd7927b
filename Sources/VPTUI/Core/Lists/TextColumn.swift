/// A column of texts. Texts repeat (there are few GPU models), so each is stored once, and a
/// row holds its number.
struct TextColumn: Sendable {
    /// A byte that occurs in no text, because UTF-8 never uses it.
    private static let separator: UInt8 = 0xFF

    /// The texts, each followed by a separator.
    private var bytes: [UInt8] = []
    /// The offset in `bytes` at which each text begins, and the end of the last one.
    private var starts: [Int32] = [0]
    /// Each row's text number; -1 for none.
    private var numbers: [Int32] = []

    /// The number of each text; only needed while texts are appended.
    private var known: [String: Int32] = [:]

    init() {}

    init(_ texts: [String?]) {
        for (row, text) in texts.enumerated() { if let text { self.append(text, at: row) } }
        self.finish(rowCount: texts.count)
    }

    var isEmpty: Bool { self.bytes.isEmpty }

    /// Appends a row's text. Rows come in order; skipped rows have no text.
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

    /// Ends appending, and fills the rows up to `rowCount`.
    mutating func finish(rowCount: Int) {
        self.fill(upTo: rowCount)
        self.known = [:]
    }

    /// Marks the rows before `row` that got no text.
    private mutating func fill(upTo row: Int) {
        while self.numbers.count < row { self.numbers.append(-1) }
    }

    private var textCount: Int { self.starts.count - 1 }

    /// Each row's rank in the order of all texts; NaN for a row without one.
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

    /// Sets the rows whose text contains a match, ignoring negation.
    func mark(_ matcher: TextMatcher, in rows: inout [Bool]) {
        let matches = self.matches(matcher)
        guard matches.contains(true) else { return }
        for (row, number) in self.numbers.enumerated() where number >= 0 && matches[Int(number)] {
            rows[row] = true
        }
    }

    /// Returns for each text whether it contains a match.
    private func matches(_ matcher: TextMatcher) -> [Bool] {
        var matches = Array(repeating: false, count: self.textCount)
        self.bytes.withUnsafeBytes { bytes in
            if let needle = matcher.needle {
                // All texts are searched at once: the needle contains no separator, so a match
                // cannot span two texts.
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
