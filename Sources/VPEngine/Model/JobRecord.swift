import Foundation

/// What is worth knowing of a job long after it: what ran, on what, and what came of it.
///
/// Everything may be missing: a history is read by versions older and newer than the one that wrote it.
public struct JobRecord: Hashable, Codable, Sendable {
    /// The project's revision when the job was started.
    public struct Revision: Hashable, Codable, Sendable {
        /// The full hash of the commit that was checked out.
        public var commit: String
        /// Files differed from it.
        public var isDirty: Bool
        /// A local file with the differences of tracked files, as `git apply` reads them.
        public var patchPath: String?

        /// A revision; `patchPath` is nil where nothing differed, or where the differences were not kept.
        public init(commit: String, isDirty: Bool, patchPath: String? = nil) {
            self.commit = commit
            self.isDirty = isDirty
            self.patchPath = patchPath
        }
    }

    /// The hardware as it was rented.
    public struct Hardware: Hashable, Codable, Sendable {
        /// The model of its GPUs.
        public var gpuName: String
        /// How many GPUs it had.
        public var gpuCount: Int
        /// The physical machine, by vast.ai's id; nil on RunPod.
        public var machineID: String?
        /// Where it stood, in the platform's words; nil where those were not known.
        public var location: String?
        /// The image of its container; nil where that was not known.
        public var image: String?
        /// The price of the instance when the job was put on record, disk included.
        public var dollarsPerHour: Double
        /// True for an interruptible (spot) instance.
        public var isInterruptible: Bool

        /// The hardware of `instance` at its current price.
        public init(_ instance: Instance) {
            self.gpuName = instance.gpuName
            self.gpuCount = instance.gpuCount
            self.machineID = instance.machineID
            self.location = instance.location
            self.image = instance.image
            self.dollarsPerHour = instance.price.dollarsPerHour
            self.isInterruptible = instance.isInterruptible
        }
    }

    /// What was brought back after the job.
    public struct Results: Hashable, Codable, Sendable {
        /// How many files and links were brought.
        public var files: Int
        /// The bytes of those files.
        public var bytes: Int64
        /// How many of them were put beside a local file instead of in its place, since both sides had
        /// changed.
        public var conflicts: Int
        /// How many files could not be brought.
        public var missing: Int
        /// When the download had ended, by this machine's clock.
        public var at: Date

        /// The figures of a download that ended at `date`.
        public init(_ summary: SyncSummary, at date: Date) {
            self.files = summary.transferredFiles
            self.bytes = summary.transferredBytes
            self.conflicts = summary.conflicts.count
            self.missing = summary.missing.count
            self.at = date
        }
    }

    /// The way between here and a job that runs.
    public enum Connection: String, Codable, Hashable, Sendable {
        /// Its log is being read.
        case following
        /// The connection broke and a new one is being made.
        case reconnecting
        /// Nobody on this machine follows it; it runs on all the same.
        case disconnected
    }

    /// As it was asked for; nil is the workspace itself.
    public var workingDirectory: String?
    /// Names alone: values may be secrets.
    public var environmentNames: [String]?
    /// Whether the project was uploaded before it.
    public var syncsUp: Bool?
    /// Whether its results were to be brought back.
    public var syncsDown: Bool?
    /// Whether standard error has a log of its own.
    public var splitsErrors: Bool?
    /// Whether the command had a terminal.
    public var hasTerminal: Bool?
    /// Somebody may type on that terminal.
    public var hasKeyboard: Bool?
    /// Dollars that it may cost; the instance ends it then.
    public var maximumCost: Double?
    /// What about its training ends it.
    public var stopOn: StopRules?
    /// The limit that ended it, in words.
    public var limitReached: String?
    /// The job it waited for.
    public var predecessor: JobID?
    /// Nil for a project outside git, and where git was not there or did not answer in time.
    public var revision: Revision?
    /// Nil for jobs of an earlier version.
    public var hardware: Hardware?
    /// The version of the NVIDIA driver, such as `550.54.15`; nil where the instance has told none.
    public var driver: String?
    /// Memory of its largest process, in bytes.
    public var peakBytes: Int64?
    /// Size of the log on the instance when the command ended.
    public var logBytes: Int64?
    /// The same for standard error, where it has a log of its own.
    public var errorBytes: Int64?
    /// The local copy was compared with the instance's, by length and checksum.
    public var logIsVerified: Bool?
    /// Nil until its results have been brought.
    public var results: Results?
    /// Processes that outlived the command: those that go on, and those that have ended since.
    public var background: [BackgroundProcess]?
    /// How many of them went on when the one who follows the job heard of it last.
    public var backgroundCount: Int?
    /// It was ended on an instance that cannot tell the whole tree of its processes:
    /// one with an empty environment in a session of its own may have been missed.
    public var mayHaveMissedProcesses: Bool?
    /// What the one who follows it has said last; see `Engine.connection(of:)` for whether it is still there.
    public var connection: Connection?

    /// A record of which nothing is known.
    public init() {}
}

extension JobRecord {
    /// A process of a job that outlived its command.
    public struct BackgroundProcess: Hashable, Codable, Sendable {
        /// What became of it.
        public enum State: Hashable, Codable, Sendable {
            /// It was still there when the instance last told of it.
            case running
            /// It did nothing for so long that the job ended without it.
            case leftBehind
            /// It was left behind, and was not there any more when the instance was last asked.
            case gone
            /// With an exit status as a shell has it; nil where that is not known.
            case ended(Int32?)
        }

        /// Its number on the instance.
        public var process: Int32
        /// Its command line, at most 200 characters.
        public var command: String
        /// What became of it, as last heard.
        public var state: State
        /// For how many seconds it was seen at work after the command had ended.
        public var secondsAtWork: Int

        /// A process that was not seen at work, unless told otherwise.
        public init(process: Int32, command: String, state: State, secondsAtWork: Int = 0) {
            self.process = process
            self.command = command
            self.state = state
            self.secondsAtWork = secondsAtWork
        }

        /// Its exit status; nil while it runs, and where it is not known.
        public var status: Int32? { if case .ended(let status) = self.state { status } else { nil } }

        /// Whether it was the job's work, and no service beside it:
        /// it worked on for a minute after the command.
        var wasAtWork: Bool { self.secondsAtWork >= 60 }
    }

    /// How many processes go on after the command of a job that is not over.
    public var processesAtWork: Int {
        self.backgroundCount ?? (self.background ?? []).count { $0.state == .running }
    }

    /// Processes that the job has left behind, and that were still there when its instance was last asked.
    public var leftBehind: [BackgroundProcess] { (self.background ?? []).filter { $0.state == .leftBehind } }
}
