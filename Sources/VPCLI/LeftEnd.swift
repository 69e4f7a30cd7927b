import VPEngine

/// Says what becomes of an end that was asked for and that `vp` has to leave,
/// and leaves the order to carry it out.
struct LeftEnd {
    let engine: Engine

    /// Leaves the order to destroy `instance` once `job` has ended. The first words come at once,
    /// whatever the instance answers.
    func leave(_ instance: Instance, after job: Job? = nil, discardsResults: Bool = false) async {
        let id = instance.id
        guard (try? self.engine.leaveEnd(of: id, discardsResults: discardsResults)) == true else {
            Terminal.note(
                "vp: \(id) is not destroyed: `vp destroy-instance \(id)` does it, with its results brought first."
            )
            return
        }
        let price = Units.hourly(instance.price.dollarsPerHour)
        guard !self.engine.isEnding(id) else {
            Terminal.note(
                "vp: \(id) is being destroyed, and its end is not confirmed yet. `vp ls` goes on with it and shows "
                    + "whether it is gone; until then it may cost \(price).")
            return
        }
        let isRunning = job.map { !$0.state.isOver } ?? false
        if let job, isRunning {
            Terminal.note(
                "vp: \(id) is not destroyed yet. The order stands: once \(job.id) has ended and its results are here, it "
                    + "is destroyed.")
            Terminal.note(
                "    `vp attach \(job.id)` waits for that; `vp ls` or the dashboard does it later. Until then it costs "
                    + "\(price).")
        } else {
            Terminal.note(
                "vp: \(id) is not destroyed yet. The order stands: `vp ls`, the dashboard or `vp destroy-instance \(id)` "
                    + "brings its results and destroys it. Until then it costs \(price).")
        }
        if isRunning { await self.engine.tellOfEnd(id, within: .milliseconds(700)) }
    }
}
