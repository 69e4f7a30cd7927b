import Foundation

extension MoneyWatch {
    /// How long the end of such a job stays an alarm while its instance runs, in seconds.
    private static let stoppedNotice = UTCDay.seconds

    /// Returns an alarm for each problem that followers have seen in a running training, and one for each
    /// instance that still runs although its last job was ended by `--stop-on`.
    func trainingAlarms(_ instances: [Instance], _ now: Date) throws(EngineError) -> [Alarm] {
        var alarms: [Alarm] = []
        for job in try self.context.store.openJobs() {
            for worry in job.record?.worries ?? [] {
                alarms.append(
                    Alarm(
                        .training, job.instance, "\(job.id) on \(job.instance): \(worry.words)", job: job.id,
                        topic: worry.kind))
            }
        }
        for instance in instances where instance.status.holdsGPU {
            guard let job = try self.context.store.jobs(on: instance.id).first, job.state.isOver,
                let words = job.record?.limitReached, words.hasPrefix(StopRules.option),
                let end = job.endedAt, now.timeIntervalSince(end) < Self.stoppedNotice
            else { continue }
            let price = Figures.dollars(instance.price.dollarsPerHour)
            alarms.append(
                Alarm(
                    .training, instance.id,
                    "\(job.id) was ended (\(words)), and \(instance.id) still costs \(price) an hour",
                    job: job.id, topic: "ended"))
        }
        return alarms
    }
}
