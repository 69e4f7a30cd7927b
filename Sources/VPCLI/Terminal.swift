import Foundation
import Glibc
import Synchronization
import VPEngine

/// The kinds of the standard streams, and writing to them.
struct Terminal: Sendable {
    var inputIsTTY: Bool
    var outputIsTTY: Bool
    var errorIsTTY: Bool
    var outputHasColour: Bool
    var errorHasColour: Bool
    /// `false` on terminals without UTF-8, where marks and bars are drawn in ASCII.
    var hasUnicode: Bool

    init(environment: [String: String]) {
        self.inputIsTTY = isatty(STDIN_FILENO) == 1
        self.outputIsTTY = isatty(STDOUT_FILENO) == 1
        self.errorIsTTY = isatty(STDERR_FILENO) == 1
        self.outputHasColour = Self.hasColour(isTTY: self.outputIsTTY, environment)
        self.errorHasColour = Self.hasColour(isTTY: self.errorIsTTY, environment)
        // As for setlocale(), the first variable that is set decides.
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].lazy
            .compactMap { environment[$0] }.first { !$0.isEmpty }?.uppercased() ?? ""
        self.hasUnicode =
            (locale.contains("UTF-8") || locale.contains("UTF8")) && environment["TERM"] != "linux"
    }

    /// Any `NO_COLOR` wins, then `CLICOLOR_FORCE`, a dumb or missing terminal, and `CLICOLOR=0`.
    static func hasColour(isTTY: Bool, _ environment: [String: String]) -> Bool {
        if let value = environment["NO_COLOR"], !value.isEmpty { return false }
        if let value = environment["CLICOLOR_FORCE"], !value.isEmpty, value != "0" { return true }
        guard isTTY, let term = environment["TERM"], !term.isEmpty, term != "dumb" else { return false }
        return environment["CLICOLOR"] != "0"
    }

    /// Whether a line on stderr can be redrawn.
    var canRedraw: Bool {
        self.errorIsTTY && ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
    }

    var canAsk: Bool { self.inputIsTTY && self.errorIsTTY }

    /// The number of columns of the terminal on stderr.
    var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    // MARK: - Writing

    /// Writes all of `bytes` at once and unbuffered, so that a job's output is never delayed.
    ///
    /// Returns `false` if the reader has gone away (`vp logs x | head`).
    @discardableResult
    static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
        if StandardStreams.write(bytes, to: descriptor) { return true }
        // stdout is the answer; a reader that has gone away wants no more of it.
        let number = errno
        if descriptor == STDOUT_FILENO { Self.noteFailure(number) }
        return false
    }

    /// The reason why part of the answer could not be written; nil if all of it was.
    static var outputFailure: String? {
        Self.failure.withLock(\.self).map { String(cString: strerror($0)) }
    }

    static func noteFailure(_ number: Int32) {
        guard number != EPIPE else { return }
        Self.failure.withLock { if $0 == nil { $0 = number } }
    }

    private static let failure = Mutex<Int32?>(nil)

    static func print(_ line: String) { Self.write((line + "\n").utf8, to: STDOUT_FILENO) }

    static func note(_ line: String) { Self.write((line + "\n").utf8, to: STDERR_FILENO) }

    /// Replaces control characters in `text`: names and messages come from servers and must not control the
    /// terminal.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: Self.isControl) else { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { clean.append(Self.isControl(scalar) ? "?" : scalar) }
        return String(clean)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }
}

/// The few colours that `vp` uses, by meaning.
enum Style: String {
    case good = "32"
    case busy = "33"
    case bad = "31"
    case strong = "1"
    case faint = "2"

    func apply(_ text: String, if isOn: Bool) -> String {
        isOn && !text.isEmpty ? "\u{1B}[\(self.rawValue)m\(text)\u{1B}[0m" : text
    }
}
