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
    ///
    /// - Parameter besides: the paths whose version there has already come beside the one here.
    func bring(
        from id: InstanceID, into summary: inout RunSummary, besides: Set<String> = [],
        _ progress: @escaping @Sendable (ActionProgress) -> Void
    ) async throws(EngineError) {
        do throws(EngineError) {
            let suffix = summary.job?.id.rawValue ?? id.rawValue
            let pursuit = Pursuit(
                context: self.context, patience: Pursuit.patience(30, self.context), progress: progress,
                isPassing: { $0.code == .unreachable })
            var download = try await pursuit(.downloading, "downloading the results from \(id)") {
                () async throws(EngineError) in
                let sync = try await WorkspaceSync(
                    self.context, id, self.context.ownWorkspace(on: id), self.context.shell(for: id), progress
                )
                return try await sync.download(
                    conflictSuffix: suffix, replacesCopies: suffix != id.rawValue)
            }
            download.conflicts = besides.union(download.conflicts).sorted()
            summary.download = download
            guard let job = summary.job else { return }
            summary.job = try self.note(download, of: [job.id]).first ?? job
        } catch {
            guard summary.job != nil, error.code != .cancelled else { throw error }
            summary.downloadError = error
        }
    }

    /// Returns the jobs whose results a whole download of `workspace` would bring from `id`: those that are
    /// over and of which none are here yet.
    func due(on id: InstanceID, in workspace: Workspace) throws(EngineError) -> [JobID] {
        try self.context.store.jobs(on: id).filter { job in
            job.state.isOver && job.record?.syncsDown == true && job.record?.results == nil
                && job.workspacePath == workspace.localRoot
        }.map(\.id)
    }

    /// Records in these jobs that their results were downloaded, and returns them.
    @discardableResult
    func note(_ download: SyncSummary, of jobs: [JobID]) throws(EngineError) -> [Job] {
        let results = JobRecord.Results(download, at: Date())
        var changed: [Job] = []
        for id in jobs {
            if let job = try self.context.store.change(id, { $0.record?.results = results }) {
                changed.append(job)
            }
        }
        return changed
    }
}
