import Foundation

/// Everything ambient that the engine needs: endpoints, keys, folders, the project.
public struct EngineConfiguration: Sendable {
    /// Folders of this user. Each is created 0700 when first written to.
    public struct Paths: Hashable, Sendable {
        /// `$XDG_CONFIG_HOME/variousplug/config.yaml`
        public var userConfigurationFile: String
        /// `$XDG_STATE_HOME/variousplug`
        public var stateFolder: String
        /// `$XDG_CACHE_HOME/variousplug`
        public var cacheFolder: String
        /// `/tmp/vp-<uid>`, or another place where that is not this user's alone
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

    /// What `create` takes where its request leaves something open.
    public struct Defaults: Hashable, Sendable {
        /// Nil asks every platform that has a key.
        public var platform: Platform?
        /// A name as users write it, see `GPUName`; nil takes any GPU.
        public var gpu: String?
        /// `StockImage.auto` is the newest of ours that the GPU and its driver can run.
        public var image: String
        /// In bytes.
        public var diskBytes: Int64
        /// For all GPUs and the disk; nil for no limit.
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

    /// What may be spent, and who ends what nobody needs.
    public struct Money: Hashable, Sendable {
        /// The lease of an instance whose request names none.
        public var lease: LeaseTerms
        /// How long an instance may stay stopped before its disk is an alarm; nil for ever.
        public var parkedSeconds: Double?
        /// Whether it is destroyed then, with whatever its disk holds.
        public var destroysParked: Bool
        /// Dollars a day, UTC, over all accounts.
        public var dollarsPerDay: Double?
        /// Dollars for one run.
        public var dollarsPerRun: Double?
        /// Shell text that is run for each new alarm.
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

    /// How `--enable-docker` builds, from the project's configuration.
    public struct Docker: Hashable, Sendable {
        /// Relative to the project's folder.
        public var buildContext: String
        /// Relative to the project's folder.
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

    /// How files travel, from the project's configuration; a command line may overrule it.
    public struct Sync: Hashable, Sendable {
        /// What one upload may send without being asked to.
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

        /// nil is no limit.
        public var uploadLimit: Limit?
        /// In bytes a second; nil is as fast as it goes.
        public var bandwidthLimit: Int64?
        /// What stays on an instance also at its end, in `.gitignore` syntax; never all of it.
        public var keepThere: [String] = []

        /// How many small files that are new on the instance are worth a session of tar before rsync's.
        public var bulkFiles: Int

        /// Patterns in `.gitignore` syntax of what may come from an instance although programs here act on it
        /// unasked, such as `.vscode/**`. Only from the user's file or the command line.
        public var accept: [String]
        /// How many bytes are kept of what must not come into the project, before an instance ends.
        public var heldLimit: Int64
        /// How many bytes more than were listed one transfer may bring: files that grow meanwhile.
        var growthAllowance: Int64 = Self.defaultAllowance
        package static let defaultAllowance: Int64 = 256_000_000

        /// The default limit on uploads and none on speed, and nothing accepted that programs here act on
        /// unasked, unless given.
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

    /// How jobs end. Whole seconds.
    public struct Jobs: Hashable, Sendable {
        /// Between asking a job's processes to end (TERM) and ending them (KILL).
        public var graceSeconds: Int
        /// For how long what a command left in the background may do nothing before the job ends without it.
        public var lingerSeconds: Int

        /// Ten seconds from TERM to KILL and five minutes to linger, unless given.
        public init(graceSeconds: Int = 10, lingerSeconds: Int = 300) {
            self.graceSeconds = graceSeconds
            self.lingerSeconds = lingerSeconds
        }
    }

    /// Platforms that have a key.
    public var endpoints: [PlatformEndpoint]
    /// Where files of this user are kept.
    public var paths: Paths
    /// The private ssh key to use; nil when none was found.
    public var identityFile: String?
    /// Whom ssh logs in as, whatever a platform says; nil leaves it to the platform (`VP_SSH_USER`).
    /// A rehearsal cloud without sandboxes admits nobody but the user it runs as.
    public var sshUser: String?
    /// The project, and where it lies on an instance.
    public var workspace: Workspace
    /// What `create` takes where its request leaves something open.
    public var defaults: Defaults
    /// Leases, limits on cost, and what is run for an alarm.
    public var money: Money
    /// Stretches the pauses between questions to a platform: 1 is right for the real ones, and a rehearsal
    /// cloud that boots in a second sets less (`VP_TIME_SCALE`).
    public var timeScale: Double
    /// The environment that child processes get, and where lookups were made.
    public var environment: [String: String]
    /// Things the user should know, one line each: keys kept in the project folder,
    /// settings that are ignored.
    public var warnings: [String]
    /// How `--enable-docker` builds the project's image.
    public var docker: Docker
    /// How files travel.
    public var sync: Sync
    /// How jobs end.
    public var jobs = Jobs()
    /// Figures of the user's own, looked for in what jobs print.
    public var metrics: [FigurePattern] = []
    /// Where each platform's key was found, as words: `VAST_API_KEY` or a file's path.
    public var keyOrigins: [Platform: String]
    /// The project's configuration file; nil when the project has none.
    public var projectConfigurationFile: String?
    /// Caps on all that costs money, which stand above every setting.
    public var limits: Limits
    /// What the project asks for and nobody has agreed to or refused yet; it has no effect.
    public var openConsents: [ConsentRequest]

    /// A configuration of these parts. A part that is left out has its default, or is missing.
    public init(
        endpoints: [PlatformEndpoint], paths: Paths, identityFile: String?, sshUser: String? = nil,
        workspace: Workspace, defaults: Defaults = Defaults(), money: Money = Money(), timeScale: Double = 1,
        environment: [String: String],
        warnings: [String] = [], docker: Docker = Docker(), sync: Sync = Sync(),
        keyOrigins: [Platform: String] = [:],
        projectConfigurationFile: String? = nil, limits: Limits = Limits(),
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
        self.limits = limits
        self.openConsents = openConsents
    }
}
