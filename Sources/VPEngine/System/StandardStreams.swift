import Glibc

/// The three streams that a program is started with, which may be closed, full, or without a reader.
package enum StandardStreams {
    /// Replaces closed streams with `/dev/null`: the next file to be opened, a database for example, would
    /// otherwise get their number, and messages to stderr would be written into it.
    package static func open() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // open() returns the lowest free number, which is this one.
            _ = Glibc.open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
        }
    }

    /// Writes all of `bytes` at once and unbuffered. Returns false if that is impossible because the reader
    /// is gone, the disk is full or the stream is closed. None of these ends the program.
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
