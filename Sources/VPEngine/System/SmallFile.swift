import Foundation

/// Files that are small by their nature, in places where others may have put anything: a pipe, a device,
/// gigabytes.
package enum SmallFile {
    /// The limit in bytes; no settings and no rules are longer.
    private static let largest = 1 << 20

    /// Returns the contents of `path`; nil if it is no plain file, cannot be read or exceeds the limit.
    package static func bytes(at path: String, followsLinks: Bool = true) -> [UInt8]? {
        let descriptor = open(
            path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followsLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG,
            information.st_size <= Self.largest
        else { return nil }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        return (try? handle.read(upToCount: Self.largest) ?? Data()).map { [UInt8]($0) }
    }

    /// The same as text; nil also if it is not UTF-8.
    package static func text(at path: String, followsLinks: Bool = true) -> String? {
        Self.bytes(at: path, followsLinks: followsLinks).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
