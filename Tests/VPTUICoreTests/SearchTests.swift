import Testing
import VPTUICore
import VPTestSupport

/// Words in texts, however long both are and wherever the words lie.
@Suite struct SearchTests {
    /// Few letters, so that there are many half matches.
    @Test(arguments: 0..<40 as Range<UInt64>) func findsWhatALookAtEveryPlaceFinds(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let letters = Array("aAb1 {[".utf8)
        func text(_ length: Int) -> [UInt8] {
            (0..<length).map { _ in letters.randomElement(using: &random)! }
        }
        for _ in 0..<50 {
            let haystack = text(Int.random(in: 0...200, using: &random))
            let word = text(Int.random(in: 1...12, using: &random))
            guard let matcher = TextMatcher(TextPattern("." + String(decoding: word, as: UTF8.self))) else {
                Issue.record("no matcher for a word")
                return
            }
            // The dot keeps `!` and `~` away, which would mean something.
            let needle = [UInt8(ascii: ".")] + word
            let dotted = haystack.flatMap { $0 == UInt8(ascii: "1") ? [$0, UInt8(ascii: ".")] : [$0] }
            #expect(
                matcher.matches(in: String(decoding: dotted, as: UTF8.self))
                    == Self.matches(needle, in: dotted))
        }
    }

    /// At every distance from the words and vectors that the search is made in.
    @Test(arguments: 1...20) func findsAWordAtEveryPlace(_ length: Int) throws {
        let word = String("needle in a haystack".prefix(length))
        let matcher = try #require(TextMatcher(TextPattern(word)))
        for place in 0..<100 {
            let text =
                String(repeating: ".", count: place) + word.uppercased() + String(repeating: ".", count: 45)
            #expect(matcher.matches(in: text) == [place..<(place + length)])
            #expect(matcher.matches(in: String(text.dropLast(45))) == [place..<(place + length)])
        }
        #expect(matcher.matches(in: String(repeating: ".", count: 300)) == [])
    }

    @Test(arguments: [
        ("Loss", "loss LOSS Loss", [10..<14]), ("é1", "É1 é1", [4..<7]), ("[x", "{x [X", [3..<5]),
    ])
    func casesAreThoseOfASCIILetters(_ word: String, _ text: String, _ expected: [Range<Int>]) throws {
        #expect(try #require(TextMatcher(TextPattern(word))).matches(in: text) == expected)
    }

    private static func matches(_ needle: [UInt8], in text: [UInt8]) -> [Range<Int>] {
        let isExact = needle.contains { 0x41...0x5A ~= $0 }
        func folded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            bytes.map { !isExact && 0x41...0x5A ~= $0 ? $0 + 0x20 : $0 }
        }
        var found: [Range<Int>] = []
        var start = 0
        while start + needle.count <= text.count {
            if folded(text[start..<(start + needle.count)]) == folded(needle[...]) {
                found.append(start..<(start + needle.count))
                start += needle.count
            } else {
                start += 1
            }
        }
        return found
    }
}
