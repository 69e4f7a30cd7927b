/// The state of both sides when a sync had nothing left to do. While both are unchanged, there is still
/// nothing to do.
///
/// For uploads, the instance's files count by name only: an upload leaves files alone that changed there, and
/// sends files again that are missing. For downloads, the local files do not count: only files that changed
/// on the instance are downloaded.
struct SettledState: Hashable, Sendable {
    /// The fingerprint of the local tree; for downloads, of the patterns that the user accepts.
    var fingerprint: UInt64
    /// The digest of the remote tree: of names for uploads, of versions for downloads.
    var digest: String
    /// Names of remote folders that the scan skipped.
    var prunedFolders: Set<String>
    var unchangedFiles: Int

    init(fingerprint: UInt64, digest: String, prunedFolders: Set<String>, unchangedFiles: Int) {
        self.fingerprint = fingerprint
        self.digest = digest
        self.prunedFolders = prunedFolders
        self.unchangedFiles = unchangedFiles
    }

    /// nil if `text` is damaged.
    init?(text: String) {
        let lines = text.split(separator: "\n")
        guard lines.count >= 4, lines[0] == Self.header, lines[lines.count - 1] == Self.footer else {
            return nil
        }
        let words = lines[1].split(separator: " ")
        guard words.count == 3, let fingerprint = UInt64(words[0]),
            let count = NumberRange.count.read(words[2])
        else {
            return nil
        }
        self.init(
            fingerprint: fingerprint, digest: String(words[1]),
            prunedFolders: Set(lines[2].split(separator: "/").map(String.init)), unchangedFiles: count)
    }

    var text: String {
        """
        \(Self.header)
        \(self.fingerprint) \(self.digest) \(self.unchangedFiles)
        /\(self.prunedFolders.sorted().joined(separator: "/"))
        \(Self.footer)

        """
    }

    private static let header = "variousplug settled 1"
    private static let footer = "end"
}

extension WorkspaceSync {
    private func scan(_ pruned: Set<String>) -> RemoteScan {
        var scan = self.remoteScan
        scan.prunedFolders = pruned
        return scan
    }

    private func digest(of detail: RemoteScan.Detail, pruning names: Set<String>) async -> Result<
        String?, EngineError
    > {
        do throws(EngineError) {
            return .success(try await self.scan(names).digest(detail))
        } catch {
            return .failure(error)
        }
    }

    /// Returns the local tree, and the settled state if both sides are still in it.
    ///
    /// Both sides are looked at concurrently. If the local tree has changed, the answer from the instance is
    /// not awaited.
    func scanUnlessSettled() async throws(EngineError) -> (listing: LocalScan.Listing, settled: SettledState?)
    {
        guard let settled = self.loadSettled(.up) else { return (try self.localScan.scan(), nil) }
        let asked = Task { await self.digest(of: .names, pruning: settled.prunedFolders) }
        let listing: LocalScan.Listing
        do throws(EngineError) {
            listing = try self.localScan.scan()
        } catch {
            asked.cancel()
            throw error
        }
        guard listing.fingerprint == settled.fingerprint else {
            asked.cancel()
            return (listing, nil)
        }
        let answer = await withTaskCancellationHandler {
            await asked.value
        } onCancel: {
            asked.cancel()
        }
        return (listing, try answer.get() == settled.digest ? settled : nil)
    }

    /// Lists the instance's files; nil if they are unchanged since `settled`, when all of them had been
    /// downloaded.
    func look(unless settled: SettledState) async throws(EngineError) -> RemoteScan.Listing? {
        try await self.scan(settled.prunedFolders).scan(unless: settled.digest)
    }

    func loadSettled(_ direction: SyncPlan.Direction) -> SettledState? {
        self.manifests.loadSettled(direction, instance: self.instance, workspace: self.workspace)
    }

    /// Records that a sync has nothing left to do while both sides are in `state`; nil makes the next sync
    /// look.
    func saveSettled(_ direction: SyncPlan.Direction, _ state: SettledState?) {
        self.manifests.saveSettled(state, direction, instance: self.instance, workspace: self.workspace)
    }

    /// The settled state for `listing`; nil if no digest can be computed for it.
    func settled(
        _ direction: SyncPlan.Direction, _ listing: RemoteScan.Listing, here local: FileTree = [:],
        unchangedFiles: Int
    ) async -> SettledState? {
        guard let printed = RemoteScan.printed(direction == .up ? .names : .versions, of: listing),
            let result = try? await self.shell.runner.run(
                ProcessCommand("sha256sum", [], environment: self.shell.environment, input: printed)),
            result.isSuccess, let digest = ContentDigest.ofInput(result.output)
        else { return nil }
        return SettledState(
            fingerprint: LocalScan.fingerprint(of: local), digest: digest,
            prunedFolders: listing.prunedFolders, unchangedFiles: unchangedFiles)
    }
}
