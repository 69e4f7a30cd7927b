import Foundation

/// Updates the state of jobs that no program follows: asks their instances, and downloads the logs of those
/// that ended.
struct LookAtJobs {
    let context: EngineContext
    /// Returns the instances that the platforms list now.
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
        // An instance without an open connection may take up its slot for as long as ssh waits: those come
        // last.
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

    /// The number of instances that are asked at the same time: each request is a process, and fifty of them
    /// at once make a dashboard unresponsive.
    private static let atOnce = 4

    /// Returns those among `ids` whose state is known; nil for an instance that the platform no longer has.
    private func instances(_ ids: Set<InstanceID>) async -> [InstanceID: Instance?] {
        var found: [InstanceID: Instance?] = [:]
        // An open connection proves that the instance runs, and saves a request to the platform.
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
            // The disk may contain how the job ended before that; the instance is asked when it runs again.
            for job in jobs { self.note(.instanceDown(words), of: job) }
            return
        }
        guard instance.status == .running else { return }
        do throws(EngineError) {
            let shell = try await self.context.shell(for: id)
            let result = try await shell.run(JobScript.look(at: jobs.map(\.id)), outputLimit: .words)
            var current: JobID?
            var background: [JobRecord.BackgroundProcess] = []
            // At most two lines of each job and those of its background processes are ours; an instance that
            // sends thousands is hostile.
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
            // A list is more important than the reason why one row is older; that row shows it.
        }
    }

    /// Downloads the rest of an ended job's log, so that it is complete and its cause known. For a running
    /// job only the state is recorded; its log is downloaded when somebody wants to see it.
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
