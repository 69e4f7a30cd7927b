import Foundation

/// Lists the files of a workspace that are to be sent.
///
/// git decides what is ignored: `git ls-files` over an empty repository of ours, with `.vpignore` as the
/// per-directory exclude file, so that nesting, negation, anchoring and `**` are git's own.
package struct LocalScan: Sendable {
    package let workspace: Workspace
    package let runner: any ProcessRunner
    package let environment: [String: String]
    /// Where the empty repository and the list of default patterns are kept.
    package let stateFolder: String

    package init(
        workspace: Workspace, runner: any ProcessRunner, environment: [String: String], stateFolder: String
    ) {
        self.workspace = workspace
        self.runner = runner
        self.environment = environment
        self.stateFolder = stateFolder
    }

    /// Never sent unless a `.vpignore` asks for them by a `!pattern`: version control, our own files, secrets,
    /// and what every machine makes anew.
    package static let defaultIgnores = [
        ".git/", ".git", ".vp/", ".hg/", ".svn/", ".vp-partial/",
        ".env", ".env.*", "!.env.example", "*.pem", "*.key", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
        ".netrc", ".aws/", ".ssh/", ".vast_api_key", ".runpod.yaml", "credentials.json",
        "__pycache__/", "*.pyc", ".venv/", "venv/", "node_modules/", ".ipynb_checkpoints/", ".DS_Store",
        ".mypy_cache/", ".pytest_cache/", ".ruff_cache/", "*.swp",
    ]

    package func scan() async throws(EngineError) -> FileTree {
        try self.guardRoot()
        let repository = try self.emptyRepository()
        let ignoreFile = try self.ignoreFile(in: repository)
        var pending = [""]
        var tree: FileTree = [:]
        while let folder = pending.popLast() {
            let names = try await self.listFiles(in: folder, repository: repository, ignoreFile: ignoreFile)
            for name in names.split(separator: 0) {
                // git shows a repository inside the workspace as a folder and does not look into it.
                if name.last == UInt8(ascii: "/") {
                    pending.append(folder + String(decoding: name, as: UTF8.self))
                    continue
                }
                let path = SyncPath(Array(folder.utf8) + name)
                if let entry = self.entry(of: path) { tree[path] = entry }
            }
        }
        return tree
    }

    /// What is at `path` now, or nil where there is no file or link.
    package func entry(of path: SyncPath) -> FileEntry? {
        var information = stat()
        guard path.withAbsolutePath(below: self.workspace.localRoot, { lstat($0, &information) }) == 0 else {
            return nil
        }
        let kind: FileEntry.Kind
        switch information.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFLNK: kind = .symbolicLink
        default: return nil
        }
        return FileEntry(
            kind: kind, size: Int64(information.st_size),
            modified: Int64(information.st_mtim.tv_sec) * 1_000_000_000 + Int64(information.st_mtim.tv_nsec),
            mode: information.st_mode & 0o7777)
    }

    private func guardRoot() throws(EngineError) {
        let root = URL(fileURLWithPath: self.workspace.localRoot).standardizedFileURL.path
        let activity = EngineError.Activity("reading the project folder", subject: root)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isFolder), isFolder.boolValue else {
            throw EngineError(.workspaceRefused, activity, detail: "there is no such folder")
        }
        let home = self.environment["HOME"].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
        if root == "/" || root == home {
            throw EngineError(.workspaceRefused, activity, detail: "this is not a project folder")
        }
    }

    private func listFiles(
        in folder: String, repository: String, ignoreFile: String
    ) async throws(EngineError) -> [UInt8] {
        let root = folder.isEmpty ? self.workspace.localRoot : "\(self.workspace.localRoot)/\(folder)"
        var environment = self.environment
        // The caller may itself stand in a hook of another repository.
        for name in environment.keys where name.hasPrefix("GIT_") { environment[name] = nil }
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environment["GIT_CONFIG_NOSYSTEM"] = "1"
        let result = try await self.runner.run(
            ProcessCommand(
                "git",
                [
                    "--git-dir=\(repository)", "--work-tree=.", "-c", "core.excludesFile=/dev/null",
                    "ls-files", "-z", "--others", "--exclude-per-directory=.vpignore",
                    "--exclude-from=\(ignoreFile)",
                ], environment: environment, workingDirectory: root))
        guard result.isSuccess else {
            throw EngineError(
                .workspaceRefused, .init("listing the project's files", subject: root),
                detail: result.lastErrorLine)
        }
        return result.output
    }

    private func emptyRepository() throws(EngineError) -> String {
        let repository = "\(self.stateFolder)/empty-repository"
        try PrivateFolder.make(self.stateFolder)
        for folder in ["", "/objects", "/refs"] { try PrivateFolder.make(repository + folder) }
        try Self.writeIfDifferent("ref: refs/heads/none\n", to: "\(repository)/HEAD")
        return repository
    }

    /// Named after its content: two projects with different patterns may be scanned at once.
    private func ignoreFile(in repository: String) throws(EngineError) -> String {
        let patterns = (Self.defaultIgnores + self.workspace.extraIgnores).joined(separator: "\n") + "\n"
        let path = "\(repository)/ignores-\(StableDigest.hex(patterns))"
        try Self.writeIfDifferent(patterns, to: path)
        return path
    }

    private static func writeIfDifferent(_ text: String, to path: String) throws(EngineError) {
        if FileManager.default.contents(atPath: path) != Data(text.utf8) {
            try PrivateFolder.write(Array(text.utf8), to: path)
        }
    }
}
