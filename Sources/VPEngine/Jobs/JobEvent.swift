import Foundation

/// A new fact about a job, found by following it, by looking at it or by cancelling it.
package enum JobEvent: Sendable {
    /// The job waits for its turn.
    case queued
    /// The job runs, since that time by the instance's clock if it is known.
    case running(since: Date?)
    /// A look at a running job names the processes that outlived its command.
    case background([JobRecord.BackgroundProcess])
    /// The job's command has ended, and so many of its processes still run.
    case goesOn(Int)
    /// A program follows the job, or tries to.
    case connection(JobRecord.Connection)
    /// A look has found that the job is over. The end itself is reported together with its log.
    case seenOver
    /// The job ended. `tail`: the last bytes of its output. `logIsVerified`: nil if the log was not fetched
    /// with it.
    case ended(JobEnd, tail: [UInt8], logIsVerified: Bool?)
    /// The processes that the job had left behind were ended after it. `isCertain`: no process can have been
    /// missed.
    case swept([JobRecord.BackgroundProcess], isCertain: Bool)
    /// The job's supervisor is gone and left no status.
    case supervisorLost
    /// The instance runs and has no record of the job.
    case recordAbsent
    /// The job's instance is gone for good; the reason in words.
    case instanceLost(String)
    /// The job's instance does not run now, but its disk may contain how the job ended; the reason in words.
    case instanceDown(String)
    /// It is unknown whether the job was started; the reason in words.
    case startUnknown(String)
    /// The job was not started; the reason in words.
    case notStarted(String)
}

/// An order that follows from an event.
package enum JobOrder: Hashable, Sendable {
    /// The job has changed: tell the programs that show it.
    case tell
    /// Download the job's log, and with it how the job ended.
    case catchUp
}

extension Job {
    /// True if nothing more can be learnt about the job.
    private var isSettled: Bool { self.state.isOver && self.endedAt != nil }

    /// Applies an event: the only place where a job changes its state. It has no other effects.
    ///
    /// A settled job stays as it is, whatever comes later, except for facts that only its end can add: a log
    /// that turned out to be complete, processes that were ended after it. A job that is over without an end
    /// may come back.
    @discardableResult
    package mutating func apply(_ event: JobEvent, at now: Date) -> Set<JobOrder> {
        let before = self
        var orders: Set<JobOrder> = []
        switch event {
        case .queued:
            guard !self.isSettled else { break }
            self.state = .queued
            self.cause = nil
        case .running(let start):
            guard !self.isSettled else { break }
            self.state = .running
            self.startedAt = start ?? self.startedAt ?? now
            self.cause = nil
        case .background(let processes):
            guard !self.isSettled else { break }
            self.record?.background = processes.isEmpty ? nil : processes
        case .goesOn(let count):
            guard !self.isSettled else { break }
            self.record?.backgroundCount = count > 0 ? count : nil
            self.cause = nil
        case .connection(let connection):
            guard !self.isSettled else { break }
            self.record?.connection = connection
        case .seenOver:
            orders.insert(.catchUp)
        case .ended(let end, let tail, let logIsVerified):
            // If two programs report the same end, the second may add the log. A different later end is
            // ignored.
            if !self.isSettled || self.outcome == nil || self.outcome == end.outcome {
                self.end(end, tail: tail, now: now)
            }
            if let logIsVerified { self.record?.logIsVerified = logIsVerified }
        case .swept(let processes, let isCertain):
            self.record?.background = processes
            self.record?.mayHaveMissedProcesses = isCertain ? nil : true
        case .supervisorLost:
            guard !self.isSettled else { break }
            self.lose(.unknown, "the job's supervisor on the instance is gone and left no status", at: now)
        case .recordAbsent:
            guard !self.isSettled else { break }
            self.lose(.lost, "the instance has no record of the job: its container was recreated", at: now)
        case .instanceLost(let words):
            guard !self.isSettled else { break }
            self.lose(.lost, words, at: now)
        case .instanceDown(let words):
            // The job may have been seen like this before: it costs nothing more while its instance is
            // stopped, however often it is looked at.
            guard !self.isSettled, self.state != .unknown || self.cause != words else { break }
            self.lose(.unknown, words, at: now)
            // The instance is asked again when it runs again.
            self.endedAt = nil
        case .startUnknown(let words):
            guard !self.state.isOver else { break }
            // No end is recorded: the instance is asked when it can be reached again.
            self.state = .unknown
            self.cause = "whether it started is not known: \(words)"
        case .notStarted(let words):
            guard !self.state.isOver else { break }
            self.lose(.failed, "it was not started: \(words)", at: now)
        }
        if self != before { orders.insert(.tell) }
        return orders
    }
}
