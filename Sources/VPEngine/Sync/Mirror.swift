import Foundation

/// Downloads results while a job runs, so that little is lost if the instance vanishes.
///
/// Only files that were unchanged for two looks are downloaded, and each is moved into place as a whole, so
/// that a checkpoint that is still being written is never taken. The download at the end verifies everything
/// once more.
struct Mirror {
    let context: EngineContext
    let instance: InstanceID
    let job: JobID
    let request: MirrorRequest

    /// Looks repeatedly until its task is cancelled, and returns the paths whose version there came beside
    /// the one here. A failed look does no harm: the next one follows.
    func run() async -> Set<String> {
        var earlier: FileTree = [:]
        var conflicts: Set<String> = []
        while !Task.isCancelled {
            do throws(EngineError) {
                try await self.context.pause(self.request.interval, "mirroring")
                let sync = WorkspaceSync(
                    self.context, self.instance, try await self.context.ownWorkspace(on: self.instance),
                    try await self.context.shell(for: self.instance), { _ in })
                let look = try await sync.mirror(
                    self.request.patterns, unchangedSince: earlier, conflictSuffix: self.job.rawValue)
                earlier = look.files
                conflicts.formUnion(look.conflicts)
            } catch {
                if error.code == .cancelled { break }
            }
        }
        return conflicts
    }
}

extension WorkspaceSync {
    /// Downloads files that are new or changed on the instance, match `patterns`, and are the same as in
    /// `earlier`. Returns the current state of all files, and the paths of those that came beside.
    ///
    /// A file that would replace another version here goes beside it, as in `download`.
    package func mirror(
        _ patterns: [String], unchangedSince earlier: FileTree, conflictSuffix suffix: String
    ) async throws(EngineError) -> (files: FileTree, conflicts: [String]) {
        let lock = try await self.manifests.lock(instance: self.instance, workspace: self.workspace)
        defer { withExtendedLifetime(lock) {} }
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: agreed.keys)
        self.adoptSent(remote.files, &agreed)
        let rules = IgnoreRules(defaults: patterns)
        var plan = self.decideDownload(agreed, remote.files)
        plan.leave(self.settings)
        func isReady(_ item: SyncPlan.Item) -> Bool {
            guard item.entry.kind != .folder, let before = earlier[item.path] else { return false }
            return before.change(since: item.entry) == .none && Self.matches(item.path, rules, patterns)
        }
        plan.transfers = plan.transfers.filter(isReady)
        plan.conflicts = plan.conflicts.filter(isReady)
        plan.doubts = []
        let read = try await self.readContents(plan, agreed)
        agreed.merge(read) { $1 }
        plan.conflicts.removeAll { read[$0.path] != nil }
        let room = try self.room(for: plan)
        let conflicts = Set(plan.conflicts.lazy.map(\.path))
        let ready = (plan.transfers + plan.conflicts).filter { room?.leaves($0) != true }
        guard !ready.isEmpty else {
            if !read.isEmpty { try self.save(agreed) }
            return (remote.files, [])
        }
        var staged = try StagedFiles(
            localRoot: self.workspace.localRoot, instance: self.instance, suffix: suffix,
            replacesCopies: true)
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
            let isConflict = conflicts.contains(item.path)
            _ = self.place(item, isConflict: isConflict, remote, &staged, &agreed, &summary)
        }
        staged.remove()
        try self.save(agreed)
        return (after.files, summary.conflicts)
    }

    /// `true` if `path` matches; a pattern that matches a folder matches everything in it.
    private static func matches(_ path: SyncPath, _ rules: IgnoreRules, _ patterns: [String]) -> Bool {
        patterns.isEmpty || rules.holds(for: path)
    }
}
