import Foundation

extension WorkspaceSync {
    /// Brings what was born or changed on the instance, and looks again at both sides.
    ///
    /// `suffix` names the remote version of a file that changed on both sides: `name.remote-<suffix>`.
    /// `verifiesContents` reads every file on both sides; one whose contents differ though size and time agree
    /// is treated like one that changed on both.
    package func download(conflictSuffix suffix: String, verifiesContents: Bool = false)
        async throws(EngineError) -> SyncSummary
    {
        let start = ContinuousClock.now
        self.report(ActionProgress(.scanning))
        let lock = try await self.manifests.lock(instance: self.instance, workspace: self.workspace)
        defer { withExtendedLifetime(lock) {} }
        var summary = SyncSummary(direction: .down)
        var seen: RemoteScan.Listing?
        if !verifiesContents, let settled = self.loadSettled(.down), settled.fingerprint == self.acceptance {
            seen = try await self.look(unless: settled)
            if seen == nil {
                summary.unchangedFiles = settled.unchangedFiles
                self.manifests.saveSafety(UnsafeResults(SyncPlan(.down)), instance: self.instance)
                summary.seconds = start.secondsUntilNow
                return summary
            }
        }
        self.saveSettled(.down, nil)
        let loaded = self.loadAgreed()
        var agreed = loaded
        var remote = try await self.lookBeforeDownload(&agreed, seen)
        var complaints: [String] = []
        var problems: [SyncPath: String] = [:]
        var attempted: Set<SyncPath> = []
        var grown: Set<SyncPath> = []
        var finished: StagedFiles?
        var plan = try await self.planDownload(&agreed, remote.files)
        if verifiesContents {
            plan.conflicts += try await self.differentContents(remote.files, agreed).filter {
                IncomingGate.refusal(of: $0.path) == nil
            }
        }
        if !plan.transfers.isEmpty || !plan.conflicts.isEmpty {
            try self.guardRoom(for: plan)
            var staged = try StagedFiles(
                localRoot: self.workspace.localRoot, instance: self.instance, suffix: suffix)
            staged.resume(plan.transfers + plan.conflicts)
            for round in 1...Self.roundLimit where !plan.isEmpty {
                attempted.formUnion((plan.transfers + plan.conflicts).lazy.map(\.path))
                complaints = try await self.bring(plan.transfers + plan.conflicts, to: staged, agreed)
                self.report(ActionProgress(.verifying))
                let after = try await self.look(known: agreed.keys)
                let isLast = round == Self.roundLimit
                func isWhole(_ item: SyncPlan.Item) -> Bool {
                    guard item.entry.kind == .file else { return true }
                    guard let entry = staged.entry(of: item.path) else { return false }
                    let now = after.files[item.path]
                    // A file that changed while it was read is not whole. In the last round it is taken as it is:
                    // a log that never stands still is better had than not.
                    if entry.isSameVersion(as: item.entry) {
                        return isLast || now.map { $0.change(since: item.entry) == .none } ?? true
                    }
                    let hasGrown =
                        isLast && entry.kind == .file && entry.size >= item.entry.size
                        && now.map { $0.kind == .file && $0.size >= entry.size } ?? false
                    if hasGrown { grown.insert(item.path) }
                    return hasGrown
                }
                for (items, isConflict) in [(plan.transfers, false), (plan.conflicts, true)] {
                    for item in items where isWhole(item) {
                        problems[item.path] = self.place(
                            item, isConflict: isConflict, remote, &staged, &agreed, &summary)
                    }
                }
                // Whatever happens from here on, what is in its place is known to be.
                try self.save(agreed)
                remote = after
                plan = try await self.planDownload(&agreed, remote.files)
            }
            finished = staged
        }
        for item in plan.transfers + plan.conflicts {
            if problems[item.path] == nil, !attempted.contains(item.path) || grown.contains(item.path) {
                summary.later.append(item.path.description)
            } else if agreed[item.path]?.there != nil, problems[item.path] == nil {
                summary.changing.append("\(item.path): it changed while it was brought")
            } else {
                let reason =
                    problems[item.path]
                    ?? Self.reason(for: item.path, in: complaints, "it did not arrive")
                summary.missing.append("\(item.path): \(reason)")
            }
        }
        // What did not arrive may be there in part, for the next download to go on with.
        if summary.missing.isEmpty { finished?.remove() }
        summary.refused = self.nameRefused(plan, remote)
        summary.left = plan.wordsForWhatIsKept
        summary.unchangedFiles = max(0, plan.unchangedFiles - summary.transferredFiles)
        if agreed != loaded { try self.save(agreed) }
        if plan.isEmpty {
            var settled = await self.settled(.down, remote, unchangedFiles: plan.unchangedFiles)
            settled?.fingerprint = self.acceptance
            self.saveSettled(.down, settled)
        }
        self.manifests.saveSafety(UnsafeResults(plan), instance: self.instance)
        summary.seconds = start.secondsUntilNow
        return summary
    }

    /// Stands for what the user accepts of what programs here act on: other patterns let other files come.
    private var acceptance: UInt64 {
        self.settings.accept.isEmpty
            ? 0 : StableDigest.hash(self.settings.accept.joined(separator: "\n").utf8)
    }

