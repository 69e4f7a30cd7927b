import Foundation

/// The local records of a rental, from its readiness to its end.
struct RentalRecord {
    let context: EngineContext

    /// Records that `instance` is rented and, if it runs, installs the watchdog there. Its creation is then
    /// finished.
    func finishCreation(of instance: Instance, named name: String) async throws(EngineError) -> Instance {
        var instance = instance
        if instance.status == .running {
            try self.context.store.noteReady(name, at: self.context.now())
            await LeaseKeeper(context: self.context).arm(instance.id)
        }
        instance.lease = try self.context.store.ledgerEntry(for: instance.id)?.lease
        try self.context.store.finishCreation(of: name)
        return instance
    }

    /// Records that the platform has confirmed the end of `entry`'s instance.
    ///
    /// - Returns: the jobs that nobody can follow to their end any more.
    @discardableResult
    func close(_ entry: LedgerEntry, because reason: LedgerEntry.EndReason) throws(EngineError) -> [Job] {
        var lost: [Job] = []
        // The jobs come first: a process that follows one asks the row why the instance is gone.
        if let id = entry.instance {
            lost = try self.forget(
                id,
                cause: reason == .destroyed
                    ? LedgerEntry.destroyedWords : "its instance is gone: \(reason.words)")
        }
        try self.context.store.update(entry.name, state: .gone, at: self.context.now(), because: reason)
        return lost
    }

    /// Drops the records of an instance that is gone.
    @discardableResult
    func forget(_ id: InstanceID, cause: String) throws(EngineError) -> [Job] {
        let now = self.context.now()
        try self.context.store.endMeter(of: id, at: now)
        let lost = try JobBook(context: self.context).lose(on: id, cause, at: now)
        ManifestStore(self.context).remove(instance: id)
        self.context.connections.forget(id)
        return lost
    }

    /// The last known state of `id`, without asking the platform.
    func lastSeen(_ id: InstanceID, _ entry: LedgerEntry) -> Instance {
        _ = self.context.cachedInstances()
        return self.context.connections.known(id)
            ?? Instance(
                id: id, name: entry.name, status: .unknown, gpuName: entry.gpuName,
                price: HourlyPrice(dollarsPerHour: entry.dollarsPerHour), createdAt: entry.createdAt,
                image: entry.image, machineID: entry.machineID)
    }

    /// `true` if a stop keeps the workspace of `id`: RunPod wipes everything but the volume.
    func stopKeepsResults(on id: InstanceID) throws(EngineError) -> Bool {
        guard id.platform == .runpod else { return true }
        let root = try self.context.workspace(of: id).remoteRoot
        return root == "/workspace" || root.hasPrefix("/workspace/")
    }
}
