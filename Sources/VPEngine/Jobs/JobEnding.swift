import Foundation

extension Job {
    /// Records how the command ended, by the instance's own account.
    ///
    /// - Parameter tail: the last bytes of its output.
    mutating func end(_ end: JobEnd, tail: [UInt8], now: Date) {
        self.outcome = end.outcome
        self.state =
            end.wasCancelled || end.limitIsReached || end.stop != nil
            ? .cancelled : end.outcome == nil ? .unknown : end.outcome == .exited(0) ? .succeeded : .failed
        self.cause = JobCause.words(for: end, tail: tail)
        self.record?.background = end.background.isEmpty ? nil : end.background
        if self.state == .succeeded { self.judge(end.background) }
        if end.limitIsReached {
            let limit = self.record?.maximumCost
            self.record?.limitReached = Budget.words(ofTheRun: limit)
        } else if let stop = end.stop {
            self.record?.limitReached = stop.stopWords
        } else if !end.wasCancelled {
            // The job ended by itself before the limit could end it.
            self.record?.limitReached = nil
        }
        if let words = self.record?.limitReached { self.cause = words }
        if let start = end.startedAt, start.timeIntervalSince1970 > 0 { self.startedAt = start }
        // A job that never ran has an end, too.
        let ended = end.seconds.flatMap { self.startedAt?.addingTimeInterval($0) }
        self.endedAt = end.isUnstarted ? now : ended ?? now
        self.record?.peakBytes = end.peakBytes
        self.record?.logBytes = end.logBytes
        self.record?.errorBytes = end.errorBytes
        self.record?.driver = end.driver
        self.settle()
    }

    /// The status is that of the command's shell; processes that outlive it may still have failed.
    private mutating func judge(_ background: [JobRecord.BackgroundProcess]) {
        if let failed = background.first(where: \.hasFailed), let status = failed.status {
            self.state = .failed
            self.cause =
                "the command ended with 0, and its background process with exit status \(status): \(failed.command)"
        } else if let unknown = background.first(where: \.hasUnknownEnd) {
            self.state = .unknown
            self.cause =
                "the command ended with 0; how its background process ended is not known: \(unknown.command)"
        }
    }

    /// The exit status as a shell reports it: the command's or, if that is 0, the first other one of its
    /// background processes. Nil if it is not known.
    public var exitStatus: Int32? {
        guard let outcome = self.outcome, outcome == .exited(0), !self.state.hasItsOutcome else {
            return self.outcome?.exitStatus
        }
        return self.record?.background?.first(where: \.hasFailed)?.status
    }
}

extension JobRecord.BackgroundProcess {
    /// A writer whose reader has closed the pipe, and a helper that the command's script ended, are no
    /// failures.
    fileprivate var hasFailed: Bool {
        guard let status = self.status, status != 0 else { return false }
        return ![SIGHUP, SIGINT, SIGPIPE, SIGTERM].contains(status - 128)
    }

    /// True for the job's work with an unknown end: the process has ended, or it worked on and then fell
    /// silent.
    fileprivate var hasUnknownEnd: Bool {
        switch self.state {
        case .ended(nil): true
        case .leftBehind, .gone: self.wasAtWork
        case .running, .ended: false
        }
    }
}

extension Job.State {
    /// True if the command's own end describes that of the whole job.
    fileprivate var hasItsOutcome: Bool { self != .failed && self != .unknown }
}
