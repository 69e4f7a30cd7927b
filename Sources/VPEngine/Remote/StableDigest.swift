/// A short name for a longer text, the same in every run.
package enum StableDigest {
    /// FNV-1a over 64 bits, as sixteen hexadecimal digits. Nothing secret depends on it.
    package static func hex(_ text: String) -> String {
        let hex = String(self.hash(text.utf8), radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }

    package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes {
            hash ^= UInt64(byte)
            hash &*= 0x0000_0100_0000_01b3
        }
        return hash
    }
}
