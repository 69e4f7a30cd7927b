import Glibc

/// Signals as bytes in a pipe that the loop polls, and a last resort for a process that is going down.
///
/// A handler may interrupt anything, also a lock: it touches nothing but the three plain globals below, which
/// are written once, before the handlers are installed.
enum Signals {
    /// The write end of the pipe. Only `install` writes it; a handler reads one aligned integer.
    nonisolated(unsafe) fileprivate static var writeEnd: Int32 = -1
    /// The terminal's modes as they were found. Only `install` writes it; a handler reads the pointer.
    nonisolated(unsafe) fileprivate static var savedModes: UnsafeMutablePointer<termios>?

    /// The signal that asked for the end. Only a handler writes it.
    nonisolated(unsafe) fileprivate static var ending = SIGHUP

    /// All that end a process that does not expect them,
    /// those of no name included (from the first that is free on).
    private static let endings: [Int32] =
        [
            SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
            SIGSTKFLT,
        ] + (34...64)

    /// Returns the descriptor to poll; each byte read from it is a signal's number.
    static func install() -> Int32 {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "the process has no file descriptor left")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        Self.writeEnd = ends[1]
        let modes = UnsafeMutablePointer<termios>.allocate(capacity: 1)
        if tcgetattr(STDIN_FILENO, modes) == 0 { Self.savedModes = modes }
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGWINCH, SIGCONT] { signal(number, noteSignal) }
        Self.takeKeys()
        for number in Self.endings { signal(number, noteEnd) }
        signal(SIGALRM, giveUp)
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGSYS] { signal(number, crash) }
        // Whoever started us may have blocked them; all are ours to handle, on this thread.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
        return ends[0]
    }

    /// Makes the signals of Ctrl-C and Ctrl-z ours.
    static func takeKeys() {
        for number in [SIGTSTP, SIGINT] { signal(number, noteSignal) }
    }

    /// Stops this process as a shell expects of Ctrl-z; returns when it is continued.
    ///
    /// As the terminal does, it stops all that were started with us:
    /// a script or `timeout` that waits for us would otherwise keep the shell waiting as well.
    static func stop() {
        signal(SIGTSTP, SIG_IGN)
        kill(0, SIGTSTP)
        signal(SIGTSTP, SIG_DFL)
        raise(SIGTSTP)
        signal(SIGTSTP, noteSignal)
    }

    /// Puts the terminal back without curses, which may be in the middle of anything.
    fileprivate static func restoreTerminal() {
        // CAN ends the sequence that curses may be in the middle of: it would swallow the first of these.
        // Paste brackets off, mouse and focus off, colours off, cursor on, normal keypad, main screen.
        let sequence: StaticString =
            "\u{18}\u{1B}[?2004l\u{1B}[?1000l\u{1B}[?1004l\u{1B}[?1006l\u{1B}[0m\u{1B}[?25h\u{1B}[?1l\u{1B}>\u{1B}[?1049l"
        _ = write(STDOUT_FILENO, sequence.utf8Start, sequence.utf8CodeUnitCount)
        if let modes = Self.savedModes { tcsetattr(STDIN_FILENO, TCSANOW, modes) }
    }
}

private func noteSignal(_ number: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(Signals.writeEnd, &byte, 1)
    errno = saved
}

/// The loop ends in order; when it cannot within a second (a terminal that takes no output),
/// `giveUp` ends it.
private func noteEnd(_ number: Int32) {
    noteSignal(number)
    Signals.ending = number
    alarm(1)
}

private func giveUp(_: Int32) {
    Signals.restoreTerminal()
    _exit(128 + Signals.ending)
}

private func crash(_ number: Int32) {
    signal(number, SIG_DFL)
    Signals.restoreTerminal()
    raise(number)
}
