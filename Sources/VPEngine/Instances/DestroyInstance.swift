import Foundation

/// Downloads results that are not safe, destroys the instance, and waits until the platform no longer shows
/// it.
///
/// The ledger's row has the order from the first moment, says `destroying` before the platform is asked, and
/// is closed only when the instance is gone. If this process dies, the next start resumes from there.
struct DestroyInstance {
    let context: EngineContext
    let id: InstanceID
    let request: DestroyRequest
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void
    /// How long each step is retried, and how long the platform may keep showing the instance, in seconds.
    var patience = 120.0

    func run() async throws(EngineError) -> DestroyReceipt {
        let client = try self.context.client(self.id.platform, "destroying instance \(self.id)")
        let entry = try self.context.store.ledgerEntry(for: self.id)
        // For an instance already being destroyed, the results were dealt with when that began.
        let isResumed = entry?.state == .destroying
        if let entry, !isResumed { try self.hold(entry) }
        do throws(EngineError) {
            return try await self.carryOut(client, entry, isResumed)
        } catch {
            throw try await self.settle(error, client, entry, isResumed)
        }
    }

    private func carryOut(
        _ client: any PlatformClient, _ entry: LedgerEntry?, _ isResumed: Bool
    ) async throws(EngineError) -> DestroyReceipt {
        let instance = try await self.look(client)
        if !isResumed, !self.request.endsJobs {
            try await LiveJobs(self.context).requireNone(on: instance, self.activity)
        } else if !isResumed, !self.request.discardsResults {
            // Files that jobs save when they are told to end are results like any other.
            await EndJobs(context: self.context, progress: self.progress, report: self.report).run(
                on: instance)
        }
        let secure = SecureResults(
            context: self.context, instance: instance, words: self.activity.words, progress: self.progress,
            patience: self.patience)
        let download = isResumed || self.request.discardsResults ? nil : try await secure.run()
        // Jobs that ended unnoticed can be asked for now and never again.
        try await LookAtJobs(self.context, report: self.report).run(on: self.id)
        // The downloaded logs and the ledger must survive a power cut as well.
        try? self.context.flush(self.context.configuration.paths.stateFolder)
        self.progress(ActionProgress(.destroying))
        if let entry { try self.context.store.update(entry.name, state: .destroying) }
        var leaving = instance
        leaving.status = .destroying
        self.report(.instanceChanged(leaving))
        // The instance's own watchdog gets the order first: it continues when nobody here does, with a key of
        // its own.
        if entry != nil, instance.status == .running, self.context.connections.hasAnswered(self.id) {
            await self.orderWatchdog()
        }
        await self.context.connections.close(self.id)
        try await self.end(with: client, entry)
        let cost = try CostBook.dollars(of: self.id, self.context)
        for job in try self.close(entry) { self.report(.jobChanged(job)) }
        self.report(.instanceGone(self.id))
        return DestroyReceipt(
            instance: self.id, name: instance.name, download: download, dollars: cost,
            duration: instance.createdAt.map { self.context.now().timeIntervalSince($0) })
    }

    /// Returns the instance as the platform shows it or, if the platform gives no answer, as it was seen
    /// last. Throws `.instanceGone` if a complete list does not show it either.
    private func look(_ client: any PlatformClient) async throws(EngineError) -> Instance {
        let pursuit = Pursuit(
            context: self.context, patience: Pursuit.patience(self.patience / 4, self.context),
            progress: self.progress)
        do throws(EngineError) {
            let found = try await pursuit(.destroying, self.activity.words) {
                () async throws(EngineError) -> Instance? in
                if let instance = try await client.instance(self.id) {
                    self.context.connections.note([instance])
                    return instance
                }
                return try await client.instances().first { $0.id == self.id }
            }
            if let found { return found }
        } catch {
            guard error.code != .cancelled, let entry = try self.context.store.ledgerEntry(for: self.id)
            else { throw error }
            return RentalRecord(context: self.context).lastSeen(self.id, entry)
        }
        for job in try self.close(try self.context.store.ledgerEntry(for: self.id)) {
            self.report(.jobChanged(job))
        }
        self.report(.instanceGone(self.id))
        throw EngineError(.instanceGone, self.activity)
    }

