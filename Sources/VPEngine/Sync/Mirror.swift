import Foundation

/// Brings results while a job runs, so that an instance that vanishes takes little with it.
///
/// Only files that stood still for two looks are brought, and each takes its place as a whole: never a
/// checkpoint that is still being written. What changed on both sides waits for the download at the end,
/// which verifies everything once more.
struct Mirror {
    let context: EngineContext
    let instance: InstanceID
    let request: MirrorRequest

    /// Looks again and again until its task is cancelled. A look that fails is no harm: the next one follows.
    func run() async {
        var earlier: FileTree = [:]
        while !Task.isCancelled {
            do throws(EngineError) {
                try await self.context.pause(self.request.interval, "mirroring")
                let sync = WorkspaceSync(
                    self.context, self.instance, try await self.context.ownWorkspace(on: self.instance),
                    try await self.context.shell(for: self.instance), { _ in })
                earlier = try await sync.mirror(self.request.patterns, unchangedSince: earlier)
            } catch {
                if error.code == .cancelled { return }
            }
        }
    }
}

extension WorkspaceSync {
    /// Brings what is new or changed there, matches `patterns`, and looks as it did in `earlier`. Returns how
    /// everything looks now.
    package func mirror(_ patterns: [String], unchangedSince earlier: FileTree) async throws(EngineError)
        -> FileTree
    {
        let lock = try await self.manifests.lock(instance: self.instance, workspace: self.workspace)
        defer { withExtendedLifetime(lock) {} }
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: agreed.keys)
        self.adoptSent(remote.files, &agreed)
        let rules = IgnoreRules(defaults: patterns)
        let plan = self.decideDownload(agreed, remote.files)
        let ready = plan.transfers.filter { item in
            guard item.entry.kind != .folder, let before = earlier[item.path] else { return false }
            return before.change(since: item.entry) == .none && Self.matches(item.path, rules, patterns)
        }
        guard !ready.isEmpty else { return remote.files }
        var staged = try StagedFiles(
            localRoot: self.workspace.localRoot, instance: self.instance, suffix: self.instance.rawValue)
        staged.resume(ready)
        _ = try await self.bring(ready, to: staged, agreed)
        let after = try await self.look(known: agreed.keys)
        var summary = SyncSummary(direction: .down)
        for item in ready {
            guard
                item.entry.kind != .file
                    || staged.entry(of: item.path)?.isSameVersion(as: item.entry) == true,
                after.files[item.path].map({ $0.change(since: item.entry) == .none }) ?? true
            else { continue }
            _ = self.place(item, isConflict: false, remote, &staged, &agreed, &summary)
        }
        staged.remove()
        try self.save(agreed)
        return after.files
    }

    /// A pattern that matches a folder matches what is in it.
    private static func matches(_ path: SyncPath, _ rules: IgnoreRules, _ patterns: [String]) -> Bool {
        patterns.isEmpty || rules.holds(for: path)
    }
}
