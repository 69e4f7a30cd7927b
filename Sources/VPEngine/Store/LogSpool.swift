import Foundation
import Synchronization

/// The local copy of one of a job's logs: a file that is only ever appended to, by one program at a time, and
/// read by any number.
///
/// An index beside it, `<path>.times`, records when which byte arrived: lines of milliseconds since 1970 and
/// an offset.
package final class LogSpool: Sendable {
    private struct State {
        var size: Int64
        var indexedAt: Int64 = 0
    }

    package let path: String
    private let descriptor: Int32
    private let index: Int32
    private let state: Mutex<State>

    /// Opens, or makes, the file.
    ///
    /// Nil if another program appends to it: two would double every byte. The lock ends with its program,
    /// however that ends.
    package init?(path: String) throws(EngineError) {
        try PrivateFolder.make((path as NSString).deletingLastPathComponent)
        let flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path) }
        var lock = Self.lock(Int16(F_WRLCK))
        guard fcntl(descriptor, Self.setLock, &lock) == 0 else {
            close(descriptor)
            return nil
        }
        self.path = path
        self.descriptor = descriptor
        // Without an index the log is complete, but cannot be searched by time.
        self.index = open(Self.indexPath(path), flags, 0o600)
        self.state = Mutex(State(size: Int64(lseek(descriptor, 0, SEEK_END))))
    }

    deinit {
        // A child that is forked at this moment shares the open file, and with it the lock, until it becomes
        // another program: closing alone would leave the lock held.
        var lock = Self.lock(Int16(F_UNLCK))
        _ = fcntl(self.descriptor, Self.setLock, &lock)
        close(self.descriptor)
        if self.index >= 0 { close(self.index) }
    }

    package var size: Int64 { self.state.withLock(\.size) }

    /// Appends `bytes` and returns their offset.
    package func append(_ bytes: [UInt8]) throws(EngineError) -> Int64 {
        let written: Result<Int64, EngineError> = self.state.withLock { state in
            guard Self.write(bytes, to: self.descriptor) else {
                let failure = Self.failure(self.path)
                // A part that was written is removed: the size is where following continues.
                ftruncate(self.descriptor, off_t(state.size))
                return .failure(failure)
            }
            let now = Int64(saturating: Date().timeIntervalSince1970 * 1000)
            if self.index >= 0, now - state.indexedAt >= Self.indexPause {
                state.indexedAt = now
                _ = Self.write(Array("\(now) \(state.size)\n".utf8), to: self.index)
            }
            defer { state.size += Int64(bytes.count) }
            return .success(state.size)
        }
        return try written.get()
    }

    /// Empties the file, because it turned out not to be a copy.
    package func reset() {
        self.state.withLock { state in
            ftruncate(self.descriptor, 0)
            if self.index >= 0 { ftruncate(self.index, 0) }
            state = State(size: 0)
        }
    }

    /// Returns the cksum(1) of the first `count` bytes.
    package func checksum(of count: Int64) throws(EngineError) -> UInt32 {
        var sum = POSIXChecksum()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var offset: Int64 = 0
        while offset < count {
            let wanted = Int(min(Int64(buffer.count), count - offset))
            let got = pread(self.descriptor, &buffer, wanted, off_t(offset))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw Self.failure(self.path) }
            sum.add(buffer[..<got])
            offset += Int64(got)
        }
        return sum.value
    }

    /// True while a program appends to `path`.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // The lock is queried without taking it: a program that wants to append at this moment must not find
        // it taken.
        var lock = Self.lock(Int16(F_WRLCK))
        return fcntl(descriptor, Self.getLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }

    /// Returns the offset of the first byte of `path` that may have arrived at `date` or later.
    package static func offset(in path: String, at date: Date) -> Int64 {
        let moment = Int64(saturating: date.timeIntervalSince1970 * 1000)
        var last: Int64 = 0
        for (time, offset) in Self.index(of: path) {
            last = offset
            // Bytes that arrived within the pause after an entry have no entry of their own.
            if time + Self.indexPause > moment { return offset }
        }
        return (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64) ?? last
    }

    /// Returns when which byte of `path` arrived, at most once for each second.
    package static func arrivals(in path: String) -> [(date: Date, offset: Int64)] {
        var arrivals: [(date: Date, offset: Int64)] = []
        var last = Int64.min
        for (time, offset) in Self.index(of: path) where time.subtractingSaturated(last) >= 1000 {
            last = time
            arrivals.append((Date(timeIntervalSince1970: Double(time) / 1000), offset))
        }
        return arrivals
    }

    /// Returns the entries of the index; lines that are none are left out.
    private static func index(of path: String) -> [(milliseconds: Int64, offset: Int64)] {
        let lines = FileManager.default.contents(atPath: self.indexPath(path)) ?? Data()
        return String(decoding: lines, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let time = NumberRange.milliseconds.read(words[0]),
                let offset = NumberRange.bytes.read(words[1])
            else { return nil }
            return (time, offset)
        }
    }

    private static func indexPath(_ path: String) -> String { path + ".times" }

    private static let indexPause: Int64 = 250

    // These are locks of the open file and not of the process, like flock()'s, but they can be queried
    // without taking them. Linux has had them since 3.15; their numbers are the same on every machine.
    private static let getLock: Int32 = 36
    private static let setLock: Int32 = 37

    private static func lock(_ type: Int16) -> flock {
        flock(l_type: type, l_whence: Int16(SEEK_SET), l_start: 0, l_len: 0, l_pid: 0)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Foundation.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }

    private static func failure(_ path: String) -> EngineError {
        PrivateFolder.failure(.init("writing the local copy of the log", subject: path))
    }
}