    private var activity: EngineError.Activity {
        .init("destroying instance \(self.id)", platform: self.id.platform, subject: self.id.rawValue)
    }

    /// Tells the instance to end itself. An instance that does not respond within 5 s is ended without that.
    private func orderWatchdog() async {
        let script = WatchdogScript.order(discardsResults: self.request.discardsResults)
        guard let shell = try? await self.context.shell(for: self.id) else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await shell.run(script) }
            group.addTask { try? await Task.sleep(for: .seconds(5)) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Orders the end until neither a complete list nor a question for the instance itself shows it. The
    /// platform's answer to the order, done or not found, proves nothing.
    ///
    /// Any error may be temporary: a lock, a limit, a lost network, a key that is being replaced. So the
    /// order is repeated until the patience is over.
    private func end(with client: any PlatformClient, _ entry: LedgerEntry?) async throws(EngineError) {
        let start = ContinuousClock.now
        let limit = Pursuit.patience(self.patience, self.context)
        var refusal: EngineError?
        var isShown: Bool?
        var wasAccepted = false
        var deadline = limit
        var nextOrder = 0.0
        var pause = 2.0
        while true {
            let elapsed = start.secondsUntilNow
            if elapsed >= nextOrder {
                if let entry { try self.context.store.update(entry.name, state: .destroying) }
                do throws(EngineError) {
                    try await client.destroy(self.id)
                    refusal = nil
                    // However long it took until the order was accepted, the platform then has its time to
                    // carry it out.
                    if !wasAccepted { deadline = max(deadline, start.secondsUntilNow + limit / 2) }
                    wasAccepted = true
                    self.progress(ActionProgress(.confirming))
                } catch {
                    if error.code == .cancelled { throw error }
                    refusal = error
                    self.progress(ActionProgress(.destroying, detail: error.detail ?? error.code.rawValue))
                }
                nextOrder = start.secondsUntilNow + 15 * self.context.configuration.timeScale
            }
            do throws(EngineError) {
                let isListed = try await client.instances().contains { $0.id == self.id }
                let isThere = isListed ? true : try await client.instance(self.id) != nil
                isShown = isThere
                if !isThere { return }
            } catch {
                if error.code == .cancelled { throw error }
                refusal = refusal ?? error
            }
            guard start.secondsUntilNow + pause * self.context.configuration.timeScale < deadline else {
                break
            }
            try await self.context.pause(pause, "waiting until instance \(self.id) is gone")
            pause = min(10, pause * 1.3)
        }
        let platform = self.id.platform.displayName
        let state =
            isShown == nil
            ? "\(platform) does not say whether the instance \(self.id) still exists"
            : "\(platform) still shows the instance \(self.id) after \(Int(saturating: limit.rounded(.up))) s"
        let words = refusal.map { ": \(Self.words(for: $0, of: self.id.platform))" } ?? ""
        throw EngineError(.destroyUnconfirmed, self.activity, detail: state + words)
    }

    /// Words for a refusal; a refused key is something that the user can fix.
    private static func words(for refusal: EngineError, of platform: Platform) -> String {
        let said = refusal.detail ?? refusal.code.rawValue
        guard refusal.code == .unauthorized else { return said }
        return
            "it refuses the key (\(said)), and `vp config-set --\(platform.rawValue)-api-key -` sets another"
    }

    private func close(_ entry: LedgerEntry?) throws(EngineError) -> [Job] {
        if let entry {
            return try RentalRecord(context: self.context).close(entry, because: .destroyed)
        }
        return try RentalRecord(context: self.context).forget(self.id, cause: LedgerEntry.destroyedWords)
    }
}

/// Handling of orders that were not carried out.
extension DestroyInstance {
    private func hold(_ entry: LedgerEntry) throws(EngineError) {
        let order = EndOrder(
            .pursued, discardsResults: self.request.discardsResults, at: self.context.now())
        _ = try self.context.store.hold(order, of: entry.name)
    }

