import Glibc

/// The three streams that a program is started with, which may be closed, full, or without a reader.
package enum StandardStreams {
    /// Puts `/dev/null` in the place of those that are closed: the next file that is opened, a database for
    /// example, would get their number, and what is said on stderr would be written into it.
    package static func open() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest free number, which is this one.
            _ = Glibc.open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
        }
    }

    /// Writes all of `bytes` at once and unbuffered. False where nobody takes them: the reader is gone,
    /// the disk is full, the stream is closed. That ends no program.
    @discardableResult
    package static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
        let bytes = ContiguousArray(bytes)
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            if written > 0 {
                done += written
            } else if written < 0, errno == EAGAIN {
                var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&poller, 1, -1)
            } else if written == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }
}
