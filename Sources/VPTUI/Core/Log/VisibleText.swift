import Foundation

/// The visible text of a line's bytes, by the rules of `LogBuffer`, for searches: they examine far more lines
/// than are ever drawn.
enum VisibleText {
    static func needsStripping(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress else { return false }
        return memchr(base, 0x1B, line.count) != nil || memchr(base, 0x0D, line.count) != nil
    }

    static func strip(_ line: UnsafeRawBufferPointer, into text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        var isReturned = false
        var index = 0
        while index < line.count {
            let byte = line[index]
            index += 1
            switch byte {
            case 0x1B:
                let start = index
                index = Self.endOfSequence(line, index)
                let sequence = line[start..<index]
                guard sequence.last == UInt8(ascii: "K"),
                    let move = LogCursorMove(
                        Array(sequence.dropFirst().dropLast()), final: sequence.last ?? 0)
                else { continue }
                if move == .eraseRow || isReturned { text.removeAll(keepingCapacity: true) }
            case 0x0D: isReturned = true
            case 0x09:
                if isReturned { text.removeAll(keepingCapacity: true) }
                isReturned = false
                text.append(0x20)
            case 0x20...0x7E, 0x80...0xFF:
                if isReturned { text.removeAll(keepingCapacity: true) }
                isReturned = false
                text.append(byte)
            default: break
            }
        }
    }

    /// Returns the index at which the text continues after an escape character at `start - 1`.
    private static func endOfSequence(_ line: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard start < line.count else { return start }
        var index = start + 1
        switch line[start] {
        case UInt8(ascii: "["):
            while index < line.count, 0x20...0x3F ~= line[index] { index += 1 }
            return index < line.count && 0x40...0x7E ~= line[index] ? index + 1 : index
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            while index < line.count {
                if line[index] == 0x07 { return index + 1 }
                if line[index] == 0x1B {
                    return index + 1 < line.count && line[index + 1] == UInt8(ascii: "\\") ? index + 2 : index
                }
                index += 1
            }
            return index
        case 0x20...0x2F: return min(line.count, index + 1)
        case 0x1B: return start
        default: return index
        }
    }
}
