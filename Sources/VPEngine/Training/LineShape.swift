import CBytes
import Foundation

/// A line's end, its shape and the shape's hash, found in one pass over its bytes.
///
/// The shape is the text with all digits alike: a program prints the same shape again and again.
/// One value serves all lines, one after the other.
final class LineShape {
    /// Longer lines have no shape.
    static let longest = 4096

    /// The text with `0` instead of each digit.
    let bytes: UnsafeMutablePointer<UInt8>
    private let line: UnsafeMutablePointer<vp_line>

    var length: Int { @inline(__always) get { self.line.pointee.length } }
    /// The hash of the shape; 0 if the line has none.
    var hash: UInt64 { @inline(__always) get { self.line.pointee.hash } }
    var hasEscape: Bool { @inline(__always) get { self.line.pointee.has_escape } }

    init() {
        let count = Self.longest + Int(VP_BLOCK)
        self.bytes = .allocate(capacity: count)
        self.bytes.initialize(repeating: 0, count: count)
        self.line = .allocate(capacity: 1)
        self.line.initialize(to: vp_line())
    }

    deinit {
        self.bytes.deallocate()
        self.line.deallocate()
    }

    /// Reads the line that begins at `start`. Returns `false` if it does not end within `count` bytes.
    @inline(__always)
    func read(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        vp_read_line(start, min(count, Self.longest), self.bytes, self.line)
            || (count >= Self.longest && self.readLong(start, count))
    }

    private func readLong(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let end = LineBytes.end(start, 0, count)
        guard end < count else { return false }
        let hasEscape = memchr(start, 0x1B, min(end, LineBytes.limit)) != nil
        self.line.pointee = vp_line(length: end, hash: 0, has_escape: hasEscape)
        return true
    }
}
