import Foundation
import VPEngine

/// Glyph, colour and word of a status: meaning is never carried by colour alone.
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

    static func glyph(_ action: EngineAction) -> String {
        switch action {
        case .create: "◆"
        case .sync: "⇡"
        case .download: "⇣"
        case .run, .start, .attach: "▶"
        case .stop, .cancel: "■"
        // No cross: that is what failed.
        case .destroy: "◇"
        }
    }

    /// `succeeded`, `failed with 7`, `killed by signal 9: out of memory`.
    static func ending(of job: Job) -> String {
        var text: String
        switch (job.state, job.outcome) {
        case (.failed, .exited(let code)): text = "failed with \(code)"
        case (.failed, .signalled(let signal)): text = "ended by signal \(signal)"
        default: text = job.state.rawValue
        }
        if let cause = job.cause { text += ": \(cause)" }
        return text
    }

    /// How long it has run, or ran.
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
