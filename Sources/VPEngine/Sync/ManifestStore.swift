import Foundation

/// Stores, for each instance and workspace, the files that both sides last agreed on.
///
/// A lost or damaged manifest reads as empty: then every difference is a conflict, and nothing is overwritten
/// or deleted because of it.
package struct ManifestStore: Sendable {
    package let stateFolder: String

    package init(stateFolder: String) {
        self.stateFolder = stateFolder
    }

    package init(_ context: EngineContext) {
        self.init(stateFolder: context.configuration.paths.stateFolder)
    }

    private static let header = Array("variousplug manifest 2\0".utf8)
    private static let footer = Array("end\0".utf8)

    package func load(instance: InstanceID, workspace: Workspace) -> AgreedTree {
        guard let records = Self.records(in: self.path(instance, workspace)) else { return [:] }
        var reader = TreeRecords.Reader(records)
        var tree: AgreedTree = [:]
        while !reader.isAtEnd {
            guard let wasSent = reader.flag(), let here = reader.entry(), let there = reader.entry(),
                let path = reader.path()
            else { return [:] }
            tree[path] = AgreedEntry(here: here, there: there, wasSent: wasSent)
        }
        return tree
    }

    package func save(_ tree: AgreedTree, instance: InstanceID, workspace: Workspace) throws(EngineError) {
        var bytes = Self.header
        for (path, entry) in tree {
            TreeRecords.write(entry.wasSent, to: &bytes)
            TreeRecords.write(entry.here, to: &bytes)
            TreeRecords.write(entry.there, to: &bytes)
            TreeRecords.write(path, to: &bytes)
        }
        try self.write(bytes, to: self.path(instance, workspace), instance)
    }

    /// The versions that an interrupted upload may have left on the instance. They came from here; they are
    /// not changes made there.
    package func loadSending(instance: InstanceID, workspace: Workspace) -> FileTree {
        Self.records(in: self.sendingPath(instance, workspace)).flatMap(TreeRecords.tree) ?? [:]
    }

    /// Is called before the first byte is sent; an empty tree means that no upload is in progress.
    package func saveSending(_ tree: FileTree, instance: InstanceID, workspace: Workspace)
        throws(EngineError)
    {
        guard !tree.isEmpty else {
            unlink(self.sendingPath(instance, workspace))
            return
        }
        var bytes = Self.header
        for (path, entry) in tree {
            TreeRecords.write(entry, to: &bytes)
            TreeRecords.write(path, to: &bytes)
        }
        try self.write(bytes, to: self.sendingPath(instance, workspace), instance)
    }

    /// The state in which a sync in `direction` had nothing left to do, or nil if it is unknown.
    func loadSettled(_ direction: SyncPlan.Direction, instance: InstanceID, workspace: Workspace)
        -> SettledState?
    {
        FileManager.default.contents(atPath: self.settledPath(direction, instance, workspace))
            .flatMap { SettledState(text: String(decoding: $0, as: UTF8.self)) }
    }

    /// A failure is ignored: losing the state costs time and nothing else.
    func saveSettled(
        _ state: SettledState?, _ direction: SyncPlan.Direction, instance: InstanceID, workspace: Workspace
    ) {
        let path = self.settledPath(direction, instance, workspace)
        guard let state else {
            unlink(path)
            return
        }
        try? PrivateFolder.write(Array(state.text.utf8), to: path)
    }

    /// The purposes for which lists of names are stored.
    enum Notice: String {
        /// Versions that stay on the instance and were already reported.
        case refused = ".named"
        /// Files that the instance no longer has and that are not uploaded again.
        case removed = ".removed"
        /// Results that were downloaded, as long as nothing has changed on the instance since.
        case brought = ".brought"
    }

    func loadNamed(_ notice: Notice, instance: InstanceID, workspace: Workspace) -> FileTree {
        Self.records(in: self.path(instance, workspace) + notice.rawValue).flatMap(TreeRecords.tree) ?? [:]
    }

    /// A failure is ignored: losing the list causes its names to be reported once more.
    func saveNamed(_ tree: FileTree, _ notice: Notice, instance: InstanceID, workspace: Workspace) {
        var bytes = Self.header
        for (path, entry) in tree {
            TreeRecords.write(entry, to: &bytes)
            TreeRecords.write(path, to: &bytes)
        }
        try? self.write(bytes, to: self.path(instance, workspace) + notice.rawValue, instance)
    }

    private struct Safety: Codable {
        var results: UnsafeResults
        var at: Date
    }

    /// Remembers the findings of a look at the instance. Losing them costs a figure in a message.
    package func saveSafety(_ results: UnsafeResults, instance: InstanceID) {
        guard let data = try? JSONEncoder().encode(Safety(results: results, at: Date())) else { return }
        try? PrivateFolder.make(self.folder(instance))
        try? PrivateFolder.write([UInt8](data), to: self.folder(instance) + "/safety.json")
    }

    package func loadSafety(instance: InstanceID) -> (results: UnsafeResults, at: Date)? {
        FileManager.default.contents(atPath: self.folder(instance) + "/safety.json")
            .flatMap { try? JSONDecoder().decode(Safety.self, from: $0) }
            .flatMap { safety in safety.results.bounded().map { ($0, safety.at.withinBounds ?? Date()) } }
    }

    /// Remembers the size of the data behind links on the instance that is too large to be downloaded. Losing
    /// it costs an alarm until the next look.
    func saveBehindLinks(_ links: BehindLinks, instance: InstanceID) {
        guard let data = try? JSONEncoder().encode(links) else { return }
        try? PrivateFolder.make(self.folder(instance))
        try? PrivateFolder.write([UInt8](data), to: self.folder(instance) + "/behind.json")
    }

    func loadBehindLinks(instance: InstanceID) -> BehindLinks? {
        FileManager.default.contents(atPath: self.folder(instance) + "/behind.json")
            .flatMap { try? JSONDecoder().decode(BehindLinks.self, from: $0) }
    }

    /// Remembers that everything on the instance had been downloaded when it was stopped; nil forgets that.
    package func saveVerified(_ date: Date?, instance: InstanceID) {
        let path = self.folder(instance) + "/verified"
        guard let date else {
            unlink(path)
            return
        }
        try? PrivateFolder.make(self.folder(instance))
        try? PrivateFolder.write(Array("\(date.timeIntervalSince1970)\n".utf8), to: path)
    }

    /// The time at which the instance was stopped with everything downloaded; nil if that is unknown or if
    /// the instance was started since.
    package func loadVerified(instance: InstanceID) -> Date? {
        FileManager.default.contents(atPath: self.folder(instance) + "/verified")
            .flatMap {
                NumberRange.epoch.read(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines))
            }
            .map(Date.init(timeIntervalSince1970:))
    }

    package func remove(instance: InstanceID) {
        try? FileManager.default.removeItem(atPath: self.folder(instance))
    }

    /// Waits until no other program syncs this workspace with this instance, then keeps others out until the
    /// returned value is released.
    package func lock(instance: InstanceID, workspace: Workspace) async throws(EngineError) -> FileLock {
        try PrivateFolder.make(self.folder(instance))
        return try await FileLock(
            path: self.path(instance, workspace) + ".lock",
            .init("waiting for another sync of this folder", subject: instance.rawValue))
    }

    private func write(_ bytes: [UInt8], to path: String, _ instance: InstanceID) throws(EngineError) {
        try PrivateFolder.make(self.folder(instance))
        try PrivateFolder.write(bytes + Self.footer, to: path)
    }

    /// The records between header and footer; nil if one of them is missing.
    private static func records(in path: String) -> ArraySlice<UInt8>? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let bytes = [UInt8](data)
        guard bytes.count >= Self.header.count + Self.footer.count, bytes.starts(with: Self.header),
            bytes.suffix(Self.footer.count).elementsEqual(Self.footer)
        else { return nil }
        return bytes.dropFirst(Self.header.count).dropLast(Self.footer.count)
    }

    private func folder(_ instance: InstanceID) -> String {
        "\(self.stateFolder)/manifests/\(SSHTarget.alias(for: instance))"
    }

    private func path(_ instance: InstanceID, _ workspace: Workspace) -> String {
        // Both roots name the pair: two projects may share an instance, each with its own remote folder.
        let name = StableDigest.hex("\(workspace.localRoot)\n\(workspace.remoteRoot)")
        return "\(self.folder(instance))/\(name)"
    }

    private func settledPath(
        _ direction: SyncPlan.Direction, _ instance: InstanceID, _ workspace: Workspace
    ) -> String {
        self.path(instance, workspace) + (direction == .up ? ".settled-up" : ".settled-down")
    }

    private func sendingPath(_ instance: InstanceID, _ workspace: Workspace) -> String {
        self.path(instance, workspace) + ".sending"
    }
}
