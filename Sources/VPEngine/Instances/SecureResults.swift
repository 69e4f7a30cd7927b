import Foundation
import Synchronization

/// Downloads results that are only on an instance, before it is stopped or destroyed, and flushes them to the
/// local disk.
final class SecureResults: Sendable {
    private let context: EngineContext
    private let instance: Instance
    /// Completes "while …": `destroying instance 31415`.
    private let words: String
    private let progress: @Sendable (ActionProgress) -> Void
    /// How long temporary failures are retried, in seconds.
    private let patience: Double
    /// `true` if results that are missing here are where a stop of a pod would wipe them.
    let isOutside = Mutex(false)

    init(
        context: EngineContext, instance: Instance, words: String,
        progress: @escaping @Sendable (ActionProgress) -> Void, patience: Double = 120
    ) {
        self.context = context
        self.instance = instance
        self.words = words
        self.progress = progress
        self.patience = patience
    }

    /// Returns once every file on the instance is here as well, with a summary of the download, or nil if the
    /// instance can have no files. Throws `.unsafeResults` if that cannot be confirmed.
    func run() async throws(EngineError) -> SyncSummary? {
        // The current status proves nothing: an instance that boots again may already have files.
        guard try self.mayHoldResults() else { return nil }
        guard self.instance.status == .running else {
            if self.instance.status == .stopped, Self.wasVerified(self.instance.id, self.context) {
                return nil
            }
            let daily = Figures.dollars(self.instance.price.dollarsPerDay)
            throw self.refusal(
                "it is \(self.instance.status.rawValue), so its files cannot be compared; it costs \(daily) a day"
            )
        }
        do throws(EngineError) {
            let pursuit = Pursuit(
                context: self.context, patience: Pursuit.patience(self.patience, self.context),
                progress: self.progress)
            let summary = try await pursuit(.reconnecting, self.words) { () async throws(EngineError) in
                try await self.bring()
            }
            for workspace in try self.context.workspaces(on: self.instance.id) {
                try self.context.flush(workspace.localRoot)
            }
            return summary
        } catch {
            switch error.code {
            case .cancelled, .unsafeResults, .hostKeyChanged: throw error
            case .localDiskFull:
                throw self.refusal(
                    "delete files on this machine first: \(error.detail ?? "its disk has no room")")
            default:
                throw self.refusal(
                    "its results could not be downloaded: \(error.detail ?? error.code.rawValue)")
            }
        }
    }

    /// `false` only for an instance that never answered us, never ran a job of ours and was never seen ready.
    private func mayHoldResults() throws(EngineError) -> Bool {
        let id = self.instance.id
        guard let entry = try self.context.store.ledgerEntry(for: id) else { return true }
        if entry.readyAt != nil || self.context.connections.hasAnswered(id) { return true }
        return try self.context.store.hasJobs(on: id)
    }

    private func bring() async throws(EngineError) -> SyncSummary? {
        let workspaces = try self.context.workspaces(on: self.instance.id)
        guard var summary = try await self.bring(workspaces[0]) else { return nil }
        for workspace in workspaces.dropFirst() {
            guard access(workspace.localRoot, F_OK) == 0 else {
                throw self.refusal(
                    "\(workspace.localRoot) is gone, and its results are still in \(workspace.remoteRoot)")
            }
            if let own = try await self.bring(workspace) { summary.join(own) }
        }
        return summary
    }

    private func bring(_ workspace: Workspace) async throws(EngineError) -> SyncSummary? {
        let id = self.instance.id
        let sync = WorkspaceSync(
            self.context, id, workspace, try await self.context.shell(for: id), self.progress)
        guard try self.context.store.ledgerEntry(for: id) != nil else {
            // The instance is somebody else's rental: its files belong in no folder of ours.
            let files = UnsafeResults(try await sync.outstanding()).files
            if files == 0 { return nil }
            if await VerifiedMark(shell: sync.shell, root: sync.workspace.remoteRoot).holds() { return nil }
            throw self.refusal("it was not rented from this machine and holds \(files) files")
        }
        let results = JobResults(context: self.context)
        let due = try results.due(on: id, in: workspace)
        var summary = try await sync.download(conflictSuffix: id.rawValue)
        if !summary.isSafe {
            // Files of an interrupted transfer arrive at the second attempt.
            summary.add(try await sync.download(conflictSuffix: id.rawValue))
        }
        if summary.isSafe {
            var outside = OutsideResults(
                context: self.context, instance: id, workspace: workspace,
                shell: try await self.context.shell(for: id), progress: self.progress)
            let (brought, inert) = try await outside.bring()
            self.isOutside.withLock { $0 = !brought.isSafe }
            summary.join(brought)
            try results.note(summary, of: due)
            // Results that must not come into the project are archived where nothing acts on them.
            if let held = try await sync.holdRefused(also: inert) {
                summary.left.append(
                    "\(held.names.prefix(3).joined(separator: ", ")) is saved on this machine: `\(held.command)` lists it"
                )
            }
        }
        let unsafe = summary.missing + summary.changing + summary.later
        if let first = unsafe.first { throw self.refusal(first, paths: unsafe) }
        try await self.bringLogs()
        return summary
    }

    /// Downloads the logs of finished jobs whose local copies are not known to be complete.
    private func bringLogs() async throws(EngineError) {
        for job in try self.context.store.jobs(on: self.instance.id)
        where job.state.isOver && job.state != .lost
            && job.record.map({ $0.logIsVerified != true }) ?? false
        {
            do throws(EngineError) {
                _ = try await FollowJob.catchUp(job.id, self.context)
            } catch {
                if error.code == .cancelled { throw error }
            }
        }
    }

    // MARK: Verified

    /// `true` if everything was here when the instance was stopped, and nobody has started it since.
    static func wasVerified(_ id: InstanceID, _ context: EngineContext) -> Bool {
        guard let verified = ManifestStore(context).loadVerified(instance: id),
            let safety = ManifestStore(context).loadSafety(instance: id)
        else { return false }
        // A later look that found something missing counts more.
        return safety.results.isSafe || safety.at <= verified
    }

    private func refusal(_ detail: String, paths: [String] = []) -> EngineError {
        var detail = detail
        if paths.isEmpty,
            let (results, date) = ManifestStore(self.context).loadSafety(instance: self.instance.id)
        {
            let seconds = Date().timeIntervalSince(date)
            let age = seconds < 60 ? "a moment ago" : "\(TimeSpan.rough(seconds)) ago"
            let size = ByteCount.text(results.bytes)
            detail +=
                results.isSafe
                ? "; \(age) everything was downloaded"
                : "; \(age) \(results.files) files, \(size), were not downloaded"
        }
        return EngineError(
            .unsafeResults,
            .init(
                self.words, platform: self.instance.id.platform, subject: self.instance.id.rawValue),
            detail: detail, suggestions: paths)
    }
}
