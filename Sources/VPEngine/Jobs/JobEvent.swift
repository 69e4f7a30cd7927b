import Foundation

/// Something that became known of a job, whoever found it out: by following it, by looking at it,
/// by cancelling it.
package enum JobEvent: Sendable {
    /// It waits for its turn.
    case queued
    /// It runs, since that time by the instance's clock where that is known.
    case running(since: Date?)
    /// A look at a running job names what outlived its command.
    case background([JobRecord.BackgroundProcess])
    /// Its command has ended, and so many processes of it go on.
    case goesOn(Int)
    /// Somebody follows it, or tries to.
    case connection(JobRecord.Connection)
    /// A look has found that it is over. How it ended is told together with its log.
    case seenOver
    /// `tail`: the last that it printed. `logIsVerified`: nil where the log was not brought with it.
    case ended(JobEnd, tail: [UInt8], logIsVerified: Bool?)
    /// What it had left behind was ended after it. `isCertain`: no process can have been missed.
    case swept([JobRecord.BackgroundProcess], isCertain: Bool)
    /// Its supervisor is gone and left no status.
    case supervisorLost
    /// The instance runs and has no record of it.
    case recordAbsent
    /// Its instance is gone for good; the reason in words.
    case instanceLost(String)
    /// Its instance does not run now; its disk may still hold how the job ended.
    case instanceDown(String)
    /// Nobody knows whether it was started; the reason in words.
    case startUnknown(String)
    /// It was not started; the reason in words.
    case notStarted(String)
}

/// What is to be done after an event.
package enum JobOrder: Hashable, Sendable {
    /// The job is another one now: tell whoever shows it.
    case tell
    /// Bring its log, and with it how it ended.
    case catchUp
}

extension Job {
    /// Nobody will learn more of it.
    private var isSettled: Bool { self.state.isOver && self.endedAt != nil }

    /// The one place where a job changes its state. Pure.
    ///
    /// A job that is settled stays as it is, whatever comes later, but for what only its end can add:
    /// a log that turned out to be whole, what was swept up after it.
    /// One that is over without an end may come back.
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
            // Of two that see the same end, the second knows the log as well; nothing else takes an end back.
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
            self.lose(.lost, "the instance has no record of the job: its container was made anew", at: now)
        case .instanceLost(let words):
            guard !self.isSettled else { break }
            self.lose(.lost, words, at: now)
        case .instanceDown(let words):
            // Seen so before: a job costs nothing more while its instance is stopped,
            // however often it is looked at.
            guard !self.isSettled, self.state != .unknown || self.cause != words else { break }
            self.lose(.unknown, words, at: now)
            // It is asked again when it runs again.
            self.endedAt = nil
        case .startUnknown(let words):
            guard !self.state.isOver else { break }
            // Without an end: the instance is asked when it can be reached again.
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
