import Foundation

/// Brings back what is not safe, destroys, and waits until the platform no longer shows the instance.
///
/// The ledger's row says `destroying` before the platform is asked, and is closed only when it is gone: whatever
/// ends this first, the next start goes on from there.
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
        // One that is to be destroyed already was asked about its results when that began.
        let isResumed = entry?.state == .destroying
        let instance = try await self.look(client)
        let secure = SecureResults(
            engine: self.engine, instance: instance, words: self.activity.words, progress: self.progress)
        let download = isResumed || self.request.discardsResults ? nil : try await secure.run()
        // What has ended unseen can be asked for now and never again.
        try await LookAtJobs(engine: self.engine, report: self.report).run(on: self.id)
        self.progress(ActionProgress(.destroying))
        if let entry { try self.engine.history.update(entry.name, state: .destroying) }
        var leaving = instance
        leaving.status = .destroying
        self.report(.instanceChanged(leaving))
        await self.engine.connections.close(self.id)
        try await self.end(with: client, entry)
        let cost = try self.engine.cost(of: self.id)
        for job in try self.close(entry) { self.report(.jobChanged(job)) }
        self.report(.instanceGone(self.id))
        return DestroyReceipt(
            instance: self.id, name: instance.name, download: download, dollars: cost,
            duration: instance.createdAt.map { self.engine.now().timeIntervalSince($0) })
    }

    /// The instance as the platform shows it. Throws `.instanceGone` when a list, too, shows that it is not there.
    private func look(_ client: any PlatformClient) async throws(EngineError) -> Instance {
        if let instance = try await client.instance(self.id) {
            self.engine.connections.note([instance])
            return instance
        }
        if let listed = try await client.instances().first(where: { $0.id == self.id }) { return listed }
        for job in try self.close(try self.engine.history.ledgerEntry(for: self.id)) {
            self.report(.jobChanged(job))
        }
        self.report(.instanceGone(self.id))
        throw EngineError(.instanceGone, self.activity)
    }

    private var activity: EngineError.Activity {
        .init("destroying instance \(self.id)", platform: self.id.platform, subject: self.id.rawValue)
    }

    /// Asks for the end until a complete list no longer shows the instance, and the instance itself cannot be
    /// found either. Whatever the platform answers to the order, done or not found, proves nothing.
    ///
    /// A lock, a limit or a lost network may pass, so that the order is given again; a refused key will not.
    private func end(with client: any PlatformClient, _ entry: LedgerEntry?) async throws(EngineError) {
        let start = ContinuousClock.now
        var refusal: EngineError?
        var wasAccepted = false
        var deadline = self.limit
        var nextOrder = 0.0
        var pause = 2.0
        while true {
            let elapsed = start.secondsUntilNow
            if elapsed >= nextOrder {
                if let entry { try self.engine.history.update(entry.name, state: .destroying) }
                do throws(EngineError) {
                    try await client.destroy(self.id)
                    refusal = nil
                    // However long it took to get a hearing, the platform then has its time to do it.
                    if !wasAccepted { deadline = max(deadline, start.secondsUntilNow + self.limit / 2) }
                    wasAccepted = true
                    self.progress(ActionProgress(.confirming))
                } catch {
                    if error.code == .cancelled || error.code == .unauthorized { throw error }
                    refusal = error
                    self.progress(ActionProgress(.destroying, detail: error.detail ?? error.code.rawValue))
                }
                nextOrder = start.secondsUntilNow + 15 * self.engine.configuration.timeScale
            }
            do throws(EngineError) {
                let isShown = try await client.instances().contains { $0.id == self.id }
                if !isShown, try await client.instance(self.id) == nil { return }
            } catch {
                if error.code == .cancelled { throw error }
                refusal = refusal ?? error
            }
            guard start.secondsUntilNow + pause * self.engine.configuration.timeScale < deadline else {
                break
            }
            try await self.engine.pause(pause, "confirming the end of instance \(self.id)")
            pause = min(10, pause * 1.3)
        }
        let words = refusal.map { $0.detail ?? $0.code.rawValue }
        throw EngineError(
            .destroyUnconfirmed, self.activity,
            detail: words ?? "the platform still shows it after \(Int(saturating: self.limit.rounded(.up))) s"
        )
    }

    /// Seconds; those of a rehearsal cloud are shorter, and never under a few of ours.
    private var limit: Double {
        max(
            min(5, self.confirmationLimit),
            self.confirmationLimit * min(1, self.engine.configuration.timeScale))
    }

    private func close(_ entry: LedgerEntry?) throws(EngineError) -> [Job] {
        if let entry { return try self.engine.close(entry, because: LedgerEntry.destroyedReason) }
        return try self.engine.forget(self.id, cause: LedgerEntry.destroyedWords)
    }
}
