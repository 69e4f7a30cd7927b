import Glibc

/// Delivers signals as bytes in a pipe that the loop polls, and restores the
/// terminal when the process crashes.
///
/// A handler may interrupt anything, also a lock: it touches nothing but the three plain globals below, which
/// are written once, before the handlers are installed.
enum Signals {
    /// The write end of the pipe. Only `install` writes it; a handler reads one aligned integer.
    nonisolated(unsafe) fileprivate static var writeEnd: Int32 = -1
    /// The terminal's modes as they were found. Only `install` writes it; a handler reads the pointer.
    nonisolated(unsafe) fileprivate static var savedModes: UnsafeMutablePointer<termios>?

    /// The signal that asked for the end; 0 for none. Only a handler writes it.
    nonisolated(unsafe) fileprivate static var ending: Int32 = 0

    /// All signals that end a process by default, including the real-time signals, which have no names (the C
    /// library keeps those below 34).
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
        // The parent process may have blocked some; this thread handles them all.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_UNBLOCK, &all, nil)
        return ends[0]
    }

    /// Handles the signals of Ctrl-C and Ctrl-z again.
    static func takeKeys() {
        for number in [SIGTSTP, SIGINT] { signal(number, noteSignal) }
    }

    /// Stops this process as a shell expects after Ctrl-z; returns when it is continued.
    ///
    /// Like the terminal, it stops the whole process group: a script or `timeout` that waits for the
    /// dashboard would otherwise keep the shell waiting as well.
    static func stop() {
        signal(SIGTSTP, SIG_IGN)
        kill(0, SIGTSTP)
        signal(SIGTSTP, SIG_DFL)
        raise(SIGTSTP)
        signal(SIGTSTP, noteSignal)
    }

    /// Restores the terminal without curses, which may have been interrupted at any point.
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

/// Lets the loop end in order; if that takes more than a second (a terminal that accepts no
/// output), `giveUp` ends the process.
private func noteEnd(_ number: Int32) {
    noteSignal(number)
    Signals.ending = number
    alarm(1)
}

private func giveUp(_ number: Int32) {
    // The alarm is not ours if nobody has asked for the end yet: `timeout -s ALRM` does so with it.
    guard Signals.ending != 0 else { return noteEnd(number) }
    Signals.restoreTerminal()
    _exit(128 + Signals.ending)
}

private func crash(_ number: Int32) {
    signal(number, SIG_DFL)
    Signals.restoreTerminal()
    raise(number)
}
