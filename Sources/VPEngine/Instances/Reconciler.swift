import Foundation

/// Reconciles the ledger with a platform's list, and checks whether the list can be trusted.
struct Reconciler {
    let context: EngineContext
    let client: any PlatformClient

    private var platform: Platform { self.client.platform }
    private var store: Store { self.context.store }

    /// The seconds for which a list may still lag behind.
    private var grace: Double { 30 * self.context.configuration.timeScale }
    /// The seconds after which a rental whose answer was lost, and that no list shows, counts as never made.
    private var intentLimit: Double { 900 * self.context.configuration.timeScale }

    /// Reconciles the ledger with a complete list, and returns the list with the ledger's information added.
    ///
    /// An instance of ours that is missing in the list is asked for by its id before it counts as gone.
    /// Throws `.badResponse` if the platform still has it: such a list proves nothing, neither that an
    /// instance is gone nor that there is room for another.
    func settle(_ answer: InstanceListing) async throws(EngineError) -> [Instance] {
        let now = self.context.now()
        let listing = answer.instances
        let shown = Dictionary(listing.map { ($0.id, $0) }) { first, _ in first }
        var open = try self.store.openLedgerEntries().filter { $0.platform == self.platform }
        for index in open.indices {
            let entry = open[index]
            guard let id = entry.instance else {
                open[index].instance = try self.find(entry, in: answer, now)
                continue
            }
            guard shown[id] == nil, now.timeIntervalSince(entry.createdAt) > self.grace else { continue }
            if try await self.client.instance(id) != nil {
                throw EngineError(
                    .badResponse, .init("listing instances", platform: self.platform),
                    detail: "the list lacks instance \(id), which the platform still has")
            }
            guard try await self.isGone(id, entry) else { continue }
            try RentalRecord(context: self.context).close(
                entry, because: try self.reason(forTheEndOf: entry, now))
        }
        open += try self.reopen(listing, besides: open, now)
        let projects = Dictionary(
            open.compactMap { entry in entry.instance.map { ($0, entry.projectName) } }
        ) { $1 }
        try self.store.meter(listing, projects: projects, whole: self.platform, at: now)
        try await self.resumeEndings(open, shown, now)
        try await self.guardWeakLeases(open, shown, now)
        for index in open.indices { try await self.notePark(&open[index], shown, now) }
        return listing.map { instance in
            var instance = instance
            guard let entry = open.last(where: { $0.instance == instance.id }) else { return instance }
            if entry.state == .destroying { instance.status = .destroying }
            instance.lease = entry.lease
            if let order = entry.order, entry.state == .rented, order.stage == .waiting {
                instance.refusedEnd = order.words ?? ""
            }
            return instance
        }
    }

    /// Looks a second time, since an answer may be a glitch of the platform: an instance that is closed in
    /// the ledger by mistake goes on costing money unnoticed. An instance that was ordered to end needs no
    /// such care.
    private func isGone(_ id: InstanceID, _ entry: LedgerEntry) async throws(EngineError) -> Bool {
        guard entry.state != .destroying else { return true }
        try await self.context.pause(5, "looking for instance \(id) a second time")
        guard try await self.client.instance(id) == nil else { return false }
        return try await !self.client.instances().contains { $0.id == id }
    }

    /// Reopens closed rows of ours whose instances still exist.
    private func reopen(
        _ listing: [Instance], besides open: [LedgerEntry], _ now: Date
    ) throws(EngineError) -> [LedgerEntry] {
        let known = Set(open.compactMap(\.instance))
        var reopened: [LedgerEntry] = []
        for instance in listing where !known.contains(instance.id) {
            guard var entry = try self.store.ledgerEntry(for: instance.id), entry.state == .gone,
                // A confirmed destroy may still show in lists for a moment.
                now.timeIntervalSince(entry.updatedAt) > self.grace
            else { continue }
            // An instance that was to end is ordered to end again.
            entry.state = entry.endReason == .destroyed ? .destroying : .rented
            try self.store.reopen(entry.name, as: entry.state, at: now)
            reopened.append(entry)
        }
        return reopened
    }

