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

/// What can be asked of the engine.
public enum EngineAction: Hashable, Sendable {
    /// Rents an instance and, unless told otherwise, waits until jobs can run on it.
    case create(CreateRequest)
    /// Uploads what is new or changed in the project folder. Nothing comes back.
    case sync(InstanceID, UploadRequest = UploadRequest())
    /// Uploads, runs a command and brings its results back; the request can leave out any of the three.
    case run(InstanceID, RunRequest)
    /// Brings back what is new or changed on the instance.
    case download(InstanceID, DownloadRequest = DownloadRequest())
    /// Starts a stopped instance and waits until jobs can run on it.
    case start(InstanceID)
    /// Brings results back, then stops the instance. Its disk stays, and is still billed.
    case stop(InstanceID, StopRequest = StopRequest())
    /// Brings results back, then destroys the instance and confirms that it is gone.
    case destroy(InstanceID, DestroyRequest)
    /// Ends a job with all its processes; the instance keeps running.
    case cancel(JobID, on: InstanceID, CancelRequest)
    /// Follows a job that runs already; its log is reported from where the local copy ends. At its end
    /// its results come down, where asked for and where the run itself would have done so.
    case attach(JobID, on: InstanceID, bringsResults: Bool = true)

    /// The instance it works on; a create has none yet.
    public var instance: InstanceID? {
        switch self {
        case .create: nil
        case .sync(let id, _), .run(let id, _), .download(let id, _), .start(let id), .stop(let id, _),
            .destroy(let id, _), .cancel(_, on: let id, _), .attach(_, on: let id, _):
            id
        }
    }

    /// The instance whose other actions it must wait for. A cancel waits for none,
    /// since what it would wait for is what it is to end; nor does an attach, which only looks.
    public var orderedInstance: InstanceID? {
        switch self {
        case .cancel, .attach: nil
        default: self.instance
        }
    }

    /// True for what ends the instance or its use: other actions on it are cancelled, which leaves a job
    /// running until the instance ends.
    public var endsOthers: Bool {
        switch self {
        case .stop, .destroy: true
        default: false
        }
    }

    /// One word for rows and messages.
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

/// What to rent.
public struct CreateRequest: Hashable, Sendable {
    /// This very offer, and no other; nil walks the offers that `query` finds, by what the job will cost.
    public var offer: OfferID?
    /// The hardware to look for.
    public var query: OfferQuery
    /// nil asks every platform that has a key.
    public var platform: Platform?
    /// nil takes the project's image, or the default one.
    public var image: String?
    /// nil makes one from the project's name.
    public var name: String?
    /// Environment variables of the container, by name. They are part of the order to the platform.
    public var environment: [String: String]
    /// Shell text run at every start of the container.
    public var onStart: String?
    /// False returns as soon as the platform accepted; nothing then watches the boot.
    public var waitsUntilReady: Bool
    /// Whether our ssh key may be put on an account that does not have it.
    public var addsAccountKey: Bool
    /// How long each stage of the boot may take before the instance is given up.
    public var deadlines: BootDeadlines
    /// nil takes the configured lease.
    public var lease: LeaseTerms?
    /// Dollars that all of it may cost; the lease is cut to what they buy.
    public var maximumCost: Double?
    /// Takes an image that by its name cannot run on the GPU, and hardware that is not what was rented.
    public var acceptsAnyway: Bool

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

/// What to run, and which parts of sync-run-sync to do.
public struct RunRequest: Hashable, Sendable {
    /// nil runs nothing: the parts that remain are a sync.
    public var command: JobCommand?
    /// Where it runs, absolute or relative to the remote workspace; nil is the workspace itself.
    public var workingDirectory: String?
    /// Whether the project is uploaded before the command starts.
    public var syncsUp: Bool
    /// Whether results are brought back once the command has ended. A detached run brings none.
    public var syncsDown: Bool
    /// Variables for the job. They travel in a 0600 file, never in an argument vector.
    public var environment: [String: String]
    /// Dollars that the run may cost; at that the job is ended, and its results are brought back.
    public var maximumCost: Double?
    /// When it begins, among the jobs of its instance.
    public var turn: Turn
    /// Returns as soon as the instance has the job; nothing is brought back then.
    public var isDetached: Bool
    /// Standard error gets a log of its own.
    public var splitsErrors: Bool
    /// Gives the command a terminal of that size; nil gives it none.
    public var terminal: TerminalSize?

    /// When a job begins, among the jobs of its instance.
    public enum Turn: Hashable, Sendable {
        /// At once, beside whatever else runs there.
        case now
        /// When that job has ended, however it did.
        case after(JobID)
        /// When the last of those that run or wait has ended.
        case last
    }

