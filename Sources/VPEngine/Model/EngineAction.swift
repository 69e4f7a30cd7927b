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
    case sync(InstanceID)
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
        case .sync(let id), .run(let id, _), .download(let id, _), .start(let id), .stop(let id, _),
            .destroy(let id, _), .cancel(_, on: let id, _), .attach(_, on: let id, _):
            id
        }
    }

    /// The instance whose other actions it must wait for. A cancel waits for none, since what it would wait for
    /// is what it is to end; nor does an attach, which only looks.
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

    /// Whole seconds for which what the command left in the background may do nothing; nil is what is configured.
    public var lingerSeconds: Int?
    /// What the command reads: all that this open file has. nil gives it nothing to read.
    public var inputDescriptor: Int32?

    /// Brings results while the command runs; nil waits until it has ended.
    public var mirror: MirrorRequest?

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

/// How results are brought back.
public struct DownloadRequest: Hashable, Sendable {
    /// True reads every file on both sides, and does not take size and time for proof.
    public var verifiesContents: Bool

    /// A download that takes equal size and time for equal contents, unless it `verifiesContents`.
    public init(verifiesContents: Bool = false) {
        self.verifiesContents = verifiesContents
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

    /// A destroy that loses nothing: it refuses while jobs run, and while results cannot be brought back.
    public init(
        discardsResults: Bool = false, endsJobs: Bool = false, waitsForJobs: Bool = false,
        stopsWhenRefused: Bool = false
    ) {
        self.discardsResults = discardsResults
        self.endsJobs = endsJobs
        self.waitsForJobs = waitsForJobs
        self.stopsWhenRefused = stopsWhenRefused
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
    /// Seconds between asking its processes to end (TERM) and ending them (KILL); 0 kills at once, nil is what is
    /// configured.
    public var grace: Int?

    /// A cancel with a pause of `grace` seconds, or with the configured one.
    public init(grace: Int? = nil) {
        self.grace = grace
    }
}

/// A part of an action, in the order in which they can occur.
public enum ActionStage: String, CaseIterable, Hashable, Sendable {
    /// Asking the platforms for offers.
    case searching
    /// An offer or a platform failed; the next one's turn has come, and `detail` says after what.
    case tryingNext
    /// Placing the order and, where the account lacks our ssh key, adding it first.
    case renting
    /// The platform has accepted the order; it places the instance and fetches the image.
    case loading
    /// Waiting until sshd answers.
    case sshPort
    /// sshd answers and does not accept our key yet.
    case sshLogin
    /// Making the workspace, and installing rsync where it is missing.
    case preparing
    /// Checking that the instance shows every GPU that was rented, with a driver that suits the image.
    case checkingGPU
    /// Listing the files of both sides to find out what differs.
    case scanning
    /// Sending files, or a job's standard input.
    case uploading
    /// The instance has the job or is being given it, until it has ended; `detail` is the command.
    case running
    /// The connection broke and a new one is being made; `detail` is ssh's reason.
    case reconnecting
    /// Bringing files back.
    case downloading
    /// Looking again at what a transfer has left on the instance, or comparing contents on both sides.
    case verifying
    /// Asking the platform to start a stopped instance.
    case starting
    /// Asking the platform to stop the instance, and waiting until it has.
    case stopping
    /// Ending a job's processes.
    case cancelling
    /// Asking the platform to destroy the instance; again, where it refused.
    case destroying
    /// The order was accepted; waiting until the platform no longer shows the instance.
    case confirming

    /// What it is called while it lasts.
    public var words: String {
        switch self {
        case .searching: "searching offers"
        case .tryingNext: "trying the next"
        case .renting: "renting"
        case .loading: "image loading"
        case .sshPort: "waiting for the ssh port"
        case .sshLogin: "logging in by ssh"
        case .preparing: "preparing the workspace"
        case .checkingGPU: "looking for the GPU"
        case .scanning: "comparing files"
        case .uploading: "uploading"
        case .running: "running"
        case .reconnecting: "reconnecting"
        case .downloading: "downloading results"
        case .verifying: "verifying results"
        case .starting: "starting"
        case .stopping: "stopping"
        case .cancelling: "ending the job's processes"
        case .destroying: "destroying"
        case .confirming: "waiting until it is gone"
        }
    }
}

/// How far a transfer has come.
public struct TransferProgress: Hashable, Sendable {
    /// Bytes moved so far.
    public var bytes: Int64
    /// Bytes of all files that are to be moved; more than planned where files grow meanwhile.
    public var totalBytes: Int64
    /// Files moved so far.
    public var files: Int
    /// Files that are to be moved.
    public var totalFiles: Int
    /// Nil while the tool that moves the files reports no rate.
    public var bytesPerSecond: Double?

    /// Progress at an unknown rate, unless it is given.
    public init(bytes: Int64, totalBytes: Int64, files: Int, totalFiles: Int, bytesPerSecond: Double? = nil) {
        self.bytes = bytes
        self.totalBytes = totalBytes
        self.files = files
        self.totalFiles = totalFiles
        self.bytesPerSecond = bytesPerSecond
    }

    /// The share of the bytes that has been moved, from 0 to 1; nil where there are none to move.
    public var fraction: Double? {
        guard self.totalBytes > 0 else { return nil }
        return NumberRange.share.clamp(Double(self.bytes) / Double(self.totalBytes))
    }

    /// Seconds until the end at the current rate; nil while the rate is unknown or zero.
    public var secondsLeft: Double? {
        guard let rate = self.bytesPerSecond, rate > 0 else { return nil }
        let left = self.totalBytes.subtractingSaturated(self.bytes)
        return NumberRange.seconds.clamp(Double(left) / rate)
    }
}

/// Where an action stands. A stage is reported when it begins and again whenever it moves on.
public struct ActionProgress: Hashable, Sendable {
    /// The part of the action that is under way.
    public var stage: ActionStage
    /// The platform's own words, the name of an offer, a file: what is particular now.
    public var detail: String?
    /// Nil where no files are being moved.
    public var transfer: TransferProgress?

    /// A stage of which no more is known, unless it is given.
    public init(_ stage: ActionStage, detail: String? = nil, transfer: TransferProgress? = nil) {
        self.stage = stage
        self.detail = detail
        self.transfer = transfer
    }
}

/// What an action achieved.
public enum ActionResult: Hashable, Sendable {
    /// The rented instance: ready for jobs, or just accepted by the platform where the request did not
    /// wait.
    case created(Instance)
    /// What was uploaded.
    case synced(SyncSummary)
    /// The job, and what was moved before and after it.
    case ran(RunSummary)
    /// What was brought back.
    case downloaded(SyncSummary)
    /// The instance, ready for jobs again.
    case started(Instance)
    /// `unsafe` says what could not be brought back first; it is still on the instance's disk.
    case stopped(Instance, unsafe: EngineError?)
    /// The instance is confirmed gone.
    case destroyed(DestroyReceipt)
    /// The job as it stands after its processes were ended.
    case cancelled(Job)
    /// A job that was followed to its end, as if it had been run now.
    case attached(RunSummary)
}

/// What came of a run: its job and its transfers.
public struct RunSummary: Hashable, Sendable {
    /// nil when nothing was run.
    public var job: Job?
    /// Nil where nothing was to be sent.
    public var upload: SyncSummary?
    /// Nil where nothing was to be brought back, and where `downloadError` says why that failed.
    public var download: SyncSummary?
    /// The results could not be brought back whole. The job's own status is known all the same.
    public var downloadError: EngineError?

    /// A run without transfers, unless they are given.
    public init(
        job: Job?, upload: SyncSummary? = nil, download: SyncSummary? = nil, downloadError: EngineError? = nil
    ) {
        self.job = job
        self.upload = upload
        self.download = download
        self.downloadError = downloadError
    }
}

/// What is known after an instance is confirmed gone.
public struct DestroyReceipt: Hashable, Sendable {
    /// The instance that is gone.
    public var instance: InstanceID
    /// The label it was given at creation, if any.
    public var name: String?
    /// Brought back just before; nil where nothing was outstanding or it could not be reached.
    public var download: SyncSummary?
    /// Rental from creation to end at the running price, in dollars; the platform's invoice decides.
    public var dollars: Double?
    /// Seconds since its creation; nil where the platform did not say when that was.
    public var duration: TimeInterval?

    /// A receipt; nil stands for what is not known.
    public init(
        instance: InstanceID, name: String?, download: SyncSummary?, dollars: Double?, duration: TimeInterval?
    ) {
        self.instance = instance
        self.name = name
        self.download = download
        self.dollars = dollars
        self.duration = duration
    }
}

/// How an action ended.
public enum ActionOutcome: Hashable, Sendable {
    /// Done.
    case succeeded(ActionResult)
    /// Not done, or not all of it.
    case failed(EngineError)
    /// Ended on request before it was done.
    case cancelled
}

/// What the engine reports while it works.
public enum EngineEvent: Hashable, Sendable {
    /// Accepted; it waits for earlier actions on the same instance.
    case queued(ActionID, EngineAction)
    /// Its turn has come.
    case started(ActionID)
    /// A stage of it began, or moved on.
    case progress(ActionID, ActionProgress)
    /// An instance was seen in a state that a list may not show yet.
    case instanceChanged(Instance)
    /// The platform confirmed that it is gone.
    case instanceGone(InstanceID)
    /// A job as it stands now, whether it is new or something about it changed.
    case jobChanged(Job)
    /// Something about money that the user should hear of now.
    case alarm(Alarm)
    /// `bytes` were appended to the job's local log at `offset`.
    case jobOutput(JobID, offset: Int64, bytes: [UInt8])
    /// The same for standard error, where it has a log of its own.
    case jobErrors(JobID, offset: Int64, bytes: [UInt8])
    /// The last event of an action.
    case finished(ActionID, ActionOutcome)
}

extension EngineEvent {
    static func output(of job: JobID, _ stream: JobStream, offset: Int64, bytes: [UInt8]) -> EngineEvent {
        switch stream {
        case .log: .jobOutput(job, offset: offset, bytes: bytes)
        case .errors: .jobErrors(job, offset: offset, bytes: bytes)
        }
    }
}
