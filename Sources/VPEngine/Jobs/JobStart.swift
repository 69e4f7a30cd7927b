import Synchronization

/// How far the start of a job has come, seen from here.
final class JobStart: Sendable {
    private struct State {
        var isConfirmed = false
        var wasAttempted = false
        var lastReport: JobReport?
    }

    private let state = Mutex(State())

    /// Whether the instance has confirmed that the job exists there.
    var isConfirmed: Bool { self.state.withLock(\.isConfirmed) }

    /// Whether it may have been asked to start, even if nobody answered.
    var wasAttempted: Bool { self.state.withLock(\.wasAttempted) }

    /// Whether the instance has said anything of the job since it was last connected to.
    var hasAnswered: Bool { self.state.withLock { $0.lastReport != nil } }

    func confirm() { self.state.withLock { $0.isConfirmed = true } }

    func attempt() { self.state.withLock { $0.wasAttempted = true } }

    /// After a cut, what was said before is news again.
    func reconnect() { self.state.withLock { $0.lastReport = nil } }

    /// Whether `report` says of a job that is there what has not been said before; confirms the start.
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