    /// The size of the terminal that a job gets.
    public struct TerminalSize: Hashable, Sendable {
        /// Width in character cells.
        public var columns: Int
        /// Height in character cells.
        public var rows: Int
        /// Somebody may type on it; without, its input is at its end.
        public var hasKeyboard: Bool

        /// A terminal without a keyboard, unless it `hasKeyboard`.
        public init(columns: Int, rows: Int, hasKeyboard: Bool = false) {
            self.hasKeyboard = hasKeyboard
            self.columns = columns
            self.rows = rows
        }
    }

    /// Whole seconds for which what the command left in the background may do nothing;
    /// nil is what is configured.
    public var lingerSeconds: Int?
    /// What the command reads: all that this open file has. nil gives it nothing to read.
    public var inputDescriptor: Int32?

    /// What about its training ends the job while it is followed.
    public var stopOn: StopRules?

    /// Brings results while the command runs; nil waits until it has ended.
    public var mirror: MirrorRequest?
    /// Which version it runs with of a file that changed on both sides; nil does not run it then.
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

/// How the project is sent.
public struct UploadRequest: Hashable, Sendable {
    /// Which version is to be on the instance of a file that changed on both sides.
    public enum Version: String, Hashable, Sendable, CaseIterable {
        /// The one here; the instance's is kept beside it, there.
        case mine
        /// The instance's, which stays.
        case theirs
    }

    /// Relative to the project; a folder stands for what is in it. Empty is everything.
    /// What the instance no longer has is sent again where it is named.
    public var paths: [String]
    /// nil leaves such files as they are. A run begins with them only where one is chosen.
    public var version: Version?
    /// Whether the project gets a folder of its own on an instance that was rented for another one.
    /// Clones and worktrees of one project get theirs unasked.
    public var takesOwnFolder: Bool

    /// An upload of everything that decides no conflict, unless told otherwise.
    public init(paths: [String] = [], version: Version? = nil, takesOwnFolder: Bool = false) {
        self.paths = paths
        self.version = version
        self.takesOwnFolder = takesOwnFolder
    }
}

/// How results are brought back.
public struct DownloadRequest: Hashable, Sendable {
    /// True reads every file on both sides, and does not take size and time for proof.
    public var verifiesContents: Bool
    /// Relative to the project; a folder stands for what is in it. Empty is everything.
    /// What was removed here comes again where it is named.
    public var paths: [String]
    /// In `.gitignore` syntax; what matches stays there this time.
    public var excludes: [String]

    /// A download of everything that takes equal size and time for equal contents, unless it
    /// `verifiesContents`.
    public init(verifiesContents: Bool = false, paths: [String] = [], excludes: [String] = []) {
        self.verifiesContents = verifiesContents
        self.paths = paths
        self.excludes = excludes
    }
}

/// How files are mirrored while a job runs.
public struct MirrorRequest: Hashable, Sendable {
    /// Seconds between two looks.
    public var interval: Double
    /// In `.gitignore` syntax; what matches is mirrored. Empty is everything.
    public var patterns: [String]

    /// A mirror that looks every `interval` seconds; without `patterns` it brings everything.
    public init(interval: Double, patterns: [String] = []) {
        self.interval = interval
        self.patterns = patterns
    }
}

/// What a destroy may give up, and what it does where that is not enough.
public struct DestroyRequest: Hashable, Sendable {
    /// True gives up what has not been brought back. False brings it first, and refuses where that fails.
    public var discardsResults: Bool
    /// Whether jobs that run there are ended with it. False refuses while any does.
    public var endsJobs: Bool
    /// Where other jobs refuse it, it stays as an order, and the end of the last of them performs it.
    public var waitsForJobs: Bool
    /// Where results refuse it, the instance is stopped, unless a stop would lose something, too.
    public var stopsWhenRefused: Bool
    /// Whether the order stays in the ledger where the action is cancelled,
    /// for the next program to carry out.
    public var staysOrdered: Bool

    /// A destroy that loses nothing: it refuses while jobs run, and while results cannot be brought back.
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

/// What a stop may give up.
public struct StopRequest: Hashable, Sendable {
    /// Whether jobs that run there are ended with it. False refuses while any does.
    public var endsJobs: Bool

    /// A stop that refuses while jobs run, unless it `endsJobs`.
    public init(endsJobs: Bool = false) {
        self.endsJobs = endsJobs
    }
}

/// How hard a job is to be ended.
public struct CancelRequest: Hashable, Sendable {
    /// Seconds between asking its processes to end (TERM) and ending them (KILL); 0 kills at once,
    /// nil is what is configured.
    public var grace: Int?

    /// A cancel with a pause of `grace` seconds, or with the configured one.
    public init(grace: Int? = nil) {
        self.grace = grace
    }
}
