/// The text of a paste, up to the sequence that ends it.
public struct BracketedPaste: Sendable {
    /// The most bytes of a paste that are kept.
    public static let limit = 1 << 20
    private static let end = Array("\u{1B}[201~".utf8)

    private var bytes: [UInt8] = []
    /// The number of bytes of `end` that have been matched.
    private var matched = 0

    /// The text so far, without the end sequence.
    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Takes the next byte; returns `true` if it completes the end sequence.
    mutating func take(_ byte: UInt8) -> Bool {
        if byte == Self.end[self.matched] {
            self.matched += 1
            return self.matched == Self.end.count
        }
        // ESC occurs only at the start of the end sequence, so no other part of it can start another match.
        self.keep(Self.end.prefix(self.matched))
        self.matched = byte == 0x1B ? 1 : 0
        if byte != 0x1B { self.keep(CollectionOfOne(byte)) }
        return false
    }

    private mutating func keep(_ bytes: some Collection<UInt8>) {
        if self.bytes.count + bytes.count <= Self.limit { self.bytes.append(contentsOf: bytes) }
    }
}
