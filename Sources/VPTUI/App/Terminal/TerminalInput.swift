import Glibc
import VPTUICore

/// Reads the terminal, past curses: bytes in, keys out.
struct TerminalInput {
    private var decoder: InputDecoder
    private let settings: InputDecoder.Settings
    /// False once nobody is at the other end.
    private(set) var isOpen = true

    init(_ settings: InputDecoder.Settings) {
        self.settings = settings
        self.decoder = InputDecoder(settings: settings)
    }

    /// Seconds of a clock that nobody sets.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// When `timedOut` has something to say, in seconds of `now`; nil while nothing is half read.
    var deadline: Double? { self.decoder.deadline }

    /// Whatever has come, without waiting for more. Call it when the terminal is readable.
    mutating func read() -> [InputDecoder.Event] {
        var events: [InputDecoder.Event] = []
        // A paste comes in many pieces, and one frame is enough for all that are here.
        for _ in 0..<16 {
            let bytes = self.readBytes()
            guard !bytes.isEmpty else { break }
            events += self.decoder.feed(bytes, at: Self.now)
            guard Self.isReadable(milliseconds: 0) else { break }
        }
        return events
    }

    mutating func timedOut() -> [InputDecoder.Event] { self.decoder.timedOut(at: Self.now) }

    /// Forgets what is half read.
    mutating func reset() { self.decoder = InputDecoder(settings: self.settings) }

    /// Takes in what the terminal still has to answer, so that the shell does not get it.
    /// Keys among it are lost.
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
        // Nothing but this is the terminal's end: its side closed (0), or hung up (EIO and others).
        if count == 0 || (errno != EINTR && errno != EAGAIN) { self.isOpen = false }
        return []
    }

    private static func isReadable(milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, milliseconds) > 0
    }
}
