import Foundation
import Glibc

/// The configuration files that apply to one project.
struct ConfigurationSources {
    let user: ConfigurationFile?
    let project: ConfigurationFile?
    /// True if `project` was named on the command line instead of found.
    let isExplicit: Bool
    /// True if that file lies outside the project, so that it did not come with it.
    let isTrusted: Bool

    init(
        paths: EngineConfiguration.Paths, projectRoot: String, directory: String, explicitFile: String?
    ) throws(EngineError) {
        try Self.refuseIfShared(paths.userConfigurationFile)
        self.user = try ConfigurationFile(path: paths.userConfigurationFile)
        self.isExplicit = explicitFile != nil
        if let explicitFile {
            let path = explicitFile.hasPrefix("/") ? explicitFile : "\(directory)/\(explicitFile)"
            guard let file = try ConfigurationFile(path: path) else {
                throw ConfigurationFile.error("\(path): no such file")
            }
            self.project = file
            self.isTrusted = !Self.isInside(path, projectRoot)
        } else {
            self.project = try ConfigurationFile(path: ProjectFolder.configurationFile(in: projectRoot))
            self.isTrusted = false
        }
    }

    private static func isInside(_ path: String, _ folder: String) -> Bool {
        // The folder that contains it decides: a link in the project came with the project, wherever it
        // leads.
        let parent = URL(fileURLWithPath: (path as NSString).deletingLastPathComponent)
            .resolvingSymlinksInPath().path
        let root = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        let written = URL(fileURLWithPath: path).standardizedFileURL.path
        return parent == root || parent.hasPrefix("\(root)/") || written.hasPrefix("\(folder)/")
    }

    /// Refuses a user's file that others can access: those who can read the keys in it can spend the user's
    /// money, and those who can write or replace it can have any command run (`notify.command`).
    private static func refuseIfShared(_ path: String) throws(EngineError) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let quoted = ShellQuoting.quoted(path)
        guard status.st_mode & 0o077 == 0 else {
            throw ConfigurationFile.error("\(path): others can read it; run `chmod 600 \(quoted)`")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw ConfigurationFile.error(
                "\(path): belongs to another user; run `chown \(geteuid()) \(quoted)`")
        }
        // For a link into somebody's dotfiles, both folders count: the link's and the file's.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        for folder in Set([path, target].map { ($0 as NSString).deletingLastPathComponent }) {
            guard stat(folder, &status) == 0 else { continue }
            guard status.st_uid == geteuid() || status.st_uid == 0 else {
                throw ConfigurationFile.error("\(folder): belongs to another user, who can replace \(path)")
            }
            guard status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0 else {
                throw ConfigurationFile.error(
                    "\(folder): others can write it, and so replace \(path); run "
                        + "`chmod go-w \(ShellQuoting.quoted(folder))`")
            }
        }
    }
}
