import Foundation

extension Job {
    /// Notes how the command ended, by the instance's own account.
    ///
    /// - Parameter tail: the last bytes it printed.
    mutating func end(_ end: JobEnd, tail: [UInt8], now: Date) {
        self.outcome = end.outcome
        self.state =
            end.wasCancelled || end.limitIsReached
            ? .cancelled : end.outcome == nil ? .unknown : end.outcome == .exited(0) ? .succeeded : .failed
        self.cause = JobCause.words(for: end, tail: tail)
        if end.limitIsReached {
            let limit = self.record?.maximumCost
            self.record?.limitReached = Budget.words(ofTheRun: limit)
        } else if !end.wasCancelled {
            // It ended by itself before the limit could end it.
            self.record?.limitReached = nil
        }
        if let words = self.record?.limitReached { self.cause = words }
        if let start = end.startedAt, start.timeIntervalSince1970 > 0 { self.startedAt = start }
        // A job that never ran has an end all the same.
        let ended = end.seconds.flatMap { self.startedAt?.addingTimeInterval($0) }
        self.endedAt = end.isUnstarted ? now : ended ?? now
        self.record?.peakBytes = end.peakBytes
        self.record?.logBytes = end.logBytes
        self.record?.errorBytes = end.errorBytes
        self.record?.driver = end.driver
        self.settle()
    }

    /// Notes that nobody can tell how the command ended.
    mutating func lose(_ state: State, _ cause: String, at date: Date) {
        self.state = state
        self.cause = cause
        self.endedAt = date
        self.settle()
    }

    /// What the instance cost while it ran.
    private mutating func settle() {
        self.record?.connection = nil
        guard let start = self.startedAt, let end = self.endedAt, let hardware = self.record?.hardware else {
            return
        }
        self.dollars = NumberRange.cost.clamp(
            hardware.dollarsPerHour * max(0, end.timeIntervalSince(start)) / 3600)
    }
}
