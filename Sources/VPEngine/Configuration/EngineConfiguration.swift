import Foundation

/// The engine's whole environment: endpoints, keys, folders, the project.
public struct EngineConfiguration: Sendable {
    /// The folders of this user. Each is created with mode 0700 when it is first written to.
    public struct Paths: Hashable, Sendable {
        /// The user's own configuration: `$XDG_CONFIG_HOME/variousplug/config.yaml`.
        public var userConfigurationFile: String
        /// The folder for state: `$XDG_STATE_HOME/variousplug`.
        public var stateFolder: String
        /// The folder for caches: `$XDG_CACHE_HOME/variousplug`.
        public var cacheFolder: String
        /// The folder for ssh's sockets: `/tmp/vp-<uid>`, or another place if that is not this user's alone.
        public var socketFolder: String

        /// The paths of one user.
        public init(
            userConfigurationFile: String, stateFolder: String, cacheFolder: String, socketFolder: String
        ) {
            self.userConfigurationFile = userConfigurationFile
            self.stateFolder = stateFolder
            self.cacheFolder = cacheFolder
            self.socketFolder = socketFolder
        }
    }

    /// The values that `create` uses for parts that its request leaves open.
    public struct Defaults: Hashable, Sendable {
        /// The platform to ask; nil asks every platform that has a key.
        public var platform: Platform?
        /// The GPU's name as users write it, see `GPUName`; nil takes any GPU.
        public var gpu: String?
        /// The container's image; `StockImage.auto` selects one of ours that the GPU and its driver can run.
        public var image: String
        /// The disk's size in bytes.
        public var diskBytes: Int64
        /// The highest price for all GPUs and the disk; nil for no limit.
        public var maximumPrice: HourlyPrice?

        /// Defaults for any GPU on any platform at any price, with a stock image and a disk of 40 GB,
        /// unless given.
        public init(
            platform: Platform? = nil, gpu: String? = nil,
            image: String = StockImage.auto,
            diskBytes: Int64 = 40_000_000_000, maximumPrice: HourlyPrice? = nil
        ) {
            self.platform = platform
            self.gpu = gpu
            self.image = image
            self.diskBytes = diskBytes
            self.maximumPrice = maximumPrice
        }
    }

    /// Limits on spending, and the rules that end unused instances.
    public struct Money: Hashable, Sendable {
        /// The lease of an instance whose request names none.
        public var lease: LeaseTerms
        /// The time after which a stopped instance's disk raises an alarm; nil for never.
        public var parkedSeconds: Double?
        /// True destroys the instance then, with everything on its disk.
        public var destroysParked: Bool
        /// The limit in dollars a day, UTC, over all accounts.
        public var dollarsPerDay: Double?
        /// The limit in dollars for one run.
        public var dollarsPerRun: Double?
        /// Shell text that runs for each new alarm.
        public var notifyCommand: String?

        /// The default lease, an alarm for disks after a week, and no limit on cost, unless given.
        public init(
            lease: LeaseTerms = LeaseTerms(), parkedSeconds: Double? = 604_800, destroysParked: Bool = false,
            dollarsPerDay: Double? = nil, dollarsPerRun: Double? = nil,
            notifyCommand: String? = nil
        ) {
            self.lease = lease
            self.parkedSeconds = parkedSeconds
            self.destroysParked = destroysParked
            self.dollarsPerDay = dollarsPerDay
            self.dollarsPerRun = dollarsPerRun
            self.notifyCommand = notifyCommand
        }
    }

    /// Settings for the build of `--enable-docker`, from the project's configuration.
    public struct Docker: Hashable, Sendable {
        /// The build context, relative to the project's folder.
        public var buildContext: String
        /// The Dockerfile, relative to the project's folder.
        public var dockerfile: String
        /// `--build-arg` of `docker build`, by name.
        public var buildArguments: [String: String]

        /// A build of `Dockerfile` in the project's own folder, unless given.
        public init(
            buildContext: String = ".", dockerfile: String = "Dockerfile",
            buildArguments: [String: String] = [:]
        ) {
            self.buildContext = buildContext
            self.dockerfile = dockerfile
            self.buildArguments = buildArguments
        }
    }

    /// Settings for syncing, from the project's configuration; a command line may override them.
    public struct Sync: Hashable, Sendable {
        /// The limit on one upload without confirmation.
        public struct Limit: Hashable, Sendable {
            /// The largest sum of file sizes.
            public var bytes: Int64
            /// The largest number of files, links and empty folders.
            public var files: Int

            /// A limit of 20 GB and 200,000 files, unless given.
            public init(bytes: Int64 = 20_000_000_000, files: Int = 200_000) {
                self.bytes = bytes
                self.files = files
            }
        }

        /// The limit on uploads; nil for none.
        public var uploadLimit: Limit?
        /// The limit in bytes a second; nil for none.
        public var bandwidthLimit: Int64?
        /// Patterns in `.gitignore` syntax of files that stay on an instance even when it ends; they never
        /// cover everything.
        public var keepThere: [String] = []

