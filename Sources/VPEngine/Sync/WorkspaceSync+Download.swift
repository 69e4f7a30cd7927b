import Foundation

extension WorkspaceSync {
    /// Downloads files that were created or changed on the instance, and looks at both sides again.
    ///
    /// `suffix` is used for the remote version of a file that changed on both sides: `name.remote-<suffix>`.
    /// With `replacesCopies`, a copy of that name that is still as a download made it gives way to a newer
    /// one. `verifiesContents` reads every file on both sides;
    /// a file whose contents differ although size and time agree is treated like one that changed on both.
    ///
    /// Small files come first. If the local disk has no room for all of them, the largest stay on the
    /// instance, and an error says so once the others are here.
    package func download(
        _ selection: PathSelection = .all, conflictSuffix suffix: String, replacesCopies: Bool = false,
        verifiesContents: Bool = false
    ) async throws(EngineError) -> SyncSummary {
        let start = ContinuousClock.now
        self.report(ActionProgress(.scanning))
        let lock = try await self.manifests.lock(instance: self.instance, workspace: self.workspace)
        defer { withExtendedLifetime(lock) {} }
        var summary = SyncSummary(direction: .down)
        var seen: RemoteScan.Listing?
        if !verifiesContents, selection.paths.isEmpty, let settled = self.loadSettled(.down),
            settled.fingerprint == self.acceptance
        {
            seen = try await self.look(unless: settled)
            if seen == nil {
                summary.unchangedFiles = settled.unchangedFiles
                summary.removedHere = self.removedResults()
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
        var changed: Set<SyncPath> = []
        var finished: StagedFiles?
        let matcher = selection.matcher
        if let named = matcher.unmatched(in: remote.files) {
            throw EngineError(
                .downloadFailed, .init("downloading", subject: self.instance.rawValue),
                detail: "\(named) does not exist on the instance")
        }
        var plan = try await self.planDownload(&agreed, remote.files, matcher)
        if verifiesContents {
            plan.conflicts += try await self.differentContents(remote.files, agreed).filter {
                IncomingGate.refusal(of: $0.path) == nil && matcher.includes($0.path)
            }
        }
        var room: Room?
        if !plan.transfers.isEmpty || !plan.conflicts.isEmpty {
            room = try self.room(for: plan)
            var staged = try StagedFiles(
                localRoot: self.workspace.localRoot, instance: self.instance, suffix: suffix,
                replacesCopies: replacesCopies)
            staged.resume(plan.transfers + plan.conflicts)
            for round in 1...Self.roundLimit where !plan.isEmpty {
                let conflicts = Set(plan.conflicts.lazy.map(\.path))
                attempted.formUnion((plan.transfers + plan.conflicts).lazy.map(\.path))
                let items = (plan.transfers + plan.conflicts).filter { room?.leaves($0) != true }
                var after = remote
                complaints = []
                for batch in Self.batches(items) {
                    complaints += try await self.bring(batch, to: staged, agreed)
                    self.report(ActionProgress(.verifying))
                    after = try await self.look(known: agreed.keys)
                    let isLast = round == Self.roundLimit
                    func isWhole(_ item: SyncPlan.Item) -> Bool {
                        guard item.entry.kind == .file else { return true }
                        guard let entry = staged.entry(of: item.path) else { return false }
                        let now = after.files[item.path]
                        // A file that changed while it was read is not whole. In the last round it is taken
                        // as it is: a log that grows all the time is better than no log.
                        if entry.isSameVersion(as: item.entry) {
                            return isLast || now.map { $0.change(since: item.entry) == .none } ?? true
                        }
                        guard isLast, entry.kind == .file, let now, now.kind == .file else { return false }
                        if entry.size >= item.entry.size, now.size >= entry.size {
                            grown.insert(item.path)
                            return true
                        }
                        // If a file is rewritten all the time, any version is better than none, but no
                        // version is better than the file that is already here.
                        changed.insert(item.path)
                        return item.replaced == nil
                    }
                    for item in batch where isWhole(item) {
                        problems[item.path] = self.place(
                            item, isConflict: conflicts.contains(item.path), remote, &staged, &agreed,
                            &summary)
                    }
                    // The agreed state is saved now, so that files in place are known to be, whatever happens
                    // from here on.
                    try self.save(agreed)
                }
                remote = after
                if items.isEmpty { break }
                plan = try await self.planDownload(&agreed, remote.files, matcher)
            }
            finished = staged
        }
        for item in plan.transfers + plan.conflicts where room?.leaves(item) != true {
            if problems[item.path] == nil, !attempted.contains(item.path) || grown.contains(item.path) {
                summary.later.append(item.path.description)
            } else if problems[item.path] == nil,
                changed.contains(item.path) || agreed[item.path]?.there != nil
            {
                summary.changing.append("\(item.path): it changed while it was downloaded")
            } else {
                let reason =
                    problems[item.path]
                    ?? Self.reason(for: item.path, in: complaints, "it did not arrive")
                summary.missing.append("\(item.path): \(reason)")
            }
        }
        // A file that did not arrive may be there in part; the next download resumes it.
        if summary.missing.isEmpty { finished?.remove() }
        summary.refused = self.nameRefused(plan, remote)
        summary.left = plan.wordsForWhatIsKept
        summary.removedHere = plan.removedHere.map(\.path.description)
        summary.unchangedFiles = max(0, plan.unchangedFiles - summary.transferredFiles)
        if agreed != loaded { try self.save(agreed) }
        if plan.isEmpty, plan.unselected.isEmpty, selection.paths.isEmpty {
            var settled = await self.settled(.down, remote, unchangedFiles: plan.unchangedFiles)
            settled?.fingerprint = self.acceptance
            self.saveSettled(.down, settled)
            let brought = agreed.filter { !$1.wasSent && $1.there.kind != .folder && remote.files[$0] != nil }
            self.manifests.saveNamed(
                brought.mapValues(\.there), .brought, instance: self.instance, workspace: self.workspace)
        }
        self.manifests.saveSafety(UnsafeResults(plan), instance: self.instance)
        summary.seconds = start.secondsUntilNow
        if let room { throw room.error(plan, self.instance) }
        return summary
    }

    /// Downloaded results that are unchanged on the instance and were deleted here.
    private func removedResults() -> [String] {
        let local = self.localScan.lookup()
        return self.manifests.loadNamed(.brought, instance: self.instance, workspace: self.workspace).keys
            .filter { local($0) == nil && !$0.isBehindFile(local) }.sorted().map(\.description)
    }

    /// Separates small files from large ones if waiting for the large ones would take a while.
    static func batches(_ items: [SyncPlan.Item]) -> [[SyncPlan.Item]] {
        guard items.totalSize > 1 << 25 else { return items.isEmpty ? [] : [items] }
        let small = items.filter { $0.size <= 1 << 20 }
        let large = items.filter { $0.size > 1 << 20 }
        return [small, large].filter { !$0.isEmpty }
    }

    /// A hash of the patterns for files that the user accepts although programs here act on them: other
    /// patterns let other files come.
    private var acceptance: UInt64 {
        self.settings.accept.isEmpty
            ? 0 : StableDigest.hash(self.settings.accept.joined(separator: "\n").utf8)
    }

    /// Plans a download. Nothing is moved or written.
    package func outstanding() async throws(EngineError) -> SyncPlan {
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: agreed.keys)
        return try await self.previewDownload(remote, &agreed)
    }

    func previewDownload(
        _ remote: RemoteScan.Listing, _ agreed: inout AgreedTree,
        _ matcher: PathSelection.Matcher = PathSelection.all.matcher
    ) async throws(EngineError) -> SyncPlan {
        self.adoptSent(remote.files, &agreed)
        var plan = try await self.planDownload(&agreed, remote.files, matcher)
        // A version that an upload moved aside and that is not judged yet is a result like any other.
        for (path, entry) in remote.aside.sorted(by: { $0.key < $1.key })
        where (agreed[path].map { entry.change(since: $0.there) == .content } ?? true)
            && matcher.includes(path)
        {
            plan.transfers.append(SyncPlan.Item(path: path.beside(self.instance.rawValue), entry: entry))
        }
        return plan
    }

    /// Lists the instance's files before a download; `seen` saves the first look.
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
        let earlier = self.manifests.loadSending(instance: self.instance, workspace: self.workspace)
        if try await self.settle(remote, agreed: agreed, sent: [earlier]) {
            remote = try await self.look(known: agreed.keys)
        }
        self.adoptSent(remote.files, &agreed)
        try await self.adoptParts(remote.files, &agreed, earlier)
        return remote
    }

