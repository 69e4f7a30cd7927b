import Glibc
import Synchronization

/// The modes of the terminal behind standard input, changed until `restore()`.
///
/// A signal that ends or stops the process restores the modes first,
/// because a shell is unusable on a terminal without echo. Signals with a watch of their own go to that
/// watch, which restores when it leaves; all others come here.
final class TerminalModes: Sendable {
    private let before: termios
    private let changed: termios
    private let watch = Mutex<SignalWatch?>(nil)

    /// nil if standard input is no terminal.
    ///
    /// - Parameter forgetsTyped: `true` discards earlier typing,
    ///   so that it does not answer the next question.
    init?(forgetsTyped: Bool = false, _ change: (inout termios) -> Void) {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        self.before = before
        var changed = before
        change(&changed)
        self.changed = changed
        // Installed before the change: a signal between the two would find no watch.
        let watch = SignalWatch([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP], isLast: true) { [weak self] in
            self?.leave($0)
        }
        self.watch.withLock { $0 = watch }
        tcsetattr(STDIN_FILENO, forgetsTyped ? TCSAFLUSH : TCSANOW, &changed)
    }

    /// Restores the modes. Calling it again changes nothing.
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
            // SIGSTOP stops the process as SIGTSTP would, also in a session without a shell.
            // It goes to this thread: taken by another, it could stop this one a moment later, after the
            // modes have changed again.
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
