import Foundation
import Synchronization

/// Starts and stops an instance, and waits until the platform shows it so.
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
        // What is written from now on was not there when it was verified.
        ManifestStore(self.context).saveVerified(nil, instance: id)
        try await client.start(id)
        // RunPod's containers make their host keys when they start. We asked for the start, so a new key is
        // what must be there; one that changes unasked is refused as ever.
        if id.platform == .runpod { self.context.connections.forgetHostKey(of: id) }
        // The address may have changed, and the connection that was open leads nowhere.
        await self.context.connections.close(id)
        let boot = InstanceBoot(
            context: self.context, deadlines: BootDeadlines(), progress: self.progress, report: self.report,
            isRestart: true)
        // What is outside the workspace may be as the image has it,
        // and the GPU may be somebody else's by now.
        return try await boot.run(stopped)
    }

    /// Brings what is not here yet, then stops. Answers also with what could not be brought.
    ///
    /// The disk stays, but nobody can say that its GPU, and with it the disk, can be had again. Where files
    /// would be lost at once, because they lie beside the volume that a pod keeps, it refuses instead.
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
        // It speaks of the first project's workspace alone.
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
