import Foundation
import Glibc

/// The folders of one user's files, by the XDG rules.
struct UserFolders {
    let home: String
    var engine: EngineConfiguration.Paths

    init(environment: [String: String]) {
        let home = Self.home(environment)
        self.home = home
        // The XDG specification requires relative values to be ignored.
        func folder(_ variable: String, _ fallback: String) -> String {
            guard let value = environment[variable], value.hasPrefix("/") else {
                return "\(home)/\(fallback)/variousplug"
            }
            return "\(value)/variousplug"
        }
        self.engine = EngineConfiguration.Paths(
            userConfigurationFile: Self.configurationFolder(environment, home: home)
                + "/variousplug/config.yaml",
            stateFolder: folder("XDG_STATE_HOME", ".local/state"),
            cacheFolder: folder("XDG_CACHE_HOME", ".cache"),
            socketFolder: "/tmp/vp-\(getuid())"
        )
    }

    /// Returns the folder in which a user's programs keep their configuration, ours among them.
    static func configurationFolder(_ environment: [String: String], home: String) -> String {
        // The XDG specification requires relative values to be ignored.
        environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.config"
    }

    private static func home(_ environment: [String: String]) -> String {
        if let home = environment["HOME"], home.hasPrefix("/") {
            return home.count > 1 && home.hasSuffix("/") ? String(home.dropLast()) : home
        }
        guard let entry = getpwuid(getuid()), let folder = entry.pointee.pw_dir else { return "/" }
        return String(cString: folder)
    }
}

/// Finds the project's folder.
package enum ProjectFolder {
    package static func configurationFile(in root: String) -> String { "\(root)/.vp/config.yaml" }

    /// Returns the nearest folder upwards from `directory` that contains `.vp`, else `directory` itself.
    ///
    /// A home folder or `/` is never found on the way up: a `.vp` there belongs to jobs that ran on this
    /// machine, and nobody wants to sync a whole home folder. The same holds for a `.vp` that another user
    /// put into a folder where everybody may, such as `/tmp`: it would decide which files all who work below
    /// it send and run.
    package static func around(_ directory: String, home: String) -> String {
        let start = URL(fileURLWithPath: directory).standardizedFileURL.path
        var folder = start
        while folder != "/", folder != home {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(folder)/.vp", isDirectory: &isFolder),
                isFolder.boolValue, folder == start || !Self.isPlanted("\(folder)/.vp", in: folder)
            {
                return folder
            }
            folder = (folder as NSString).deletingLastPathComponent
        }
        return start
    }

    private static func isPlanted(_ path: String, in folder: String) -> Bool {
        var own = stat()
        var parent = stat()
        guard lstat(path, &own) == 0, stat(folder, &parent) == 0 else { return true }
        return own.st_uid != geteuid() && own.st_uid != 0 && parent.st_mode & 0o002 != 0
    }

    /// Returns the folder's own name, adapted for names of instances and jobs.
    package static func name(of root: String) -> String {
        let allowed = (root as NSString).lastPathComponent.lowercased().unicodeScalars.map { scalar in
            CharacterSet.alphanumerics.contains(scalar) && scalar.isASCII ? Character(scalar) : "-"
        }
        let name = String(allowed).split(separator: "-").joined(separator: "-")
        return name.isEmpty ? "project" : name
    }
}