    private func planDownload(
        _ agreed: inout AgreedTree, _ remote: FileTree, _ matcher: PathSelection.Matcher
    ) async throws(EngineError) -> SyncPlan {
        var plan = self.decideDownload(agreed, remote, bringsAgain: matcher.names)
        let read = try await self.readContents(plan, agreed)
        if !read.isEmpty {
            agreed.merge(read) { $1 }
            plan = self.decideDownload(agreed, remote, bringsAgain: matcher.names)
        }
        agreed.merge(plan.agreed) { $1 }
        plan.leave(self.settings, unless: matcher.names)
        plan.select(matcher)
        return plan
    }

    func decideDownload(
        _ agreed: AgreedTree, _ remote: FileTree, bringsAgain: (SyncPath) -> Bool = { _ in false }
    ) -> SyncPlan {
        var plan = SyncPlan.download(
            local: self.localScan.lookup(), agreed: agreed, remote: remote,
            gate: IncomingGate(accepting: self.settings.accept), bringsAgain: bringsAgain)
        self.spareOthersResults(&plan)
        return plan
    }

    /// Downloads the files among `items`; folders and links are created here.
    func bring(_ items: [SyncPlan.Item], to staged: StagedFiles, _ agreed: AgreedTree)
        async throws(EngineError) -> [String]
    {
        try await self.transfer(
            .down, items.filter { $0.entry.kind == .file }, to: staged, isBasis: { agreed[$0.path] != nil })
    }

