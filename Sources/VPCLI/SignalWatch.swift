import Foundation
import Glibc
import Synchronization

/// Takes signals instead of letting them end the process, until `end()`.
///
/// There is one owner of signals in the process, with a stack of watches:
/// a signal goes to the newest watch that wants it, and once none is left it does again what it does to any
/// program.
final class SignalWatch: Sendable {
    private let id: Int

    /// - Parameters:
    ///   - isLast: true gets only what no other watch wants.
    ///   - action: is called on a thread of its own with the signal's number.
    init(_ signals: [Int32], isLast: Bool = false, action: @escaping @Sendable (Int32) -> Void) {
        self.id = SignalOwner.shared.push(signals, isLast: isLast, action)
    }

    func end() { SignalOwner.shared.remove(self.id) }

    /// How many signals any watch has taken so far. A question to the user ends where one comes while it is
    /// open.
    static var arrivals: Int { SignalOwner.shared.arrivals }

    /// The last one that a watch has taken.
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
        /// Signals that our handler takes.
        var taken: Set<Int32> = []
        /// Those that a watch was told of.
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
            // Started by nohup(1), a program is to outlive its terminal.
            let wanted = signals.filter { $0 != SIGHUP || state.taken.contains($0) || !Self.isIgnored($0) }
            let watch = Watch(id: state.nextID, signals: Set(wanted), action: action)
            state.watches.insert(watch, at: isLast ? 0 : state.watches.count)
            for number in wanted where state.taken.insert(number).inserted {
                signal(number) { number in
                    // Nothing else is allowed in a handler.
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
            // The window's size is no reason to end a question, nor is a pause.
            if action != nil, number != SIGWINCH, number != SIGTSTP {
                state.arrivals += 1
                state.newest = number
            }
            return action
        }
        // It came for a watch that has just ended.
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

/// Where the handler writes to. A global variable, because a handler can reach nothing else.
private nonisolated(unsafe) var signalBell: Int32 = -1