    /// What a download would have to bring. Nothing is moved or written.
    package func outstanding() async throws(EngineError) -> SyncPlan {
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: agreed.keys)
        return try await self.previewDownload(remote, &agreed)
    }

    func previewDownload(_ remote: RemoteScan.Listing, _ agreed: inout AgreedTree) async throws(EngineError)
        -> SyncPlan
    {
        self.adoptSent(remote.files, &agreed)
        var plan = try await self.planDownload(&agreed, remote.files)
        // A version that an upload put aside and nobody has judged yet is a result like any other.
        for (path, entry) in remote.aside.sorted(by: { $0.key < $1.key })
        where agreed[path].map({ entry.change(since: $0.there) == .content }) ?? true {
            plan.transfers.append(SyncPlan.Item(path: path.beside(self.instance.rawValue), entry: entry))
        }
        return plan
    }

    /// `seen` spares the first look.
    private func lookBeforeDownload(_ agreed: inout AgreedTree, _ seen: RemoteScan.Listing?)
        async throws(EngineError) -> RemoteScan.Listing
    {
        var remote: RemoteScan.Listing
        if let seen {
            remote = seen
            remote.leaveCaches(known: agreed.keys)
        } else {
            remote = try await self.look(known: agreed.keys)
        }
        if try await self.settle(remote, agreed: agreed) { remote = try await self.look(known: agreed.keys) }
        self.adoptSent(remote.files, &agreed)
        return remote
    }

    private func planDownload(_ agreed: inout AgreedTree, _ remote: FileTree) async throws(EngineError)
        -> SyncPlan
    {
        var plan = self.decideDownload(agreed, remote)
        let same = try await self.sameContents(plan)
        if !same.isEmpty {
            agreed.merge(same) { $1 }
            plan = self.decideDownload(agreed, remote)
        }
        agreed.merge(plan.agreed) { $1 }
        plan.leave(self.settings)
        return plan
    }

    func decideDownload(_ agreed: AgreedTree, _ remote: FileTree) -> SyncPlan {
        SyncPlan.download(
            local: self.localScan.lookup(), agreed: agreed, remote: remote,
            gate: IncomingGate(accepting: self.settings.accept))
    }

    /// Brings the files among `items`; folders and links are made here.
    func bring(_ items: [SyncPlan.Item], to staged: StagedFiles, _ agreed: AgreedTree)
        async throws(EngineError) -> [String]
    {
        try await self.transfer(
            .down, items.filter { $0.entry.kind == .file }, to: staged, isBasis: { agreed[$0.path] != nil })
    }

    /// Puts one file in its place and notes what both sides now agree on. Returns what went wrong.
    func place(
        _ item: SyncPlan.Item, isConflict: Bool, _ remote: RemoteScan.Listing, _ staged: inout StagedFiles,
        _ agreed: inout AgreedTree, _ summary: inout SyncSummary
    ) -> String? {
        switch staged.place(item, isConflict: isConflict, linkTarget: remote.linkTargets[item.path]) {
        case .placed(let here):
            agreed[item.path] = AgreedEntry(here: here, there: item.entry)
        case .beside:
            summary.conflicts.append(item.path.description)
            // The remote version is safe here now. It counts as agreed, so that it is brought once, and the
            // local version, which differs from it, is what the next upload sends.
            agreed[item.path] = AgreedEntry(here: item.entry, there: item.entry)
        case .absent: return nil
        case .failed(let problem): return problem
        }
        if item.entry.kind != .folder {
            summary.transferredFiles += 1
            summary.transferredBytes = summary.transferredBytes.addingSaturated(item.size)
        }
        return nil
    }

    /// Files that are held to be the same on both sides and are not.
    private func differentContents(_ remote: FileTree, _ agreed: AgreedTree) async throws(EngineError)
        -> [SyncPlan.Item]
    {
        self.report(ActionProgress(.verifying))
        let same = agreed.filter { path, base in
            guard base.here.kind == .file, base.there.kind == .file, base.here.size == base.there.size,
                let here = self.localScan.entry(of: path), let there = remote[path]
            else { return false }
            return here.change(since: base.here) != .content && there.change(since: base.there) != .content
        }
        let paths = same.keys.sorted()
        guard !paths.isEmpty else { return [] }
        let there = try await self.digests(of: paths, on: .there)
        let here = try await self.digests(of: paths, on: .here)
        guard !there.isEmpty else {
            throw EngineError(
                .downloadFailed, .init("comparing contents", subject: self.instance.rawValue),
                detail: "sha256sum on the instance gave no answer")
        }
        return paths.compactMap { path in
            guard here[path] != there[path], let entry = remote[path] else { return nil }
            return SyncPlan.Item(path: path, entry: entry, replaced: self.localScan.entry(of: path))
        }
    }

    private func guardRoom(for plan: SyncPlan) throws(EngineError) {
        var information = statvfs()
        guard statvfs(self.workspace.localRoot, &information) == 0 else { return }
        let (product, overflows) = UInt64(information.f_bavail).multipliedReportingOverflow(
            by: UInt64(information.f_frsize))
        let room = overflows ? .max : Int64(clamping: product)
        let needed = (plan.transfers + plan.conflicts).totalSize
        guard needed > room else { return }
        let (bytes, free) = (ByteCount.text(needed), ByteCount.text(room))
        throw EngineError(
            .localDiskFull, .init("downloading", subject: self.instance.rawValue),
            detail: "\(bytes) are to be brought, and there is room for \(free)")
    }
}
