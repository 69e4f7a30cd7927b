import Glibc

/// Data on standard input.
enum StandardInput {
    /// Whether a pipe, a socket or a file on standard input has data. A terminal never counts,
    /// because it serves for questions; neither does an empty pipe,
    /// because many programs start others with one.
    ///
    /// - Parameter milliseconds: the time that a pipe gets for its first data.
    static func isWaiting(patience milliseconds: Int32) -> Bool {
        var status = stat()
        guard fstat(STDIN_FILENO, &status) == 0 else { return false }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return lseek(STDIN_FILENO, 0, SEEK_CUR) < status.st_size
        case S_IFIFO, S_IFSOCK:
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, milliseconds) > 0 else { return false }
            var count: Int32 = 0
            return ioctl(STDIN_FILENO, UInt(FIONREAD), &count) == 0 && count > 0
        default: return false
        }
    }
}
