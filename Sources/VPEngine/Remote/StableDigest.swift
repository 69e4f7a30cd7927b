/// A short name for a longer text, the same in every run.
package enum StableDigest {
    /// FNV-1a over 64 bits, as sixteen hexadecimal digits. Nothing secret depends on it.
    package static func hex(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash &*= 0x0000_0100_0000_01b3
        }
        let hex = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - hex.count) + hex
    }
}
