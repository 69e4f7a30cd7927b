import Synchronization
import Testing

/// Limits the number of loopback clouds that exist at a time.
///
/// The tests of a run start together. Each cloud's servers hold threads, and each instance is an sshd: all
/// clouds at once exhaust the thread pool of the process, and everything with a deadline then fails.
public final class CloudGate: Sendable {
    public static let shared = CloudGate(width: 4)

    /// `true` if the running test has already passed: a second pass must not wait for the first.
    @TaskLocal private static var isInside = false

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(width: Int) {
        self.state = Mutex(State(free: width))
    }

    /// Runs `body` as one of the few, after those that came before.
    public func pass<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        guard !Self.isInside else { return try await body() }
        await withCheckedContinuation { continuation in
            let mayEnter = self.state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if mayEnter { continuation.resume() }
        }
        defer { self.leave() }
        return try await Self.$isInside.withValue(true) { try await body() }
    }

    private func leave() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

/// Passes the gate for a test whose cloud runs in a separate process.
public struct CloudGateTrait: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await CloudGate.shared.pass { try await function() }
    }
}

extension Trait where Self == CloudGateTrait {
    /// For tests that start `vp demo` or `vp-tui --demo`.
    public static var startsCloud: Self { CloudGateTrait() }
}
