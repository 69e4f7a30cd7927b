import Foundation
import Glibc
import VPEngine

/// The question that Ctrl-C asks while vp follows a job. The key itself never kills anything.
struct DetachMenu {
    enum Choice { case detach, stop, keepWatching }

    static let question = "[d]etach (the job keeps running)  [s]top the job  [k]eep watching? "

    /// The choice for a key; nil for any other key.
    static func choice(for byte: UInt8) -> Choice? {
        switch byte {
        case UInt8(ascii: "d"), UInt8(ascii: "D"), 3, 4: .detach
        case UInt8(ascii: "s"), UInt8(ascii: "S"): .stop
        case UInt8(ascii: "k"), UInt8(ascii: "K"): .keepWatching
        default: nil
        }
    }

    /// Asks, and reads single keys until one is an answer. A second Ctrl-C,
    /// a terminal that goes away and `isOver` all detach: the job is safe either way.
    static func ask(until isOver: () -> Bool = { false }) -> Choice {
        let modes = TerminalModes { $0.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG) }
        defer {
            modes?.restore()
            Terminal.note("")
        }
        Terminal.write("\r\u{1B}[K\(Self.question)".utf8, to: STDERR_FILENO)
        while true {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 100) == 0 {
                if isOver() { return .detach }
                continue
            }
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 1 {
                if let choice = Self.choice(for: byte) { return choice }
            } else if count == 0 || errno != EINTR {
                return .detach
            }
        }
    }
}
