/// SplitMix64: small, fast, and the same on every machine, so a seed always gives the same catalogue.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func double(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func chance(_ probability: Double) -> Bool { self.double(0...1) < probability }
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[self.int(0...(elements.count - 1))]
    }

    /// Lower-case hexadecimal digits, for tokens and digests.
    mutating func hex(_ digits: Int) -> String {
        var text = ""
        while text.count < digits {
            let word = String(self.next(), radix: 16)
            text += String(repeating: "0", count: 16 - word.count) + word
        }
        return String(text.prefix(digits))
    }
}
