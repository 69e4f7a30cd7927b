import Foundation

/// Keeps what becomes known of jobs. Several programs may do so at once;
/// each event meets the job as it stands then.
struct JobBook {
    let context: EngineContext

    /// Applies `events` in turn, as of `date`, and keeps the job. nil where there is none.
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

    /// Notes that the jobs on `instance` that are not over ended with it, and returns them.
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
