import Foundation
import VPEngine

/// The results of actions that succeeded.
extension State {
    mutating func succeeded(_ result: ActionResult, of record: ActionRecord) {
        let subject = record.action.instance.map { "\($0): " } ?? ""
        switch result {
        case .created(let instance):
            self.goneInstances.remove(instance.id)
            self.instances.upsert(instance)
            // If the user has typed since, the selection stays where it is.
            if self.overlay == nil, self.typedAt <= record.startedAt {
                self.instances.select(instance.id)
                self.focus(.instances)
            }
            let (send, run) = (self.way(to: .sync, word: "sync"), self.way(to: .run, word: "run COMMAND"))
            self.toast(
                "\(instance.id) is ready: \(send) sends the project, \(run) runs a command", .good, for: 8)
        case .synced(let summary):
            self.toast(subject + Self.words(summary), summary.isWhole ? .good : .warning)
            // Conflicts were shown before the sync began.
            var rest = summary
            rest.conflicts = []
            self.tell(rest)
        case .downloaded(let summary):
            self.toast(subject + Self.words(summary), summary.isWhole ? .good : .bad, for: 6)
            self.tell(summary)
        case .ran(let summary), .attached(let summary):
            if let job = summary.job {
                self.jobs.upsert(job)
                let end = StatusWords.ending(of: job)
                let back = summary.download.map { " · " + Self.words($0) } ?? ""
                self.toast("\(job.id) \(end)\(back)", job.state == .succeeded ? .good : .bad, for: 8)
            }
            self.tell(summary.upload)
            self.tell(summary.download)
            if let error = summary.downloadError { self.showError(ErrorWords(error)) }
            if let job = summary.job, let limit = job.record?.limitReached {
                let isHere = summary.download?.isWhole == true
                self.showError(
                    ErrorWords(
                        title: "\(job.id) was ended", detail: limit,
                        advice: isHere
                            ? "What it had written is downloaded. R in Jobs runs it again."
                            : "d in Jobs downloads what it had written; R runs it again."))
            }
        case .cancelled(let job):
            self.jobs.upsert(job)
            self.toast("\(job.id) was cancelled", .warning, for: 6)
        case .started(let instance):
            self.instances.upsert(instance)
            self.toast("\(instance.id) started", .good)
        case .stopped(let instance, let unsafe):
            self.instances.upsert(instance)
            if let unsafe { self.showError(ErrorWords(unsafe)) }
            let day = Format.dollars(instance.price.dollarsPerDay)
            self.toast("\(instance.id) is stopped; its disk still costs \(day) a day", .warning, for: 6)
        case .destroyed(let receipt):
            self.forget(receipt.instance)
            let cost = receipt.dollars.map { " It cost about \(Format.dollars($0))." } ?? ""
            let brought = receipt.download.map { $0.transferredFiles == 0 ? "" : " \(Self.words($0))." } ?? ""
            self.toast(
                "\(receipt.instance) is gone, confirmed by the platform.\(cost)\(brought)", .good, for: 8)
            self.tell(receipt.download)
        }
    }

    /// Reports files that a sync left alone, in a dialog that stays until it has been read: a toast
    /// disappears before anybody could note the names.
    private mutating func tell(_ summary: SyncSummary?) {
        guard let summary else { return }
        let isUp = summary.direction == .up
        if !summary.conflicts.isEmpty {
            self.showError(
                ErrorWords(
                    title: "\(Format.plural(summary.conflicts.count, "file")) changed on both sides",
                    detail: Self.list(summary.conflicts),
                    advice: isUp
                        ? "Neither version was overwritten; the job used the instance's. Press F to compare them."
                        : "Your versions stay; the instance's are beside them as NAME.remote-…."))
        }
        if !summary.missing.isEmpty {
            self.showError(
                ErrorWords(
                    title: Format.plural(summary.missing.count, "file")
                        + (isUp ? " could not be uploaded" : " could not be downloaded"),
                    detail: Self.list(summary.missing),
                    advice: "Press \(isUp ? "S" : "d") to try again; it resumes."))
        }
        if !summary.refused.isEmpty {
            self.showError(
                ErrorWords(
                    title: "\(Format.plural(summary.refused.count, "path")) stayed on the instance",
                    detail: Self.list(summary.refused),
                    advice:
                        "They could affect this computer, so they were not downloaded; everything else was."))
        }
        if !summary.changing.isEmpty {
            self.showError(
                ErrorWords(
                    title: "\(Format.plural(summary.changing.count, "file")) changed during the transfer",
                    detail: Self.list(summary.changing),
                    advice:
                        "The copy may be incomplete: press \(isUp ? "S" : "d") again once the program has finished writing."
                ))
        }
    }

    private static func list(_ paths: [String]) -> String {
        paths.prefix(6).joined(separator: ", ") + (paths.count > 6 ? " and \(paths.count - 6) more" : "")
    }

    static func words(_ summary: SyncSummary) -> String {
        let verb = summary.direction == .up ? "uploaded" : "downloaded"
        var text =
            summary.transferredFiles == 0
            ? (summary.direction == .up ? "nothing to upload" : "nothing new to download")
            : "\(Format.plural(summary.transferredFiles, "file")) \(verb), "
                + Format.bytes(summary.transferredBytes)
        if !summary.conflicts.isEmpty { text += " · \(Format.plural(summary.conflicts.count, "conflict"))" }
        if !summary.missing.isEmpty { text += " · \(Format.plural(summary.missing.count, "file")) missing" }
        return text
    }
}
