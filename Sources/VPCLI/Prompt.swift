import Foundation
import Glibc

/// Asks questions on a terminal. Questions go to stderr, because stdout is for the answer.
struct Prompt {
    let terminal: Terminal

    /// Returns the typed line, or `fallback` for an empty line, at the end of input, and if a signal with a
    /// `SignalWatch` comes first.
    func text(_ question: String, fallback: String) -> String {
        let answer = self.line("\(question)\(fallback.isEmpty ? "" : " [\(fallback)]"): ") ?? ""
        return answer.isEmpty ? fallback : answer
    }

    /// Returns the typed line without surrounding blanks; nil at the end of input, and if a signal with a
    /// `SignalWatch` comes first.
    func line(_ question: String) -> String? {
        Terminal.write(question.utf8, to: STDERR_FILENO)
        guard self.waitForLine(), let line = readLine() else {
            Terminal.note("")
            return nil
        }
        return line.trimmingCharacters(in: .whitespaces)
    }

    /// Returns `false` if a signal came before a line. A terminal gives one line at a time,
    /// so none waits in the buffer of `readLine`; input from elsewhere needs no waiting.
    private func waitForLine() -> Bool {
        guard self.terminal.inputIsTTY else { return true }
        let before = SignalWatch.arrivals
        while SignalWatch.arrivals == before {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 100) > 0 { return true }
        }
        return false
    }

    /// Returns `true` only for an explicit yes.
    func confirm(_ question: String) -> Bool {
        let answer = self.text("\(question) [y/N]", fallback: "").lowercased()
        return answer == "y" || answer == "yes"
    }

    /// Reads a secret without showing it; from a pipe, it reads the first line.
    static func secret(_ question: String, terminal: Terminal) throws -> String {
        guard terminal.inputIsTTY else {
            guard let line = readLine(), !line.isEmpty else {
                throw CommandFailure(
                    code: "usage", message: "A key of `-` is read from standard input, but that is empty.",
                    advice: "Redirect it from a file: vp config-set --vast-api-key - < key.txt",
                    status: Status.usage)
            }
            return line
        }
        Terminal.write("\(question): ".utf8, to: STDERR_FILENO)
        guard let modes = TerminalModes(forgetsTyped: true, { $0.c_lflag &= ~tcflag_t(ECHO) }) else {
            return readLine() ?? ""
        }
        let watch = SignalWatch([SIGINT, SIGTERM, SIGHUP, SIGQUIT]) { _ in }
        let line = Prompt(terminal: terminal).waitForLine() ? readLine() ?? "" : nil
        modes.restore()
        watch.end()
        Terminal.note("")
        guard let line else { throw ExitStatus(status: 128 + (SignalWatch.newest ?? SIGINT)) }
        return line
    }
}