    /// The reason why an instance no longer exists. An instance that ended itself at the end of its lease is
    /// not lost.
    private func reason(forTheEndOf entry: LedgerEntry, _ now: Date) throws(EngineError)
        -> LedgerEntry.EndReason
    {
        if entry.state == .destroying { return .destroyed }
        guard let lease = entry.lease, lease.terms.ending == .destroy, lease.mayHaveRunOut(by: now) else {
            return .lost
        }
        // A running job would have renewed the lease, up to its hard limit.
        let wasBusy = try entry.instance.map { id throws(EngineError) in try self.isBusy(id) } ?? false
        return wasBusy && !lease.mayHaveReachedItsCap(by: now) ? .lost : .lease
    }

    /// `true` if a job was running on `instance` when it was last seen.
    private func isBusy(_ instance: InstanceID) throws(EngineError) -> Bool {
        try self.store.openJobs(on: instance).contains { $0.state == .running }
    }

    /// Finds the instance of a rental whose answer was lost.
    private func find(_ entry: LedgerEntry, in listing: InstanceListing, _ now: Date) throws(EngineError)
        -> InstanceID?
    {
        if let found = listing.instances.first(where: { $0.name == entry.name }) {
            try self.store.update(entry.name, state: .rented, instance: found.id, at: now)
            return found.id
        }
        let isAbandoned = entry.creator.map { !$0.isAlive } ?? true
        // A row that could not be read may be that instance.
        if isAbandoned, listing.refusal == nil, now.timeIntervalSince(entry.createdAt) > self.intentLimit {
            try RentalRecord(context: self.context).close(entry, because: .neverAppeared)
        }
        return nil
    }

    /// Repeats the order to end for instances that are being destroyed and still exist, unless another
    /// process did so a moment ago.
    private func resumeEndings(
        _ open: [LedgerEntry], _ shown: [InstanceID: Instance], _ now: Date
    ) async throws(EngineError) {
        for entry in open where entry.state == .destroying {
            guard let id = entry.instance, shown[id] != nil,
                now.timeIntervalSince(entry.updatedAt) > self.grace
            else { continue }
            try self.store.update(entry.name, state: .destroying, at: now)
            // Whether or not it is refused, the row stays until a list shows the instance gone.
            try? await self.client.destroy(id)
        }
    }
}

extension Reconciler {
    /// Stops instances that have outlived their lease and cannot end themselves. Nothing is destroyed from
    /// here: the results may be nowhere else.
    private func guardWeakLeases(
        _ open: [LedgerEntry], _ shown: [InstanceID: Instance], _ now: Date
    ) async throws(EngineError) {
        for entry in open where entry.state == .rented {
            guard let id = entry.instance, shown[id]?.status == .running, let lease = entry.lease,
                lease.guardian == .local, let end = lease.endsAt
            else { continue }
            let isCapped = lease.capEndsAt.map { now >= $0 } ?? false
            let isBusy = try self.isBusy(id)
            guard isCapped || (now >= end && !isBusy) else { continue }
            try self.store.note("stopping: its lease ran out", on: entry.name, at: now)
            try? await self.client.stop(id)
        }
    }
}

extension Reconciler {
    /// Records since when the instance has been stopped, and destroys it if the user's limit for that is
    /// exceeded. A stopped instance has no watchdog, so only a process that looks can do that.
    private func notePark(
        _ entry: inout LedgerEntry, _ shown: [InstanceID: Instance], _ now: Date
    ) async throws(EngineError) {
        guard entry.state == .rented, let id = entry.instance, let instance = shown[id],
            var lease = entry.lease
        else { return }
        let since = instance.status == .stopped ? lease.parkedAt ?? now : nil
        if since != lease.parkedAt {
            lease.parkedAt = since
            entry.lease = lease
            try self.store.setLease(lease, of: entry.name)
        }
        let money = self.context.configuration.money
        guard money.destroysParked, let since, let limit = money.parkedSeconds,
            now.timeIntervalSince(since) >= limit
        else { return }
        try self.store.note("destroying: stopped for longer than lease.parked", on: entry.name, at: now)
        try self.store.update(entry.name, state: .destroying, at: now)
        entry.state = .destroying
        // Whether or not it is refused, the row stays until a list shows the instance gone.
        try? await self.client.destroy(id)
    }
}

extension LedgerEntry {
    /// The reason why a job is lost whose instance was destroyed from here.
    static let destroyedWords = "its instance was destroyed"

    /// The name of the project it was rented for.
    var projectName: String { (self.workspaceRoot as NSString).lastPathComponent }
}
