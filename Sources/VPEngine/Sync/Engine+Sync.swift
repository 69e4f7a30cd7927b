import Foundation

/// Questions about files: nothing is moved by any of them.
extension Engine {
    /// What `sync` and `download` would do on `id`, and what is not sent at all.
    public func syncPreview(on id: InstanceID) async throws(EngineError) -> SyncPreview {
        let sync = self.sync(
            id, workspace: self.configuration.workspace, shell: try await self.shell(for: id), { _ in })
        return try await sync.preview()
    }

    /// Compares the instance's files with the local ones, without moving any.
    public func unsafeResults(on id: InstanceID) async throws(EngineError) -> UnsafeResults {
        let workspace = try self.workspace(of: id)
        let sync = self.sync(id, workspace: workspace, shell: try await self.shell(for: id), { _ in })
        let results = UnsafeResults(try await sync.outstanding())
        self.manifests.saveSafety(results, instance: id)
        return results
    }

    /// What the last look at `id` found not to be here, and when that was: for an instance that cannot be
    /// reached now. Nil where nobody has looked.
    public func lastKnownResults(on id: InstanceID) -> (results: UnsafeResults, at: Date)? {
        self.manifests.loadSafety(instance: id)
    }

    /// Whether `path` (absolute, or relative to `directory`) is sent, and why.
    public func explain(_ path: String, from directory: String) -> PathExplanation {
        let workspace = self.configuration.workspace
        let absolute = URL(
            fileURLWithPath: path, relativeTo: URL(fileURLWithPath: directory, isDirectory: true)
        )
        .standardizedFileURL.path
        let root = URL(fileURLWithPath: workspace.localRoot).standardizedFileURL.path
        guard absolute.hasPrefix(root + "/") else {
            return PathExplanation(
                path: absolute, verdict: .outside, pattern: nil, origin: nil, instances: [:])
        }
        let relative = SyncPath(String(absolute.dropFirst(root.count + 1)))
        let scan = LocalScan(workspace: workspace, environment: self.configuration.environment)
        var explanation = scan.explain(relative)
        let here = scan.entry(of: relative)
        for entry in (try? self.history.openLedgerEntries()) ?? [] {
            guard let id = entry.instance,
                let agreed = self.manifests.load(instance: id, workspace: workspace)[relative]
            else { continue }
            explanation.instances[id] =
                here.map { $0.change(since: agreed.here) == .none } ?? false
                ? (agreed.wasSent ? "sent, and unchanged since" : "the same there, and unchanged since")
                : here == nil ? "there, and gone here" : "there, and changed here since"
        }
        return explanation
    }
}

extension UnsafeResults {
    init(_ plan: SyncPlan) {
        let items = (plan.transfers + plan.conflicts).filter { $0.entry.kind != .folder }
            .sorted { $0.size > $1.size }
        self.init(
            files: items.count, bytes: items.totalSize,
            examples: items.prefix(20).map(\.path.description))
    }
}

extension WorkspaceSync {
    /// Looks at both sides and tells what would be done; writes nothing on either.
    package func preview() async throws(EngineError) -> SyncPreview {
        self.report(ActionProgress(.scanning))
        let (listing, _, up, down, agreed) = try await self.lookAtBoth()
        return SyncPreview(up: up, down: down, agreed: agreed, notSent: self.localScan.notSent(listing))
    }

    typealias BothSides = (
        here: LocalScan.Listing, there: RemoteScan.Listing, up: SyncPlan, down: SyncPlan, agreed: AgreedTree
    )

    /// Both plans from one look at each side.
    func lookAtBoth() async throws(EngineError) -> BothSides {
        let listing = try self.localScan.scan()
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: listing.files.keys)
        let up = try await self.previewUpload(listing, remote)
        let down = try await self.previewDownload(remote, &agreed)
        return (listing, remote, up, down, agreed)
    }
}
