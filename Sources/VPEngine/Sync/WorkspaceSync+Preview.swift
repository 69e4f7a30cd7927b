import Foundation

extension UnsafeResults {
    init(_ plan: SyncPlan) {
        let items = (plan.transfers + plan.conflicts + plan.unselected).filter { $0.entry.kind != .folder }
            .sorted { $0.size > $1.size }
        self.init(
            files: items.count, bytes: items.totalSize,
            examples: items.prefix(20).map(\.path.description))
    }
}

extension WorkspaceSync {
    /// Looks at both sides and returns the changes that a sync would make; writes nothing on either.
    package func preview(_ selection: PathSelection = .all) async throws(EngineError) -> SyncPreview {
        self.report(ActionProgress(.scanning))
        let matcher = selection.matcher
        let (listing, _, up, down, agreed) = try await self.lookAtBoth(matcher)
        let notSent = self.localScan.notSent(listing).filter {
            matcher.includes(SyncPath(withoutSlash: $0.path))
        }
        return SyncPreview(up: up, down: down, agreed: agreed, notSent: notSent)
    }

    typealias BothSides = (
        here: LocalScan.Listing, there: RemoteScan.Listing, up: SyncPlan, down: SyncPlan, agreed: AgreedTree
    )

    /// Returns both plans, from one look at each side.
    func lookAtBoth(_ matcher: PathSelection.Matcher = PathSelection.all.matcher)
        async throws(EngineError) -> BothSides
    {
        let listing = try self.localScan.scan()
        var agreed = self.loadAgreed()
        let remote = try await self.look(known: listing.files.keys)
        let up = try await self.previewUpload(listing, remote, matcher)
        let down = try await self.previewDownload(remote, &agreed, matcher)
        return (listing, remote, up, down, agreed)
    }
}
