import Synchronization

/// Bytes gathered from callbacks on any thread, as many as its limit allows:
/// whoever writes them may never stop.
package final class ByteCollector: Sendable {
    /// Of output that is for people, or for finding out what went wrong.
    package static let wordsLimit = 1 << 20

    private struct State {
        var head: [UInt8] = []
        /// The last of what did not fit into `head`.
        var tail: [UInt8] = []
        var isOver = false
    }

    private let limit: Int
    private let keepsEnd: Bool
    private let onOverflow: @Sendable () -> Void
    private let state = Mutex(State())

    /// Keeps the first and the last half of `limit` bytes, and drops what comes between.
    package init(keepingEndsOf limit: Int = ByteCollector.wordsLimit) {
        self.limit = limit
        self.keepsEnd = true
        self.onOverflow = {}
    }

    /// Takes no more than `limit` bytes, and says once that more has come.
    package init(limit: Int, onOverflow: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.keepsEnd = false
        self.onOverflow = onOverflow
    }

    package func append(_ bytes: [UInt8]) {
        let overflows = self.state.withLock { state -> Bool in
            let room = (self.keepsEnd ? self.limit / 2 : self.limit) - state.head.count
            if bytes.count <= room, state.tail.isEmpty {
                state.head.append(contentsOf: bytes)
                return false
            }
            if !self.keepsEnd {
                defer { state.isOver = true }
                return !state.isOver
            }
            let taken = state.tail.isEmpty ? max(0, room) : 0
            state.head.append(contentsOf: bytes.prefix(taken))
            state.tail.append(contentsOf: bytes.dropFirst(taken))
            // Cut now and then, since moving the rest costs as much as it is long.
            if state.tail.count > self.limit {
                state.isOver = true
                state.tail.removeFirst(state.tail.count - self.limit / 2)
            }
            return false
        }
        if overflows { self.onOverflow() }
    }

    /// True where something was dropped.
    package var isOver: Bool { self.state.withLock(\.isOver) }

    package var bytes: [UInt8] { self.state.withLock { $0.head + $0.tail } }
}
