import Foundation

/// Ends that a program orders and cannot wait for: the ledger keeps the order, and the next program that
/// looks carries it out.
extension Engine {
    /// Leaves the order to destroy `id` as soon as no job runs there, after its results are downloaded unless
    /// `discardsResults`. An order that is in progress stays as it is.
    ///
    /// Returns `false` if the ledger does not know the instance: nobody would find the order.
    public func leaveEnd(of id: InstanceID, discardsResults: Bool = false) throws(EngineError) -> Bool {
        guard let entry = try self.context.store.ledgerEntry(for: id), entry.state != .gone else {
            return false
        }
        if entry.state == .destroying || entry.order?.stage == .pursued { return true }
        try self.context.store.setOrder(
            EndOrder(
                discardsResults ? .pursued : .afterJobs, discardsResults: discardsResults,
                at: self.context.now()),
            of: entry.name)
        return true
    }

    /// Leaves the order to destroy instances that this process has started to rent and has not booted, even
    /// if the platform has not answered the rental yet. Nothing has run on them.
    ///
    /// Returns the names of the rentals.
    public func leaveRentals() throws(EngineError) -> [String] {
        var names: [String] = []
        for entry in try self.context.store.openLedgerEntries()
        where entry.creator == .current && entry.state != .destroying {
            try self.context.store.setOrder(
                EndOrder(.pursued, discardsResults: true, at: self.context.now()), of: entry.name)
            names.append(entry.name)
        }
        return names
    }

    /// Withdraws an order that was left and that nobody has begun to carry out.
    public func withdrawEnd(of id: InstanceID) throws(EngineError) {
        guard let entry = try self.context.store.ledgerEntry(for: id), entry.state == .rented else { return }
        try self.context.store.setOrder(nil, of: entry.name)
    }

    /// `true` if the platform was already asked to end `id`.
    public func isEnding(_ id: InstanceID) -> Bool {
        (try? self.context.store.ledgerEntry(for: id))?.state == .destroying
    }

    /// Tells `id` itself to end when its last job has ended and its results are here, so that it ends even if
    /// no program looks again. Gives up after `limit`: the order in the ledger remains either way.
    public func tellOfEnd(_ id: InstanceID, within limit: Duration) async {
        let leases = LeaseKeeper(context: self.context)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await leases.order(id, afterJobs: true) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
