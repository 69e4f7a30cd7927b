import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The dashboard as lines of text: the same state and the same actions, without a screen.
final class PlainLoop {
    private let mailbox: Mailbox
    private let runner: EffectRunner
    private let signals: Int32
    private(set) var state: State
    private var reporter = PlainReporter()
    private var input: [UInt8] = []
    private var historyStamp: HistoryStamp
    private var end: UILoop.End?
    private var nextTick = Date().addingTimeInterval(1)
    private var isAway = false

    init(mailbox: Mailbox, runner: EffectRunner, signals: Int32, state: State) {
        self.mailbox = mailbox
        self.runner = runner
        self.signals = signals
        self.state = state
        self.historyStamp = runner.historyStamp
        self.state.settings.isASCII = true
        self.state.settings.isPlain = true
        // The open log is read out, whichever it is.
        self.state.zoom = .both
    }

    func run() -> UILoop.End {
        self.perform(self.state.begin())
        self.say()
        while self.end == nil { self.turn() }
        return self.end ?? .quit
    }

    private func turn() {
        // While a shell has the terminal, the input belongs to the shell.
        var waits = [self.isAway ? -1 : STDIN_FILENO, self.mailbox.wakeDescriptor, self.signals].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let wait = max(0, min(5, self.nextTick.timeIntervalSinceNow))
        _ = poll(&waits, 3, Int32(wait * 1000) + 1)
        if waits[2].revents != 0 { self.takeSignals() }
        for message in self.mailbox.drain() { self.apply(message) }
        if Date() >= self.nextTick {
            self.apply(.tick(Date()))
            if self.runner.historyStamp != self.historyStamp {
                self.historyStamp = self.runner.historyStamp
                self.apply(.historyChanged)
            }
            self.nextTick = Date().addingTimeInterval(self.state.tickInterval)
        }
        guard !self.isAway else { return }
        if waits[0].revents != 0 { self.takeLines() }
        self.say()
    }

    private func openShell(_ id: InstanceID, _ argv: [String]) {
        guard !self.isAway else { return }
        let shell = ShellSession(argv) { [mailbox] in mailbox.wake() }
        self.isAway = true
        while shell.exitStatus == nil, self.end == nil { self.turn() }
        self.isAway = false
        shell.close()
        guard let status = shell.exitStatus else { return shell.hangUp() }
        self.apply(.shellEnded(id, exitStatus: status))
    }

    private func takeLines() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        guard count > 0 else {
            if count == 0 || errno != EINTR { self.end = .quit }
            return
        }
        self.input += bytes[..<count]
        while let newline = self.input.firstIndex(of: 0x0A) {
            let line = String(decoding: self.input[..<newline], as: UTF8.self)
            self.input.removeSubrange(...newline)
            let (effects, output) = self.state.plainLine(line, at: Date())
            for line in output { self.write(line) }
            self.perform(effects)
            self.apply(.tick(Date()))
        }
    }

    private func takeSignals() {
        var numbers = [UInt8](repeating: 0, count: 64)
        let count = read(self.signals, &numbers, numbers.count)
        for number in numbers.prefix(max(0, count)).map(Int32.init) {
            switch number {
            case SIGWINCH, SIGCONT: break
            case SIGTSTP: self.suspend()
            case SIGINT: self.end = .quit
            default: self.end = .signalled(number)
            }
        }
    }

    private func suspend() {
        let begun = self.runner.suspend(with: self.state)
        if !begun.isEmpty { self.apply(.destroysHandedOver(begun)) }
    }

    private func apply(_ message: Message) {
        self.perform(update(&self.state, message))
    }

    private func perform(_ effects: [Effect]) {
        self.runner.perform(effects) { self.perform($0) }
    }

    private func perform(_ effect: TerminalEffect) {
        switch effect {
        case .quit: self.end = .quit
        case .suspend: self.suspend()
        case .redraw, .toggleTheme: break
        case .copy(let text): self.write(text)
        case .openShell(let id, let argv): self.openShell(id, argv)
        }
    }

    private func say() {
        for line in self.reporter.report(self.state) { self.write(line) }
    }

    private func write(_ line: String) {
        // A failed write means that nothing reads the output any more.
        if !StandardStreams.write((line + "\n").utf8, to: STDOUT_FILENO) { self.end = .terminalGone }
    }
}
