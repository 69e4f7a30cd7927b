import Foundation

/// Notes in a job which revision of the project it ran, as git tells it.
struct ProjectRevision {
    let engine: Engine

    /// A patch larger than this is hardly read again, and would fill the disk run by run.
    private static let patchLimit = 8 << 20

    /// Does nothing where the project is in no repository, or git is not installed: a run needs neither.
    func note(for job: JobID) async {
        let folder = self.engine.configuration.workspace.localRoot
        guard
            let commit = await self.git(["rev-parse", "--verify", "HEAD"], in: folder).map({
                String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }), !commit.isEmpty,
            let status = await self.git(["status", "--porcelain", "-z", "--", "."], in: folder)
        else { return }
        var revision = JobRecord.Revision(commit: commit, isDirty: !status.isEmpty)
        if revision.isDirty,
            let patch = await self.git(
                ["diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "HEAD", "--", "."],
                in: folder), !patch.isEmpty, patch.count <= Self.patchLimit
        {
            let path = "\(self.engine.configuration.paths.stateFolder)/patches/\(job.rawValue).patch"
            do throws(EngineError) {
                try PrivateFolder.make((path as NSString).deletingLastPathComponent)
                try PrivateFolder.write(patch, to: path)
                revision.patchPath = path
            } catch {
                // The revision is still worth knowing.
            }
        }
        let known = revision
        _ = try? self.engine.history.change(job) { $0.record?.revision = known }
    }

    private func git(_ arguments: [String], in folder: String) async -> [UInt8]? {
        var environment = self.engine.configuration.environment
        // A look must not hold up, or be held up by, what the user does in the same repository.
        environment["GIT_OPTIONAL_LOCKS"] = "0"
        let command = ProcessCommand(
            "git", ["-C", folder] + arguments, environment: environment, workingDirectory: folder)
        guard let result = try? await self.engine.runner.run(command), result.isSuccess else { return nil }
        return result.output
    }
}
