import Synchronization

/// Bytes gathered from callbacks on any thread, up to a limit: the program that writes them may never stop.
package final class ByteCollector: Sendable {
    /// The limit for output that people read, or that helps to find an error.
    package static let wordsLimit = 1 << 20

    private struct State {
        var head: [UInt8] = []
        /// The last of the bytes that did not fit into `head`.
        var tail: [UInt8] = []
        var isOver = false
    }

    private let limit: Int
    private let keepsEnd: Bool
    private let onOverflow: @Sendable () -> Void
    private let state = Mutex(State())

    /// Keeps the first and the last half of `limit` bytes, and drops those in between.
    package init(keepingEndsOf limit: Int = ByteCollector.wordsLimit) {
        self.limit = limit
        self.keepsEnd = true
        self.onOverflow = {}
    }

    /// Takes no more than `limit` bytes, and reports once that more came.
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
            // The tail is cut only now and then, since moving the rest costs as much as it is long.
            if state.tail.count > self.limit {
                state.isOver = true
                state.tail.removeFirst(state.tail.count - self.limit / 2)
            }
            return false
        }
        if overflows { self.onOverflow() }
    }

    /// True if bytes were dropped.
    package var isOver: Bool { self.state.withLock(\.isOver) }

    package var bytes: [UInt8] { self.state.withLock { $0.head + $0.tail } }
}
