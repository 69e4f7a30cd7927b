import Foundation
import VPScripts

extension WorkspaceSync {
    /// Uploads files that changed here. If nothing changed, no rsync is started.
    package func upload(
        _ selection: PathSelection = .all, version: UploadRequest.Version? = nil
    ) async throws(EngineError) -> SyncSummary {
        let start = ContinuousClock.now
        self.report(ActionProgress(.scanning))
        let lock = try await self.manifests.lock(instance: self.instance, workspace: self.workspace)
        defer { withExtendedLifetime(lock) {} }
        var summary = SyncSummary(direction: .up)
        let (listing, settled) = try await self.scanUnlessSettled()
        // A path that is selected by name may be one that is not uploaded otherwise.
        if let settled, selection.paths.isEmpty {
            summary.unchangedFiles = settled.unchangedFiles
            summary.seconds = start.secondsUntilNow
            return summary
        }
        self.saveSettled(.up, nil)
        let loaded = self.loadAgreed()
        var agreed = loaded
        var local = listing.files
        let matcher = selection.matcher
        let earlier = self.manifests.loadSending(instance: self.instance, workspace: self.workspace)
        var remote = try await self.lookBeforeUpload(local, &agreed, earlier)
        let mark = remote.mark
        // An upload that is killed twice must know what it sent the first time.
        if !earlier.isEmpty, agreed != loaded { try self.save(agreed) }
        if let named = matcher.unmatched(in: local) {
            throw EngineError(
                .uploadFailed, .init("uploading", subject: self.instance.rawValue),
                detail: "\(named) does not exist here, or is never uploaded")
        }
        var complaints: [String] = []
        var plan = try await self.planUpload(local, &agreed, remote, matcher)
        if version == .mine, !plan.conflicts.isEmpty {
            try await self.moveBeside(plan.conflicts)
            remote = try await self.look(known: local.keys)
            remote.mark = mark
            plan = try await self.planUpload(local, &agreed, remote, matcher, resends: plan.conflicts)
        }
        let links = plan.transfers.filter { $0.entry.kind == .symbolicLink }
            .compactMap { LeadingOut($0.path, root: self.workspace.localRoot) }
        if !links.isEmpty { self.notice(LeadingOut.notice(links)) }
        for round in 1...Self.roundLimit where !plan.transfers.isEmpty || !plan.deletions.isEmpty {
            if round == 1 { try self.guardSize(of: plan, room: remote.freeBytes) }
            let sent = Dictionary(uniqueKeysWithValues: plan.transfers.map { ($0.path, $0.entry) })
            try self.manifests.saveSending(sent, instance: self.instance, workspace: self.workspace)
            try await self.putAside(plan.deletions)
            // The second round is for files that did not arrive in the first, by either method.
            let bulk = round == 1 ? self.bulk(of: plan, remote) : []
            let arrived = bulk.isEmpty ? [] : try await self.sendInBulk(bulk)
            complaints = try await self.transfer(
                .up, plan.transfers.filter { !arrived.contains($0.path) })
            self.report(ActionProgress(.verifying))
            let emptied = self.emptiedFolders(by: plan)
            remote = try await self.look(known: local.keys, clearsTemporaries: true)
            if try await self.settle(remote, agreed: agreed, sent: [sent, earlier], emptied: emptied) {
                remote = try await self.look(known: local.keys)
            }
            var grown: [(SyncPath, FileEntry)] = []
            for item in plan.transfers {
                let here = FileEntry(at: item.path, below: self.workspace.localRoot)
                if let there = remote.files[item.path], there.isSameVersion(as: item.entry) {
                    agreed[item.path] = AgreedEntry(here: item.entry, there: there, wasSent: true)
                    summary.transferredFiles += 1
                    summary.transferredBytes += item.size
                    if here?.change(since: item.entry) != FileEntry.Change.none { local[item.path] = here }
                } else if here == nil {
                    local[item.path] = nil
                } else if let here, let there = remote.files[item.path], here.kind == .file,
                    there.kind == .file,
                    here.change(since: item.entry) == .content, here.size >= there.size
                {
                    grown.append((item.path, there))
                }
            }
            for (path, entry) in try await self.ownParts(grown) { agreed[path] = entry }
            for item in plan.deletions where remote.files[item.path] == nil {
                agreed[item.path] = nil
                summary.deletedFiles += 1
            }
            remote.mark = mark
            plan = try await self.planUpload(local, &agreed, remote, matcher)
        }
        for item in plan.transfers {
            if agreed[item.path] != nil {
                summary.changing.append("\(item.path): it changed while it was uploaded")
            } else {
                let reason = Self.reason(for: item.path, in: complaints, "it did not arrive")
                summary.missing.append("\(item.path): \(reason)")
            }
        }
        summary.unchangedFiles = max(0, plan.unchangedFiles - summary.transferredFiles)
        summary.conflicts = plan.conflicts.map(\.path.description)
        summary.undecided = plan.conflicts.filter { !plan.harmless.contains($0.path) }
            .map(\.path.description)
        summary.removedThere = self.nameRemoved(plan, local)
        if !summary.removedThere.isEmpty { self.notice(Self.removedWords(summary.removedThere)) }
        agreed = agreed.filter { path, _ in local[path] != nil || remote.files[path] != nil }
        if agreed != loaded {
            try self.save(agreed)
            // The uploaded files decide which remote folders the scan looks into.
            self.saveSettled(.down, nil)
        }
        try self.manifests.saveSending([:], instance: self.instance, workspace: self.workspace)
        if plan.isEmpty, plan.unselected.isEmpty, selection.isAll {
            self.saveSettled(
                .up, await self.settled(.up, remote, here: local, unchangedFiles: plan.unchangedFiles))
        }
        summary.seconds = start.secondsUntilNow
        return summary
    }

