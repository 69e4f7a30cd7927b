import Foundation
import Glibc

extension EngineConfiguration {
    /// Reads the configuration for the project around `directory`.
    ///
    /// The project is the nearest folder upwards that contains `.vp`, else `directory` itself.
    /// `configurationFile` replaces the project's `.vp/config.yaml`, and its keys take precedence over the
    /// user's own. Throws `.badConfiguration` with file and line. Missing keys are no error here: a command
    /// that needs one reports it.
    ///
    /// - Parameter allowed: names of the project's settings that need consent and have it for this call.
    public static func load(
        environment: [String: String], directory: String, configurationFile: String? = nil,
        allowed: Set<String> = []
    ) throws(EngineError) -> EngineConfiguration {
        try Self.load(
            environment: environment, directory: directory, configurationFile: configurationFile,
            allowed: allowed,
            limits: .files(LimitsFile.places(environment: environment)))
    }

    /// - Parameters:
    ///   - limits: where the caps come from.
    ///   - socketBase: the folder in which the one for ssh's sockets is made.
    package static func load(
        environment: [String: String], directory: String, configurationFile: String? = nil,
        allowed: Set<String> = [], limits: LimitsSource, socketBase: String = "/tmp"
    ) throws(EngineError) -> EngineConfiguration {
        var paths = UserFolders(environment: environment)
        let sockets = SocketFolder(
            environment: environment, stateFolder: paths.engine.stateFolder, base: socketBase
        ).choose()
        paths.engine.socketFolder = sockets.path
        let root = ProjectFolder.around(directory, home: paths.home)
        let sources = try ConfigurationSources(
            paths: paths.engine, projectRoot: root, directory: directory, explicitFile: configurationFile)
        var ranked = RankedSettings(sources, userPath: paths.engine.userConfigurationFile)
        var consents = Consents(store: ConsentStore(stateFolder: paths.engine.stateFolder), allowed: allowed)

        var warnings = [sockets.warning].compactMap(\.self)
        for file in [sources.user, sources.project].compactMap(\.self) {
            warnings += file.warningsAboutUnknownSettings
        }
        var endpoints: [PlatformEndpoint] = []
        var origins: [Platform: String] = [:]
        for platform in Platform.allCases {
            let lookup = KeyLookup(
                platform: platform, environment: environment, home: paths.home, projectRoot: root)
            guard let found = try lookup.find(in: sources) else { continue }
            if found.isInProject { warnings.append(Self.keyInProjectWarning(platform, file: found.origin)) }
            let address = try lookup.address(in: sources, for: found, &consents)
            warnings += address.warnings
            endpoints.append(
                PlatformEndpoint(
                    platform: platform, baseURL: address.url, key: found.key,
                    graphQLURL: try lookup.graphQLAddress(), network: try lookup.network(&ranked)))
            origins[platform] = found.origin
        }

        let configuration = EngineConfiguration(
            endpoints: endpoints,
            paths: paths.engine,
            identityFile: try Self.identity(
                environment: environment, home: paths.home, directory: directory, &ranked),
            sshUser: environment["VP_SSH_USER"].flatMap { $0.isEmpty ? nil : $0 },
            workspace: try Self.workspace(
                root: root, sources: sources, environment: environment, warnings: &warnings),
            defaults: try Self.defaults(sources, &ranked),
            money: try Self.money(&ranked),
            timeScale: try Self.timeScale(environment),
            environment: ChildEnvironment.without(environment),
            docker: try Self.docker(sources.project),
            sync: try Self.sync(sources, &ranked),
            keyOrigins: origins,
            projectConfigurationFile: sources.project?.path,
            limitsSource: limits,
            openConsents: consents.open
        )
        var result = configuration
        result.jobs = try Self.jobs(sources)
        for file in [sources.user, sources.project].compactMap(\.self) {
            result.metrics += try file.figurePatterns()
        }
        result.warnings = warnings + consents.warnings + ranked.warnings
        return result
    }

