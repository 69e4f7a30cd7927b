import Foundation

/// Starts and stops an instance, and waits until the platform shows it so.
struct InstanceSwitch {
    let engine: Engine
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    func start(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.engine.client(id.platform, "starting instance \(id)")
        self.progress(ActionProgress(.starting))
        try await client.start(id)
        // RunPod's containers make their host keys when they start. We asked for the start, so a new key is
        // what must be there; one that changes unasked is refused as ever.
        if id.platform == .runpod { self.engine.connections.forgetHostKey(of: id) }
        let instance = try await self.wait(for: id, limit: 900) { instance in
            instance.status == .running && !instance.addresses.isEmpty
        }
        // The address may have changed, and the connection that was open leads nowhere.
        await self.engine.connections.close(id)
        try await self.waitForLogin(instance)
        return instance
    }

    /// Platforms say "running" before sshd listens; what is asked for next would find nobody.
    private func waitForLogin(_ instance: Instance) async throws(EngineError) {
        let start = ContinuousClock.now
        self.progress(ActionProgress(.sshPort, detail: instance.ssh.map { "\($0.host):\($0.port)" }))
        while true {
            do throws(EngineError) {
                _ = try await self.engine.connections.shell(for: instance).run("exit 0\n")
                return
            } catch {
                guard error.code == .unreachable || error.code == .sshRefused, start.secondsUntilNow < 180
                else { throw error }
                self.engine.connections.reset(instance.id)
                try await self.engine.pause(2, "waiting for ssh")
            }
        }
    }

    func stop(_ id: InstanceID) async throws(EngineError) -> Instance {
        let client = try self.engine.client(id.platform, "stopping instance \(id)")
        self.progress(ActionProgress(.stopping))
        await self.engine.connections.close(id)
        try await client.stop(id)
        return try await self.wait(for: id, limit: 300) { $0.status == .stopped }
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
