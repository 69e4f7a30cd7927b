import Foundation
import Synchronization

/// Money: leftovers, costs and alarms.
extension Engine {
    /// Resources that cost money on the accounts and are not in use.
    public func leftovers(platform: Platform? = nil) async throws(EngineError) -> PlatformAnswers<Leftover> {
        let instances = await self.instances(platform: platform)
        let ledger = try self.context.store.openLedgerEntries()
        var answers = PlatformAnswers(
            values: Leftover.among(instances.values, ledger: ledger),
            failures: instances.failures.map { .init(platform: $0.platform, error: $0.error) },
            fetchedAt: instances.fetchedAt)
        let volumes = await self.context.ask(platform, "listing volumes") {
            client async throws(EngineError) in
            try await client.volumes()
        }
        answers.values += volumes.values.filter { $0.isUnattached }.map { volume in
            Leftover(
                platform: volume.platform, id: volume.id, name: volume.name, kind: .volume,
                dollarsPerDay: volume.price.dollarsPerDay, createdAt: volume.createdAt)
        }
        let failed = Set(answers.failures.map(\.platform))
        for failure in volumes.failures where !failed.contains(failure.platform) {
            answers.failures.append(.init(platform: failure.platform, error: failure.error))
        }
        return answers
    }

    /// The costs since `start`, grouped.
    public func costs(by grouping: CostBook.Grouping, since start: Date) throws(EngineError) -> CostAccount {
        let book = try CostBook(self.context, since: start)
        let jobs = grouping == .job ? try self.context.store.jobs(limit: .max) : []
        return CostAccount(
            grouping: grouping, start: start, end: book.now,
            lines: book.lines(by: grouping, from: start, to: book.now, jobs: jobs),
            total: book.total(from: start, to: book.now))
    }

    /// Asks the platforms for their charges since `start`, and saves them. Days that were over when they were
    /// last asked for are not asked for again.
    public func fetchCharges(since start: Date) async -> [PlatformAnswers<Charge>.Failure] {
        let first = UTCDay.midnight(start)
        let now = self.context.now()
        let kept = (try? self.context.store.charges(since: first)) ?? []
        let answers = await self.context.ask(nil, "reading charges") { client async throws(EngineError) in
            // The search for the first missing day stops at the first gap: later complete days do not count.
            var from = first
            while from < UTCDay.midnight(now),
                kept.contains(where: {
                    $0.instance.platform == client.platform && $0.day == from
                        && $0.countedUntil >= from.addingTimeInterval(UTCDay.seconds)
                })
            {
                from = from.addingTimeInterval(UTCDay.seconds)
            }
            return try await client.charges(from: from, to: now)
        }
        try? self.context.store.keep(answers.values)
        return answers.failures.filter { $0.error.code != .missingKey }
    }

    /// The cost of `instance` so far, in dollars; nil if it was never seen.
    public func cost(of instance: InstanceID) throws(EngineError) -> Double? {
        try CostBook.dollars(of: instance, self.context)
    }

    /// The caps and the part of them that is left, from what was last seen, without asking a platform.
    public func limitsReport() throws(EngineError) -> LimitsReport {
        let now = self.context.now()
        let midnight = UTCDay.midnight(now)
        let seen = (self.cachedInstances()?.values ?? []).filter(\.status.holdsGPU)
        let ids = Set(seen.map(\.id))
        let others = try self.context.store.openLedgerEntries().filter { entry in
            entry.state == .intended || entry.state == .rented && entry.lease?.parkedAt == nil
        }.filter { entry in entry.instance.map { !ids.contains($0) } ?? true }
        return LimitsReport(
            limits: self.configuration.limits,
            spentToday: try CostBook(self.context, since: midnight).total(from: midnight, to: now).dollars,
            dayLimit: self.configuration.dayLimit, instances: seen.count + others.count,
            ownFile: LimitsFile.places(environment: self.configuration.environment)[0])
    }

    /// Figures and alarms from what was last seen, without asking a platform.
    public func moneyReport() throws(EngineError) -> MoneyReport {
        try MoneyWatch(context: self.context).report()
    }

    // MARK: Leases

    private var leases: LeaseKeeper { LeaseKeeper(context: self.context) }

    /// The lease of `id`, asked of the instance if it runs; nil for one that was not rented from here.
    public func lease(of id: InstanceID) async throws(EngineError) -> Lease? {
        await self.leases.look(id)
        return try self.context.store.ledgerEntry(for: id)?.lease
    }

    /// Gives `id` a lease of `seconds` from now on, or one without end for nil, and returns it.
    ///
    /// Throws `.limitRefused` beyond the hard limit, and `.unsupported` for an instance that was not rented
    /// from here.
    public func setLease(of id: InstanceID, seconds: Double?) async throws(EngineError) -> Lease {
        try await self.leases.set(of: id, seconds: seconds)
    }

    /// Renews the leases of running instances that were not renewed in the last minutes. A front end that
    /// stays open may call it as often as it likes.
    public func renewLeases() async {
        // Questions to an instance that does not answer must not pile up.
        let isFirst = self.isRenewing.withLock { isRenewing in
            defer { isRenewing = true }
            return !isRenewing
        }
        guard isFirst else { return }
        defer { self.isRenewing.withLock { $0 = false } }
        await self.leases.renewAll()
    }
}
