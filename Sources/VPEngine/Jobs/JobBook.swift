import Foundation

/// Records new facts about jobs. Several programs may do so at once; each event is applied to the job's
/// current state.
struct JobBook {
    let context: EngineContext

    /// Applies `events` in turn, as of `date`, and saves the job. Returns nil if there is none.
    @discardableResult
    func note(_ events: JobEvent..., of id: JobID, at date: Date? = nil) throws(EngineError)
        -> (job: Job, orders: Set<JobOrder>)?
    {
        // Jobs are timed by the clock of this machine and that of their instance.
        let date = date ?? Date()
        return try self.context.store.update(id) { job in
            events.reduce(into: Set()) { orders, event in orders.formUnion(job.apply(event, at: date)) }
        }
    }

    /// Records that the unfinished jobs on `instance` ended with it, and returns them.
    func lose(on instance: InstanceID, _ words: String, at date: Date) throws(EngineError) -> [Job] {
        var lost: [Job] = []
        for job in try self.context.store.openJobs(on: instance) {
            if let noted = try self.note(.instanceLost(words), of: job.id, at: date) {
                lost.append(noted.job)
            }
        }
        return lost
    }
}
