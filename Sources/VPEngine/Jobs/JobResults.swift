import Foundation

/// Downloads the results of a job, after its end.
struct JobResults {
    let context: EngineContext

    /// Downloads new files from `id`, and records that in the job of `summary`.
    ///
    /// A failure is put into the summary: the job's own end is known and must be reported. Throws the failure
    /// if there is no job, and `.cancelled`.
    func bring(
        from id: InstanceID, into summary: inout RunSummary,
        _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) {
        do throws(EngineError) {
            let sync = try await WorkspaceSync(
                self.context, id, self.context.ownWorkspace(on: id), self.context.shell(for: id), progress)
            let download = try await sync.download(conflictSuffix: summary.job?.id.rawValue ?? id.rawValue)
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
