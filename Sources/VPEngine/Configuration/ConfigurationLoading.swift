import Foundation
import Glibc

extension EngineConfiguration {
    /// Reads the configuration for the project around `directory`.
    ///
    /// The project is the nearest folder upwards that holds `.vp`, else `directory` itself. `configurationFile`
    /// is read in place of the project's `.vp/config.yaml`, and keys in it come before the user's own. Throws
    /// `.badConfiguration` with file and line. Missing keys are no error here: a command that needs one says so.
    public static func load(
        environment: [String: String], directory: String, configurationFile: String? = nil
    ) throws(EngineError) -> EngineConfiguration {
        let paths = UserFolders(environment: environment)
        let root = ProjectFolder.around(directory, home: paths.home)
        let sources = try ConfigurationSources(
            paths: paths.engine, projectRoot: root, directory: directory, explicitFile: configurationFile)

        var warnings: [String] = []
        var endpoints: [PlatformEndpoint] = []
        var origins: [Platform: String] = [:]
        for platform in Platform.allCases {
            let lookup = KeyLookup(platform: platform, environment: environment, home: paths.home)
            guard let found = try lookup.find(in: sources) else { continue }
            if found.isInProject { warnings.append(Self.keyInProjectWarning(platform, file: found.origin)) }
            let address = try lookup.address(in: sources, for: found)
            warnings += address.warnings
            endpoints.append(
                PlatformEndpoint(
                    platform: platform, baseURL: address.url, key: found.key,
                    graphQLURL: try lookup.graphQLAddress()))
            origins[platform] = found.origin
        }

        var childEnvironment = environment
        // ssh, rsync and git have no use for them, and a child's environment is easily read and passed on.
        for platform in Platform.allCases { childEnvironment[KeyLookup.variable(for: platform)] = nil }

        return EngineConfiguration(
            endpoints: endpoints,
            paths: paths.engine,
            identityFile: try Self.identity(environment: environment, home: paths.home, sources: sources),
            sshUser: environment["VP_SSH_USER"].flatMap { $0.isEmpty ? nil : $0 },
            workspace: try Self.workspace(root: root, sources: sources, environment: environment),
            defaults: try Self.defaults(sources),
            money: try Self.money(sources),
            timeScale: try Self.timeScale(environment),
            environment: childEnvironment,
            warnings: warnings,
            docker: try Self.docker(sources.project),
            sync: try Self.sync(sources.project),
            keyOrigins: origins,
            projectConfigurationFile: sources.project?.path
        )
    }

    /// The folder for what can be lost, without reading any file.
    package static func cacheFolder(_ environment: [String: String]) -> String {
        UserFolders(environment: environment).engine.cacheFolder
    }

    private static func timeScale(_ environment: [String: String]) throws(EngineError) -> Double {
        guard let text = environment["VP_TIME_SCALE"] else { return 1 }
        guard let scale = Double(text), scale >= 0, scale <= 100 else {
            throw EngineError(
                .badConfiguration, .init("reading the environment"),
                detail: "VP_TIME_SCALE is \(text); it must be a number from 0 to 100")
        }
        return scale
    }

    private static func keyInProjectWarning(_ platform: Platform, file: String) -> String {
        "The \(platform.displayName) key is kept in \(file), where it is easily shared by accident. "
            + "`vp config-set --move-keys` moves it to your own configuration."
    }

    private static func workspace(root: String, sources: ConfigurationSources, environment: [String: String])
        throws(EngineError)
        -> Workspace
    {
        let file = sources.project
        // A rehearsal cloud without sandboxes has no `/workspace` to give, only a folder below a home.
        let override = environment["VP_WORKSPACE"].flatMap { $0.isEmpty ? nil : $0 }
        let configured = try file?.text("project.working_dir", "working_dir") ?? "/workspace"
        guard configured.hasPrefix("/") else {
            throw file?.error("project.working_dir", "working_dir must be an absolute path")
                ?? ConfigurationFile.error("working_dir must be an absolute path")
        }
        return Workspace(
            name: try file?.text("project.name", "name") ?? ProjectFolder.name(of: root),
            localRoot: root,
            remoteRoot: override ?? configured,
            extraIgnores: try file?.list(
                "sync.exclude_patterns", "sync.exclude", "sync.excludes", "sync.ignore", "exclude_patterns",
                "exclude") ?? [],
            dataFolder: try file?.text("project.data_dir", "data_dir")
        )
    }

