import Foundation

/// Brings back what is not safe, destroys, and waits until the platform no longer shows the instance.
struct DestroyInstance {
    let engine: Engine
    let id: InstanceID
    let request: DestroyRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void
    /// How long the platform may go on showing it, in seconds.
    var confirmationLimit = 120.0

    func run() async throws(EngineError) -> DestroyReceipt {
        let client = try self.engine.client(self.id.platform, "destroying instance \(self.id)")
        let entry = try self.engine.history.ledgerEntry(for: self.id)
        guard let instance = try await client.instance(self.id) else {
            try self.close(entry)
            throw EngineError(
                .instanceGone,
                .init("destroying instance \(self.id)", platform: self.id.platform, subject: self.id.rawValue)
            )
        }
        self.engine.connections.note([instance])
        let download = try await self.secureResults(of: instance, entry)
        self.progress(ActionProgress(.destroying))
        if let entry { try self.engine.history.update(entry.name, state: .destroying) }
        var leaving = instance
        leaving.status = .destroying
        self.report(.instanceChanged(leaving))
        await self.engine.connections.close(self.id)
        try await client.destroy(self.id)
        self.progress(ActionProgress(.confirming))
        try await self.confirm(with: client)
        try self.close(entry)
        self.report(.instanceGone(self.id))
        let duration = instance.createdAt.map { Date().timeIntervalSince($0) }
        return DestroyReceipt(
            instance: self.id, name: instance.name, download: download,
            dollars: duration.map { instance.price.cost(of: $0) }, duration: duration)
    }

    /// Returns once every file on the instance is here as well, or throws `.unsafeResults`.
    private func secureResults(of instance: Instance, _ entry: LedgerEntry?) async throws(EngineError)
        -> SyncSummary?
    {
        if self.request.discardsResults { return nil }
        let activity = EngineError.Activity(
            "destroying instance \(self.id)", platform: self.id.platform, subject: self.id.rawValue)
        guard instance.status == .running else {
            // It never ran, so that there is nothing on it.
            if instance.status == .pending || instance.status == .loading || instance.status == .failed {
                return nil
            }
            throw EngineError(
                .unsafeResults, activity,
                detail: "it is \(instance.status.rawValue), so its files cannot be compared")
        }
        do throws(EngineError) {
            let shell = try await self.engine.shell(for: self.id)
            let workspace = try self.engine.workspace(of: self.id)
            let sync = self.engine.sync(self.id, workspace: workspace, shell: shell, self.progress)
            guard entry != nil else {
                // Somebody else's rental: its files belong in no folder of ours.
                let plan = try await sync.outstanding()
                let files = plan.transfers.count + plan.conflicts.count
                if files == 0 { return nil }
                throw EngineError(
                    .unsafeResults, activity, detail: "it was not rented from here and holds \(files) files")
            }
            let summary = try await sync.download(conflictSuffix: self.id.rawValue)
            if !summary.missing.isEmpty {
                throw EngineError(
                    .unsafeResults, activity, detail: summary.missing[0], suggestions: summary.missing)
            }
            return summary
        } catch {
            switch error.code {
            case .cancelled, .unsafeResults, .hostKeyChanged, .localDiskFull: throw error
            default:
                throw EngineError(
                    .unsafeResults, activity,
                    detail: "its results could not be brought back: \(error.detail ?? error.code.rawValue)")
            }
        }
    }

    private func confirm(with client: any PlatformClient) async throws(EngineError) {
        let start = ContinuousClock.now
        while start.secondsUntilNow < self.confirmationLimit {
            do throws(EngineError) {
                if try await client.instance(self.id) == nil { return }
            } catch {
                if error.code == .cancelled { throw error }
            }
            try await self.engine.pause(2, "confirming the end of instance \(self.id)")
        }
        throw EngineError(
            .destroyUnconfirmed,
            .init("destroying instance \(self.id)", platform: self.id.platform, subject: self.id.rawValue),
            detail: "the platform still shows it after \(Int(self.confirmationLimit)) s")
    }

    private func close(_ entry: LedgerEntry?) throws(EngineError) {
        if let entry { try self.engine.history.update(entry.name, state: .gone) }
        // Nobody can follow them to their end any more.
        for var job in try self.engine.history.jobs(limit: 1000)
        where job.instance == self.id && !job.state.isOver {
            job.state = .lost
            job.cause = "its instance was destroyed"
            job.endedAt = Date()
            try self.engine.history.update(job)
            self.report(.jobChanged(job))
        }
        self.engine.manifests.remove(instance: self.id)
        self.engine.connections.forget(self.id)
    }
}
