import Foundation
import VPEngine

/// The action that Enter offers for an alarm.
enum AlarmAction: Equatable {
    case destroy(InstanceID)
    case stop(InstanceID)
    case download(InstanceID)
    case extendLease(InstanceID, seconds: Double)
    case retryEnd(InstanceID)
    case openLog(JobID)
    case limitCost
    case rentAnother
    case askAgain

    /// The words that complete “Enter …”.
    var words: String {
        switch self {
        case .destroy: "shows what would be lost, asks, and destroys it"
        case .stop: "stops it, after asking"
        case .download: "downloads the missing files, up to the limit"
        case .extendLease(_, let seconds): "gives it a lease of \(TimeSpan.brief(seconds)), after asking"
        case .retryEnd: "asks the platform to destroy it again"
        case .openLog: "opens the job's log"
        case .limitCost: "opens the launch form at its cost limit"
        case .rentAnother: "opens the launch form to rent another"
        case .askAgain: "asks the platforms again"
        }
    }

    /// The words in the hint bar.
    var hint: String {
        switch self {
        case .destroy: "destroy"
        case .stop: "stop"
        case .download: "download"
        case .extendLease: "extend lease"
        case .retryEnd: "retry the destroy"
        case .openLog: "open the log"
        case .limitCost: "limit cost"
        case .rentAnother: "rent another"
        case .askAgain: "ask again"
        }
    }

    /// The `vp` command that does the same, or that shows the facts for a decision.
    var line: String {
        switch self {
        case .destroy(let id), .retryEnd(let id): "vp destroy-instance \(id)"
        case .stop(let id): "vp stop \(id)"
        case .download(let id): "vp download \(id)"
        case .extendLease(let id, let seconds): "vp lease \(id) \(TimeSpan.text(seconds))"
        case .openLog(let job): "vp logs \(job)"
        case .limitCost: "vp limits"
        case .rentAnother: "vp create-instance"
        case .askAgain: "vp ls"
        }
    }

    var changesSomething: Bool {
        switch self {
        case .askAgain, .openLog: false
        default: true
        }
    }
}

extension State {
    func action(for alarm: Alarm) -> AlarmAction {
        switch alarm.kind {
        // An instance that is gone from the list costs nothing any more; one that the platform calls lost
        // may still be charged.
        case .instanceLost: self.listed(alarm).map { .destroy($0) } ?? .rentAnother
        case .destroyUnconfirmed: alarm.instance.map { .retryEnd($0) } ?? .askAgain
        case .waiting, .unknownInstance, .parked: self.listed(alarm).map { .destroy($0) } ?? .askAgain
        case .training: alarm.job.map { .openLog($0) } ?? .askAgain
        case .lowBalance: self.dearestRunning.map { .stop($0) } ?? .askAgain
        case .budget: .limitCost
        case .untrusted: .askAgain
        case .idle: self.listed(alarm).map { .stop($0) } ?? .askAgain
        case .behindLink: self.listed(alarm).map { .download($0) } ?? .askAgain
        case .leaseEnding, .weakLease, .noLease:
            self.listed(alarm).map { .extendLease($0, seconds: self.leaseSeconds(of: $0)) } ?? .askAgain
        }
    }

    private func listed(_ alarm: Alarm) -> InstanceID? {
        alarm.instance.flatMap { self.instances.row($0)?.id }
    }

    /// The most expensive running instance of the account whose credit ends first.
    private var dearestRunning: InstanceID? {
        let running = self.instances.rows.filter(\.status.holdsGPU)
        guard let platform = MoneyReport.firstToEmpty(self.instances.rows, self.money.balances)?.platform
        else { return nil }
        return running.filter { $0.platform == platform }
            .max { $0.price.dollarsPerHour < $1.price.dollarsPerHour }?.id
    }

    /// The seconds that the lease's terms grant, or what its hard limit leaves if that is less.
    private func leaseSeconds(of id: InstanceID) -> Double {
        let lease = self.instances.row(id)?.lease
        let wanted = lease?.terms.seconds ?? self.settings.leaseTerms.seconds ?? LeaseTerms.standardSeconds
        guard let cap = lease?.capEndsAt else { return wanted }
        let left = cap.timeIntervalSince(self.now)
        // If the limit is past, the engine reports that.
        return left > 60 ? min(wanted, (left / 60).rounded(.down) * 60) : wanted
    }

    mutating func act(on alarm: Alarm) -> [Effect] {
        let action = self.action(for: alarm)
        self.overlay = nil
        guard !self.settings.isReadOnly || !action.changesSomething else {
            self.toast("Read-only: \(action.hint) is off (--readonly)", .warning)
            return []
        }
        switch action {
        case .destroy(let id):
            self.show(id)
            return self.askToDestroy([id])
        case .stop(let id):
            self.show(id)
            self.overlay = .dialog(Dialog(.stop([id]), openedAt: self.now))
            return []
        case .download(let id):
            self.show(id)
            return [self.start(.download(id))]
        case .extendLease(let id, let seconds):
            self.show(id)
            self.overlay = .dialog(Dialog(.extendLease(id, seconds: seconds), openedAt: self.now))
            return []
        case .retryEnd(let id):
            // A complete listing repeats the orders for instances that the ledger has marked for destruction.
            self.toast("Repeating the order to destroy \(id)…", .muted)
            self.polls.instances.ask(at: self.now)
            return [.order(.takeUpEnds), .ask(.loadInstances)]
        case .openLog(let job):
            self.focus(.jobs)
            self.jobs.select(job)
            return self.openLog(job)
        case .limitCost, .rentAnother:
            self.focus(.instances)
            let effects = self.openForm(offer: nil)
            if action == .limitCost, case .form(var form) = self.overlay {
                form.focused = .cost
                self.overlay = .form(form)
            }
            return effects
        case .askAgain: return self.refresh()
        }
    }

    /// Shows the instance's row behind the question about it.
    private mutating func show(_ id: InstanceID) {
        self.focus(.instances)
        self.instances.apply(.clearMarks)
        self.instances.select(id)
    }
}