    private static func defaults(_ sources: ConfigurationSources) throws(EngineError) -> Defaults {
        var defaults = Defaults()
        // The project's own word comes last, so that it wins.
        for file in [sources.user, sources.project].compactMap(\.self) {
            if let name = try file.text("platforms.default", "default_platform"), name != "auto" {
                guard let platform = Platform(rawValue: name.lowercased()) else {
                    throw file.error("platforms.default", "no platform is called \(name); try vast or runpod")
                }
                defaults.platform = platform
            }
            if let gpu = try file.text("defaults.gpu", "defaults.gpu_type") { defaults.gpu = gpu }
            if let image = try file.text("project.base_image", "base_image", "docker.image", "defaults.image")
            {
                defaults.image = image
            }
            if let disk = try file.byteCount("defaults.disk", "defaults.disk_gb") {
                defaults.diskBytes = disk
            }
            if let price = try file.dollars("defaults.max_price", "defaults.price") {
                defaults.maximumPrice = HourlyPrice(dollarsPerHour: price)
            }
        }
        return defaults
    }

    private static func money(_ sources: ConfigurationSources) throws(EngineError) -> Money {
        var money = Money()
        for file in [sources.user, sources.project].compactMap(\.self) {
            if let lease = try file.duration("lease.duration", "defaults.lease") {
                money.lease.seconds = lease.seconds
            }
            if let longest = try file.duration("lease.max") { money.lease.maximumSeconds = longest.seconds }
            if let word = try file.text("lease.end") {
                guard let ending = Lease.Ending(rawValue: word) else {
                    throw file.error("lease.end", "lease.end must be stop or destroy")
                }
                money.lease.ending = ending
            }
            if let word = try file.text("lease.unsafe") {
                guard word == "keep" || word == "discard" else {
                    throw file.error("lease.unsafe", "lease.unsafe must be keep or discard")
                }
                money.lease.keepsUnsafeResults = word == "keep"
            }
            if let parked = try file.duration("lease.parked") { money.parkedSeconds = parked.seconds }
            if let dollars = try file.dollars("budget.per_day") { money.dollarsPerDay = dollars }
            if let dollars = try file.dollars("budget.per_run") { money.dollarsPerRun = dollars }
        }
        // What ends the only copy of a result is for nobody else to say.
        if let file = sources.user, let word = try file.text("lease.parked_end") {
            guard word == "keep" || word == "destroy" else {
                throw file.error("lease.parked_end", "lease.parked_end must be keep or destroy")
            }
            money.destroysParked = word == "destroy"
        }
        // A command that a project brings along would run for whoever opens it: the user's own file alone counts.
        money.notifyCommand = try sources.user?.text("notify.command")
        return money
    }

    private static func docker(_ file: ConfigurationFile?) throws(EngineError) -> Docker {
        guard let file else { return Docker() }
        return Docker(
            buildContext: try file.text("docker.build_context", "docker.context") ?? ".",
            dockerfile: try file.text("docker.dockerfile") ?? "Dockerfile",
            buildArguments: try file.table("docker.build_args")
        )
    }

    private static func sync(_ file: ConfigurationFile?) throws(EngineError) -> Sync {
        var sync = Sync()
        if let bytes = try file?.byteCount("sync.limit") {
            sync.uploadLimit?.bytes = bytes
            sync.heldLimit = bytes
        }
        sync.keepThere = try file?.list("sync.keep_there") ?? []
        sync.bandwidthLimit = try file?.byteCount("sync.bandwidth")
        return sync
    }

