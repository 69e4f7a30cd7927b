import Glibc

/// A lock between programs, held until it is released. The system drops it when its holder ends, for whatever
/// reason.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// Throws `.historyUnavailable` if another program holds it for longer than `patience`.
    package init(path: String, _ activity: EngineError.Activity, patience: Duration? = nil)
        async throws(EngineError)
    {
        let start = ContinuousClock.now
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        while try !self.take(activity) {
            if let patience, ContinuousClock.now - start > patience { throw Self.isHeld(activity) }
            do {
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                throw EngineError(.cancelled, activity)
            }
        }
    }

    /// The same for a lock that is held only for milliseconds: the caller's thread waits.
    init(path: String, _ activity: EngineError.Activity, blockingFor patience: Duration) throws(EngineError) {
        let start = ContinuousClock.now
        self.descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        while try !self.take(activity) {
            if ContinuousClock.now - start > patience { throw Self.isHeld(activity) }
            usleep(1_000)
        }
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    private static func isHeld(_ activity: EngineError.Activity) -> EngineError {
        EngineError(
            .historyUnavailable, activity, detail: "\(activity.words): another program holds the lock")
    }

    /// Returns false if another program has it.
    private func take(_ activity: EngineError.Activity) throws(EngineError) -> Bool {
        guard self.descriptor >= 0 else { throw PrivateFolder.failure(activity) }
        if flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw PrivateFolder.failure(activity) }
        return false
    }
}
