import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The loop that owns the terminal and the state: it waits, decides and draws.
///
/// It waits in `poll` for keys, signals and the mailbox, takes everything that has arrived, applies it, and
/// draws once. Nothing else reads or changes the state.
final class UILoop {
    enum End: Equatable {
        case quit
        /// The signal that ended the loop.
        case signalled(Int32)
        /// The terminal is closed.
        case terminalGone
    }

    /// The shortest time between frames that no key caused: more than sixty a second cannot be seen. A key is
    /// painted at once, and so is the next message, which may be the answer to that key.
    private static let frameInterval: TimeInterval = 1.0 / 60

    private let terminal: CursesTerminal
    private let mailbox: Mailbox
    private let runner: EffectRunner
    private let signals: Int32
    private let themes: ThemeChoice
    private var input: TerminalInput
    /// A shell has the terminal: the loop neither reads from it nor draws.
    private var isAway = false
    /// The time at which the terminal was asked a question that it has not answered yet, in
    /// seconds of `TerminalInput.now`.
    private var askedAt: Double?
    private(set) var state: State
    private var end: End?
    private var needsFrame = false
    /// The time of the last frame that no key caused; `distantPast` right after a key.
    private var lastFrame = Date.distantPast
    private var nextTick = Date()
    /// The time from which a tick may use a wake-up that something else caused.
    private var earliestTick = Date()
    private var wasLeftAlone = false
    private var historyStamp: HistoryStamp

    init(
        terminal: CursesTerminal, input: TerminalInput, mailbox: Mailbox, runner: EffectRunner,
        signals: Int32, themes: ThemeChoice, state: State
    ) {
        self.input = input
        self.themes = themes
        self.terminal = terminal
        self.mailbox = mailbox
        self.runner = runner
        self.signals = signals
        self.state = state
        self.historyStamp = runner.historyStamp
    }

    func run() -> End {
        // The first frame shows the cache, before any platform is asked.
        self.draw()
        if self.themes.isAutomatic {
            self.terminal.askForBackground()
            self.askedAt = TerminalInput.now
        }
        self.perform(self.state.begin())
        while true {
            if let end = self.end {
                self.leaveTerminal()
                return end
            }
            self.turn()
        }
    }

    private func turn() {
        var waits = [self.isAway ? -1 : STDIN_FILENO, self.mailbox.wakeDescriptor, self.signals].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        // An interrupted wait needs no special case: the signal is in the pipe.
        _ = poll(&waits, 3, self.timeout())
        if waits[2].revents != 0 { self.takeSignals() }
        if self.end != nil { return }
        let isTyped = self.takeKeys(Int32(waits[0].revents))
        let messages = self.mailbox.drain()
        for message in messages { self.apply(message) }
        let now = Date()
        let earliest = messages.isEmpty ? self.nextTick : min(self.nextTick, self.earliestTick)
        if now >= earliest {
            self.apply(.tick(now))
            self.lookAtHistory()
            self.nextTick = .distantFuture
            self.earliestTick = now.addingTimeInterval(State.shortestTickInterval)
            if self.state.isLeftAlone, !self.wasLeftAlone { ProgramCode.giveBack() }
            self.wasLeftAlone = self.state.isLeftAlone
        }
        // A message just now may have made the next second worth a tick.
        self.nextTick = min(self.nextTick, now.addingTimeInterval(self.state.tickInterval))
        guard self.needsFrame, self.end == nil, !self.isAway else { return }
        if isTyped {
            self.draw()
            self.lastFrame = .distantPast
        } else if now.timeIntervalSince(self.lastFrame) >= Self.frameInterval || now < self.lastFrame {
            self.draw()
            self.lastFrame = Date()
        }
    }

    /// Reloads the jobs if another `vp` may have started one or seen one end.
    private func lookAtHistory() {
        // While jobs are being read, it is unknown whether a change came before or after.
        guard !self.state.polls.jobs.isAsking else { return }
        let stamp = self.runner.historyStamp
        guard stamp != self.historyStamp else { return }
        self.historyStamp = stamp
        self.apply(.historyChanged)
    }

