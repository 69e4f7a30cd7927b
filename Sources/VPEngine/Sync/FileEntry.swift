import Foundation

/// A path relative to a workspace's root, as the bytes the file system gave: not every name is UTF-8.
package struct SyncPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    package init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// For people: bytes that are not UTF-8 and control characters are replaced.
    package var description: String {
        String(
            String(decoding: self.bytes, as: UTF8.self).unicodeScalars.map { scalar in
                scalar.value < 0x20 || scalar.value == 0x7f ? "?" : Character(scalar)
            })
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.bytes.lexicographicallyPrecedes(rhs.bytes)
    }

    /// Calls `body` with the absolute path below `root`, as a C string.
    package func withAbsolutePath<Result>(below root: String, _ body: (UnsafePointer<CChar>) -> Result)
        -> Result
    {
        var path = Array(root.utf8)
        path.append(UInt8(ascii: "/"))
        path.append(contentsOf: self.bytes)
        path.append(0)
        return path.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }
}

/// What identifies a version of a file without reading it.
package struct FileEntry: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case file = 0x66  // f
        case symbolicLink = 0x6c  // l
    }

    package var kind: Kind
    /// In bytes; of a link, the length of its target.
    package var size: Int64
    /// Nanoseconds since 1970.
    package var modified: Int64
    /// Permission bits.
    package var mode: UInt32

    package init(kind: Kind, size: Int64, modified: Int64, mode: UInt32) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.mode = mode
    }

    /// The same version: rsync keeps both figures, so a copy compares equal to its source.
    ///
    /// Permission bits are left out: a change of mode alone must not look like a change of content.
    package func isSameVersion(as other: FileEntry) -> Bool {
        guard self.kind == other.kind && self.size == other.size else { return false }
        if self.modified == other.modified { return true }
        // A file system that keeps whole seconds only drops the fraction on its side.
        let second: Int64 = 1_000_000_000
        guard self.modified % second == 0 || other.modified % second == 0 else { return false }
        return self.modified / second == other.modified / second
    }
}

/// Files by path: one side of a workspace, or the state both sides last agreed on.
package typealias FileTree = [SyncPath: FileEntry]
