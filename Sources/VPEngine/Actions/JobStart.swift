import Synchronization

/// Whether the instance has confirmed that a job exists there.
final class JobStart: Sendable {
    private let confirmed = Mutex(false)

    var isConfirmed: Bool { self.confirmed.withLock { $0 } }

    func confirm() { self.confirmed.withLock { $0 = true } }
}
