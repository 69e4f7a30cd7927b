import Foundation

extension Instance {
    /// Why nothing runs on it any more; nil while something may.
    var wordsForItsEnd: String? {
        let message = self.statusMessage.map { ": \($0)" } ?? ""
        switch self.status {
        case .stopped where self.hasOutlivedItsLease: return "its lease ran out: the instance is stopped"
        case .stopped where self.isInterruptible:
            return "preempted: the platform stopped this interruptible instance\(message)"
        case .stopped, .failed: return "the instance is \(self.status.rawValue)\(message)"
        default: return nil
        }
    }

    fileprivate var hasOutlivedItsLease: Bool { self.leaseEndsAt.map { $0 <= Date() } ?? false }
}

extension Instance? {
    /// Why the platform has it no longer, by what was known of it last.
    var wordsForItsAbsence: String {
        self?.hasOutlivedItsLease == true
            ? "its lease ran out: the platform no longer has this instance"
            : "the platform no longer has this instance"
    }
}
