import Foundation

/// Keeps, for each instance and workspace, the files that both sides last agreed on.
///
/// A manifest that is lost or damaged reads as empty: then every difference is a conflict, and nothing is
/// overwritten or deleted on its word.
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

    /// The versions that an upload which was cut off may have left on the instance. They are ours,
    /// not changes made there.
    package func loadSending(instance: InstanceID, workspace: Workspace) -> FileTree {
        Self.records(in: self.sendingPath(instance, workspace)).flatMap(TreeRecords.tree) ?? [:]
    }

    /// Written before the first byte is sent; an empty tree says that nothing is under way.
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

    /// The state in which a sync in `direction` had nothing left to do; nil where it is not known.
    func loadSettled(_ direction: SyncPlan.Direction, instance: InstanceID, workspace: Workspace)
        -> SettledState?
    {
        FileManager.default.contents(atPath: self.settledPath(direction, instance, workspace))
            .flatMap { SettledState(text: String(decoding: $0, as: UTF8.self)) }
    }

    /// Losing it costs time and nothing else.
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

    /// What lists of names are kept for.
    enum Notice: String {
        /// The versions that are kept on the instance, by what was named for them.
        case refused = ".named"
        /// What the instance no longer has and is not sent again.
        case removed = ".removed"
        /// Results that were brought, as long as nothing changed there since.
        case brought = ".brought"
    }

    func loadNamed(_ notice: Notice, instance: InstanceID, workspace: Workspace) -> FileTree {
        Self.records(in: self.path(instance, workspace) + notice.rawValue).flatMap(TreeRecords.tree) ?? [:]
    }

    /// Losing it has them named once more.
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

    /// Remembers what a look at the instance has found. Losing it costs a figure in a message.
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

    /// Remembers what lies behind links there and is too much to be brought, in bytes. Losing it costs an
    /// alarm until the next look.
    func saveBehindLinks(_ links: BehindLinks, instance: InstanceID) {
        guard let data = try? JSONEncoder().encode(links) else { return }
        try? PrivateFolder.make(self.folder(instance))
        try? PrivateFolder.write([UInt8](data), to: self.folder(instance) + "/behind.json")
    }

    func loadBehindLinks(instance: InstanceID) -> BehindLinks? {
        FileManager.default.contents(atPath: self.folder(instance) + "/behind.json")
            .flatMap { try? JSONDecoder().decode(BehindLinks.self, from: $0) }
    }

    /// Remembers that everything on the instance was here when it was stopped; nil forgets that.
    package func saveVerified(_ date: Date?, instance: InstanceID) {
        let path = self.folder(instance) + "/verified"
        guard let date else {
            unlink(path)
            return
        }
        try? PrivateFolder.make(self.folder(instance))
        try? PrivateFolder.write(Array("\(date.timeIntervalSince1970)\n".utf8), to: path)
    }

    /// When the instance was stopped with everything here; nil where that is not known,
    /// or where it was started since.
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
    /// returned value is gone.
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

    /// What stands between header and footer; nil where one of them is missing.
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
