/// A short digest of a longer text, the same in every run.
package enum StableDigest {
    /// Returns FNV-1a over 64 bits, as sixteen hexadecimal digits. Nothing secret depends on it.
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

    /// Returns a digest of one version of one file.
    package static func hash(_ path: [UInt8], _ entry: FileEntry) -> UInt64 {
        var hash = path.withUnsafeBufferPointer { self.hash($0) }
        func mix(_ figure: UInt64) {
            // SplitMix64's finisher: figures that differ in one bit change half of all bits.
            hash = (hash ^ figure) &+ 0x9e37_79b9_7f4a_7c15
            hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
            hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
            hash ^= hash >> 31
        }
        mix(UInt64(entry.kind.rawValue))
        mix(UInt64(bitPattern: entry.size))
        mix(UInt64(bitPattern: entry.modified))
        mix(UInt64(entry.mode))
        mix(UInt64(bitPattern: entry.inodeChanged))
        return hash
    }
}
