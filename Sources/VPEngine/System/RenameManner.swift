import Foundation

/// Ways of renaming that never replace a file unnoticed.
package enum RenameManner: UInt32, Sendable {
    // Values of RENAME_NOREPLACE and RENAME_EXCHANGE in <linux/fs.h>.
    case withoutReplacing = 1
    /// Each file takes the other's place.
    case exchanging = 2

    private typealias Renameat2 =
        @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32

    // glibc has had it since 2.28, and the Swift overlay does not export it.
    private static let renameat2 = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "renameat2").map {
        unsafeBitCast($0, to: Renameat2.self)
    }

    /// Renames, and returns nil or the error's number. Tests pass `asksKernel:
    /// false` to imitate a file system that lacks these flags, and `hasLinks: false` to imitate exFAT.
    func rename(
        _ from: Int32, _ source: UnsafePointer<CChar>, _ to: Int32, _ target: UnsafePointer<CChar>,
        asksKernel: Bool = true, hasLinks: Bool = true
    ) -> Int32? {
        let link: Link =
            hasLinks
            ? { linkat($0, $1, $2, $3, 0) }
            : { _, _, _, _ in
                errno = EPERM
                return -1
            }
        if asksKernel, let renameat2 = Self.renameat2 {
            if renameat2(from, source, to, target, self.rawValue) == 0 { return nil }
            // File systems that lack these flags (some network ones, exFAT) report that.
            guard errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP else { return errno }
        }
        return switch self {
        case .withoutReplacing: Self.linkAndUnlink(from, source, to, target, link)
        case .exchanging: Self.exchangeInSteps(from, source, to, target, link)
        }
    }

    private typealias Link = (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>) -> Int32

    private static func linkAndUnlink(
        _ from: Int32, _ source: UnsafePointer<CChar>, _ to: Int32, _ target: UnsafePointer<CChar>,
        _ link: Link
    ) -> Int32? {
        if link(from, source, to, target) == 0 {
            unlinkat(from, source, 0)
            return nil
        }
        // The file system has no hard links either (FAT, exFAT). A name that was created exclusively is ours
        // to replace.
        guard errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK else {
            return errno
        }
        var information = stat()
        guard fstatat(from, source, &information, AT_SYMLINK_NOFOLLOW) == 0 else { return errno }
        let holder = openat(to, target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard holder >= 0 else { return errno }
        close(holder)
        guard renameat(from, source, to, target) == 0 else {
            let number = errno
            unlinkat(to, target, 0)
            return number
        }
        return nil
    }

    private static func exchangeInSteps(
        _ from: Int32, _ source: UnsafePointer<CChar>, _ to: Int32, _ target: UnsafePointer<CChar>,
        _ link: Link
    ) -> Int32? {
        // A folder is never exchanged: the steps below would leave a moment without it.
        var information = stat()
        guard fstatat(to, target, &information, AT_SYMLINK_NOFOLLOW) == 0 else { return errno }
        guard information.st_mode & S_IFMT != S_IFDIR else { return EISDIR }
        let kept = SyncPath(Array(String(cString: source).utf8.prefix(240)) + Array(".replaced".utf8))
        return kept.withCString { kept in
            // The version that was there always has a name.
            if link(to, target, from, kept) == 0 {
                guard renameat(from, source, to, target) == 0 else {
                    let number = errno
                    unlinkat(from, kept, 0)
                    return number
                }
            } else {
                guard errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK else {
                    return errno
                }
                guard renameat(to, target, from, kept) == 0 else { return errno }
                if let number = Self.linkAndUnlink(from, source, to, target, link) {
                    _ = Self.linkAndUnlink(from, kept, to, target, link)
                    return number
                }
            }
            return renameat(from, kept, from, source) == 0 ? nil : errno
        }
    }
}
