import Foundation

/// Names one request to the engine, so that its progress and its end can be told from others'.
public struct ActionID: Hashable, Sendable {
    /// Random, so that ids of two programs never meet.
    public let rawValue: UUID

    /// A new id, unless one is given.
    public init(_ rawValue: UUID = UUID()) {
        self.rawValue = rawValue
    }
}

/// A request to the engine.
public enum EngineAction: Hashable, Sendable {
    /// Rents an instance and, unless told otherwise, waits until jobs can run on it.
    case create(CreateRequest)
    /// Uploads new and changed files of the project folder, and downloads nothing.
    case sync(InstanceID, UploadRequest = UploadRequest())
    /// Uploads, runs a command and downloads its results; the request can leave out any of the three.
    case run(InstanceID, RunRequest)
    /// Downloads new and changed files from the instance.
    case download(InstanceID, DownloadRequest = DownloadRequest())
    /// Starts a stopped instance and waits until jobs can run on it.
    case start(InstanceID)
    /// Downloads results, then stops the instance. Its disk stays, and is still billed.
    case stop(InstanceID, StopRequest = StopRequest())
    /// Downloads results, then destroys the instance and confirms that it is gone.
    case destroy(InstanceID, DestroyRequest)
    /// Ends a job with all its processes; the instance keeps running.
    case cancel(JobID, on: InstanceID, CancelRequest)
    /// Follows a job that already runs, and reports its log from the end of the local copy. When the job
    /// ends, downloads its results if `bringsResults` is true and the run itself would have downloaded them.
    case attach(JobID, on: InstanceID, bringsResults: Bool = true)

    /// The instance that the action works on; nil for a create, which has none yet.
    public var instance: InstanceID? {
        switch self {
        case .create: nil
        case .sync(let id, _), .run(let id, _), .download(let id, _), .start(let id), .stop(let id, _),
            .destroy(let id, _), .cancel(_, on: let id, _), .attach(_, on: let id, _):
            id
        }
    }

    /// The instance whose other actions this one waits for. A cancel waits for none, because it may have to
    /// end the very action it would wait for; nor does an attach, which only looks.
    public var orderedInstance: InstanceID? {
        switch self {
        case .cancel, .attach: nil
        default: self.instance
        }
    }

    /// True for an action that ends the instance or its use: other actions on it are cancelled, which leaves
    /// a job running until the instance ends.
    public var endsOthers: Bool {
        switch self {
        case .stop, .destroy: true
        default: false
        }
    }

    /// The action as one word, for rows and messages.
    public var verb: String {
        switch self {
        case .create: "create"
        case .sync: "sync"
        case .run: "run"
        case .download: "download"
        case .start: "start"
        case .stop: "stop"
        case .destroy: "destroy"
        case .cancel: "cancel"
        case .attach: "attach"
        }
    }
}

/// The order for a new instance.
public struct CreateRequest: Hashable, Sendable {
    /// The only offer to rent; nil tries the offers that `query` finds, ordered by what the job will cost.
    public var offer: OfferID?
    /// The hardware to look for.
    public var query: OfferQuery
    /// The platform to ask; nil asks every platform that has a key.
    public var platform: Platform?
    /// The container's image; nil takes the project's image, or the default one.
    public var image: String?
    /// The instance's name; nil derives one from the project's name.
    public var name: String?
    /// Environment variables of the container, by name. They are part of the order to the platform.
    public var environment: [String: String]
    /// Shell text that runs at every start of the container.
    public var onStart: String?
    /// False returns as soon as the platform has accepted the order; nothing then watches the boot.
    public var waitsUntilReady: Bool
    /// Allows adding our ssh key to an account that lacks it.
    public var addsAccountKey: Bool
    /// How long each stage of the boot may take before the instance is given up.
    public var deadlines: BootDeadlines
    /// The lease; nil takes the configured one.
    public var lease: LeaseTerms?
    /// Dollars that the rental may cost in all; the lease is shortened to what they buy.
    public var maximumCost: Double?
    /// Accepts an image whose name shows that it cannot run on the GPU, and hardware that differs from the
    /// order.
    public var acceptsAnyway: Bool
    /// True leaves the instance of a cancelled create to the caller, who ends or keeps it.
    /// False ends it before the create reports that it was cancelled.
    public var isKeptWhenCancelled = false