    /// Returns the folder for files that may be lost, without reading any file.
    package static func cacheFolder(_ environment: [String: String]) -> String {
        UserFolders(environment: environment).engine.cacheFolder
    }

    /// Returns the path of the user's own configuration, whether or not it exists.
    static func userConfigurationFile(_ environment: [String: String]) -> String {
        UserFolders(environment: environment).engine.userConfigurationFile
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

    private static func workspace(
        root: String, sources: ConfigurationSources, environment: [String: String], warnings: inout [String]
    ) throws(EngineError) -> Workspace {
        let file = sources.project
        // A rehearsal cloud without sandboxes cannot offer `/workspace`, only a folder below a home.
        let override = environment["VP_WORKSPACE"].flatMap { $0.isEmpty ? nil : $0 }
        let configured = try file?.text("project.working_dir", "working_dir") ?? "/workspace"
        if let problem = ProjectValue.problem(ofRemoteFolder: configured) {
            let key = file?.has("project.working_dir") == true ? "project.working_dir" : "working_dir"
            throw file?.error(key, "working_dir \(problem)")
                ?? ConfigurationFile.error("working_dir \(problem)")
        }
        var dataFolder = try file?.text("project.data_dir", "data_dir")
        if let file, let folder = dataFolder, let problem = ProjectValue.problem(ofFolderInside: folder) {
            let (key, place) = file.place(of: ["project.data_dir", "data_dir"]) ?? ("data_dir", file.path)
            warnings.append("\(key) in \(place) is ignored: it \(problem). Name a folder inside the project.")
            dataFolder = nil
        }
        return Workspace(
            name: try file?.text("project.name", "name") ?? ProjectFolder.name(of: root),
            localRoot: root,
            remoteRoot: override ?? configured,
            extraIgnores: try file?.list(
                "sync.exclude_patterns", "sync.exclude", "sync.excludes", "sync.ignore", "exclude_patterns",
                "exclude") ?? [],
            dataFolder: dataFolder
        )
    }

    private static func defaults(
        _ sources: ConfigurationSources, _ ranked: inout RankedSettings
    ) throws(EngineError) -> Defaults {
        var defaults = Defaults()
        // The project's file comes last, so that it wins.
        for file in [sources.user, sources.project].compactMap(\.self) {
            if let name = try file.text("platforms.default", "default_platform") {
                let platform = Platform(rawValue: name.lowercased())
                guard platform != nil || name.lowercased() == "auto" else {
                    throw file.error(
                        "platforms.default", "no platform is called \(name); try vast, runpod or auto")
                }
                // `auto` is a word like the others: it takes back what the other file says.
                defaults.platform = platform
            }
            let gpuKeys = ["defaults.gpu", "defaults.gpu_type"]
            // An empty value counts as not set.
            if let gpu = try file.text(gpuKeys), !gpu.trimmingSpaces().isEmpty {
                if let problem = GPUName.problem(gpu) {
                    let key = file.place(of: gpuKeys)?.key ?? gpuKeys[0]
                    throw file.error(key, "\(key) \(problem)")
                }
                defaults.gpu = gpu
            }
            let keys = ["project.base_image", "base_image", "docker.image", "defaults.image"]
            if let image = try file.text(keys) {
                if let problem = ProjectValue.problem(ofImage: image) {
                    throw file.error(file.place(of: keys)?.key ?? keys[0], "the image \(problem)")
                }
                defaults.image = image
            }
            if let disk = try file.byteCount(["defaults.disk", "defaults.disk_gb"]) {
                defaults.diskBytes = disk
            }
        }
        if let price = try ranked.lowestDollars("defaults.max_price", "defaults.price") {
            defaults.maximumPrice = HourlyPrice(dollarsPerHour: price)
        }
        return defaults
    }

    private static func jobs(_ sources: ConfigurationSources) throws(EngineError) -> EngineConfiguration.Jobs
    {
        var jobs = EngineConfiguration.Jobs()
        for file in [sources.user, sources.project].compactMap(\.self) {
            if let grace = try file.duration(["jobs.grace"])?.seconds {
                jobs.graceSeconds = Int(grace.rounded(.up))
            }
            if let linger = try file.duration(["jobs.linger"])?.seconds {
                jobs.lingerSeconds = Int(linger.rounded(.up))
            }
        }
        return jobs
    }

    private enum UnsafeResults: String {
        case keep, discard
    }

    private static func money(_ ranked: inout RankedSettings) throws(EngineError) -> Money {
        var money = Money()
        if let lease = try ranked.shortestTime("lease.duration", "defaults.lease") {
            money.lease.seconds = lease.seconds
        }
        if let longest = try ranked.shortestTime("lease.max") { money.lease.maximumSeconds = longest.seconds }
        if let ending = try ranked.usersElseProjects("lease.end", [Lease.Ending.stop, .destroy]) {
            money.lease.ending = ending
        }
        let results = try ranked.choice("lease.unsafe", [UnsafeResults.keep, .discard], restricted: .discard)
        if let results { money.lease.keepsUnsafeResults = results == .keep }
        if let parked = try ranked.shortestTime("lease.parked") { money.parkedSeconds = parked.seconds }
        money.dollarsPerDay = try ranked.lowestDollars("budget.per_day")
        money.dollarsPerRun = try ranked.lowestDollars("budget.per_run")
        let reason = "only you decide what happens to a stopped instance's disk"
        if let file = ranked.usersFile("lease.parked_end", reason: reason),
            let word = try file.text("lease.parked_end")
        {
            guard word == "keep" || word == "destroy" else {
                throw file.error("lease.parked_end", "lease.parked_end must be keep or destroy")
            }
            money.destroysParked = word == "destroy"
        }
        // A command from a project's file would run for anybody who opens the project.
        let notify = "a project's command would run on this machine"
        money.notifyCommand = try ranked.usersFile("notify.command", reason: notify)?.text("notify.command")
        _ = ranked.usersFile("notify.url", reason: "a project would learn of everything that happens here")
        return money
    }

    private static func docker(_ file: ConfigurationFile?) throws(EngineError) -> Docker {
        guard let file else { return Docker() }
        let arguments = try file.table("docker.build_args")
        for name in arguments.keys.sorted() where !ProjectValue.isVariable(name) {
            throw file.error(
                "docker.build_args", "docker.build_args: \(ProjectValue.shown(name)) is not a variable name")
        }
        return Docker(
            buildContext: try file.text("docker.build_context", "docker.context") ?? ".",
            dockerfile: try file.text("docker.dockerfile") ?? "Dockerfile",
            buildArguments: arguments
        )
    }

    private static func sync(
        _ sources: ConfigurationSources, _ ranked: inout RankedSettings
    ) throws(EngineError) -> Sync {
        var sync = Sync()
        if let bytes = try ranked.lowestByteCount("sync.limit") {
            sync.uploadLimit?.bytes = bytes
            sync.heldLimit = bytes
        }
        sync.bandwidthLimit = try ranked.lowestByteCount("sync.bandwidth")
        let reason = "only you decide which files of an instance programs on this machine may act on"
        sync.accept = try ranked.usersFile("sync.accept", reason: reason)?.list("sync.accept") ?? []
        for file in [sources.user, sources.project].compactMap(\.self) {
            sync.keepThere += try file.list("sync.keep_there")
        }
        return sync
    }

    private static func identity(
        environment: [String: String], home: String, directory: String, _ ranked: inout RankedSettings
    ) throws(EngineError) -> String? {
        let reason = "a project cannot choose the key that you log in with"
        let file = ranked.usersFile("ssh.identity", reason: reason)
        let variable = environment["VP_SSH_IDENTITY"].flatMap { $0.isEmpty ? nil : $0 }
        let setting = try file?.text("ssh.identity")
        if let named = variable ?? setting {
            var path = named.hasPrefix("~/") ? home + named.dropFirst() : named
            if !path.hasPrefix("/") { path = "\(directory)/\(path)" }
            _ = try SSHConfigurationValue.path(
                path, for: variable == nil ? "ssh.identity" : "VP_SSH_IDENTITY")
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
