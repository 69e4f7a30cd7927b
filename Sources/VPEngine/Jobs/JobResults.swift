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
            let download = try await self.download(
                from: id, suffix: summary.job?.id.rawValue ?? id.rawValue, progress)
            summary.download = download
            guard let job = summary.job else { return }
            let results = JobRecord.Results(download, at: Date())
            summary.job = try self.context.store.change(job.id) { $0.record?.results = results } ?? job
        } catch {
            guard summary.job != nil, error.code != .cancelled else { throw error }
            summary.downloadError = error
        }
    }

    /// The number of attempts, and the seconds between two.
    private static let attempts = 4, pause = 3.0

    private func download(
        from id: InstanceID, suffix: String, _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) -> SyncSummary {
        for _ in 1..<Self.attempts {
            do throws(EngineError) {
                return try await self.attempt(id, suffix, progress)
            } catch {
                guard error.code == .unreachable else { throw error }
                progress(ActionProgress(.downloading, detail: error.detail ?? error.code.rawValue))
            }
            try await self.context.pause(Self.pause, "downloading the results from \(id)")
        }
        return try await self.attempt(id, suffix, progress)
    }

    private func attempt(
        _ id: InstanceID, _ suffix: String, _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) -> SyncSummary {
        let sync = try await WorkspaceSync(
            self.context, id, self.context.ownWorkspace(on: id), self.context.shell(for: id), progress)
        return try await sync.download(conflictSuffix: suffix)
    }
}
