/// What is pasted, up to the mark that ends it.
public struct BracketedPaste: Sendable {
    /// Bytes of a paste that are kept.
    public static let limit = 1 << 20
    private static let end = Array("\u{1B}[201~".utf8)

    private var bytes: [UInt8] = []
    /// Bytes of `end` that have been seen.
    private var matched = 0

    /// What has come, without the mark.
    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// True where `byte` completes the mark.
    mutating func take(_ byte: UInt8) -> Bool {
        if byte == Self.end[self.matched] {
            self.matched += 1
            return self.matched == Self.end.count
        }
        // ESC stands only at the beginning of the end, so that no other part of it can begin it.
        self.keep(Self.end.prefix(self.matched))
        self.matched = byte == 0x1B ? 1 : 0
        if byte != 0x1B { self.keep(CollectionOfOne(byte)) }
        return false
    }

    private mutating func keep(_ bytes: some Collection<UInt8>) {
        if self.bytes.count + bytes.count <= Self.limit { self.bytes.append(contentsOf: bytes) }
    }
}
