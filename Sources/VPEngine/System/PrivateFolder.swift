import Foundation

/// Folders and files that only this user may read.
package enum PrivateFolder {
    /// Makes `path` and its parents with mode 0700, and refuses a folder that belongs to another user.
    package static func make(_ path: String) throws(EngineError) {
        let activity = EngineError.Activity("creating \(path)", subject: path)
        var information = stat()
        if lstat(path, &information) == 0 {
            guard information.st_mode & S_IFMT == S_IFDIR else {
                throw EngineError(.fileSystem, activity, detail: "it exists and is not a folder")
            }
            guard information.st_uid == geteuid() else {
                throw EngineError(.fileSystem, activity, detail: "it belongs to another user")
            }
            if information.st_mode & 0o077 != 0 { chmod(path, 0o700) }
            return
        }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw Self.failure(activity)
        }
    }

    /// Replaces `path` with `bytes` and mode 0600: readers see the old file or the new one, never a part.
    package static func write(_ bytes: [UInt8], to path: String) throws(EngineError) {
        let activity = EngineError.Activity("writing \(path)", subject: path)
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(activity) }
        var written = 0
        let isWhole = bytes.withUnsafeBytes { buffer in
            while written < buffer.count {
                let count = Foundation.write(
                    descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
        let failure = Self.failure(activity)
        close(descriptor)
        guard isWhole else {
            unlink(temporary)
            throw failure
        }
        guard rename(temporary, path) == 0 else {
            let failure = Self.failure(activity)
            unlink(temporary)
            throw failure
        }
    }

    /// Returns the current `errno` as an error; a full disk has a code of its own.
    package static func failure(_ activity: EngineError.Activity) -> EngineError {
        EngineError(
            errno == ENOSPC || errno == EDQUOT ? .localDiskFull : .fileSystem, activity,
            detail: String(cString: strerror(errno)))
    }
}
