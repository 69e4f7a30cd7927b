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

    /// The path for display: bytes that are not UTF-8 and control characters are replaced.
    package var description: String {
        String(
            String(decoding: self.bytes, as: UTF8.self).unicodeScalars.map { scalar in
                scalar.value < 0x20 || scalar.value == 0x7f ? "?" : Character(scalar)
            })
    }

    /// The folder that contains it; nil for an entry of the root.
    package var parent: SyncPath? {
        self.bytes.lastIndex(of: Self.slash).map { SyncPath(self.bytes[..<$0]) }
    }

    /// The folders above it, nearest first.
    package var ancestors: some Sequence<SyncPath> {
        sequence(state: self) { path -> SyncPath? in
            guard let parent = path.parent else { return nil }
            path = parent
            return parent
        }
    }

    /// One word of shell text that means this path below the current folder, whatever bytes it contains.
    package var shellWord: [UInt8] {
        // In single quotes every byte but NUL is itself, newlines and broken UTF-8 included.
        let quote = UInt8(ascii: "'")
        var word = Array("'./".utf8)
        for byte in self.bytes { word += byte == quote ? Array("'\\''".utf8) : [byte] }
        return word + [quote]
    }

    package static let slash = UInt8(ascii: "/")

    // Hashes all bytes at once: an array hashes element by element, and a hundred thousand paths are looked
    // up several times in each sync.
    package func hash(into hasher: inout Hasher) {
        self.bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.bytes.withUnsafeBytes { left in
            rhs.bytes.withUnsafeBytes { right in
                let count = min(left.count, right.count)
                let order = count == 0 ? 0 : memcmp(left.baseAddress!, right.baseAddress!, count)
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }

    /// True for a path below `folder`.
    package func isBelow(_ folder: SyncPath) -> Bool {
        self.bytes.count > folder.bytes.count + 1 && self.bytes[folder.bytes.count] == Self.slash
            && self.bytes.starts(with: folder.bytes)
    }

    /// Calls `body` with the absolute path below `root`, as a C string.
    package func withAbsolutePath<Result>(below root: String, _ body: (UnsafePointer<CChar>) -> Result)
        -> Result
    {
        var path = Array(root.utf8)
        path.append(Self.slash)
        path.append(contentsOf: self.bytes)
        path.append(0)
        return path.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }
}

/// The attributes that identify a version of a file without reading it.
package struct FileEntry: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable {
        case file = 0x66  // f
        case symbolicLink = 0x6c  // l
        /// A folder that is in a tree only if it is empty: the others are made for their contents.
        case folder = 0x64  // d
        /// A device, socket or pipe. Trees contain none; only an entry that blocks a file's path can be one.
        case other = 0x6f  // o
    }

    /// How a version differs from an earlier one.
    package enum Change: Hashable, Sendable {
        case none, permissions, content
        /// Size, time and permission bits are the same, but the inode has changed since, so the content may
        /// differ.
        case unclear
    }

    package var kind: Kind
    /// The size in bytes; of a link, the length of its target; of a folder, 0.
    package var size: Int64
    /// Nanoseconds since 1970; 0 for a folder. For a link, a digest of its target: that is its content, and
    /// cheaper to obtain than a meaningful time.
    package var modified: Int64
    /// Permission bits.
    package var mode: UInt32
    /// When the inode of a file last changed, in nanoseconds since 1970; 0 if that is not known, and for all
    /// other kinds. A program that changes a file's content can restore its old time, but not this one.
    package var inodeChanged: Int64

    package init(kind: Kind, size: Int64, modified: Int64, mode: UInt32, inodeChanged: Int64 = 0) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.mode = mode
        self.inodeChanged = inodeChanged
    }

    package init(_ information: stat) {
        let kind: Kind =
            switch information.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFLNK: .symbolicLink
            case S_IFDIR: .folder
            default: .other
            }
        self.init(
            kind: kind, size: NumberRange.bytes.clamp(Int64(information.st_size)),
            modified: Self.nanoseconds(
                seconds: Int64(information.st_mtim.tv_sec), fraction: Int64(information.st_mtim.tv_nsec)),
            mode: information.st_mode & 0o7777,
            inodeChanged: kind == .file
                ? Self.nanoseconds(
                    seconds: Int64(information.st_ctim.tv_sec),
                    fraction: Int64(information.st_ctim.tv_nsec)) : 0)
        if kind == .folder { (self.size, self.modified) = (0, 0) }
    }

    /// Returns a file's time; a time that 64 bits cannot hold becomes the nearest that they can, on both
    /// sides alike.
    static func nanoseconds(seconds: Int64, fraction: Int64) -> Int64 {
        NumberRange.fileTime.clamp(seconds) * 1_000_000_000 + max(0, min(999_999_999, fraction))
    }

    package init(linkTo target: some Sequence<UInt8>) {
        let target = Array(target)
        // Sixty-two bits, so that it can be written like a time.
        let digest = Int64(StableDigest.hash(target) >> 2)
        self.init(kind: .symbolicLink, size: Int64(target.count), modified: digest, mode: 0o777)
    }

    /// Reads the entry at `path` below `root`; nil if there is none.
    package init?(at path: SyncPath, below root: String) {
        let entry = path.withAbsolutePath(below: root) { FileEntry(named: $0, in: AT_FDCWD) }
        guard let entry else { return nil }
        self = entry
    }

    /// Reads the entry called `name` in the folder that `folder` is open on.
    init?(named name: UnsafePointer<CChar>, in folder: Int32) {
        var information = stat()
        guard fstatat(folder, name, &information, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(information)
        guard self.kind == .symbolicLink else { return }
        let target = Array<UInt8>(unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { buffer in
                max(0, readlinkat(folder, name, buffer.baseAddress!, buffer.count))
            }
        }
        self.init(linkTo: target)
    }

    /// True if both are the same version, seen on two machines: rsync keeps size and time, so a copy compares
    /// equal to its source.
    ///
    /// Permission bits do not count, since not every file system keeps them.
    package func isSameVersion(as other: FileEntry) -> Bool {
        guard self.kind == other.kind && self.size == other.size else { return false }
        if self.modified == other.modified { return true }
        guard self.kind == .file else { return false }
        // A file system with times coarser than nanoseconds drops the rest on its side.
        return Self.stepsOfTime.contains { step in
            (self.modified % step == 0 || other.modified % step == 0)
                && self.modified / step == other.modified / step
        }
    }

    /// Resolutions of file times in nanoseconds: NTFS, many network file systems, exFAT, tar and old ones,
    /// FAT.
    private static let stepsOfTime: [Int64] = [
        100, 1_000, 1_000_000, 10_000_000, 1_000_000_000, 2_000_000_000,
    ]

    /// Returns how a file has changed since it was seen as `earlier` on the same machine.
    package func change(since earlier: FileEntry) -> Change {
        guard self.kind == earlier.kind, self.size == earlier.size, self.modified == earlier.modified else {
            return .content
        }
        // A link's permission bits mean nothing, and a folder's depend on the program that made it.
        guard self.kind == .file else { return .none }
        if self.mode != earlier.mode { return .permissions }
        let isKnown = self.inodeChanged != 0 && earlier.inodeChanged != 0
        return isKnown && self.inodeChanged != earlier.inodeChanged ? .unclear : .none
    }

    /// The same version without its inode's time, which a rename changes as well.
    var withoutInode: FileEntry {
        var entry = self
        entry.inodeChanged = 0
        return entry
    }
}

/// Files, links and empty folders by path: one side of a workspace.
package typealias FileTree = [SyncPath: FileEntry]

/// The same content, as each side shows it.
///
/// Both are kept because they need not look alike: a file system may drop fractions of a second or permission
/// bits, and equal content may have been written on each side at another time.
package struct AgreedEntry: Hashable, Sendable {
    package var here: FileEntry
    package var there: FileEntry
    /// True if the version there was sent from here. Files created there are never deleted there.
    package var wasSent: Bool

    package init(here: FileEntry, there: FileEntry, wasSent: Bool = false) {
        self.here = here
        self.there = there
        self.wasSent = wasSent
    }
}

/// The versions that both sides last agreed on, by path.
package typealias AgreedTree = [SyncPath: AgreedEntry]
