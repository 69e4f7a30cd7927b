import Foundation

extension Instance {
    /// The reason why nothing runs on it any more at `now`, or nil if something may still run.
    func wordsForItsEnd(at now: Date) -> String? {
        let message = self.statusMessage.map { ": \($0)" } ?? ""
        switch self.status {
        case .stopped where self.mayHaveOutlivedItsLease(at: now):
            return "its lease ran out: the instance is stopped"
        case .stopped where self.isInterruptible:
            return "preempted: the platform stopped this interruptible instance\(message)"
        case .stopped, .failed: return "the instance is \(self.status.rawValue)\(message)"
        default: return nil
        }
    }

    fileprivate func mayHaveOutlivedItsLease(at now: Date) -> Bool {
        self.lease?.mayHaveRunOut(by: now) ?? false
    }
}

extension Instance? {
    /// The reason why the platform no longer has it at `now`, based on what was last known of it.
    func wordsForItsAbsence(at now: Date) -> String {
        self?.mayHaveOutlivedItsLease(at: now) == true
            ? "its lease ran out: the platform no longer has this instance"
            : "the platform no longer has this instance"
    }
}
