import Foundation
import Glibc
import VPEngine
import VPTUICore

/// Waits, decides, draws: the loop that owns the terminal and the state.
///
/// It waits in `poll` on keys, signals and the mailbox, takes everything that has come, applies it, and draws
/// once. Nothing else reads or changes the state.
final class UILoop {
    enum End: Equatable {
        case quit
        /// The signal that asked for the end.
        case signalled(Int32)
        /// Nobody is at the other end of the terminal any more.
        case terminalGone
    }

    /// Sixty frames a second are as many as anybody sees of what comes by itself. A key is painted at once, and so is
    /// what comes next: it may be what the key has asked for.
    private static let frameInterval: TimeInterval = 1.0 / 60

    private let terminal: CursesTerminal
    private let mailbox: Mailbox
    private let runner: EffectRunner
    private let signals: Int32
    private let themes: ThemeChoice
    private var input = CursesInput()
    private(set) var state: State
    private var end: End?
    private var needsFrame = false
    /// When something came by itself and was painted, since the last key.
    private var lastFrame = Date.distantPast
    private var nextTick = Date()
    private var historyStamp: HistoryStamp
    private var emptyReads = 0

    init(
        terminal: CursesTerminal, mailbox: Mailbox, runner: EffectRunner, signals: Int32, themes: ThemeChoice,
        state: State
    ) {
        self.themes = themes
        self.terminal = terminal
        self.mailbox = mailbox
        self.runner = runner
        self.signals = signals
        self.state = state
        self.historyStamp = runner.historyStamp
    }

    func run() -> End {
        // From the cache, before anybody is asked.
        self.draw()
        if self.themes.isAutomatic { self.terminal.askForBackground() }
        self.perform(self.state.begin())
        while true {
            if let end = self.end { return end }
            self.turn()
        }
    }

    private func turn() {
        var waits = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.signals, events: Int16(POLLIN), revents: 0),
        ]
        // An interrupted wait is followed by everything else: its signal is in the pipe.
        _ = poll(&waits, 3, self.timeout())
        if waits[2].revents != 0 { self.takeSignals() }
        if self.end != nil { return }
        var isTyped = false
        if waits[0].revents != 0 { isTyped = self.takeKeys(waits[0].revents) }
        for message in self.mailbox.drain() { self.apply(message) }
        let now = Date()
        if now >= self.nextTick {
            self.apply(.tick(now))
            self.lookAtHistory()
            self.nextTick = .distantFuture
        }
        // What came just now may have made the next second worth a look.
        self.nextTick = min(self.nextTick, now.addingTimeInterval(self.state.tickInterval))
        guard self.needsFrame, self.end == nil else { return }
        if isTyped {
            self.draw()
            self.lastFrame = .distantPast
        } else if now.timeIntervalSince(self.lastFrame) >= Self.frameInterval || now < self.lastFrame {
            self.draw()
            self.lastFrame = Date()
        }
    }

    /// Another `vp` may have started a job, or seen one end.
    private func lookAtHistory() {
        // While the jobs are read, nobody can say whether a change was before or after.
        guard !self.state.jobsPoll.isAsking else { return }
        let stamp = self.runner.historyStamp
        guard stamp != self.historyStamp else { return }
        self.historyStamp = stamp
        self.apply(.historyChanged)
    }

    /// Until the next tick, or until the next frame may be drawn.
    private func timeout() -> Int32 {
        let now = Date()
        var wait = self.nextTick.timeIntervalSince(now)
        if self.needsFrame {
            wait = min(wait, self.lastFrame.addingTimeInterval(Self.frameInterval).timeIntervalSince(now))
        }
        return Int32(max(0, min(60, wait)) * 1000) + (wait > 0 ? 1 : 0)
    }

    /// Returns true when something was typed.
    private func takeKeys(_ events: Int16) -> Bool {
        let now = Date()
        var isTyped = false
        for event in self.input.read() {
            isTyped = true
            switch event {
            case .key(let key): self.apply(.key(key, at: now))
            case .pasted(let text): self.apply(.pasted(text, at: now))
            case .mouse(let event): self.apply(.mouse(event, at: now))
            case .background(let isLight): self.adopt(isLight: isLight)
            }
            if self.end != nil { return true }
        }
        if isTyped {
            self.emptyReads = 0
        } else {
            // Readable, and nothing to read: that is the end of the input. Half an escape sequence looks the
            // same for a moment.
            self.emptyReads += 1
            if self.emptyReads > 3 { self.end = .terminalGone }
        }
        if Int32(events) & (POLLHUP | POLLERR | POLLNVAL) != 0 { self.end = .terminalGone }
        return isTyped
    }

    private func takeSignals() {
        var numbers = [UInt8](repeating: 0, count: 64)
        let count = read(self.signals, &numbers, numbers.count)
        for number in numbers.prefix(max(0, count)).map(Int32.init) {
            switch number {
            case SIGWINCH: self.resize()
            case SIGTSTP: self.suspend()
            case SIGCONT: self.repaint()
            case SIGINT: self.apply(.key(.control("c"), at: Date()))
            default: self.end = .signalled(number)
            }
        }
    }

    private func apply(_ message: Message) {
        // Output of a job that is not on screen changes nothing here.
        if case .engine(.jobOutput(let job, _, _), _) = message, job != self.state.log.job { return }
        self.needsFrame = true
        self.perform(update(&self.state, message))
    }

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .quit: self.end = .quit
            case .suspend: self.suspend()
            case .redraw: self.repaint()
            case .copy(let text): self.terminal.copy(text)
            case .toggleTheme:
                self.terminal.theme = self.themes.next(after: self.terminal.theme)
                self.needsFrame = true
            case .openShell(let id, let argv): self.openShell(id, argv)
            default: self.runner.run(effect)
            }
        }
    }

    private func draw() {
        self.needsFrame = false
        self.terminal.present(view(self.state))
    }

    private func adopt(isLight: Bool) {
        guard self.themes.isAutomatic else { return }
        self.terminal.theme = isLight ? .light : .dark
        self.needsFrame = true
    }

    private func resize() {
        self.terminal.adoptSize()
        self.apply(.resized(self.terminal.size))
    }

    private func repaint() {
        self.terminal.adoptSize()
        self.apply(.resized(self.terminal.size))
    }

    private func suspend() {
        self.terminal.close()
        Signals.stop()
        self.terminal.reopen()
        self.apply(.resized(self.terminal.size))
    }

    private func openShell(_ id: InstanceID, _ argv: [String]) {
        self.terminal.close()
        FileHandle.standardOutput.write(Data("Shell on \(id); `exit` comes back to the dashboard.\n".utf8))
        let status = ShellSession.run(argv)
        self.terminal.reopen()
        self.apply(.resized(self.terminal.size))
        self.apply(.shellEnded(id, exitStatus: status))
    }
}
