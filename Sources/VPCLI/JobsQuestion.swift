import VPEngine

/// Performs what would end other jobs: names them, and asks where somebody is there to be asked.
struct JobsQuestion {
    let engine: Engine
    let session: Session
    /// With `--yes`, which never ends a job.
    var isUnasked = false
    /// A signal that came before, and ends the action as it begins.
    var earlier: ActionRunner.Interruption?

    /// What came of `action`. Where jobs stand in its way and the user says that they may end,
    /// what came of `allowed`.
    func result(of action: EngineAction, allowing allowed: () -> EngineAction?) async throws -> ActionResult {
        // What jobs print until their end is in their logs: stdout is the answer's,
        // or what was followed before.
        var runner = ActionRunner(engine: self.engine, session: self.session, showsOutput: false)
        runner.earlier = self.earlier
        do {
            return try await runner.result(of: action)
        } catch let error as EngineError where error.code == .jobsRunning {
            guard !self.isUnasked, self.session.terminal.canAsk, let allowed = allowed() else { throw error }
            for job in error.suggestions { Terminal.note("  \(Terminal.printable(job))") }
            let jobs = error.suggestions.count == 1 ? "This job runs" : "These jobs run"
            guard
                Prompt(terminal: self.session.terminal).confirm(
                    "\(jobs) on \(error.activity.subject ?? "it"), and would end with it. Go on?")
            else { throw error }
            return try await runner.result(of: allowed)
        }
    }
}
