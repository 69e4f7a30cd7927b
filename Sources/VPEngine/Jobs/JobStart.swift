import Synchronization

/// The progress of a job's start, seen from here.
final class JobStart: Sendable {
    private struct State {
        var isConfirmed = false
        var wasAttempted = false
        var lastReport: JobReport?
    }

    private let state = Mutex(State())

    /// True if the instance has confirmed that the job exists there.
    var isConfirmed: Bool { self.state.withLock(\.isConfirmed) }

    /// True if the instance may have been asked to start it, even if nobody answered.
    var wasAttempted: Bool { self.state.withLock(\.wasAttempted) }

    /// True if the instance has reported anything about the job since the last connection was made.
    var hasAnswered: Bool { self.state.withLock { $0.lastReport != nil } }

    func confirm() { self.state.withLock { $0.isConfirmed = true } }

    func attempt() { self.state.withLock { $0.wasAttempted = true } }

    /// After a cut, earlier reports are news again.
    func reconnect() { self.state.withLock { $0.lastReport = nil } }

    /// True if `report` is about an existing job and differs from the last one; it confirms the start.
    func isNews(_ report: JobReport) -> Bool {
        self.state.withLock { state in
            switch report {
            case .queued, .following, .background: break
            default: return false
            }
            state.isConfirmed = true
            defer { state.lastReport = report }
            return state.lastReport != report
        }
    }
}
