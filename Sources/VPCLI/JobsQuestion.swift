import VPEngine

/// Performs an action that may end other jobs: it lists them first, and asks on a terminal.
struct JobsQuestion {
    let engine: Engine
    let session: Session
    /// `true` with `--yes`, which never ends a job.
    var isUnasked = false
    /// A signal that arrived earlier; it ends the action as it begins.
    var earlier: ActionRunner.Interruption?

    /// Returns the result of `action`; if jobs prevent it and the user lets them end,
    /// the result of `allowed`.
    func result(of action: EngineAction, allowing allowed: () -> EngineAction?) async throws -> ActionResult {
        // The output of jobs is in their logs; stdout belongs to the answer, or to the job that was followed.
        var runner = ActionRunner(engine: self.engine, session: self.session, showsOutput: false)
        runner.earlier = self.earlier
        do {
            return try await runner.result(of: action)
        } catch let error as EngineError where error.code == .jobsRunning {
            guard !self.isUnasked, self.session.terminal.canAsk, let allowed = allowed() else { throw error }
            for job in error.suggestions { Terminal.note("  \(Terminal.printable(job))") }
            let jobs = error.suggestions.count == 1 ? "This job is" : "These jobs are"
            guard
                Prompt(terminal: self.session.terminal).confirm(
                    "\(jobs) running on \(error.activity.subject ?? "it") and would end with it. Continue?")
            else { throw error }
            return try await runner.result(of: allowed)
        }
    }
}
