import Foundation
import VPScripts

/// Synchronizes one workspace with its twin on one instance, upward or downward.
///
/// Both directions work in rounds: look, plan, move, and look again. Anything that the last look still finds
/// different did not arrive, so that no result depends on what a program reported.
package struct WorkspaceSync: Sendable {
    package let instance: InstanceID
    package let workspace: Workspace
    package let shell: RemoteShell
    package let localScan: LocalScan
    package let manifests: ManifestStore
    package let settings: EngineConfiguration.Sync
    package let report: @Sendable (ActionProgress) -> Void
    /// Returns the other instances that were rented for this project and that still exist.
    package var neighbours: @Sendable () -> [(instance: InstanceID, workspace: Workspace)] = { [] }
    /// Called with a sentence that the user should read before the sync goes on.
    package var notice: @Sendable (String) -> Void = { _ in }
    /// The project that an upload marks the remote workspace as belonging to; nil writes no mark.
    package var identity: ProjectIdentity?
    /// See `RemoteScan.isNewerOnly`.
    package var isNewerOnly = false
    /// See `RemoteScan.prunedPaths`.
    package var prunedPaths: [SyncPath] = []

    package init(
        instance: InstanceID, workspace: Workspace, shell: RemoteShell, localScan: LocalScan,
        manifests: ManifestStore, settings: EngineConfiguration.Sync = .init(),
        report: @escaping @Sendable (ActionProgress) -> Void
    ) {
        self.instance = instance
        self.workspace = workspace
        self.shell = shell
        self.localScan = localScan
        self.manifests = manifests
        self.settings = settings
        self.report = report
    }

    package init(
        _ context: EngineContext, _ instance: InstanceID, _ workspace: Workspace, _ shell: RemoteShell,
        _ report: @escaping @Sendable (ActionProgress) -> Void
    ) {
        self.init(
            instance: instance, workspace: workspace, shell: shell,
            localScan: LocalScan(
                workspace: workspace, environment: context.configuration.environment),
            manifests: ManifestStore(context), settings: context.configuration.sync, report: report)
        self.neighbours = { [store = context.store] in Self.neighbours(of: instance, workspace, store) }
    }

    /// Rounds after which a file that keeps changing is left as it is.
    static let roundLimit = 3
    /// The number of attempts at a transfer, each on a new connection, before the connection counts as lost.
    private static let resumeLimit = 3

    // MARK: Looking

    var remoteScan: RemoteScan {
        var scan = RemoteScan(shell: self.shell, remoteRoot: self.workspace.remoteRoot)
        scan.isNewerOnly = self.isNewerOnly
        scan.prunedPaths = self.prunedPaths
        scan.mark = self.identity?.mark ?? ""
        return scan
    }

    /// The agreed state, as it was saved.
    func loadAgreed() -> AgreedTree {
        self.manifests.load(instance: self.instance, workspace: self.workspace)
    }

    func save(_ agreed: AgreedTree) throws(EngineError) {
        try self.manifests.save(agreed, instance: self.instance, workspace: self.workspace)
    }

    /// Lists the instance's files.
    ///
    /// `known` are the paths that either side is known to have: folders that the scan skips otherwise are
    /// looked into if a file in them was uploaded.
    func look(
        known: some Sequence<SyncPath>, makesRoot: Bool = false, clearsTemporaries: Bool = false
    ) async throws(EngineError) -> RemoteScan.Listing {
        var scan = self.remoteScan
        for name in RemoteScan.defaultPrunedFolders where self.localScan.asksFor(name) {
            scan.prunedFolders.remove(name)
        }
        for path in known where !scan.prunedFolders.isEmpty {
            guard path.bytes.count > 3, path.bytes.contains(SyncPath.slash) else { continue }
            for part in path.bytes.split(separator: SyncPath.slash).dropLast() {
                if part.count <= 18 { scan.prunedFolders.remove(String(decoding: part, as: UTF8.self)) }
                for name in ["models--", "datasets--"] where part.starts(with: name.utf8) {
                    scan.prunedFolders.remove(name + "*")
                }
            }
        }
        var listing = try await scan.scan(makesRoot: makesRoot, clearsTemporaries: clearsTemporaries)
        listing.leaveCaches(known: known)
        return listing
    }

    /// Judges the files that an upload moved aside on the instance, and removes what it left behind.
    ///
    /// A version that was the agreed one may be removed, and so may one of `sent`: an upload that was killed
    /// may go on for a moment beside the next. Any other version was written there while the upload ran: it
    /// gets a name among the files, so that the next download brings it. Returns `true` if there was such a
    /// version.
    func settle(
        _ listing: RemoteScan.Listing, agreed: AgreedTree, sent: [FileTree] = [],
        emptied folders: [SyncPath] = []
    ) async throws(EngineError) -> Bool {
        guard listing.hasRemains || !folders.isEmpty else { return false }
        var script = ScriptFile.settle.bytes(["root": self.workspace.remoteRoot, "own": TransferFolder.own])
        var hasRescued = false
        for (path, entry) in listing.aside.sorted(by: { $0.key < $1.key }) {
            if let base = agreed[path]?.there, entry.change(since: base) != .content { continue }
            if sent.contains(where: { $0[path].map(entry.isSameVersion) ?? false }) { continue }
            hasRescued = true
            let aside = SyncPath(Array("\(TransferFolder.aside)/".utf8) + path.bytes)
            let target = path.beside(self.instance.rawValue)
            script += ScriptFile.call("rescue", aside.shellWord, target.shellWord)
        }
        script += ScriptFile.call("discard")
        for folder in folders { script += ScriptFile.call("leave", folder.shellWord) }
        let result = try await self.shell.run(script + Array("exit 0\n".utf8))
        guard result.isSuccess else {
            throw EngineError(
                .uploadFailed, .init("tidying up on the instance", subject: self.instance.rawValue),
                detail: result.lastErrorLine)
        }
        return hasRescued
    }

    // MARK: Deciding

    /// Finds by reading the files of `plan` what only their contents can tell, as agreed entries: conflicts
    /// whose two versions turn out to have the same content, and files whose inodes alone changed. Only these
    /// are read.
    func readContents(_ plan: SyncPlan, _ agreed: AgreedTree) async throws(EngineError) -> AgreedTree {
        let conflicts = (plan.conflicts + plan.refused.map(\.item)).filter { item in
            item.entry.kind == .file && item.replaced?.kind == .file && item.replaced?.size == item.entry.size
        }
        guard !conflicts.isEmpty || !plan.doubts.isEmpty else { return [:] }
        let paths = (conflicts + plan.doubts).map(\.path)
        let remote = try await self.digests(of: paths, on: .there)
        let local = try await self.digests(of: paths, on: .here)
        func sides(_ item: SyncPlan.Item) -> (here: FileEntry, there: FileEntry) {
            let other = item.replaced ?? item.entry
            return plan.direction == .up ? (item.entry, other) : (other, item.entry)
        }
        var found: AgreedTree = [:]
        for item in conflicts {
            guard let digest = local[item.path], digest == remote[item.path] else { continue }
            let (here, there) = sides(item)
            found[item.path] = AgreedEntry(here: here, there: there)
        }
        // If the instance cannot compute digests, it is asked again the next time.
        for item in plan.doubts where !remote.isEmpty {
            guard var base = agreed[item.path] else { continue }
            let (here, there) = sides(item)
            if let digest = local[item.path], digest == remote[item.path] {
                base.here.inodeChanged = here.inodeChanged
                base.there.inodeChanged = there.inodeChanged
            } else {
                // The version that both agreed on no longer exists; a size that no file has marks that.
                if here.change(since: base.here) == .unclear { base.here.size = .max }
                if there.change(since: base.there) == .unclear { base.there.size = .max }
            }
            found[item.path] = base
        }
        return found
    }

    enum Side { case here, there }

    /// Digests of contents, without those of unreadable files.
    func digests(of paths: [SyncPath], on side: Side) async throws(EngineError) -> [SyncPath: [UInt8]] {
        let result: ProcessResult
        switch side {
        case .here:
            let script = ContentDigest.script(paths, root: self.workspace.localRoot)
            result = try await self.shell.runner.run(
                ProcessCommand("sh", ["-s"], environment: self.shell.environment, input: script))
        case .there:
            result = try await self.shell.run(
                ContentDigest.script(paths, root: self.workspace.remoteRoot))
        }
        return ContentDigest.parse(result.output, of: paths) ?? [:]
    }

    // MARK: Moving

    /// Uploads `items` with tar, in parts, so that an interruption costs no more than one part. Returns the
    /// uploaded paths: all, or none if there is no tar.
    func sendInBulk(_ items: [SyncPlan.Item]) async throws(EngineError) -> Set<SyncPath> {
        let total = items.totalSize
        var before: (files: Int, bytes: Int64) = (0, 0)
        var rest = items[...]
        while !rest.isEmpty {
            var bytes: Int64 = 0
            let part = rest.prefix { item in
                bytes = bytes.addingSaturated(item.size)
                return bytes <= 64_000_000
            }
            rest = rest.dropFirst(part.count)
            let (sentFiles, sentBytes) = before
            before = (sentFiles + part.count, sentBytes + part.totalSize)
            let tar = TarTransfer(
                direction: .up, paths: part.map(\.path), totalBytes: before.bytes - sentBytes,
                localRoot: self.workspace.localRoot, remoteRoot: self.workspace.remoteRoot)
            do throws(EngineError) {
                _ = try await self.resuming { () async throws(EngineError) in
                    try await tar.run(through: self.shell) { progress in
                        let sum = TransferProgress(
                            bytes: sentBytes.addingSaturated(progress.bytes), totalBytes: total,
                            files: sentFiles,
                            totalFiles: items.count)
                        self.report(ActionProgress(.uploading, transfer: sum))
                    }
                }
            } catch {
                guard error.code == .missingProgram else { throw error }
                return []
            }
        }
        return Set(items.map(\.path))
    }

    /// Moves `items`, and resumes on a new connection if one breaks. Returns rsync's error lines.
    ///
    /// Downloads go into `staged`. If all of them are new here or satisfy `isBasis`, only the differences
    /// from the local files are transferred.
    func transfer(
        _ direction: SyncPlan.Direction, _ items: [SyncPlan.Item], to staged: StagedFiles? = nil,
        isBasis: (SyncPlan.Item) -> Bool = { _ in false }
    ) async throws(EngineError) -> [String] {
        guard !items.isEmpty else { return [] }
        let total = items.totalSize
        let stage: ActionStage = direction == .up ? .uploading : .downloading
        self.report(
            ActionProgress(
                stage,
                transfer: TransferProgress(bytes: 0, totalBytes: total, files: 0, totalFiles: items.count)))
        // rsync sends the other side digests of the blocks of a file that it has: it must send none of a file
        // that was never there.
        let mayCompare = items.allSatisfy { $0.replaced == nil || isBasis($0) }
        var rsync = RsyncTransfer(
            direction: direction, paths: items.map(\.path), totalBytes: total,
            localRoot: staged?.folder ?? self.workspace.localRoot, remoteRoot: self.workspace.remoteRoot,
            basisFolder: staged != nil && mayCompare ? self.workspace.localRoot : nil,
            bandwidthLimit: self.settings.bandwidthLimit,
            // Holes in remote files are unknown, and the connection is slower than the search for them.
            keepsHoles: direction == .down || self.localScan.hasHoles(items))
        rsync.silentSeconds = self.shell.patience.silentSeconds
        rsync.allowance = self.settings.growthAllowance
        let moving = rsync
        let progress: @Sendable (TransferProgress) -> Void = {
            self.report(ActionProgress(stage, transfer: $0))
        }
        do throws(EngineError) {
            return try await self.resuming { () async throws(EngineError) in
                try await moving.run(through: self.shell, onProgress: progress)
            }
        } catch {
            // If the user asked for a rate limit, it is better not to begin than to transfer without one.
            guard error.code == .missingProgram, self.settings.bandwidthLimit == nil else { throw error }
        }
        self.report(ActionProgress(stage, detail: "using tar, since rsync is missing"))
        var tar = TarTransfer(
            direction: direction, paths: rsync.paths, totalBytes: total, localRoot: rsync.localRoot,
            remoteRoot: rsync.remoteRoot)
        return try await self.resuming { () async throws(EngineError) in
            guard let staged else { return try await tar.run(through: self.shell, onProgress: progress) }
            // An archive may contain anything, and files left from one may be in the way of the next.
            guard let folder = staged.makeArchiveFolder() else {
                throw EngineError(
                    .fileSystem, .init("downloading", subject: self.instance.rawValue),
                    detail: "no folder can be made in \(staged.folder)")
            }
            tar.localRoot = folder
            let complaints = try await tar.run(through: self.shell, onProgress: progress)
            staged.takeArchive(items)
            return complaints
        }
    }

    /// Repeats a transfer on a new connection if one breaks.
    private func resuming(_ transfer: () async throws(EngineError) -> [String]) async throws(EngineError)
        -> [String]
    {
        for _ in 1..<Self.resumeLimit {
            do throws(EngineError) {
                return try await transfer()
            } catch {
                guard error.code == .unreachable else { throw error }
                self.report(ActionProgress(.reconnecting, detail: error.detail))
            }
        }
        return try await transfer()
    }

    /// The error line of rsync that mentions `path`, or `fallback`.
    static func reason(for path: SyncPath, in complaints: [String], _ fallback: String) -> String {
        let name = path.description
        return complaints.first { $0.contains(name) || $0 == RsyncTransfer.tooMuch } ?? fallback
    }
}

extension ContinuousClock.Instant {
    var secondsUntilNow: Double {
        let elapsed = self.duration(to: .now)
        return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    }
}
