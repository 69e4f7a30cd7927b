import Foundation
import Synchronization

/// Starts and stops an instance, and waits until the platform shows it so.
struct InstanceSwitch {
    let engine: Engine
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    func start(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.engine.client(id.platform, "starting instance \(id)")
        if let entry = try self.engine.history.ledgerEntry(for: id) {
            try Budget(engine: self.engine).admit(HourlyPrice(dollarsPerHour: entry.dollarsPerHour))
        }
        self.progress(ActionProgress(.starting))
        let stopped = try await self.engine.freshInstance(id)
        // What is written from now on was not there when it was verified.
        self.engine.manifests.saveVerified(nil, instance: id)
        try await client.start(id)
        // RunPod's containers make their host keys when they start. We asked for the start, so a new key is
        // what must be there; one that changes unasked is refused as ever.
        if id.platform == .runpod { self.engine.connections.forgetHostKey(of: id) }
        // The address may have changed, and the connection that was open leads nowhere.
        await self.engine.connections.close(id)
        let boot = InstanceBoot(
            engine: self.engine, deadlines: BootDeadlines(), progress: self.progress, report: self.report,
            isRestart: true)
        // What is outside the workspace may be as the image has it, and the GPU may be somebody else's by now.
        return try await boot.run(stopped)
    }

    /// Brings what is not here yet, then stops. Answers also with what could not be brought.
    ///
    /// The disk stays, but nobody can say that its GPU, and with it the disk, can be had again. Where files
    /// would be lost at once, because they lie beside the volume that a pod keeps, it refuses instead.
    func stop(
        _ id: InstanceID, _ request: StopRequest
    ) async throws(EngineError) -> (Instance, unsafe: EngineError?) {
        let client = try self.engine.client(id.platform, "stopping instance \(id)")
        let instance = try await self.engine.freshInstance(id)
        if !request.endsJobs {
            try await self.engine.guardJobs(
                on: instance,
                .init("stopping instance \(id)", platform: id.platform, subject: id.rawValue))
        }
        let secure = SecureResults(
            engine: self.engine, instance: instance, words: "stopping instance \(id)",
            progress: self.progress)
        var unsafe: EngineError?
        do throws(EngineError) {
            _ = try await secure.run()
        } catch {
            let isWiped = id.platform == .runpod && secure.isOutside.withLock { $0 }
            guard error.code != .cancelled, !isWiped, try self.engine.stopKeepsResults(on: id) else {
                throw error
            }
            unsafe = error
        }
        if unsafe == nil, instance.status == .running, let shell = try? await self.engine.shell(for: id),
            let root = try? self.engine.workspace(of: id).remoteRoot
        {
            await VerifiedMark(shell: shell, root: root).set(at: self.engine.now())
        }
        self.progress(ActionProgress(.stopping))
        try await LookAtJobs(engine: self.engine, report: self.report).run(on: id)
        await self.engine.connections.close(id)
        try await client.stop(id)
        let stopped = try await self.wait(for: id, limit: 300) { $0.status == .stopped }
        self.engine.manifests.saveVerified(unsafe == nil ? self.engine.now() : nil, instance: id)
        for job in try self.engine.loseJobs(on: id, "its instance was stopped", at: self.engine.now()) {
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
            let instance = try await self.engine.freshInstance(id)
            if instance != last {
                self.report(.instanceChanged(instance))
                last = instance
            }
            if isReached(instance) { return instance }
            if instance.status == .failed { break }
            try await self.engine.pause(3, "waiting for instance \(id)")
        }
        throw EngineError(
            .instanceNotReady,
            .init("waiting for instance \(id)", platform: id.platform, subject: id.rawValue),
            detail: last?.statusMessage ?? last?.status.rawValue)
    }
}
