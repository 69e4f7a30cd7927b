/// Two instances of one project write files of the same names.
/// The project's folder has room for the results of one of them: no sync of the other replaces them, here or
/// there, as long as both instances exist.
///
/// A result that was downloaded is part of the project, and uploaded to the other instance with it.
/// That does not make it an older version of what the other instance writes under its name.
extension WorkspaceSync {
    static func neighbours(of instance: InstanceID, _ workspace: Workspace, _ store: Store)
        -> [(instance: InstanceID, workspace: Workspace)]
    {
        ((try? store.openLedgerEntries()) ?? []).compactMap { entry in
            guard let other = entry.instance, other != instance, entry.workspaceRoot == workspace.localRoot
            else { return nil }
            var twin = workspace
            twin.remoteRoot = entry.remoteRoot
            return (other, twin)
        }
    }

    /// Turns downloads that would replace a result of another instance into conflicts: they go beside it.
    func spareOthersResults(_ plan: inout SyncPlan) {
        let spared = self.othersResults(
            plan.transfers.compactMap { item in item.replaced.map { (item.path, $0) } })
        guard !spared.isEmpty else { return }
        plan.conflicts += plan.transfers.filter { spared.contains($0.path) }
        plan.conflicts.sort { $0.path < $1.path }
        plan.transfers.removeAll { spared.contains($0.path) }
    }

    /// Keeps results of this instance where the project has one of another instance under their names.
    func spareOwnResults(_ plan: inout SyncPlan, _ agreed: AgreedTree, unless isNamed: (SyncPath) -> Bool) {
        let own = plan.transfers.filter { item in
            item.replaced != nil && agreed[item.path]?.wasSent == false && !isNamed(item.path)
        }
        let spared = self.othersResults(own.map { ($0.path, $0.entry) })
        guard !spared.isEmpty else { return }
        plan.keptOnOtherSide = (plan.keptOnOtherSide + spared).sorted()
        plan.transfers.removeAll { spared.contains($0.path) }
    }

    /// Returns those of the local files that were downloaded from another instance and have not changed
    /// since.
    private func othersResults(_ files: [(path: SyncPath, here: FileEntry)]) -> Set<SyncPath> {
        let files = files.filter { $0.here.kind != .folder }
        guard !files.isEmpty else { return [] }
        var found: Set<SyncPath> = []
        for (instance, workspace) in self.neighbours() {
            let theirs = self.manifests.load(instance: instance, workspace: workspace)
            for (path, here) in files {
                guard let base = theirs[path], !base.wasSent, here.change(since: base.here).isSpare else {
                    continue
                }
                found.insert(path)
            }
        }
        return found
    }
}
