import Foundation

/// A user's git repository, read without its own configuration.
///
/// A repository's `.git/config` names programs that git runs on the plainest commands: `core.fsmonitor` on
/// `git status`, `filter.*.clean` on `git diff`, an external diff, an editor, hooks. A project that was
/// unpacked rather than cloned can contain such a file. New keys of that kind appear with new versions of
/// git, so they are not switched off one by one: git gets a repository of our own, with an empty
/// configuration, that borrows objects and index of the real one. Filters and settings of the user's own
/// configuration still apply.
package struct ShadowRepository {
    /// The project's folder, inside the work tree.
    let folder: String
    /// The full name of the commit that is checked out.
    let commit: String
    private let top: String
    private let shadow: String
    private let index: String
    private let objects: String
    private let environment: [String: String]
    private let runner: any ProcessRunner

    /// Repository settings that describe how its files are stored and name no program. Their values are
    /// single words.
    private static let harmless: Set<String> = [
        "core.filemode", "core.autocrlf", "core.eol", "core.ignorecase", "core.symlinks",
        "core.precomposeunicode", "core.checkstat", "core.trustctime", "core.protecthfs", "core.protectntfs",
    ]

    /// nil if `folder` is in no repository with a commit, or if git is not installed.
    ///
    /// Only a `.git` makes a repository here: a folder that merely looks like a bare repository is a normal
    /// folder.
    static func open(
        around folder: String, scratch: String, environment: [String: String], runner: any ProcessRunner
    ) async -> ShadowRepository? {
        guard let top = Self.top(around: folder) else { return nil }
        let git = Self.environment(environment, top: top)
        func ask(_ arguments: [String]) async -> [UInt8]? {
            let command = ProcessCommand(
                "git", ["-C", top] + Self.precautions + arguments, environment: git, workingDirectory: top)
            guard let result = try? await runner.run(command), result.isSuccess else { return nil }
            return result.output
        }
        // These commands read the configuration and run nothing that it names.
        let words = [
            "rev-parse", "--path-format=absolute", "--git-path", "index", "--git-path", "objects",
            "--git-path", "info", "--show-object-format", "--verify", "HEAD^{commit}",
        ]
        guard let answer = await ask(words) else { return nil }
        let lines = String(decoding: answer, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 5, lines[0].hasPrefix("/"), lines[1].hasPrefix("/"),
            lines[3] == "sha1" || lines[3] == "sha256", lines[4].allSatisfy(\.isHexDigit)
        else { return nil }
        let settings = await ask(["config", "--local", "--no-includes", "--list", "-z"]) ?? []
        let shadow = "\(scratch)/git-\(UUID().uuidString)"
        let repository = ShadowRepository(
            folder: folder, commit: lines[4], top: top, shadow: shadow, index: lines[0], objects: lines[1],
            environment: git, runner: runner)
        do throws(EngineError) {
            try repository.write(settings: settings, format: lines[3], infoFolder: lines[2])
        } catch {
            repository.close()
            return nil
        }
        return repository
    }

    /// Removes the temporary repository.
    func close() { try? FileManager.default.removeItem(atPath: self.shadow) }

    /// Returns the output of `git`, or nil if it fails.
    func run(_ arguments: [String]) async -> [UInt8]? {
        var environment = self.environment
        environment["GIT_DIR"] = self.shadow
        environment["GIT_WORK_TREE"] = self.top
        environment["GIT_INDEX_FILE"] = self.index
        environment["GIT_OBJECT_DIRECTORY"] = self.objects
        let command = ProcessCommand(
            "git", ["-C", self.folder] + Self.precautions + arguments, environment: environment,
            workingDirectory: self.folder)
        guard let result = try? await self.runner.run(command), result.isSuccess else { return nil }
        return result.output
    }

    private func write(settings: [UInt8], format: String, infoFolder: String) throws(EngineError) {
        for name in ["", "/objects", "/refs", "/info"] { try PrivateFolder.make(self.shadow + name) }
        var lines = [
            "[core]", "bare = false", "repositoryFormatVersion = \(format == "sha1" ? 0 : 1)",
        ]
        if format != "sha1" { lines += ["[extensions]", "objectFormat = \(format)"] }
        for entry in settings.split(separator: 0) {
            let parts = String(decoding: entry, as: UTF8.self).split(
                separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = parts.first?.lowercased(), Self.harmless.contains(name),
                parts[1].allSatisfy({ $0.isASCII && $0.isLetter }), let key = name.split(separator: ".").last
            else { continue }
            lines += ["[core]", "\(key) = \(parts[1])"]
        }
        try PrivateFolder.write(
            Array((lines.joined(separator: "\n") + "\n").utf8), to: "\(self.shadow)/config")
        try PrivateFolder.write(Array("\(self.commit)\n".utf8), to: "\(self.shadow)/HEAD")
        // These files are lists of patterns; filters that the attributes name have no definition in this
        // repository.
        for name in ["exclude", "attributes"] {
            guard let bytes = SmallFile.bytes(at: "\(infoFolder)/\(name)") else { continue }
            try PrivateFolder.write(bytes, to: "\(self.shadow)/info/\(name)")
        }
    }

    // MARK: Parts

    /// Settings for anything that git reads in spite of all this. They are passed on the command line, which
    /// overrides every file.
    private static let precautions = [
        "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "core.untrackedCache=false",
        "core.sshCommand=false", "core.askPass=", "core.editor=false", "core.alternateRefsCommand=",
        "diff.external=", "diff.ignoreSubmodules=dirty", "status.submoduleSummary=false",
        "submodule.recurse=false", "protocol.allow=never", "credential.helper=", "gc.auto=0",
        "maintenance.auto=false", "safe.bareRepository=explicit",
    ].flatMap { ["-c", $0] }

    /// The caller's environment without its settings for other git repositories, and with variables that keep
    /// git from waiting, prompting or connecting.
    private static func environment(_ environment: [String: String], top: String) -> [String: String] {
        let kept: Set<String> = [
            "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH",
        ]
        var git = environment.filter { !$0.key.hasPrefix("GIT_") || kept.contains($0.key) }
        git["GIT_CEILING_DIRECTORIES"] = (top as NSString).deletingLastPathComponent
        // Reading must not block, or be blocked by, the user's own work in the same repository.
        git["GIT_OPTIONAL_LOCKS"] = "0"
        git["GIT_TERMINAL_PROMPT"] = "0"
        git["GIT_NO_LAZY_FETCH"] = "1"
        git["GIT_ALLOW_PROTOCOL"] = ""
        git["GIT_PAGER"] = "cat"
        git["LC_ALL"] = "C"
        return git
    }

    /// The top of the repository that contains `folder`.
    package static func top(around folder: String) -> String? {
        var folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        while true {
            var information = stat()
            if lstat("\(folder)/.git", &information) == 0 { return folder }
            if folder == "/" || folder.isEmpty { return nil }
            folder = (folder as NSString).deletingLastPathComponent
        }
    }
}
