import Foundation
import Synchronization

/// What a login on an instance prints before it runs anything: a line of `.bashrc` or `/etc/bash.bashrc`, of
/// `BASH_ENV`, a banner. None of it is an answer.
///
/// Each script says first that it begins, on both streams, and what comes before that does not count.
/// A transfer has no script that could say so; where a login was seen to print, its ssh program is run by one
/// that drops the same.
final class LoginNoise: Sendable {
    private let wasHeard = Mutex(false)

    /// Whether a login there was seen to print something.
    var isKnown: Bool { self.wasHeard.withLock(\.self) }

    func note() { self.wasHeard.withLock { $0 = true } }
}

/// A stream of which nothing counts before the mark.
final class MarkedStream: Sendable {
    private struct State {
        var isOpen = false
        var pending: [UInt8] = []
        var hasNoise = false
    }

    private let mark: [UInt8]
    private let state = Mutex(State())
    private let onBytes: @Sendable ([UInt8]) -> Void

    /// - Parameter mark: a line, with its end.
    init(mark: String, onBytes: @escaping @Sendable ([UInt8]) -> Void) {
        self.mark = Array(mark.utf8)
        self.onBytes = onBytes
    }

    var isOpen: Bool { self.state.withLock(\.isOpen) }

    /// Something came before the mark.
    var hasNoise: Bool { self.state.withLock(\.hasNoise) }

    /// What came, where the mark has not: the last of it, in case it is long.
    var pending: [UInt8] { self.state.withLock(\.pending) }

    func take(_ bytes: [UInt8]) {
        let rest: [UInt8]? = self.state.withLock { state in
            if state.isOpen { return bytes }
            // What was looked through before may hold the beginning of the mark.
            let start = max(0, state.pending.count - self.mark.count + 1)
            state.pending += bytes
            guard let end = Self.end(of: self.mark, in: state.pending, from: start) else {
                if state.pending.count > 1 << 16 {
                    state.pending.removeFirst(state.pending.count - (1 << 15))
                }
                return nil
            }
            state.isOpen = true
            state.hasNoise = end > self.mark.count
            defer { state.pending = [] }
            return Array(state.pending[end...])
        }
        if let rest, !rest.isEmpty { self.onBytes(rest) }
    }

    private static func end(of mark: [UInt8], in bytes: [UInt8], from first: Int) -> Int? {
        guard bytes.count - first >= mark.count else { return nil }
        for start in first...(bytes.count - mark.count)
        where bytes[start] == mark[0] && bytes[start..<start + mark.count].elementsEqual(mark) {
            return start + mark.count
        }
        return nil
    }
}