    /// Plans an upload; nothing is moved or written.
    package func previewUpload(
        _ listing: LocalScan.Listing, _ remote: RemoteScan.Listing,
        _ matcher: PathSelection.Matcher = PathSelection.all.matcher
    ) async throws(EngineError) -> SyncPlan {
        var agreed = self.loadAgreed()
        self.adoptSent(remote.files, &agreed)
        return try await self.planUpload(listing.files, &agreed, remote, matcher)
    }

    private func lookBeforeUpload(
        _ local: FileTree, _ agreed: inout AgreedTree, _ earlier: FileTree
    ) async throws(EngineError) -> RemoteScan.Listing {
        var remote = try await self.look(known: local.keys, makesRoot: true)
        // Files that an interrupted upload moved aside are judged before another upload adds to them.
        if try await self.settle(remote, agreed: agreed, sent: [earlier]) {
            remote = try await self.look(known: local.keys, makesRoot: true)
        }
        self.adoptSent(remote.files, &agreed)
        try await self.adoptParts(remote.files, &agreed, earlier)
        return remote
    }

    /// Adopts versions that an upload sent but was killed before it verified them: they came from here, and
    /// are not changes made on the instance.
    func adoptSent(_ remote: FileTree, _ agreed: inout AgreedTree) {
        for (path, sent) in self.manifests.loadSending(instance: self.instance, workspace: self.workspace) {
            guard let there = remote[path], there.isSameVersion(as: sent) else { continue }
            agreed[path] = AgreedEntry(here: sent, there: there, wasSent: true)
        }
    }

    /// Adopts the beginnings of files that grew here while an upload that was killed sent them: they came
    /// from here as well.
    func adoptParts(_ remote: FileTree, _ agreed: inout AgreedTree, _ earlier: FileTree)
        async throws(EngineError)
    {
        let grown = earlier.compactMap { path, sent -> (SyncPath, FileEntry)? in
            guard let there = remote[path], there.kind == .file, sent.kind == .file,
                there.size >= sent.size, agreed[path].map({ !there.change(since: $0.there).isSpare }) ?? true,
                let here = self.localScan.entry(of: path), here.kind == .file, here.size >= there.size
            else { return nil }
            return (path, there)
        }
        agreed.merge(try await self.ownParts(grown)) { $1 }
    }

    private static func removedWords(_ paths: [String]) -> String {
        let names = SyncSummary.list(paths)
        return paths.count == 1
            ? "\(names) was deleted on the instance. Your copy stays and is not uploaded again; `vp sync PATH` uploads it."
            : "\(paths.count) files were deleted on the instance: \(names). Your copies stay and are not uploaded "
                + "again; `vp sync PATH` uploads them."
    }

    private func isOwn(_ mark: String) -> Bool {
        !mark.isEmpty && self.identity?.owner(of: mark) == .this
    }

