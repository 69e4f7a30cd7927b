/// The checksum of cksum(1), a program that every machine has: CRC-32 with the polynomial of Ethernet, most
/// significant bit first, over the bytes and then their number.
///
/// It is implemented here because it is two dozen lines, and calling the program costs every run some
/// milliseconds. It takes eight bytes at a time, with eight tables: one by one, a log of a gigabyte would
/// take seconds.
package struct POSIXChecksum: Sendable {
    private static let tables: [[UInt32]] = {
        let first = (0..<256).map { index in
            (0..<8).reduce(UInt32(index) << 24) { sum, _ in
                sum & 0x8000_0000 == 0 ? sum << 1 : (sum << 1) ^ 0x04c1_1db7
            }
        }
        var tables = [first]
        for _ in 1..<8 {
            tables.append(tables[tables.count - 1].map { ($0 << 8) ^ first[Int($0 >> 24)] })
        }
        return tables
    }()
    private static let flat: [UInt32] = Self.tables.flatMap(\.self)

    private var sum: UInt32 = 0
    private var count: UInt64 = 0

    package init() {}

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        var sum = self.sum
        bytes.withUnsafeBytes { buffer in
            Self.flat.withUnsafeBufferPointer { table in
                var index = 0
                let end = buffer.count
                while index + 8 <= end {
                    let word = UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                    let mixed = word ^ (UInt64(sum) << 32)
                    sum =
                        table[1792 + Int(mixed >> 56)] ^ table[1536 + Int(mixed >> 48 & 255)]
                        ^ table[1280 + Int(mixed >> 40 & 255)] ^ table[1024 + Int(mixed >> 32 & 255)]
                        ^ table[768 + Int(mixed >> 24 & 255)] ^ table[512 + Int(mixed >> 16 & 255)]
                        ^ table[256 + Int(mixed >> 8 & 255)] ^ table[Int(mixed & 255)]
                    index += 8
                }
                while index < end {
                    sum = (sum << 8) ^ table[Int((sum >> 24) ^ UInt32(buffer[index]))]
                    index += 1
                }
            }
        }
        self.sum = sum
        self.count += UInt64(bytes.count)
    }

    package var value: UInt32 {
        var sum = self.sum
        var left = self.count
        while left > 0 {
            sum = (sum << 8) ^ Self.flat[Int((sum >> 24) ^ UInt32(left & 255))]
            left >>= 8
        }
        return ~sum
    }
}
