import Foundation

/// Files that are small by their nature, in places where others may have put anything: a pipe,
/// a device, gigabytes.
package enum SmallFile {
    /// No settings and no rules are longer, in bytes.
    private static let largest = 1 << 20

    /// What `path` holds; nil for what is no plain file, cannot be read or is larger than such files are.
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

    /// The same as text; nil also for what is no UTF-8.
    package static func text(at path: String, followsLinks: Bool = true) -> String? {
        Self.bytes(at: path, followsLinks: followsLinks).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
