import Glibc
import VPTUICore

/// Reads the terminal directly, bypassing curses: bytes in, keys out.
struct TerminalInput {
    private var decoder: InputDecoder
    private let settings: InputDecoder.Settings
    /// False once the terminal is closed.
    private(set) var isOpen = true

    init(_ settings: InputDecoder.Settings) {
        self.settings = settings
        self.decoder = InputDecoder(settings: settings)
    }

    /// Seconds of the monotonic clock, which nobody can set.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The time to call `timedOut`, in seconds of `now`; nil if no sequence is half read.
    var deadline: Double? { self.decoder.deadline }

    /// Reads the available input without waiting for more. Call it when the terminal is readable.
    mutating func read() -> [InputDecoder.Event] {
        var events: [InputDecoder.Event] = []
        // A paste arrives in many pieces; one frame is enough for all that have arrived.
        for _ in 0..<16 {
            let bytes = self.readBytes()
            guard !bytes.isEmpty else { break }
            events += self.decoder.feed(bytes, at: Self.now)
            guard Self.isReadable(milliseconds: 0) else { break }
        }
        return events
    }

    mutating func timedOut() -> [InputDecoder.Event] { self.decoder.timedOut(at: Self.now) }

    /// Forgets a half-read sequence.
    mutating func reset() { self.decoder = InputDecoder(settings: self.settings) }

    /// Reads the terminal's outstanding answers, so that the shell does not get them.
    /// Keys typed in between are lost.
    mutating func drain(until limit: Double) {
        while self.isOpen {
            let left = limit - Self.now
            guard left > 0, Self.isReadable(milliseconds: Int32(left * 1000) + 1) else { return }
            if self.read().contains(.identified) { return }
        }
    }

    private mutating func readBytes() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        if count > 0 { return Array(bytes[..<count]) }
        // Only these results mean the end of the terminal: its side closed (0),
        // or it hung up (EIO and others).
        if count == 0 || (errno != EINTR && errno != EAGAIN) { self.isOpen = false }
        return []
    }

    private static func isReadable(milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) > 0
    }
}
