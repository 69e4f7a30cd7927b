import Foundation

/// Downloads the results of a job, after its end.
struct JobResults {
    let context: EngineContext

    /// Downloads new files from `id`, and records that in the job of `summary`.
    ///
    /// A connection that breaks is made again: nobody may be there to repeat the download.
    ///
    /// A failure is put into the summary: the job's own end is known and must be reported. Throws the failure
    /// if there is no job, and `.cancelled`.
    func bring(
        from id: InstanceID, into summary: inout RunSummary,
        _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) {
        do throws(EngineError) {
            let suffix = summary.job?.id.rawValue ?? id.rawValue
            let pursuit = Pursuit(
                context: self.context, patience: Pursuit.patience(30, self.context), progress: progress,
                isPassing: { $0.code == .unreachable })
            let download = try await pursuit(.downloading, "downloading the results from \(id)") {
                () async throws(EngineError) in
                let sync = try await WorkspaceSync(
                    self.context, id, self.context.ownWorkspace(on: id), self.context.shell(for: id), progress
                )
                return try await sync.download(conflictSuffix: suffix)
            }
            summary.download = download
            guard let job = summary.job else { return }
            let results = JobRecord.Results(download, at: Date())
            summary.job = try self.context.store.change(job.id) { $0.record?.results = results } ?? job
        } catch {
            guard summary.job != nil, error.code != .cancelled else { throw error }
            summary.downloadError = error
        }
    }
}
