import Foundation
import Glibc
import VPEngine
import VPTUICore

/// The dashboard as lines: the same state and the same actions, without a screen.
final class PlainLoop {
    private let mailbox: Mailbox
    private let runner: EffectRunner
    private let signals: Int32
    private(set) var state: State
    private var reporter = PlainReporter()
    private var input: [UInt8] = []
    private var historyStamp: HistoryStamp
    private var end: UILoop.End?

    init(mailbox: Mailbox, runner: EffectRunner, signals: Int32, state: State) {
        self.mailbox = mailbox
        self.runner = runner
        self.signals = signals
        self.state = state
        self.historyStamp = runner.historyStamp
        self.state.settings.isASCII = true
        // Whatever log is open is read out.
        self.state.zoom = .both
    }

    func run() -> UILoop.End {
        self.perform(self.state.begin())
        self.say()
        var nextTick = Date().addingTimeInterval(1)
        while self.end == nil {
            var waits = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.signals, events: Int16(POLLIN), revents: 0),
            ]
            let wait = max(0, min(5, nextTick.timeIntervalSinceNow))
            _ = poll(&waits, 3, Int32(wait * 1000) + 1)
            if waits[2].revents != 0 { self.takeSignals() }
            for message in self.mailbox.drain() { self.apply(message) }
            if Date() >= nextTick {
                self.apply(.tick(Date()))
                if self.runner.historyStamp != self.historyStamp {
                    self.historyStamp = self.runner.historyStamp
                    self.apply(.historyChanged)
                }
                nextTick = Date().addingTimeInterval(self.state.tickInterval)
            }
            if waits[0].revents != 0 { self.takeLines() }
            self.say()
        }
        return self.end ?? .quit
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
            case SIGTSTP: Signals.stop()
            case SIGINT: self.end = .quit
            default: self.end = .signalled(number)
            }
        }
    }

    private func apply(_ message: Message) {
        self.perform(update(&self.state, message))
    }

    private func perform(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .quit: self.end = .quit
            case .suspend: Signals.stop()
            case .redraw, .toggleTheme: break
            case .copy(let text): self.write(text)
            case .openShell(let id, let argv):
                self.apply(.shellEnded(id, exitStatus: ShellSession.run(argv)))
            default: self.runner.run(effect)
            }
        }
    }

    private func say() {
        for line in self.reporter.report(self.state) { self.write(line) }
    }

    private func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // Nobody listens any more.
                self.end = .terminalGone
                return
            }
            sent += count
        }
    }
}