    /// A request for the offer that costs least for the job, on any platform. It may add our ssh key to the
    /// account, and the action lasts until the instance is ready.
    public init(
        offer: OfferID? = nil, query: OfferQuery = OfferQuery(), platform: Platform? = nil,
        image: String? = nil, name: String? = nil, environment: [String: String] = [:],
        onStart: String? = nil, waitsUntilReady: Bool = true, addsAccountKey: Bool = true,
        deadlines: BootDeadlines = BootDeadlines(), lease: LeaseTerms? = nil, maximumCost: Double? = nil,
        acceptsAnyway: Bool = false
    ) {
        self.acceptsAnyway = acceptsAnyway
        self.lease = lease
        self.maximumCost = maximumCost
        self.offer = offer
        self.query = query
        self.platform = platform
        self.image = image
        self.name = name
        self.environment = environment
        self.onStart = onStart
        self.waitsUntilReady = waitsUntilReady
        self.addsAccountKey = addsAccountKey
        self.deadlines = deadlines
    }
}

/// A command to run, and the choice of which syncs to do before and after it.
public struct RunRequest: Hashable, Sendable {
    /// The command; nil runs nothing, so that only the syncs remain.
    public var command: JobCommand?
    /// The folder in which the command runs, absolute or relative to the remote workspace; nil is the
    /// workspace itself.
    public var workingDirectory: String?
    /// True uploads the project before the command starts.
    public var syncsUp: Bool
    /// True downloads results once the command has ended. A detached run downloads none.
    public var syncsDown: Bool
    /// Variables for the job. They travel in a 0600 file, never in an argument vector.
    public var environment: [String: String]
    /// Dollars that the run may cost; at this amount the job is ended and its results are downloaded.
    public var maximumCost: Double?
    /// The job's start, relative to the other jobs of its instance.
    public var turn: Turn
    /// True returns as soon as the instance has the job; no results are downloaded then.
    public var isDetached: Bool
    /// True gives standard error a log of its own.
    public var splitsErrors: Bool
    /// The size of the terminal that the command gets; nil gives it none.
    public var terminal: TerminalSize?

    /// The start of a job, relative to the other jobs of its instance.
    public enum Turn: Hashable, Sendable {
        /// Starts the job at once, beside any others that run there.
        case now
        /// Starts the job after that job ends, whether or not it succeeded.
        case after(JobID)
        /// Starts the job after the last of those that run or wait has ended.
        case last
    }

    /// The size of the terminal that a job gets.
    public struct TerminalSize: Hashable, Sendable {
        /// Width in character cells.
        public var columns: Int
        /// Height in character cells.
        public var rows: Int
        /// True if somebody may type on the terminal; otherwise its input is at its end.
        public var hasKeyboard: Bool

        /// A terminal without a keyboard, unless it `hasKeyboard`.
        public init(columns: Int, rows: Int, hasKeyboard: Bool = false) {
            self.hasKeyboard = hasKeyboard
            self.columns = columns
            self.rows = rows
        }
    }

    /// Whole seconds for which processes left in the background may stay idle before the job
    /// ends without them; nil takes the configured value.
    public var lingerSeconds: Int?
    /// An open file whose entire content is the command's input; nil gives it none.
    public var inputDescriptor: Int32?

    /// Conditions of its training that end the job while it is followed.
    public var stopOn: StopRules?

    /// Options for downloading results while the command runs; nil waits until it has ended.
    public var mirror: MirrorRequest?
    /// The version to run with of a file that changed on both sides; nil refuses to run then.
    public var version: UploadRequest.Version?
    /// See `UploadRequest`.
    public var takesOwnFolder = false

    /// A run of `command` in the workspace, at once, with an upload before it and a download after it.
    public init(
        command: JobCommand?, workingDirectory: String? = nil, syncsUp: Bool = true,
        syncsDown: Bool = true, environment: [String: String] = [:], turn: Turn = .now,
        isDetached: Bool = false, splitsErrors: Bool = false, terminal: TerminalSize? = nil,
        maximumCost: Double? = nil, lingerSeconds: Int? = nil, mirror: MirrorRequest? = nil
    ) {
        self.maximumCost = maximumCost
        self.lingerSeconds = lingerSeconds
        self.mirror = mirror
        self.command = command
        self.workingDirectory = workingDirectory
        self.syncsUp = syncsUp
        self.syncsDown = syncsDown
        self.environment = environment
        self.turn = turn
        self.isDetached = isDetached
        self.splitsErrors = splitsErrors
        self.terminal = terminal
    }
}

