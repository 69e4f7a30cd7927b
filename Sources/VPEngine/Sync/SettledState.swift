/// What both sides looked like when a sync had nothing left to do. As long as they look so,
/// it has nothing to do.
///
/// Upward, what is there counts by name only: what changed there is left alone by an upload,
/// and what is missing is sent again. Downward, what is here does not count:
/// what comes down is what changed there.
struct SettledState: Hashable, Sendable {
    /// The local tree's; downward, what the user accepts.
    var fingerprint: UInt64
    /// The instance's tree's, of names upward and of versions downward.
    var digest: String
    /// Names of folders there that were not looked into.
    var prunedFolders: Set<String>
    var unchangedFiles: Int

    init(fingerprint: UInt64, digest: String, prunedFolders: Set<String>, unchangedFiles: Int) {
        self.fingerprint = fingerprint
        self.digest = digest
        self.prunedFolders = prunedFolders
        self.unchangedFiles = unchangedFiles
    }

    /// nil where `text` is damaged.
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

    /// The local tree, and the state that both sides are still in; nil where one of them changed.
    ///
    /// Both sides are looked at at the same time. Where something did change the answer from there is not
    /// waited for.
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

    /// What is there; nil where it is as it was in `settled`, when all of it was here.
    func look(unless settled: SettledState) async throws(EngineError) -> RemoteScan.Listing? {
        try await self.scan(settled.prunedFolders).scan(unless: settled.digest)
    }

    func loadSettled(_ direction: SyncPlan.Direction) -> SettledState? {
        self.manifests.loadSettled(direction, instance: self.instance, workspace: self.workspace)
    }

    /// Notes that a sync has nothing left to do while both sides look like this; nil makes the next one look.
    func saveSettled(_ direction: SyncPlan.Direction, _ state: SettledState?) {
        self.manifests.saveSettled(state, direction, instance: self.instance, workspace: self.workspace)
    }

    /// The state in which `listing` was there; nil where the instance cannot tell such states apart.
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
