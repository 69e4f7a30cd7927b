import Foundation

/// Records in a job which revision of the project it ran, as git reports it.
struct ProjectRevision {
    let context: EngineContext

    /// A larger patch is hardly ever read again, and would fill the disk run by run.
    private static let patchLimit = 8 << 20

    /// A run waits no longer than this for its revision.
    private static let patience = Duration.seconds(20)

    /// Does nothing if the project is in no repository, or git is not installed: a run needs neither.
    func note(for job: JobID) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.look(for: job) }
            // A configuration can include a pipe that nobody writes to, and git would wait for it.
            group.addTask { try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }

    private func look(for job: JobID) async {
        let configuration = self.context.configuration
        guard
            let repository = await ShadowRepository.open(
                around: configuration.workspace.localRoot,
                scratch: "\(configuration.paths.stateFolder)/scratch", environment: configuration.environment,
                runner: self.context.runner)
        else { return }
        defer { repository.close() }
        guard
            let status = await repository.run([
                "status", "--porcelain", "-z", "--ignore-submodules=dirty", "--", ".",
            ])
        else { return }
        var revision = JobRecord.Revision(commit: repository.commit, isDirty: !status.isEmpty)
        if revision.isDirty,
            let patch = await repository.run([
                "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary",
                "--ignore-submodules=dirty",
                "HEAD", "--", ".",
            ]), !patch.isEmpty, patch.count <= Self.patchLimit
        {
            let path = "\(configuration.paths.stateFolder)/patches/\(job.pathComponent).patch"
            do throws(EngineError) {
                try PrivateFolder.make((path as NSString).deletingLastPathComponent)
                try PrivateFolder.write(patch, to: path)
                revision.patchPath = path
            } catch {
                // The revision is still worth knowing.
            }
        }
        let known = revision
        _ = try? self.context.store.change(job) { $0.record?.revision = known }
    }
}
