/// Reads and writes the records that identify files: `type size seconds.fraction,seconds.fraction mode` and a
/// NUL-terminated path. The second time is the inode's; earlier versions did not store it.
///
/// find on the instance prints this form, and manifests are stored in it.
enum TreeRecords {
    struct Reader {
        private var bytes: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

        var isAtEnd: Bool { self.bytes.isEmpty }

        /// The rest of the record, up to 1000 bytes.
        var preview: SyncPath { SyncPath(self.bytes.prefix { $0 != 0 }.prefix(1000)) }

        /// Reads `f 12 1795400000.1234567890,1795400001.5 644 `, including the blank at its end.
        mutating func entry() -> FileEntry? {
            guard let type = self.bytes.popFirst(), let kind = FileEntry.Kind(rawValue: type),
                self.skip(0x20),
                // A size larger than any disk is clamped to the largest value, as for local files.
                let number = self.number(), number >= 0, self.skip(0x20), let time = self.time(),
                let inode = self.inodeTime(),
                self.skip(0x20),
                let mode = self.number(radix: 8), self.skip(0x20)
            else { return nil }
            return kind == .folder
                ? FileEntry(kind: kind, size: 0, modified: 0, mode: UInt32(truncatingIfNeeded: mode))
                : FileEntry(
                    kind: kind, size: NumberRange.bytes.clamp(number), modified: time,
                    mode: UInt32(truncatingIfNeeded: mode), inodeChanged: kind == .file ? inode : 0)
        }

        /// Reads `,1795400001.5`; 0 if there is none.
        private mutating func inodeTime() -> Int64? {
            guard self.bytes.first == UInt8(ascii: ",") else { return 0 }
            self.bytes.removeFirst()
            return self.time()
        }

        /// Reads `l path`: a link, whose target follows as another path. Returns nil, and reads nothing, for
        /// other records.
        mutating func link() -> SyncPath? {
            guard self.bytes.first == FileEntry.Kind.symbolicLink.rawValue else { return nil }
            self.bytes = self.bytes.dropFirst(2)
            return self.path()
        }

        /// Reads `1 ` or `0 `.
        mutating func flag() -> Bool? {
            guard let digit = self.number(), self.skip(0x20) else { return nil }
            return digit == 1
        }

        mutating func path() -> SyncPath? {
            guard let end = self.bytes.firstIndex(of: 0), end > self.bytes.startIndex else { return nil }
            defer { self.bytes = self.bytes[(end + 1)...] }
            return SyncPath(self.bytes[..<end])
        }

        private mutating func skip(_ byte: UInt8) -> Bool { self.bytes.popFirst() == byte }

        /// nil if no digit follows or if the number does not fit; with `saturates`, the nearest number that
        /// does.
        mutating func number(radix: Int64 = 10, saturates: Bool = false) -> Int64? {
            let isNegative = self.bytes.first == UInt8(ascii: "-")
            if isNegative { self.bytes.removeFirst() }
            var value: Int64 = 0
            var digits = 0
            while let byte = self.bytes.first, byte >= 0x30, Int64(byte) < 0x30 + radix {
                let (product, isTooLarge) = value.multipliedReportingOverflow(by: radix)
                let (sum, overflows) = product.addingReportingOverflow(Int64(byte) - 0x30)
                if isTooLarge || overflows {
                    guard saturates else { return nil }
                    value = .max
                } else {
                    value = sum
                }
                digits += 1
                self.bytes.removeFirst()
            }
            return digits == 0 ? nil : isNegative ? -value : value
        }

        /// Reads seconds with or without a fraction as nanoseconds; digits after the ninth are cut.
        private mutating func time() -> Int64? {
            guard let seconds = self.number(saturates: true) else { return nil }
            guard self.bytes.first == UInt8(ascii: ".") else {
                return FileEntry.nanoseconds(seconds: seconds, fraction: 0)
            }
            self.bytes.removeFirst()
            var fraction: Int64 = 0
            var scale: Int64 = 1_000_000_000
            while let byte = self.bytes.first, byte >= 0x30, byte <= 0x39 {
                if scale > 1 {
                    scale /= 10
                    fraction += (Int64(byte) - 0x30) * scale
                }
                self.bytes.removeFirst()
            }
            return FileEntry.nanoseconds(seconds: seconds, fraction: fraction)
        }
    }

    static func write(_ entry: FileEntry, to bytes: inout [UInt8]) {
        bytes.append(entry.kind.rawValue)
        bytes.append(contentsOf: " \(entry.size) ".utf8)
        Self.write(time: entry.modified, to: &bytes)
        if entry.inodeChanged != 0 {
            bytes.append(UInt8(ascii: ","))
            Self.write(time: entry.inodeChanged, to: &bytes)
        }
        bytes.append(contentsOf: " \(String(entry.mode, radix: 8)) ".utf8)
    }

    private static func write(time: Int64, to bytes: inout [UInt8]) {
        let second: Int64 = 1_000_000_000
        let fraction = ((time % second) + second) % second
        let digits = String(fraction)
        bytes.append(contentsOf: "\((time - fraction) / second).".utf8)
        bytes.append(contentsOf: repeatElement(0x30, count: 9 - digits.utf8.count))
        bytes.append(contentsOf: digits.utf8)
    }

    static func write(_ flag: Bool, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: flag ? "1 ".utf8 : "0 ".utf8)
    }

    static func write(_ path: SyncPath, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: path.bytes)
        bytes.append(0)
    }

    /// All records of `bytes`; nil if one cannot be read.
    static func tree(_ bytes: ArraySlice<UInt8>) -> FileTree? {
        var reader = Reader(bytes)
        var tree: FileTree = [:]
        while !reader.isAtEnd {
            guard let entry = reader.entry(), let path = reader.path() else { return nil }
            tree[path] = entry
        }
        return tree
    }
}