        /// The number of new small files on the instance from which a session of tar before rsync's is
        /// worthwhile.
        public var bulkFiles: Int

        /// Patterns in `.gitignore` syntax of files that may come from an instance although local programs
        /// act on them without being asked, such as `.vscode/**`. They come only from the user's file or the
        /// command line.
        public var accept: [String]
        /// The number of bytes kept of files that must not enter the project, before an instance ends.
        public var heldLimit: Int64
        /// The number of bytes beyond the listed sizes that one transfer may bring: files may grow meanwhile.
        var growthAllowance: Int64 = Self.defaultAllowance
        package static let defaultAllowance: Int64 = 256_000_000

        /// Settings with the default limit on uploads, none on speed, and no accepted files that local
        /// programs act on, unless given.
        public init(
            uploadLimit: Limit? = Limit(), bandwidthLimit: Int64? = nil, bulkFiles: Int = 200,
            accept: [String] = [], heldLimit: Int64 = 2_000_000_000
        ) {
            self.accept = accept
            self.heldLimit = heldLimit
            self.bulkFiles = bulkFiles
            self.uploadLimit = uploadLimit
            self.bandwidthLimit = bandwidthLimit
        }
    }

    /// Settings for the end of jobs, in whole seconds.
    public struct Jobs: Hashable, Sendable {
        /// The time between asking a job's processes to end (TERM) and killing them (KILL).
        public var graceSeconds: Int
        /// The time for which background processes of a command may stay idle before the job ends without
        /// them.
        public var lingerSeconds: Int

        /// Ten seconds from TERM to KILL and five minutes to linger, unless given.
        public init(graceSeconds: Int = 10, lingerSeconds: Int = 300) {
            self.graceSeconds = graceSeconds
            self.lingerSeconds = lingerSeconds
        }
    }

    /// The endpoints of platforms that have a key.
    public var endpoints: [PlatformEndpoint]
    /// The folders of this user's files.
    public var paths: Paths
    /// The private ssh key to use; nil if none was found.
    public var identityFile: String?
    /// The user that ssh logs in as, whatever a platform says; nil leaves it to the platform (`VP_SSH_USER`).
    /// A rehearsal cloud without sandboxes admits only the user that it runs as.
    public var sshUser: String?
    /// The project, and its place on an instance.
    public var workspace: Workspace
    /// The values that `create` uses for parts that its request leaves open.
    public var defaults: Defaults
    /// Leases, limits on cost, and the command for alarms.
    public var money: Money
    /// A factor on the pauses between requests to a platform: 1 is right for the real ones, and a rehearsal
    /// cloud that boots in a second uses less (`VP_TIME_SCALE`).
    public var timeScale: Double
    /// The environment of child processes, and of lookups.
    public var environment: [String: String]
    /// Warnings for the user, one line each: keys kept in the project folder, settings that are ignored.
    public var warnings: [String]
    /// Settings for the project's image with `--enable-docker`.
    public var docker: Docker
    /// Settings for syncing.
    public var sync: Sync
    /// Settings for the end of jobs.
    public var jobs = Jobs()
    /// The user's own figures to look for in the output of jobs.
    public var metrics: [FigurePattern] = []
    /// The origin of each platform's key, as words: `VAST_API_KEY` or a file's path.
    public var keyOrigins: [Platform: String]
    /// The project's configuration file; nil if the project has none.
    public var projectConfigurationFile: String?
    /// The origin of the caps on everything that costs money.
    var limitsSource: LimitsSource
    /// The caps in force now, which override every setting.
    public var limits: Limits { self.limitsSource.read() }
    /// The project's requests that nobody has agreed to or refused yet; they have no effect.
    public var openConsents: [ConsentRequest]

    /// A configuration of these parts. A part that is left out has its default, or is missing.
    public init(
        endpoints: [PlatformEndpoint], paths: Paths, identityFile: String?, sshUser: String? = nil,
        workspace: Workspace, defaults: Defaults = Defaults(), money: Money = Money(), timeScale: Double = 1,
        environment: [String: String],
        warnings: [String] = [], docker: Docker = Docker(), sync: Sync = Sync(),
        keyOrigins: [Platform: String] = [:],
        projectConfigurationFile: String? = nil, limitsSource: LimitsSource = .fixed(Limits()),
        openConsents: [ConsentRequest] = []
    ) {
        self.endpoints = endpoints
        self.paths = paths
        self.identityFile = identityFile
        self.sshUser = sshUser
        self.workspace = workspace
        self.defaults = defaults
        self.money = money
        self.timeScale = timeScale
        self.environment = environment
        self.warnings = warnings
        self.docker = docker
        self.sync = sync
        self.keyOrigins = keyOrigins
        self.projectConfigurationFile = projectConfigurationFile
        self.limitsSource = limitsSource
        self.openConsents = openConsents
    }
}
