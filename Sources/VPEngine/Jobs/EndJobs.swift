/// Ends the jobs on an instance that is about to stop or to be destroyed, as a cancel does: files that they
/// save on TERM exist when results are downloaded.
struct EndJobs {
    let context: EngineContext
    let progress: @Sendable (ActionProgress) -> Void
    let report: @Sendable (EngineEvent) -> Void

    /// Returns when the jobs are gone, or have had their time. If the instance does not answer, they end with
    /// it.
    func run(on instance: Instance) async {
        guard instance.status == .running else { return }
        let looks = LiveJobs(self.context)
        var live = await looks.told(by: instance.id)
        // Another program may have closed the shared connection at that moment.
        if live == nil { live = await looks.told(by: instance.id) }
        guard let live, !live.isEmpty else { return }
        self.progress(ActionProgress(.cancelling))
        // Jobs that wait for others would begin when those end.
        await self.end(live.filter { $0.seconds == nil }, on: instance.id)
        await self.end(live.filter { $0.seconds != nil }, on: instance.id)
    }

    private func end(_ jobs: [LiveJob], on instance: InstanceID) async {
        await withTaskGroup(of: Void.self) { group in
            for job in jobs { group.addTask { await self.end(JobID(job.id), on: instance) } }
        }
    }

    private func end(_ id: JobID, on instance: InstanceID) async {
        guard (try? self.context.store.job(id))?.instance == instance else {
            // The job is somebody else's: our history does not record how it ended.
            let script = JobScript(
                job: id, command: .shell(""), environment: [:], remoteRoot: "/", workingDirectory: nil)
            let grace = self.context.configuration.jobs.graceSeconds
            // A job that was not told would go with the instance, and what it saves at its end with it.
            let pursuit = Pursuit(
                context: self.context, patience: Pursuit.patience(30, self.context), progress: self.progress)
            _ = try? await pursuit(.cancelling, "ending \(id)") { () async throws(EngineError) in
                try await self.context.shell(for: instance).run(script.cancel(grace: grace))
            }
            return
        }
        let cancel = CancelJob(
            context: self.context, id: id, instance: instance, request: CancelRequest())
        if let ended = try? await cancel.run() { self.report(.jobChanged(ended)) }
    }
}
