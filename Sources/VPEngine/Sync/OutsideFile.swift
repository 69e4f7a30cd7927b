import Foundation
import Synchronization

/// A file that is written to as bytes arrive.
final class OutsideFile: Sendable {
    private struct State {
        var size: Int64 = 0
        var problem: String?
        var whenBroken: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let descriptor: Int32
    private let limit: Int64

    init(_ descriptor: Int32, limit: Int64) {
        self.descriptor = descriptor
        self.limit = limit
    }

    /// The reason why no more bytes are accepted, in words.
    var problem: String? { self.state.withLock(\.problem) }

    /// Calls `action` once no more bytes are accepted, immediately if that is already so.
    func whenBroken(_ action: @escaping @Sendable () -> Void) {
        let isBroken = self.state.withLock { state in
            state.whenBroken = action
            return state.problem != nil
        }
        if isBroken { action() }
    }

    func write(_ bytes: [UInt8]) {
        let action = self.state.withLock { state -> (@Sendable () -> Void)? in
            guard state.problem == nil else { return nil }
            state.size = state.size.addingSaturated(Int64(bytes.count))
            if state.size > self.limit {
                state.problem = "it is larger than sync.limit"
            } else if !StandardStreams.write(bytes, to: self.descriptor) {
                state.problem = "this machine's disk has no room for it"
            }
            return state.problem == nil ? nil : state.whenBroken
        }
        action?()
    }

    /// Closes the file and returns its size in bytes, or nil if some bytes could not be written.
    func close() -> Int64? {
        Foundation.close(self.descriptor)
        return self.state.withLock { $0.problem == nil ? $0.size : nil }
    }
}
