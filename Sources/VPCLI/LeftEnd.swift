import VPEngine

/// Leaves an order for a destroy that `vp` cannot finish, and says who continues it.
struct LeftEnd {
    let engine: Engine

    /// Orders the destroy of `instance` once `job` has ended. The first message appears at once,
    /// without waiting for the instance.
    func leave(_ instance: Instance, after job: Job? = nil, discardsResults: Bool = false) async {
        let id = instance.id
        guard (try? self.engine.leaveEnd(of: id, discardsResults: discardsResults)) == true else {
            Terminal.note(
                "vp: \(id) is not destroyed. `vp destroy-instance \(id)` downloads its results and destroys it."
            )
            return
        }
        let price = Units.hourly(instance.price.dollarsPerHour)
        guard !self.engine.isEnding(id) else {
            Terminal.note(
                "vp: \(id) is being destroyed, but the platform has not confirmed it yet. `vp ls` continues the destroy "
                    + "and shows whether it is gone; until then it may cost \(price).")
            return
        }
        let isRunning = job.map { !$0.state.isOver } ?? false
        if let job, isRunning {
            Terminal.note(
                "vp: \(id) is not destroyed yet. It will be destroyed once \(job.id) has ended and its results are "
                    + "downloaded.")
            Terminal.note(
                "    `vp attach \(job.id)` waits for that; `vp ls` or the dashboard does it later. Until then it costs "
                    + "\(price).")
        } else {
            Terminal.note(
                "vp: \(id) is not destroyed yet. The next `vp ls`, dashboard or `vp destroy-instance \(id)` downloads its "
                    + "results and destroys it. Until then it costs \(price).")
        }
        if isRunning { await self.engine.tellOfEnd(id, within: .milliseconds(700)) }
    }
}
