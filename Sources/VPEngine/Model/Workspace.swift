/// A local folder and its remote twin.
public struct Workspace: Hashable, Sendable {
    /// The project's name, used in names of instances and jobs.
    public var name: String
    /// Absolute path of the local folder.
    public var localRoot: String
    /// Absolute path on the instance.
    public var remoteRoot: String
    /// Patterns in `.gitignore` syntax of further files that are not sent, from the project's configuration.
    public var extraIgnores: [String]
    /// Folder for data inside the workspace, from the original's `data_dir`; sent like everything else.
    public var dataFolder: String?

    /// A workspace whose twin is `/workspace`, unless another folder is named.
    public init(
        name: String, localRoot: String, remoteRoot: String = "/workspace", extraIgnores: [String] = [],
        dataFolder: String? = nil
    ) {
        self.name = name
        self.localRoot = localRoot
        self.remoteRoot = remoteRoot
        self.extraIgnores = extraIgnores
        self.dataFolder = dataFolder
    }
}
