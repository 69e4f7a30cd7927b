import Foundation

/// Folders of their own that further projects have on an instance:
/// one workspace holds the files of one project. They are on the disk of the first one's,
/// whose syncs never look into them.
struct OwnFolders {
    private struct Place: Codable {
        var name: String
        var localRoot: String
        var remoteRoot: String
    }

    let folder: String

    init(_ manifests: ManifestStore, _ instance: InstanceID) {
        self.folder = "\(manifests.stateFolder)/manifests/\(SSHTarget.alias(for: instance))/projects"
    }

    private func path(_ localRoot: String) -> String { "\(self.folder)/\(StableDigest.hex(localRoot)).json" }

    private static func read(_ path: String) -> Place? {
        FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(Place.self, from: $0) }
    }

    /// Where `workspace` lies there; nil where it has no folder of its own.
    func remoteRoot(of workspace: Workspace) -> String? {
        Self.read(self.path(workspace.localRoot)).flatMap {
            $0.localRoot == workspace.localRoot ? $0.remoteRoot : nil
        }
    }

    /// All of them, as workspaces.
    var workspaces: [Workspace] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
        return names.sorted().compactMap { Self.read("\(self.folder)/\($0)") }.map {
            Workspace(name: $0.name, localRoot: $0.localRoot, remoteRoot: $0.remoteRoot)
        }
    }

    /// Gives `workspace` one, and notes it before anything is sent: an end brings what is in it.
    func make(for workspace: Workspace, _ identity: ProjectIdentity) throws(EngineError) -> Workspace {
        var own = workspace
        own.remoteRoot =
            "\(workspace.remoteRoot)/\(TransferFolder.projects)/\(workspace.slug)-\(identity.tag.prefix(8))"
        let place = Place(name: own.name, localRoot: own.localRoot, remoteRoot: own.remoteRoot)
        guard let data = try? JSONEncoder().encode(place) else { return own }
        try PrivateFolder.make((self.folder as NSString).deletingLastPathComponent)
        try PrivateFolder.make(self.folder)
        try PrivateFolder.write([UInt8](data), to: self.path(own.localRoot))
        return own
    }
}

extension EngineContext {
    /// All that may lie on `id`: the workspace that it was rented for,
    /// and the folders that further projects have there.
    package func workspaces(on id: InstanceID) throws(EngineError) -> [Workspace] {
        try [self.workspace(of: id)] + OwnFolders(ManifestStore(self), id).workspaces
    }

    /// Where this project's files lie on `id`.
    ///
    /// An instance that was rented for another project has none of it,
    /// unless `mayMake` gives it a folder of its own; clones and worktrees of one project get theirs unasked.
    /// Throws `.otherProject`.
    package func ownWorkspace(on id: InstanceID, mayMake: Bool = false) async throws(EngineError) -> Workspace
    {
        let workspace = self.configuration.workspace
        let folders = OwnFolders(ManifestStore(self), id)
        if let root = folders.remoteRoot(of: workspace) {
            var own = workspace
            own.remoteRoot = root
            return own
        }
        let entry = try self.store.ledgerEntry(for: id)
        // A project that was moved here is no other one.
        if let root = entry?.workspaceRoot, root == workspace.localRoot || access(root, F_OK) != 0 {
            return workspace
        }
        let identity = ProjectIdentity(root: workspace.localRoot)
        let owner: ProjectIdentity.Owner
        if let root = entry?.workspaceRoot {
            owner = identity.owner(comparedWith: ProjectIdentity(root: root))
        } else {
            let shell = try await self.shell(for: id)
            owner = identity.owner(of: try await Self.mark(of: workspace.remoteRoot, shell))
        }
        switch owner {
        case .this: return workspace
        case .other where !mayMake:
            throw EngineError(
                .otherProject,
                .init("syncing", platform: id.platform, subject: id.rawValue),
                detail: entry?.workspaceRoot)
        case .sibling, .other: return try folders.make(for: workspace, identity)
        }
    }

    private static func mark(of root: String, _ shell: RemoteShell) async throws(EngineError) -> String {
        let path = ShellQuoting.quoted("\(root)/\(TransferFolder.project)")
        let result = try await shell.run("[ ! -f \(path) ] || head -c 1000 \(path)\n")
        return String(decoding: result.output.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
