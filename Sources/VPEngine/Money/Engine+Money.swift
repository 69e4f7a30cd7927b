import Foundation

/// Money: what is left over, what things cost, what rings.
extension Engine {
    /// A list that can be believed, or an error: nothing is rented on a platform that does not say what is there.
    package func trustedInstances(on platform: Platform) async throws(EngineError) -> [Instance] {
        let answers = await self.instances(platform: platform)
        if let failure = answers.failures.first { throw failure.error }
        return answers.values
    }

    /// What costs money on the accounts and is not in use.
    public func leftovers(platform: Platform? = nil) async throws(EngineError) -> PlatformAnswers<Leftover> {
        let instances = await self.instances(platform: platform)
        let ledger = try self.history.openLedgerEntries()
        var answers = PlatformAnswers(
            values: Leftover.among(instances.values, ledger: ledger),
            failures: instances.failures.map { .init(platform: $0.platform, error: $0.error) },
            fetchedAt: instances.fetchedAt)
        let volumes = await self.ask(platform, "listing volumes") { client async throws(EngineError) in
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

    /// The rental of this project that an earlier `vp` began and did not live to finish, where `request` could
    /// have meant it. Renting another beside it would be renting twice.
    package func unfinishedRental(
        for request: CreateRequest, among instances: [Instance]
    ) throws(EngineError) -> (entry: LedgerEntry, instance: Instance)? {
        guard request.offer == nil else { return nil }
        for entry in try self.history.openLedgerEntries().reversed() where entry.isUnfinished {
            guard entry.workspaceRoot == self.configuration.workspace.localRoot,
                request.name == nil || request.name == entry.name,
                request.platform == nil || request.platform == entry.platform,
                let instance = instances.first(where: { $0.id == entry.instance }),
                instance.status != .stopped, instance.status != .failed, instance.status != .lost
            else { continue }
            if let wanted = request.query.gpu, let selection = GPUName.select(wanted),
                GPUName.select(instance.gpuName)?.models != selection.models
            {
                continue
            }
            return (entry, instance)
        }
        return nil
    }

    /// What is known of costs since `start`.
    package func costBook(since start: Date) throws(EngineError) -> CostBook {
        CostBook(
            spans: try self.history.meterSpans(since: start), charges: try self.history.charges(since: start),
            now: self.now())
    }

    /// What was spent since `start`, by what it was spent for.
    public func costs(by grouping: CostBook.Grouping, since start: Date) throws(EngineError) -> CostAccount {
        let book = try self.costBook(since: start)
        let jobs = grouping == .job ? try self.history.jobs(limit: 10_000) : []
        return CostAccount(
            grouping: grouping, start: start, end: book.now,
            lines: book.lines(by: grouping, from: start, to: book.now, jobs: jobs),
            total: book.total(from: start, to: book.now))
    }

    /// Asks the platforms what they have charged since `start`, and keeps it. Days that were over when they were
    /// last asked for are not asked for again.
    public func fetchCharges(since start: Date) async -> [PlatformAnswers<Charge>.Failure] {
        let first = CostBook.midnight(start)
        let now = self.now()
        let kept = (try? self.history.charges(since: first)) ?? []
        let answers = await self.ask(nil, "reading charges") { client async throws(EngineError) in
            // The last day that is known to its end, of those without a gap from the first on.
            var from = first
            while from < CostBook.midnight(now),
                kept.contains(where: {
                    $0.instance.platform == client.platform && $0.day == from
                        && $0.countedUntil >= from.addingTimeInterval(CostBook.day)
                })
            {
                from = from.addingTimeInterval(CostBook.day)
            }
            return try await client.charges(from: from, to: now)
        }
        try? self.history.keep(answers.values)
        return answers.failures.filter { $0.error.code != .missingKey }
    }

    /// What `instance` has cost so far, in dollars; nil where it was never seen.
    public func cost(of instance: InstanceID) throws(EngineError) -> Double? {
        let book = try self.costBook(since: .distantPast)
        guard let first = book.spans.filter({ $0.instance == instance }).map(\.startedAt).min() else {
            return nil
        }
        return book.cost(of: instance, from: first, to: self.now()).dollars
    }

    /// Notes that `instance` is rented and, where it runs, puts the watchdog there. Nobody need take its creation
    /// further.
    package func finishCreation(of instance: Instance, named name: String) async throws(EngineError)
        -> Instance
    {
        var instance = instance
        if instance.status == .running {
            try self.history.noteReady(name, at: self.now())
            await self.leases.arm(instance.id)
        }
        instance.lease = try self.history.ledgerEntry(for: instance.id)?.lease
        try self.history.finishCreation(of: name)
        return instance
    }

    /// Notes that the platform has confirmed the end of `entry`'s instance.
    ///
    /// - Returns: jobs that nobody can follow to their end any more.
    @discardableResult
    package func close(_ entry: LedgerEntry, because reason: String) throws(EngineError) -> [Job] {
        var lost: [Job] = []
        // Its jobs first: whoever follows one asks the row why the instance is gone.
        if let id = entry.instance {
            let isDestroyed = reason == LedgerEntry.destroyedReason
            lost = try self.forget(
                id, cause: isDestroyed ? LedgerEntry.destroyedWords : "its instance is gone: \(reason)")
        }
        try self.history.update(entry.name, state: .gone, at: self.now(), because: reason)
        return lost
    }

    /// Drops what is kept for an instance that is gone.
    @discardableResult
    package func forget(_ id: InstanceID, cause: String) throws(EngineError) -> [Job] {
        let now = self.now()
        try self.history.endMeter(of: id, at: now)
        let lost = try self.loseJobs(on: id, cause, at: now)
        self.manifests.remove(instance: id)
        self.connections.forget(id)
        return lost
    }
}

/// What was spent in some time, by what it was spent for.
public struct CostAccount: Sendable {
    public var grouping: CostBook.Grouping
    public var start: Date
    public var end: Date
    public var lines: [CostBook.Line]
    public var total: CostBook.Line

    public init(
        grouping: CostBook.Grouping, start: Date, end: Date, lines: [CostBook.Line], total: CostBook.Line
    ) {
        self.grouping = grouping
        self.start = start
        self.end = end
        self.lines = lines
        self.total = total
    }
}