    /// Records in the row what `error` means for the order, and returns the error for the user.
    private func settle(
        _ error: EngineError, _ client: any PlatformClient, _ entry: LedgerEntry?, _ isResumed: Bool
    ) async throws(EngineError) -> EngineError {
        let now = self.context.now()
        let isAsked = try entry.map { entry throws(EngineError) in
            try self.context.store.ledgerEntry(for: self.id)?.state == .destroying
        }
        func keep(_ order: EndOrder?) throws(EngineError) {
            guard let entry, isAsked != true else { return }
            try self.context.store.setOrder(order, of: entry.name)
        }
        switch error.code {
        case .instanceGone: return error
        case .cancelled:
            // The user who cancelled did not want the end; but once the platform was asked, it comes all the
            // same.
            try keep(
                self.request.staysOrdered
                    ? EndOrder(.pursued, discardsResults: self.request.discardsResults, at: now) : nil)
            return error
        case .jobsRunning:
            let words = Self.words(for: error)
            try keep(
                EndOrder(
                    self.request.waitsForJobs ? .afterJobs : .waiting,
                    discardsResults: self.request.discardsResults, words: words, at: now))
            if self.request.waitsForJobs {
                await LeaseKeeper(context: self.context).order(self.id, afterJobs: true)
            }
            await MoneyWatch(context: self.context).note()
            return self.request.waitsForJobs
                ? error.addingDetail("it will be destroyed when the last of them has ended") : error
        case .unsafeResults, .hostKeyChanged:
            try keep(EndOrder(.waiting, words: Self.words(for: error), at: now))
            var refused = error
            if self.request.stopsWhenRefused, let words = await self.stopInstead(client) {
                refused = error.addingDetail(words)
            }
            await MoneyWatch(context: self.context).note()
            return refused
        default:
            try keep(EndOrder(.pursued, discardsResults: self.request.discardsResults, at: now))
            await MoneyWatch(context: self.context).note()
            let words =
                error.code == .destroyUnconfirmed
                ? error.detail ?? "" : "it could not be destroyed: \(error.detail ?? error.code.rawValue)"
            return EngineError(
                .destroyUnconfirmed, self.activity, detail: words + self.priceWords(entry),
                leftoverInstance: error.leftoverInstance)
        }
    }

    private static func words(for error: EngineError) -> String {
        let names = error.suggestions.prefix(3).joined(separator: "; ")
        let reason = error.detail ?? names
        return error.code == .jobsRunning
            ? "other jobs are running on it: \(names)" : "results are not downloaded: \(reason)"
    }

    /// `; it costs $0.40 an hour`, or empty if the price is unknown.
    private func priceWords(_ entry: LedgerEntry?) -> String {
        let price = self.context.connections.known(self.id)?.price.dollarsPerHour ?? entry?.dollarsPerHour
        return price.map { "; it costs \(Figures.dollars($0)) an hour" } ?? ""
    }

    /// Stops an instance that must not be destroyed, if that loses nothing, so that only its disk costs
    /// money. Returns words for the user.
    private func stopInstead(_ client: any PlatformClient) async -> String? {
        guard let instance = try? await client.instance(self.id), instance.status == .running,
            let isKept = try? RentalRecord(context: self.context).stopKeepsResults(on: self.id), isKept,
            // Requires a report without jobs: a job that nobody can see may be running.
            await LiveJobs(self.context).told(by: self.id)?.isEmpty == true
        else { return nil }
        await self.context.connections.close(self.id)
        guard (try? await client.stop(self.id)) != nil else { return nil }
        var last = instance
        let pursuit = Pursuit(
            context: self.context, patience: Pursuit.patience(60, self.context), progress: self.progress)
        _ = try? await pursuit(.stopping, "stopping instance \(self.id)") { () async throws(EngineError) in
            last = try await self.context.freshInstance(self.id)
            guard last.status == .stopped else {
                throw EngineError(.timedOut, self.activity, detail: last.status.rawValue)
            }
        }
        self.report(.instanceChanged(last))
        return "it is stopped, and its disk costs \(Figures.dollars(last.price.dollarsPerDay)) a day"
    }
}

extension EngineError {
    /// A copy of the error with `words` added to its detail.
    fileprivate func addingDetail(_ words: String) -> EngineError {
        EngineError(
            self.code, self.activity,
            detail: [self.detail, words].compactMap(\.self).joined(separator: "; "),
            suggestions: self.suggestions, leftoverInstance: self.leftoverInstance)
    }
}
