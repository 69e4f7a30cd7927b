import Foundation

/// Questions about files; none of them moves a file.
extension Engine {
    /// The changes that `sync` and `download` would make on `id`, and the files that are not uploaded at all.
    /// With `paths`, only those in them; `excludes` are left out, in `.gitignore` syntax.
    public func syncPreview(
        on id: InstanceID, paths: [String] = [], excludes: [String] = []
    ) async throws(EngineError) -> SyncPreview {
        let sync = WorkspaceSync(
            self.context, id, try await self.context.ownWorkspace(on: id),
            try await self.context.shell(for: id), { _ in })
        return try await sync.preview(PathSelection(paths: paths, excludes: excludes))
    }

    /// Compares the instance's files with the local ones, without moving any.
    public func unsafeResults(on id: InstanceID) async throws(EngineError) -> UnsafeResults {
        var results = UnsafeResults(files: 0, bytes: 0)
        // What is stopped cannot be looked at; a stop has compared everything before.
        let isStopped = self.cachedInstances()?.values.first { $0.id == id }?.status == .stopped
        if isStopped, SecureResults.wasVerified(id, self.context) { return results }
        let shell = try await self.context.shell(for: id)
        for workspace in try self.context.workspaces(on: id) {
            let sync = WorkspaceSync(self.context, id, workspace, shell, { _ in })
            results.add(UnsafeResults(try await sync.outstanding()))
        }
        ManifestStore(self.context).saveSafety(results, instance: id)
        return results
    }

    /// The results that were missing here at the last look at `id`, and its time: for an instance that is
    /// unreachable now. nil if nobody has looked.
    public func lastKnownResults(on id: InstanceID) -> (results: UnsafeResults, at: Date)? {
        ManifestStore(self.context).loadSafety(instance: id)
    }

    /// Tells if `path` (absolute, or relative to `directory`) is uploaded, and why.
    public func explain(_ path: String, from directory: String) -> PathExplanation {
        let workspace = self.configuration.workspace
        let absolute = URL(
            fileURLWithPath: path, relativeTo: URL(fileURLWithPath: directory, isDirectory: true)
        )
        .standardizedFileURL.path
        let root = URL(fileURLWithPath: workspace.localRoot).standardizedFileURL.path
        guard absolute.hasPrefix(root + "/") else {
            return PathExplanation(
                path: absolute, verdict: .outside, pattern: nil, origin: nil, instances: [:])
        }
        let relative = SyncPath(String(absolute.dropFirst(root.count + 1)))
        let scan = LocalScan(workspace: workspace, environment: self.configuration.environment)
        var explanation = scan.explain(relative)
        let here = scan.entry(of: relative)
        for entry in (try? self.context.store.openLedgerEntries()) ?? [] {
            guard let id = entry.instance,
                let agreed = ManifestStore(self.context).load(instance: id, workspace: workspace)[relative]
            else { continue }
            explanation.instances[id] =
                here.map { $0.change(since: agreed.here) == .none } ?? false
                ? (agreed.wasSent ? "uploaded, and unchanged since" : "the same on both sides")
                : here == nil
                    ? "on the instance, but deleted here" : "on the instance, but changed here since"
        }
        return explanation
    }

    /// Compares both sides of the instance's workspace, and moves nothing.
    public func workspaceReport(of id: InstanceID) async throws(EngineError) -> WorkspaceReport {
        let workspace = try self.context.workspace(of: id)
        let sync = try await WorkspaceSync(self.context, id, workspace, self.context.shell(for: id), { _ in })
        return try await sync.compared()
    }
}
