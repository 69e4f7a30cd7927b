import Foundation
import Glibc
import Synchronization
import VPEngine

/// What the standard streams are, and what may be written to them.
struct Terminal: Sendable {
    var inputIsTTY: Bool
    var outputIsTTY: Bool
    var errorIsTTY: Bool
    var outputHasColour: Bool
    var errorHasColour: Bool
    /// False on terminals without UTF-8: marks and bars are then drawn with ASCII.
    var hasUnicode: Bool

    init(environment: [String: String]) {
        self.inputIsTTY = isatty(STDIN_FILENO) == 1
        self.outputIsTTY = isatty(STDOUT_FILENO) == 1
        self.errorIsTTY = isatty(STDERR_FILENO) == 1
        self.outputHasColour = Self.hasColour(isTTY: self.outputIsTTY, environment)
        self.errorHasColour = Self.hasColour(isTTY: self.errorIsTTY, environment)
        // The first of these that is set decides, as for setlocale().
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].lazy
            .compactMap { environment[$0] }.first { !$0.isEmpty }?.uppercased() ?? ""
        self.hasUnicode =
            (locale.contains("UTF-8") || locale.contains("UTF8")) && environment["TERM"] != "linux"
    }

    /// `NO_COLOR` set to anything wins, then `CLICOLOR_FORCE`, a dumb or missing terminal, `CLICOLOR=0`.
    static func hasColour(isTTY: Bool, _ environment: [String: String]) -> Bool {
        if let value = environment["NO_COLOR"], !value.isEmpty { return false }
        if let value = environment["CLICOLOR_FORCE"], !value.isEmpty, value != "0" { return true }
        guard isTTY, let term = environment["TERM"], !term.isEmpty, term != "dumb" else { return false }
        return environment["CLICOLOR"] != "0"
    }

    /// True where a line can be redrawn.
    var canRedraw: Bool {
        self.errorIsTTY && ProcessInfo.processInfo.environment["TERM"] ?? "dumb" != "dumb"
    }

    var canAsk: Bool { self.inputIsTTY && self.errorIsTTY }

    /// Columns of the terminal behind stderr.
    var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    // MARK: - Writing

    /// Writes all of `bytes` at once and unbuffered: a job's output must not wait in here.
    ///
    /// False when nobody reads any more (`vp logs x | head`).
    @discardableResult
    static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
        if StandardStreams.write(bytes, to: descriptor) { return true }
        // stdout is the answer; a reader that has gone wants no more of it.
        let number = errno
        if descriptor == STDOUT_FILENO { Self.noteFailure(number) }
        return false
    }

    /// Why a part of the answer could not be written; nil where all of it was.
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

    /// `text` without control characters: names and messages come from servers,
    /// and must not steer a terminal.
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
