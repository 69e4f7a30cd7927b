import Foundation

/// Finds out how jobs stand that nobody follows: asks their instances,
/// and brings the logs of those that ended.
struct LookAtJobs {
    let context: EngineContext
    /// What the platforms list now.
    let listing: @Sendable () async -> PlatformAnswers<Instance>
    let report: @Sendable (EngineEvent) -> Void

    /// Looks at the open jobs on `instance`, or at all. A job whose instance cannot be asked stays as it is.
    func run(on instance: InstanceID? = nil) async throws(EngineError) {
        let open = try self.context.store.openJobs(on: instance).filter { job in
            let isOpen = !job.state.isOver || (job.state == .unknown && job.endedAt == nil)
            return isOpen && !LogSpool.isHeld(job.logPath)
        }
        guard !open.isEmpty else { return }
        let groups = Dictionary(grouping: open, by: \.instance)
        let instances = await self.instances(Set(groups.keys))
        // An instance to which no connection stands may keep its place for as long as ssh waits:
        // those come last.
        var ids = Array(groups.keys)
        _ = ids.partition { id in !((instances[id] ?? nil).map(self.context.connections.isWarm) ?? false) }
        await withTaskGroup(of: Void.self) { group in
            var free = Self.atOnce
            for id in ids {
                guard let jobs = groups[id], let instance = instances[id] else { continue }
                if free == 0 { await group.next() } else { free -= 1 }
                group.addTask { await self.look(at: jobs, on: id, instance) }
            }
        }
    }

    /// Instances that are asked at the same time: each question is a process,
    /// and fifty of them at once keep a dashboard from its keys.
    private static let atOnce = 4

    /// Those among `ids` whose fate is known: as they are, or nil for one that the platform no longer has.
    private func instances(_ ids: Set<InstanceID>) async -> [InstanceID: Instance?] {
        var found: [InstanceID: Instance?] = [:]
        // An open connection proves that the instance runs, and spares the platform a question.
        _ = self.context.cachedInstances()
        for id in ids {
            if let known = self.context.connections.known(id), self.context.connections.isWarm(known) {
                found[id] = .some(known)
            }
        }
        if found.count == ids.count { return found }
        let answers = await self.listing()
        let failed = Set(answers.failures.map(\.platform))
        for id in ids where found[id] == nil {
            if let instance = answers.values.first(where: { $0.id == id }) {
                found[id] = .some(instance)
            } else if !failed.contains(id.platform), self.context.clients[id.platform] != nil {
                found[id] = .some(nil)
            }
        }
        return found
    }

    private func look(at jobs: [Job], on id: InstanceID, _ instance: Instance?) async {
        guard let instance else {
            for job in jobs {
                self.note(.instanceLost("the platform no longer has its instance"), of: job)
            }
            return
        }
        if let words = instance.wordsForItsEnd(at: self.context.now()) {
            // Its disk may still hold how the job ended before that; it is asked when it runs again.
            for job in jobs { self.note(.instanceDown(words), of: job) }
            return
        }
        guard instance.status == .running else { return }
        do throws(EngineError) {
            let shell = try await self.context.shell(for: id)
            let result = try await shell.run(JobScript.look(at: jobs.map(\.id)), outputLimit: .words)
            var current: JobID?
            var background: [JobRecord.BackgroundProcess] = []
            // Of each job at most two lines and those of its background are ours;
            // one that sends thousands has others in mind.
            for report in JobReport.all(in: result.errorOutput).suffix(54 * jobs.count) {
                if case .about(let id) = report {
                    current = id
                    background = []
                } else if case .child(let child) = report {
                    background.append(child)
                } else if let job = jobs.first(where: { $0.id == current }) {
                    try await self.take(report, background, job)
                }
            }
            await OutsideWatch(context: self.context, instance: id).lookIfDue()
        } catch {
            // A list is worth more than the reason why one line of it is older; that line says so.
        }
    }

    /// A job that ended is caught up with, so that its log is whole and its cause known. What is told of a
    /// running one is how it stands; its log comes when somebody wants to see it.
    private func take(
        _ report: JobReport, _ background: [JobRecord.BackgroundProcess], _ job: Job
    ) async throws(EngineError) {
        let follow = FollowJob(
            context: self.context, script: JobScript(existing: job), progress: { _ in }, report: self.report)
        switch report {
        case .ended, .lost, .absent:
            if self.note(.seenOver, of: job).contains(.catchUp) { _ = try await follow.catchUp(job) }
        case .following(let start): self.note(.running(since: start), .background(background), of: job)
        case .queued: self.note(.queued, of: job)
        case .survivor, .failed, .about, .background, .child, .unadopted: break
        }
    }

    @discardableResult
    private func note(_ events: JobEvent..., of job: Job) -> Set<JobOrder> {
        var orders: Set<JobOrder> = []
        for event in events {
            guard let noted = try? JobBook(context: self.context).note(event, of: job.id) else { continue }
            orders.formUnion(noted.orders)
            if noted.orders.contains(.tell) { self.report(.jobChanged(noted.job)) }
        }
        return orders
    }
}
