import Foundation
import Synchronization

/// The output of a login on an instance before it runs anything: from a line of `.bashrc` or
/// `/etc/bash.bashrc`, from `BASH_ENV`, or from a banner. None of it is an answer.
///
/// Each script first prints a mark on both streams, and everything before the mark is ignored. A transfer has
/// no script that could print one; if a login was seen to print something, its ssh program is run by another
/// one that drops the same output.
final class LoginNoise: Sendable {
    private let wasHeard = Mutex(false)

    /// True if a login there was seen to print something.
    var isKnown: Bool { self.wasHeard.withLock(\.self) }

    func note() { self.wasHeard.withLock { $0 = true } }
}

/// A stream that is ignored up to a mark.
final class MarkedStream: Sendable {
    private struct State {
        var isOpen = false
        var pending: [UInt8] = []
        var hasNoise = false
    }

    private let mark: [UInt8]
    private let state = Mutex(State())
    private let onBytes: @Sendable ([UInt8]) -> Void

    /// - Parameter mark: a line, including its end.
    init(mark: String, onBytes: @escaping @Sendable ([UInt8]) -> Void) {
        self.mark = Array(mark.utf8)
        self.onBytes = onBytes
    }

    var isOpen: Bool { self.state.withLock(\.isOpen) }

    /// True if there was output before the mark.
    var hasNoise: Bool { self.state.withLock(\.hasNoise) }

    /// The output while the mark has not come; only its end if it is long.
    var pending: [UInt8] { self.state.withLock(\.pending) }

    func take(_ bytes: [UInt8]) {
        let rest: [UInt8]? = self.state.withLock { state in
            if state.isOpen { return bytes }
            // The bytes searched before may contain the beginning of the mark.
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
