import Glibc

/// What waits on standard input.
enum StandardInput {
    /// Whether there is something to read, where it is a pipe, a socket or a file:
    /// a terminal waits for questions, and a pipe on which nothing comes is how many programs start others.
    ///
    /// - Parameter milliseconds: how long a pipe may take to say so.
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