    /// Plans an upload; `resends` are uploaded even if they were removed on the instance.
    private func planUpload(
        _ local: FileTree, _ agreed: inout AgreedTree, _ remote: RemoteScan.Listing,
        _ matcher: PathSelection.Matcher, resends: [SyncPlan.Item] = []
    ) async throws(EngineError) -> SyncPlan {
        let entry = self.localScan.lookup()
        let again = Set(resends.map(\.path))
        func decide() -> SyncPlan {
            var plan = SyncPlan.upload(
                local: local, entry: entry, agreed: agreed, remote: remote.files,
                remoteFolders: remote.folders, isSameDisk: self.isOwn(remote.mark),
                sendsAgain: { again.contains($0) || matcher.names($0) })
            self.spareOwnResults(&plan, agreed, unless: matcher.names)
            return plan
        }
        var plan = decide()
        let read = try await self.readContents(plan, agreed)
        if !read.isEmpty {
            agreed.merge(read) { $1 }
            plan = decide()
        }
        agreed.merge(plan.agreed) { $1 }
        plan.select(matcher)
        return plan
    }

    /// Small files that the instance does not have, if there are many and the rate is not limited.
    private func bulk(of plan: SyncPlan, _ remote: RemoteScan.Listing) -> [SyncPlan.Item] {
        guard self.settings.bandwidthLimit == nil else { return [] }
        let items = plan.transfers.filter { $0.size <= 1 << 18 && remote.files[$0.path] == nil }
        return items.count < self.settings.bulkFiles ? [] : items
    }

    /// Finds files that grew here while they were uploaded: the remote file is the beginning of the local
    /// one, and came from here.
    ///
    /// Without this it would be taken for a change made on the instance, and be downloaded as a conflict.
    private func ownParts(_ files: [(path: SyncPath, there: FileEntry)]) async throws(EngineError)
        -> AgreedTree
    {
        guard !files.isEmpty else { return [:] }
        let paths = files.map(\.path)
        let there = try await self.digests(of: paths, on: .there)
        let script = ContentDigest.script(
            files.map { ($0.path, $0.there.size) }, root: self.workspace.localRoot)
        let result = try await self.shell.runner.run(
            ProcessCommand("sh", ["-s"], environment: self.shell.environment, input: script))
        let here = ContentDigest.parse(result.output, of: paths) ?? [:]
        var agreed: AgreedTree = [:]
        for file in files {
            guard let digest = here[file.path], digest == there[file.path] else { continue }
            agreed[file.path] = AgreedEntry(here: file.there, there: file.there, wasSent: true)
        }
        return agreed
    }

    /// Moves the remote files that were deleted here aside, where they are judged, name by name: this makes
    /// room for the files that take their places.
    ///
    /// rsync would look for each name here, and would find another file where a link has taken a folder's
    /// place.
    private func putAside(_ items: [SyncPlan.Item]) async throws(EngineError) {
        let items = items.filter { $0.entry.kind != .folder }
        guard !items.isEmpty else { return }
        var script = ScriptFile.putAside.bytes([
            "root": self.workspace.remoteRoot, "aside": TransferFolder.aside,
        ])
        for item in items { script += ScriptFile.call("drop", item.path.shellWord) }
        let result = try await self.shell.run(script + Array("exit 0\n".utf8))
        guard result.isSuccess else {
            throw EngineError(
                .uploadFailed, .init("removing files deleted here", subject: self.instance.rawValue),
                detail: result.lastErrorLine)
        }
    }

    /// Folders that were deleted or replaced here, and may now be empty on the instance; deepest first.
    private func emptiedFolders(by plan: SyncPlan) -> [SyncPath] {
        var folders = Set(plan.deletions.filter { $0.entry.kind == .folder }.map(\.path))
        let local = self.localScan.lookup()
        for item in plan.deletions {
            for folder in item.path.ancestors where local(folder)?.kind != .folder {
                folders.insert(folder)
            }
        }
        return folders.sorted { $0.bytes.count > $1.bytes.count }
    }

    /// Throws if the upload is so large that it is hardly intended, or larger than the free space.
    private func guardSize(of plan: SyncPlan, room: Int64?) throws(EngineError) {
        let activity = EngineError.Activity("uploading", subject: self.instance.rawValue)
        if let limit = self.settings.uploadLimit,
            plan.totalBytes > limit.bytes || plan.transfers.count > limit.files
        {
            throw EngineError(
                .uploadTooBig, activity, detail: "\(plan.transfers.count) files",
                suggestions: Self.largest(plan.transfers))
        }
        // Replaced files stay until the new versions are verified, so they free no room.
        if let room, plan.totalBytes > room {
            throw EngineError(
                .remoteDiskFull, activity,
                detail:
                    "the upload needs \(ByteCount.text(plan.totalBytes)), and there is room for \(ByteCount.text(room))"
            )
        }
    }

    static func largest(_ items: [SyncPlan.Item]) -> [String] {
        items.sorted { $0.size > $1.size }.prefix(5).map(\.path.description)
    }
}
