import Glibc
import Synchronization

/// The modes of the terminal behind standard input, changed until `restore()`.
///
/// Whatever ends or stops the process meanwhile leaves them as they were:
/// a shell that comes back to a terminal without echo is of no use. Signals that somebody watches are theirs,
/// and they restore when they leave; all others come here.
final class TerminalModes: Sendable {
    private let before: termios
    private let changed: termios
    private let watch = Mutex<SignalWatch?>(nil)

    /// nil where standard input is no terminal.
    ///
    /// - Parameter forgetsTyped: true throws away what was typed before,
    ///   so that it is no answer to what comes.
    init?(forgetsTyped: Bool = false, _ change: (inout termios) -> Void) {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        self.before = before
        var changed = before
        change(&changed)
        self.changed = changed
        // Before the change: a signal between the two would find nobody.
        let watch = SignalWatch([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP], isLast: true) { [weak self] in
            self?.leave($0)
        }
        self.watch.withLock { $0 = watch }
        tcsetattr(STDIN_FILENO, forgetsTyped ? TCSAFLUSH : TCSANOW, &changed)
    }

    /// The modes are as before. Calling it again changes nothing.
    func restore() {
        let watch = self.watch.withLock { watch in
            defer { watch = nil }
            return watch
        }
        guard let watch else { return }
        self.set(self.before)
        watch.end()
    }

    private func leave(_ signal: Int32) {
        self.set(self.before)
        if signal == SIGTSTP {
            // As SIGTSTP would, also in a session without a shell. To this thread:
            // one that another thread takes may stop this one a moment later,
            // when it has changed the modes again.
            raise(SIGSTOP)
            if self.watch.withLock({ $0 != nil }) { self.set(self.changed) }
        } else {
            Glibc.signal(signal, SIG_DFL)
            kill(getpid(), signal)
        }
    }

    private func set(_ modes: termios) {
        var modes = modes
        tcsetattr(STDIN_FILENO, TCSANOW, &modes)
    }
}
