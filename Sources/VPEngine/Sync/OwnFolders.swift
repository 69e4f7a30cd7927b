import Foundation

/// The separate folders that further projects have on an instance, because one workspace holds the files of
/// one project. They lie inside the first project's workspace, whose syncs never look into them.
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

    /// The remote folder of `workspace`, or nil if it has none of its own.
    func remoteRoot(of workspace: Workspace) -> String? {
        Self.read(self.path(workspace.localRoot)).flatMap {
            $0.localRoot == workspace.localRoot ? $0.remoteRoot : nil
        }
    }

    /// All further projects, as workspaces.
    var workspaces: [Workspace] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder)) ?? []
        return names.sorted().compactMap { Self.read("\(self.folder)/\($0)") }.map {
            Workspace(name: $0.name, localRoot: $0.localRoot, remoteRoot: $0.remoteRoot)
        }
    }

    /// Creates a folder for `workspace`, and records it before anything is uploaded: the files in it are
    /// downloaded before the instance ends.
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
    /// All workspaces that may be on `id`: the one that it was rented for, and the folders of further
    /// projects.
    package func workspaces(on id: InstanceID) throws(EngineError) -> [Workspace] {
        try [self.workspace(of: id)] + OwnFolders(ManifestStore(self), id).workspaces
    }

    /// The remote workspace of this project on `id`.
    ///
    /// An instance that was rented for another project has none, unless `mayMake` allows a separate folder to
    /// be created; clones and worktrees of the same project get theirs without it. Throws `.otherProject`.
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
        // A project whose folder was moved is still the same project.
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
