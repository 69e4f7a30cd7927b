import Foundation
import Glibc
import Synchronization

/// Takes signals instead of letting them end the process, until `end()`.
///
/// One owner takes all signals of the process and keeps a stack of watches.
/// A signal goes to the newest watch that wants it; once no watch is left, it has its default effect again.
final class SignalWatch: Sendable {
    private let id: Int

    /// - Parameters:
    ///   - isLast: `true` receives only signals that no other watch wants.
    ///   - action: called with the signal's number, on a thread of its own.
    init(_ signals: [Int32], isLast: Bool = false, action: @escaping @Sendable (Int32) -> Void) {
        self.id = SignalOwner.shared.push(signals, isLast: isLast, action)
    }

    func end() { SignalOwner.shared.remove(self.id) }

    /// The number of signals that watches have taken so far. A signal that arrives during a question ends the
    /// question.
    static var arrivals: Int { SignalOwner.shared.arrivals }

    /// The newest signal that a watch has taken.
    static var newest: Int32? { SignalOwner.shared.newest }
}

private final class SignalOwner: Sendable {
    static let shared = SignalOwner()

    private struct Watch {
        var id: Int
        var signals: Set<Int32>
        var action: @Sendable (Int32) -> Void
    }

    private struct State {
        var watches: [Watch] = []
        var nextID = 0
        /// Signals for which our handler is installed.
        var taken: Set<Int32> = []
        /// The number of signals that were passed to a watch.
        var arrivals = 0
        var newest: Int32?
    }

    private let state = Mutex(State())

    var arrivals: Int { self.state.withLock(\.arrivals) }
    var newest: Int32? { self.state.withLock(\.newest) }

    private init() {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        signalBell = ends[1]
        let reading = ends[0]
        Thread.detachNewThread {
            var number: UInt8 = 0
            while true {
                let count = read(reading, &number, 1)
                if count == 1 { self.deliver(Int32(number)) } else if count == 0 || errno != EINTR { return }
            }
        }
    }

    func push(
        _ signals: [Int32], isLast: Bool, _ action: @escaping @Sendable (Int32) -> Void
    ) -> Int {
        self.state.withLock { state in
            state.nextID += 1
            // nohup(1) ignores SIGHUP so that the program outlives its terminal.
            let wanted = signals.filter { $0 != SIGHUP || state.taken.contains($0) || !Self.isIgnored($0) }
            let watch = Watch(id: state.nextID, signals: Set(wanted), action: action)
            state.watches.insert(watch, at: isLast ? 0 : state.watches.count)
            for number in wanted where state.taken.insert(number).inserted {
                signal(number) { number in
                    // A handler may call only async-signal-safe functions.
                    let before = errno
                    var byte = UInt8(truncatingIfNeeded: number)
                    _ = write(signalBell, &byte, 1)
                    errno = before
                }
            }
            return state.nextID
        }
    }

    func remove(_ id: Int) {
        self.state.withLock { state in
            state.watches.removeAll { $0.id == id }
            for number in state.taken where !state.watches.contains(where: { $0.signals.contains(number) }) {
                state.taken.remove(number)
                signal(number, SIG_DFL)
            }
        }
    }

    private func deliver(_ number: Int32) {
        let action = self.state.withLock { state in
            let action = state.watches.last { $0.signals.contains(number) }?.action
            // A resize or a pause does not end a question.
            if action != nil, number != SIGWINCH, number != SIGTSTP {
                state.arrivals += 1
                state.newest = number
            }
            return action
        }
        // The signal was meant for a watch that has just ended.
        guard let action else {
            kill(getpid(), number)
            return
        }
        action(number)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}

/// The pipe that the handler writes to. A handler can reach nothing but global variables.
private nonisolated(unsafe) var signalBell: Int32 = -1
