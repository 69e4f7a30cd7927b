import Dispatch
import Testing

/// Runs each test of a suite on a thread of its own, so that it may block.
///
/// A pseudo-terminal is read with `poll`, which blocks its thread. Tests share a pool of as many threads as
/// the machine has processors: two blocked tests would stop every other test, and every loopback cloud, of
/// the run.
public struct OwnThreadTrait: TestTrait, SuiteTrait, TestScoping {
    /// `true` if the running test may block. `PTYSession` requires it.
    @TaskLocal static var isOn = false

    /// One thread for each test, not one for the suite.
    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withTaskExecutorPreference(QueueExecutor()) {
            try await Self.$isOn.withValue(true) { try await function() }
        }
    }
}

extension Trait where Self == OwnThreadTrait {
    /// Lets the test block its thread, as every use of a `PTYSession` does.
    public static var ownThread: Self { OwnThreadTrait() }
}

/// A serial queue: dispatch gives each busy queue a thread, however many there are.
private final class QueueExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "variousplug.test")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = self.asUnownedTaskExecutor()
        self.queue.async { job.runSynchronously(on: executor) }
    }
}
