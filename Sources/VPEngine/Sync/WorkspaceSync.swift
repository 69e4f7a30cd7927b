import Foundation

/// Brings one workspace and its twin on one instance together, upward or downward.
package struct WorkspaceSync: Sendable {
    package let instance: InstanceID
    package let workspace: Workspace
    package let shell: RemoteShell
    package let localScan: LocalScan
    package let manifests: ManifestStore
    package let report: @Sendable (ActionProgress) -> Void

    package init(
        instance: InstanceID, workspace: Workspace, shell: RemoteShell, localScan: LocalScan,
        manifests: ManifestStore, report: @escaping @Sendable (ActionProgress) -> Void
    ) {
        self.instance = instance
        self.workspace = workspace
        self.shell = shell
        self.localScan = localScan
        self.manifests = manifests
        self.report = report
    }

    private var remote: RemoteScan { RemoteScan(shell: self.shell, remoteRoot: self.workspace.remoteRoot) }

    /// Sends what changed here. Where nothing did, no rsync is started.
    package func upload() async throws(EngineError) -> SyncSummary {
        let start = ContinuousClock.now
        self.report(ActionProgress(.scanning))
        let agreed = self.manifests.load(instance: self.instance, workspace: self.workspace)
        let local = try await self.localScan.scan()
        let remote = try await self.remote.scan(makesRoot: true)
        let plan = SyncPlan.upload(local: local, agreed: agreed, remote: remote)
        var summary = SyncSummary(
            direction: .up, unchangedFiles: plan.unchangedFiles,
            conflicts: plan.conflicts.map(\.path.description))
        // What both sides had in common stays known where this sync leaves a difference standing.
        let deleted = Set(plan.deletions)
        var state = agreed.filter { path, _ in
            local[path] != nil || (remote[path] != nil && !deleted.contains(path))
        }
        state.merge(plan.agreed) { $1 }
        if !plan.deletions.isEmpty { try await self.delete(plan.deletions) }
        summary.deletedFiles = plan.deletions.count
        if !plan.transfers.isEmpty {
            try await self.transfer(.up, plan.transfers)
            let arrived = try await self.remote.scan()
            for item in plan.transfers {
                guard let sent = local[item.path] else { continue }
                if let there = arrived[item.path], there.isSameVersion(as: sent) {
                    state[item.path] = sent
                    summary.transferredFiles += 1
                    summary.transferredBytes += item.size
                } else if self.localScan.entry(of: item.path)?.isSameVersion(as: sent) == true {
                    summary.missing.append("\(item.path): it did not arrive")
                } else {
                    summary.missing.append("\(item.path): it changed while it was sent")
                }
            }
        }
        if state != agreed {
            try self.manifests.save(state, instance: self.instance, workspace: self.workspace)
        }
        summary.seconds = start.secondsUntilNow
        return summary
    }

    /// Brings what was born or changed on the instance, then looks again at both sides.
    ///
    /// `suffix` names the remote version of a file that changed on both sides: `name.remote-<suffix>`.
    package func download(conflictSuffix suffix: String) async throws(EngineError) -> SyncSummary {
        let start = ContinuousClock.now
        self.report(ActionProgress(.scanning))
        let agreed = self.manifests.load(instance: self.instance, workspace: self.workspace)
        let remote = try await self.remote.scan()
        let plan = SyncPlan.download(local: self.localScan.entry(of:), agreed: agreed, remote: remote)
        var summary = SyncSummary(direction: .down, unchangedFiles: plan.unchangedFiles)
        var state = agreed
        state.merge(plan.agreed) { $1 }
        if !plan.transfers.isEmpty {
            try await self.transfer(.down, plan.transfers)
            self.report(ActionProgress(.verifying))
            let after = try await self.remote.scan()
            for item in plan.transfers {
                guard let here = self.localScan.entry(of: item.path) else {
                    // Gone there as well: it was removed between the two looks, and there is nothing to bring.
                    if after[item.path] != nil { summary.missing.append("\(item.path): it did not arrive") }
                    continue
                }
                let versions = [after[item.path], remote[item.path]].compactMap(\.self)
                if versions.contains(where: here.isSameVersion) {
                    state[item.path] = here
                    summary.transferredFiles += 1
                    summary.transferredBytes += here.size
                } else {
                    summary.missing.append("\(item.path): it changed while it was brought")
                }
            }
        }
        if !plan.conflicts.isEmpty {
            try await self.bringConflicts(
                plan.conflicts, suffix: suffix, remote: remote, state: &state, &summary)
        }
        if state != agreed {
            try self.manifests.save(state, instance: self.instance, workspace: self.workspace)
        }
        summary.seconds = start.secondsUntilNow
        return summary
    }

    /// What a download would have to bring.
    package func outstanding() async throws(EngineError) -> SyncPlan {
        let agreed = self.manifests.load(instance: self.instance, workspace: self.workspace)
        return SyncPlan.download(
            local: self.localScan.entry(of:), agreed: agreed, remote: try await self.remote.scan())
    }

    /// Writes the remote version of each file beside the local one, which stays as it is.
    private func bringConflicts(
        _ conflicts: [SyncPlan.Item], suffix: String, remote: FileTree, state: inout FileTree,
        _ summary: inout SyncSummary
    ) async throws(EngineError) {
        let incoming = "\(self.workspace.localRoot)/.vp/incoming-\(suffix)"
        try PrivateFolder.make(incoming)
        defer { try? FileManager.default.removeItem(atPath: incoming) }
        let size = conflicts.reduce(Int64(0)) { $0 + $1.size }
        let transfer = RsyncTransfer(
            direction: .down, paths: conflicts.map(\.path), totalBytes: size, localRoot: incoming,
            remoteRoot: self.workspace.remoteRoot)
        try await transfer.run(through: self.shell) { progress in
            self.report(ActionProgress(.downloading, detail: "conflicting files", transfer: progress))
        }
        for item in conflicts {
            let beside = SyncPath(item.path.bytes + Array(".remote-\(suffix)".utf8))
            let isMoved = item.path.withAbsolutePath(below: incoming) { source in
                beside.withAbsolutePath(below: self.workspace.localRoot) { rename(source, $0) == 0 }
            }
            if isMoved {
                summary.conflicts.append(item.path.description)
                summary.transferredFiles += 1
                summary.transferredBytes += item.size
                // The remote version is safe here now. It counts as agreed, so that it is brought once, and
                // the local version, which differs from it, is what the next upload sends.
                state[item.path] = remote[item.path]
            } else {
                summary.missing.append("\(item.path): \(String(cString: strerror(errno)))")
            }
        }
    }

    private func transfer(_ direction: RsyncTransfer.Direction, _ items: [SyncPlan.Item])
        async throws(EngineError)
    {
        let total = items.reduce(Int64(0)) { $0 + $1.size }
        let stage: ActionStage = direction == .up ? .uploading : .downloading
        self.report(
            ActionProgress(
                stage,
                transfer: TransferProgress(bytes: 0, totalBytes: total, files: 0, totalFiles: items.count)))
        let transfer = RsyncTransfer(
            direction: direction, paths: items.map(\.path), totalBytes: total,
            localRoot: self.workspace.localRoot, remoteRoot: self.workspace.remoteRoot)
        try await transfer.run(through: self.shell) { progress in
            self.report(ActionProgress(stage, transfer: progress))
        }
    }

    private func delete(_ paths: [SyncPath]) async throws(EngineError) {
        // In single quotes every byte but NUL is itself, newlines and broken UTF-8 included.
        let quote = UInt8(ascii: "'")
        var script = Array("cd \(ShellQuoting.quoted(self.workspace.remoteRoot)) || exit 3\n".utf8)
        for path in paths {
            script += Array("rm -f -- './".utf8)
            for byte in path.bytes { script += byte == quote ? Array("'\\''".utf8) : [byte] }
            script += Array("' || exit 4\n".utf8)
        }
        let result = try await self.shell.run(script)
        guard result.isSuccess else {
            throw EngineError(
                .uploadFailed, .init("removing files on the instance", subject: self.instance.rawValue),
                detail: result.lastErrorLine)
        }
    }
}

extension ContinuousClock.Instant {
    var secondsUntilNow: Double {
        let elapsed = self.duration(to: .now)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }
}
