import Foundation
import VPEngine

/// The glyph, colour and word for a status: no meaning depends on colour alone.
enum StatusWords {
    static func mark(_ status: InstanceStatus) -> (glyph: String, role: Role) {
        switch status {
        case .running: ("●", .good)
        case .pending, .loading, .stopping: ("◐", .warning)
        case .stopped: ("○", .muted)
        case .failed, .lost: ("✗", .bad)
        case .destroying: ("◌", .bad)
        case .unknown: ("◌", .muted)
        }
    }

    static func mark(_ state: Job.State) -> (glyph: String, role: Role) {
        switch state {
        case .queued: ("◌", .muted)
        case .running: ("●", .accent)
        case .succeeded: ("✓", .good)
        case .failed: ("✗", .bad)
        case .cancelled: ("○", .warning)
        case .lost: ("✗", .bad)
        case .unknown: ("◌", .warning)
        }
    }

    static func mark(_ kind: Alarm.Kind) -> (glyph: String, word: String, role: Role) {
        switch kind {
        case .instanceLost: ("✗", "lost", .bad)
        case .destroyUnconfirmed: ("✗", "not confirmed", .bad)
        case .waiting: ("✗", "not destroyed", .bad)
        case .training: ("✗", "training", .bad)
        case .lowBalance: ("$", "credit", .bad)
        case .budget: ("$", "day's limit", .bad)
        case .untrusted: ("?", "no list", .bad)
        case .unknownInstance: ("?", "orphan", .warning)
        case .idle: ("◌", "idle", .warning)
        case .parked: ("○", "parked", .warning)
        case .leaseEnding: ("◔", "lease ends", .warning)
        case .behindLink: ("↷", "behind a link", .warning)
        case .weakLease: ("◔", "weak lease", .warning)
        case .noLease: ("∞", "no lease", .bad)
        }
    }

    static func glyph(_ action: EngineAction) -> String {
        switch action {
        case .create: "◆"
        case .sync: "⇡"
        case .download: "⇣"
        case .run, .start, .attach: "▶"
        case .stop, .cancel: "■"
        // A cross would mean failure.
        case .destroy: "◇"
        }
    }

    /// Describes a job's end: `succeeded`, `failed with exit status 7`, `killed by signal 9: out of memory`.
    static func ending(of job: Job) -> String {
        var text: String
        switch (job.state, job.outcome) {
        case (.failed, .exited(let code)): text = "failed with exit status \(code)"
        case (.failed, .signalled(let signal)): text = "ended by signal \(signal)"
        case (.queued, _), (.running, _), (.succeeded, _), (.failed, nil), (.cancelled, _), (.lost, _),
            (.unknown, _):
            text = job.state.rawValue
        }
        if let cause = job.cause, cause != text { text += ": \(cause)" }
        if let count = self.processesAtWork(job) {
            text += count == 1 ? ": 1 process still works" : ": \(count) processes still work"
            text += " in the background"
        }
        return text
    }

    /// Returns the number of processes that continue after the command of `job`; nil if the job is over, or
    /// its command still runs.
    static func processesAtWork(_ job: Job) -> Int? {
        guard job.state == .running, let count = job.record?.processesAtWork, count > 0 else { return nil }
        return count
    }

    /// Describes the state of a process that outlived its command.
    static func state(of process: JobRecord.BackgroundProcess) -> (text: String, role: Role) {
        switch process.state {
        case .running: ("running", .accent)
        case .leftBehind: ("left behind", .warning)
        case .gone: ("gone", .muted)
        case .ended(0): ("ended", .muted)
        case .ended(let status): (status.map { "exit \($0)" } ?? "ended, status unknown", .bad)
        }
    }

    /// Returns how long the job has been running, or ran.
    static func elapsed(_ job: Job, now: Date) -> TimeInterval? {
        guard let start = job.startedAt else { return nil }
        return (job.endedAt ?? (job.state.isOver ? start : now)).timeIntervalSince(start)
    }

    static func platform(_ platform: Platform) -> (text: String, role: Role) {
        switch platform {
        case .vast: ("vast", .vast)
        case .runpod: ("rp", .runpod)
        }
    }
}