    /// The time until the next tick, or until the next frame may be drawn, in milliseconds.
    private func timeout() -> Int32 {
        let now = Date()
        var wait = self.nextTick.timeIntervalSince(now)
        if let deadline = self.input.deadline { wait = min(wait, deadline - TerminalInput.now) }
        if self.needsFrame, !self.isAway {
            wait = min(wait, self.lastFrame.addingTimeInterval(Self.frameInterval).timeIntervalSince(now))
        }
        return Int32(max(0, min(60, wait)) * 1000) + (wait > 0 ? 1 : 0)
    }

    /// Returns `true` if something was typed.
    private func takeKeys(_ ready: Int32) -> Bool {
        // A sequence is over if there is nothing to read at its deadline, however late the loop looks.
        let events = ready & POLLIN != 0 ? self.input.read() : self.input.timedOut()
        let now = Date()
        for event in events {
            switch event {
            case .key(let key): self.apply(.key(key, at: now))
            case .pasted(let text): self.apply(.pasted(text, at: now))
            case .mouse(let event): self.apply(.mouse(event, at: now))
            case .background(let color): self.adopt(background: color)
            case .identified: self.askedAt = nil
            }
            if self.end != nil { return true }
        }
        let isGone = ready & (POLLHUP | POLLERR | POLLNVAL) != 0 || !self.input.isOpen
        if isGone { self.end = .terminalGone }
        return !events.isEmpty
    }

    private func takeSignals() {
        var numbers = [UInt8](repeating: 0, count: 64)
        let count = read(self.signals, &numbers, numbers.count)
        for number in numbers.prefix(max(0, count)).map(Int32.init) {
            switch number {
            case SIGWINCH: if !self.isAway { self.repaint() }
            case SIGTSTP: self.suspend()
            case SIGCONT: if !self.isAway { self.repaint() }
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
        self.runner.perform(effects) { self.perform($0) }
    }

    private func perform(_ effect: TerminalEffect) {
        switch effect {
        case .quit: self.end = .quit
        case .suspend: self.suspend()
        case .redraw: self.repaint()
        case .copy(let text): self.terminal.copy(text)
        case .toggleTheme:
            self.terminal.theme = self.themes.next(after: self.terminal.theme)
            self.needsFrame = true
        case .openShell(let id, let argv): self.openShell(id, argv)
        }
    }

    private func draw() {
        self.needsFrame = false
        self.terminal.present(view(self.state))
    }

    private func adopt(background: String) {
        guard self.themes.isAutomatic, let isLight = TerminalBackground.isLight(background) else { return }
        self.terminal.theme = isLight ? .light : .dark
        self.needsFrame = true
    }

    private func repaint() {
        self.terminal.adoptSize()
        self.apply(.resized(self.terminal.size))
    }

    private func suspend() {
        self.leaveTerminal()
        let begun = self.runner.suspend(with: self.state)
        self.enterTerminal()
        if !begun.isEmpty { self.apply(.destroysHandedOver(begun)) }
    }

    /// Runs a shell on the terminal; everything else continues unseen meanwhile.
    private func openShell(_ id: InstanceID, _ argv: [String]) {
        guard !self.isAway else { return }
        self.leaveTerminal()
        StandardStreams.write(
            "Shell on \(id); `exit` returns to the dashboard.\n".utf8, to: STDOUT_FILENO)
        let shell = ShellSession(argv) { [mailbox] in mailbox.wake() }
        self.isAway = true
        while shell.exitStatus == nil, self.end == nil { self.turn() }
        self.isAway = false
        shell.close()
        guard let status = shell.exitStatus else { return shell.hangUp() }
        self.enterTerminal()
        self.apply(.shellEnded(id, exitStatus: status))
    }

    /// The most time to wait for an answer that would otherwise be typed into the shell, in seconds.
    private static let answerLimit = 1.0

    private func leaveTerminal() {
        if let askedAt = self.askedAt, self.end != .terminalGone {
            // A terminal that has not answered for so long never will.
            let limit = askedAt + Self.answerLimit
            let patience = if case .signalled = self.end { 0.3 } else { Self.answerLimit }
            self.input.drain(until: min(limit, TerminalInput.now + patience))
        }
        self.askedAt = nil
        self.terminal.close()
    }

    private func enterTerminal() {
        self.input.reset()
        self.terminal.reopen()
        self.apply(.resized(self.terminal.size))
    }
}