    /// Moves one file into place and records what both sides now agree on. Returns the error, if any.
    func place(
        _ item: SyncPlan.Item, isConflict: Bool, _ remote: RemoteScan.Listing, _ staged: inout StagedFiles,
        _ agreed: inout AgreedTree, _ summary: inout SyncSummary
    ) -> String? {
        let before = agreed[item.path].flatMap { $0.wasSent ? nil : $0.there }
        switch staged.place(
            item, isConflict: isConflict, linkTarget: remote.linkTargets[item.path], broughtBefore: before)
        {
        case .placed(let here):
            agreed[item.path] = AgreedEntry(here: here, there: item.entry)
        case .beside:
            summary.conflicts.append(item.path.description)
            // The remote version is safe here now. It counts as agreed, so that it is downloaded only once,
            // and the next upload sends the local version, which differs from it.
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

    /// Files that count as the same on both sides, but have different contents.
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

    /// The available room, or nil if there is room for everything.
    func room(for plan: SyncPlan) throws(EngineError) -> Room? {
        var information = statvfs()
        guard statvfs(self.workspace.localRoot, &information) == 0 else { return nil }
        let (product, overflows) = UInt64(information.f_bavail).multipliedReportingOverflow(
            by: UInt64(information.f_frsize))
        return Room(plan, bytes: overflows ? .max : Int64(clamping: product))
    }
}

extension SyncPath {
    /// `true` if a file or link has the path of a folder above it.
    fileprivate func isBehindFile(_ local: (SyncPath) -> FileEntry?) -> Bool {
        self.ancestors.contains { folder in local(folder).map { $0.kind != .folder } ?? false }
    }
}

/// A local disk that cannot hold all files that are to be downloaded: the smallest files get the room.
struct Room {
    private let bytes: Int64
    private let needed: Int64
    private let left: Set<SyncPath>

    /// nil if everything fits.
    init?(_ plan: SyncPlan, bytes: Int64) {
        let items = plan.transfers + plan.conflicts
        guard items.totalSize > bytes else { return nil }
        self.bytes = bytes
        self.needed = items.totalSize
        var sum: Int64 = 0
        var left: Set<SyncPath> = []
        for item in items.sorted(by: { $0.size < $1.size }) {
            sum = sum.addingSaturated(item.size)
            // A twentieth stays free for files that grow meanwhile.
            if sum > bytes - bytes / 20 { left.insert(item.path) }
        }
        self.left = left
    }

    /// `true` if `item` stays on the instance because other files get the room.
    func leaves(_ item: SyncPlan.Item) -> Bool { self.left.contains(item.path) }

    func error(_ plan: SyncPlan, _ instance: InstanceID) -> EngineError {
        let left = (plan.transfers + plan.conflicts).filter(self.leaves)
        return EngineError(
            .localDiskFull, .init("downloading", subject: instance.rawValue),
            detail: "the download needs \(ByteCount.text(self.needed)), and there is room for "
                + "\(ByteCount.text(self.bytes)). Everything that fits was downloaded; still on the instance: "
                + SyncSummary.list(left.map(\.path.description)),
            suggestions: left.map(\.path.description))
    }
}