    private static func identity(
        environment: [String: String], home: String, sources: ConfigurationSources
    ) throws(EngineError) -> String? {
        var named = environment["VP_SSH_IDENTITY"].flatMap { $0.isEmpty ? nil : $0 }
        for file in [sources.project, sources.user].compactMap(\.self) where named == nil {
            named = try file.text("ssh.identity")
        }
        if let named {
            let path = named.hasPrefix("~/") ? home + named.dropFirst() : named
            guard access(path, R_OK) == 0 else {
                throw EngineError(
                    .missingIdentity, .init("looking for the ssh key"), detail: "\(path) cannot be read")
            }
            return path
        }
        return ["id_ed25519", "id_ecdsa", "id_rsa"]
            .map { "\(home)/.ssh/\($0)" }
            .first { access($0, R_OK) == 0 }
    }
}

/// The configuration files that count for one project.
struct ConfigurationSources {
    let user: ConfigurationFile?
    let project: ConfigurationFile?
    /// True when `project` was named on the command line instead of found.
    let isExplicit: Bool

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
        } else {
            self.project = try ConfigurationFile(path: ProjectFolder.configurationFile(in: projectRoot))
        }
    }

    /// Keys live in the user's file: others who can read it can spend the user's money.
    private static func refuseIfShared(_ path: String) throws(EngineError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return }
        throw ConfigurationFile.error(
            "\(path): others can read it; run `chmod 600 \(ShellQuoting.quoted(path))`")
    }
}

/// Where the files of one user lie, by the XDG rules.
private struct UserFolders {
    let home: String
    let engine: EngineConfiguration.Paths

    init(environment: [String: String]) {
        let home = Self.home(environment)
        self.home = home
        // The XDG specification wants relative values ignored.
        func folder(_ variable: String, _ fallback: String) -> String {
            guard let value = environment[variable], value.hasPrefix("/") else {
                return "\(home)/\(fallback)/variousplug"
            }
            return "\(value)/variousplug"
        }
        self.engine = EngineConfiguration.Paths(
            userConfigurationFile: folder("XDG_CONFIG_HOME", ".config") + "/config.yaml",
            stateFolder: folder("XDG_STATE_HOME", ".local/state"),
            cacheFolder: folder("XDG_CACHE_HOME", ".cache"),
            socketFolder: "/tmp/vp-\(getuid())"
        )
    }

    private static func home(_ environment: [String: String]) -> String {
        if let home = environment["HOME"], home.hasPrefix("/") {
            return home.count > 1 && home.hasSuffix("/") ? String(home.dropLast()) : home
        }
        guard let entry = getpwuid(getuid()), let folder = entry.pointee.pw_dir else { return "/" }
        return String(cString: folder)
    }
}

/// Finds the folder that is the project.
package enum ProjectFolder {
    package static func configurationFile(in root: String) -> String { "\(root)/.vp/config.yaml" }

    /// The nearest folder upwards from `directory` that holds `.vp`, else `directory` itself.
    ///
    /// A home folder or `/` is never found on the way up: a `.vp` there belongs to jobs that ran on this
    /// machine, and syncing a whole home folder is never what was meant.
    package static func around(_ directory: String, home: String) -> String {
        let start = URL(fileURLWithPath: directory).standardizedFileURL.path
        var folder = start
        while folder != "/", folder != home {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: "\(folder)/.vp", isDirectory: &isFolder),
                isFolder.boolValue
            {
                return folder
            }
            folder = (folder as NSString).deletingLastPathComponent
        }
        return start
    }

    /// The folder's own name, made fit for instance and job names.
    package static func name(of root: String) -> String {
        let allowed = (root as NSString).lastPathComponent.lowercased().unicodeScalars.map { scalar in
            CharacterSet.alphanumerics.contains(scalar) && scalar.isASCII ? Character(scalar) : "-"
        }
        let name = String(allowed).split(separator: "-").joined(separator: "-")
        return name.isEmpty ? "project" : name
    }
}
