import Foundation
import Synchronization

/// Starts and stops an instance, and waits until the platform shows the new state.
struct InstanceSwitch {
    let context: EngineContext
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    func start(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.context.client(id.platform, "starting instance \(id)")
        if let entry = try self.context.store.ledgerEntry(for: id) {
            try Budget(context: self.context).admit(HourlyPrice(dollarsPerHour: entry.dollarsPerHour))
        }
        self.progress(ActionProgress(.starting))
        let stopped = try await self.context.freshInstance(id)
        // Files written from now on did not exist when the instance was verified.
        ManifestStore(self.context).saveVerified(nil, instance: id)
        try await client.start(id)
        // RunPod's containers create their host keys when they start. We asked for the start, so a new key is
        // expected; a key that changes without that is still refused.
        if id.platform == .runpod { self.context.connections.forgetHostKey(of: id) }
        // The address may have changed, and the open connection leads nowhere.
        await self.context.connections.close(id)
        let boot = InstanceBoot(
            context: self.context, deadlines: BootDeadlines(), progress: self.progress, report: self.report,
            isRestart: true)
        // Files outside the workspace may have been reset to the image's, and the GPU may be somebody else's
        // by now.
        return try await boot.run(stopped)
    }

    /// Downloads results that are only on the instance, then stops it. Also returns the error for results
    /// that could not be downloaded.
    ///
    /// The disk remains, but the GPU, and with it the disk, may not be available again. If the stop would
    /// lose files at once, because they are outside the volume that a pod keeps, it is refused instead.
    func stop(
        _ id: InstanceID, _ request: StopRequest
    ) async throws(EngineError) -> (Instance, unsafe: EngineError?) {
        let client = try self.context.client(id.platform, "stopping instance \(id)")
        let instance = try await self.context.freshInstance(id)
        if request.endsJobs {
            await EndJobs(context: self.context, progress: self.progress, report: self.report).run(
                on: instance)
        } else {
            try await LiveJobs(self.context).requireNone(
                on: instance,
                .init("stopping instance \(id)", platform: id.platform, subject: id.rawValue))
        }
        let secure = SecureResults(
            context: self.context, instance: instance, words: "stopping instance \(id)",
            progress: self.progress)
        var unsafe: EngineError?
        do throws(EngineError) {
            _ = try await secure.run()
        } catch {
            let isWiped = id.platform == .runpod && secure.isOutside.withLock { $0 }
            guard error.code != .cancelled, !isWiped,
                try RentalRecord(context: self.context).stopKeepsResults(on: id)
            else {
                throw error
            }
            unsafe = error
        }
        // The mark covers the first project's workspace only.
        if unsafe == nil, instance.status == .running,
            (try? self.context.workspaces(on: id))?.count == 1,
            let shell = try? await self.context.shell(for: id),
            let root = try? self.context.workspace(of: id).remoteRoot
        {
            await VerifiedMark(shell: shell, root: root).set(at: self.context.now())
        }
        self.progress(ActionProgress(.stopping))
        try await LookAtJobs(self.context, report: self.report).run(on: id)
        await self.context.connections.close(id)
        try await client.stop(id)
        let stopped = try await self.wait(for: id, limit: 300) { $0.status == .stopped }
        ManifestStore(self.context).saveVerified(unsafe == nil ? self.context.now() : nil, instance: id)
        for job in try JobBook(context: self.context).lose(
            on: id, "its instance was stopped", at: self.context.now())
        {
            self.report(.jobChanged(job))
        }
        return (stopped, unsafe)
    }

    private func wait(
        for id: InstanceID, limit: Double, until isReached: (Instance) -> Bool
    ) async throws(EngineError) -> Instance {
        let start = ContinuousClock.now
        var last: Instance?
        while start.secondsUntilNow < limit {
            let instance = try await self.context.freshInstance(id)
            if instance != last {
                self.report(.instanceChanged(instance))
                last = instance
            }
            if isReached(instance) { return instance }
            if instance.status == .failed { break }
            try await self.context.pause(3, "waiting for instance \(id)")
        }
        throw EngineError(
            .instanceNotReady,
            .init("waiting for instance \(id)", platform: id.platform, subject: id.rawValue),
            detail: last?.statusMessage ?? last?.status.rawValue)
    }
}