/// Options for sending the project.
public struct UploadRequest: Hashable, Sendable {
    /// The version that the instance gets of a file that changed on both sides.
    public enum Version: String, Hashable, Sendable, CaseIterable {
        /// The local version; the instance's version is kept beside it, on the instance.
        case mine
        /// The instance's version, which stays.
        case theirs
    }

    /// Paths relative to the project; a folder stands for its contents. Empty means everything. A path that
    /// was removed on the instance is sent again if it is named here.
    public var paths: [String]
    /// The version to use; nil leaves such files as they are. A run starts with such files only if one is
    /// chosen.
    public var version: Version?
    /// True gives the project a folder of its own on an instance that was rented for another one. Clones and
    /// worktrees of one project get theirs without it.
    public var takesOwnFolder: Bool

    /// An upload of everything that leaves conflicts undecided, unless told otherwise.
    public init(paths: [String] = [], version: Version? = nil, takesOwnFolder: Bool = false) {
        self.paths = paths
        self.version = version
        self.takesOwnFolder = takesOwnFolder
    }
}

/// Options for downloading results.
public struct DownloadRequest: Hashable, Sendable {
    /// True reads every file on both sides instead of taking equal size and time as proof.
    public var verifiesContents: Bool
    /// Paths relative to the project; a folder stands for its contents. Empty means everything. A path that
    /// was removed locally is downloaded again if it is named here.
    public var paths: [String]
    /// Patterns in `.gitignore` syntax; matching files stay on the instance this time.
    public var excludes: [String]

    /// A download of everything that takes equal size and time as proof of equal contents, unless it
    /// `verifiesContents`.
    public init(verifiesContents: Bool = false, paths: [String] = [], excludes: [String] = []) {
        self.verifiesContents = verifiesContents
        self.paths = paths
        self.excludes = excludes
    }
}

/// Options for mirroring files while a job runs.
public struct MirrorRequest: Hashable, Sendable {
    /// Seconds between two checks.
    public var interval: Double
    /// Patterns in `.gitignore` syntax; matching files are mirrored. Empty means everything.
    public var patterns: [String]

    /// A mirror that checks every `interval` seconds; without `patterns` it downloads everything.
    public init(interval: Double, patterns: [String] = []) {
        self.interval = interval
        self.patterns = patterns
    }
}

/// The losses that a destroy accepts, and its fallback if they would be greater.
public struct DestroyRequest: Hashable, Sendable {
    /// True gives up results that have not been downloaded. False downloads them first, and refuses if that
    /// fails.
    public var discardsResults: Bool
    /// True ends jobs that run there. False refuses while any runs.
    public var endsJobs: Bool
    /// If other jobs prevent it, keeps the destroy as an order, which the end of the last of them carries
    /// out.
    public var waitsForJobs: Bool
    /// If results prevent it, stops the instance, unless a stop would lose something, too.
    public var stopsWhenRefused: Bool
    /// True keeps the order in the ledger if the action is cancelled, for the next program to carry out.
    public var staysOrdered: Bool

    /// A destroy that loses nothing: it refuses while jobs run, and while results cannot be downloaded.
    public init(
        discardsResults: Bool = false, endsJobs: Bool = false, waitsForJobs: Bool = false,
        stopsWhenRefused: Bool = false, staysOrdered: Bool = false
    ) {
        self.discardsResults = discardsResults
        self.endsJobs = endsJobs
        self.waitsForJobs = waitsForJobs
        self.stopsWhenRefused = stopsWhenRefused
        self.staysOrdered = staysOrdered
    }
}

/// The losses that a stop accepts.
public struct StopRequest: Hashable, Sendable {
    /// True ends jobs that run there. False refuses while any runs.
    public var endsJobs: Bool

    /// A stop that refuses while jobs run, unless it `endsJobs`.
    public init(endsJobs: Bool = false) {
        self.endsJobs = endsJobs
    }
}

/// Options for ending a job.
public struct CancelRequest: Hashable, Sendable {
    /// Seconds between asking the job's processes to end (TERM) and killing them (KILL); 0 kills at once, nil
    /// takes the configured value.
    public var grace: Int?

    /// A cancel with a pause of `grace` seconds, or with the configured one.
    public init(grace: Int? = nil) {
        self.grace = grace
    }
}
