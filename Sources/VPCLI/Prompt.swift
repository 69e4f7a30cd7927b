import Foundation
import Glibc

/// Questions to a person at a terminal. Asked on stderr, so that stdout stays the answer.
struct Prompt {
    let terminal: Terminal

    /// The line that was typed; `fallback` for an empty one, at the end of input,
    /// and where a signal comes first that `SignalWatch` takes.
    func text(_ question: String, fallback: String) -> String {
        let hint = fallback.isEmpty ? "" : " [\(fallback)]"
        Terminal.write("\(question)\(hint): ".utf8, to: STDERR_FILENO)
        guard self.waitForLine() else {
            Terminal.note("")
            return fallback
        }
        let answer = readLine()?.trimmingCharacters(in: .whitespaces) ?? ""
        return answer.isEmpty ? fallback : answer
    }

    /// False where a signal came before a line did. A terminal gives one line at a time,
    /// so that none waits in our own buffer; from elsewhere lines come without anybody to wait for.
    private func waitForLine() -> Bool {
        guard self.terminal.inputIsTTY else { return true }
        let before = SignalWatch.arrivals
        while SignalWatch.arrivals == before {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 100) > 0 { return true }
        }
        return false
    }

    /// True only for a clear yes.
    func confirm(_ question: String) -> Bool {
        let answer = self.text("\(question) [y/N]", fallback: "").lowercased()
        return answer == "y" || answer == "yes"
    }

    /// A secret, typed without being shown; from a pipe, the first line of stdin.
    static func secret(_ question: String, terminal: Terminal) throws -> String {
        guard terminal.inputIsTTY else {
            guard let line = readLine(), !line.isEmpty else {
                throw CommandFailure(
                    code: "usage", message: "A key of `-` is read from standard input, which is empty.",
                    advice: "Pipe it in: vp config-set --vast-api-key - < key.txt", status: Status.usage)
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
