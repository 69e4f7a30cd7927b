import Foundation

/// A line's bytes without escape sequences: colours, cursor moves, links.
enum VisibleBytes {
    /// Copies at most `count` visible bytes and returns how many it copied.
    static func copy(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, to text: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var index = 0
        var length = 0
        while index < count {
            let rest = count - index
            let found = memchr(bytes + index, 0x1B, rest).map {
                bytes.distance(to: $0.assumingMemoryBound(to: UInt8.self))
            }
            let end = found ?? count
            memcpy(text + length, bytes + index, end - index)
            length += end - index
            guard found != nil else { break }
            index = Self.end(bytes, count, end + 1)
        }
        return length
    }

    /// Returns the index at which the text continues after an escape character at `start - 1`.
    private static func end(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ start: Int) -> Int {
        guard start < count else { return start }
        var index = start + 1
        switch bytes[start] {
        case 0x5B:
            while index < count, 0x20...0x3F ~= bytes[index] { index += 1 }
            return index < count && 0x40...0x7E ~= bytes[index] ? index + 1 : index
        case 0x5D, 0x50, 0x58, 0x5E, 0x5F:
            while index < count {
                if bytes[index] == 0x07 { return index + 1 }
                if bytes[index] == 0x1B {
                    return index + 1 < count && bytes[index + 1] == 0x5C ? index + 2 : index
                }
                index += 1
            }
            return index
        case 0x20...0x2F: return min(count, index + 1)
        case 0x1B: return start
        default: return index
        }
    }
}
