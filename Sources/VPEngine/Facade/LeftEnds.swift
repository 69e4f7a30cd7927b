import Foundation

/// Ends that a program asks for and has to leave before they can be carried out:
/// the ledger keeps the order, and whichever program looks next goes on with it.
extension Engine {
    /// Leaves the order to destroy `id` as soon as no job runs there, with its results brought first unless
    /// `discardsResults`. An order that is under way stays as it is.
    ///
    /// False where the ledger does not know the instance: nobody would find the order.
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

    /// Leaves the order to destroy what this process has begun to rent and has not brought up, also where the
    /// platform has not told yet what it rented. Nothing was run on it.
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

    /// Takes back an order that was left and that nobody has begun to carry out.
    public func withdrawEnd(of id: InstanceID) throws(EngineError) {
        guard let entry = try self.context.store.ledgerEntry(for: id), entry.state == .rented else { return }
        try self.context.store.setOrder(nil, of: entry.name)
    }

    /// Whether the platform was asked already to end `id`.
    public func isEnding(_ id: InstanceID) -> Bool {
        (try? self.context.store.ledgerEntry(for: id))?.state == .destroying
    }

    /// Tells `id` itself to end when its last job has ended and its results are here,
    /// so that it comes even where no program looks again. Gives up after `limit`:
    /// the order in the ledger stands either way.
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
