import Foundation

/// The facts worth keeping about a job: what ran, on which hardware, and with what result.
///
/// Any property may be missing: a history is read by versions older and newer than the one that wrote it.
public struct JobRecord: Hashable, Codable, Sendable {
    /// The project's revision when the job was started.
    public struct Revision: Hashable, Codable, Sendable {
        /// The full hash of the commit that was checked out.
        public var commit: String
        /// True if files differed from that commit.
        public var isDirty: Bool
        /// A local file with the differences of tracked files, as `git apply` reads them.
        public var patchPath: String?

        /// A revision; `patchPath` is nil if nothing differed, or if the differences were not kept.
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
        /// The machine's location, in the platform's words; nil if those were not known.
        public var location: String?
        /// The image of its container; nil if that was not known.
        public var image: String?
        /// The price of the instance when the job was recorded, disk included.
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

    /// The download after the job.
    public struct Results: Hashable, Codable, Sendable {
        /// The number of files and links that were downloaded.
        public var files: Int
        /// The size of those files, in bytes.
        public var bytes: Int64
        /// The number of conflict copies among them: files put beside a local file, since both sides had
        /// changed.
        public var conflicts: Int
        /// The number of files that could not be downloaded.
        public var missing: Int
        /// When the download ended, by this machine's clock.
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

    /// The connection between this machine and a running job.
    public enum Connection: String, Codable, Hashable, Sendable {
        /// The job's log is being read.
        case following
        /// The connection broke and a new one is being made.
        case reconnecting
        /// No program on this machine follows the job; it runs on all the same.
        case disconnected
    }

    /// The working directory as requested; nil is the workspace itself.
    public var workingDirectory: String?
    /// The names of its environment variables, without their values, which may be secrets.
    public var environmentNames: [String]?
    /// True if the project was uploaded before the job.
    public var syncsUp: Bool?
    /// True if its results were to be downloaded.
    public var syncsDown: Bool?
    /// True if standard error has a log of its own.
    public var splitsErrors: Bool?
    /// True if the command had a terminal.
    public var hasTerminal: Bool?
    /// True if somebody may type on that terminal.
    public var hasKeyboard: Bool?
    /// Dollars that the job may cost; the instance ends it at this amount.
    public var maximumCost: Double?
    /// Conditions of its training that end the job.
    public var stopOn: StopRules?
    /// The limit that ended it, in words.
    public var limitReached: String?
    /// Problems of its training, as the last follower saw them.
    public var worries: [Worry]?
    /// The job it waited for.
    public var predecessor: JobID?
    /// The project's revision; nil for a project outside git, and if git was missing or did not answer in
    /// time.
    public var revision: Revision?
    /// The hardware it ran on; nil for jobs of an earlier version.
    public var hardware: Hardware?
    /// The version of the NVIDIA driver, such as `550.54.15`; nil if the instance has reported none.
    public var driver: String?
    /// Memory of its largest process, in bytes.
    public var peakBytes: Int64?
    /// Size of the log on the instance when the command ended.
    public var logBytes: Int64?
    /// The same for standard error, if it has a log of its own.
    public var errorBytes: Int64?
    /// True if the local copy was compared with the instance's, by length and checksum.
    public var logIsVerified: Bool?
    /// The download of its results; nil until then.
    public var results: Results?
    /// Processes that outlived the command: those that still run, and those that have ended since.
    public var background: [BackgroundProcess]?
    /// How many of them still ran when the program that follows the job last heard of it.
    public var backgroundCount: Int?
    /// True if the job was ended on an instance that cannot list the whole tree of its processes: a process
    /// with an empty environment in a session of its own may have been missed.
    public var mayHaveMissedProcesses: Bool?
    /// The last report of the program that follows the job; see `Engine.connection(of:)` for whether that
    /// program still runs.
    public var connection: Connection?

    /// A record without any facts.
    public init() {}
}

extension JobRecord {
    /// A problem of a job's training that its owner should know of.
    public struct Worry: Hashable, Codable, Sendable {
        /// `nan`, `stall`, `diverge`, `plateau` or `idle`.
        public var kind: String
        /// The sentence for the owner, without a full stop.
        public var words: String

        /// A problem of `kind`, described by `words`.
        public init(kind: String, words: String) {
            self.kind = kind
            self.words = words
        }
    }

    /// A process of a job that outlived its command.
    public struct BackgroundProcess: Hashable, Codable, Sendable {
        /// The state of the process.
        public enum State: Hashable, Codable, Sendable {
            /// It still ran when the instance last reported it.
            case running
            /// It was idle for so long that the job ended without it.
            case leftBehind
            /// It was left behind, and no longer existed when the instance was last asked.
            case gone
            /// It ended, with an exit status as a shell reports it; nil if that is not known.
            case ended(Int32?)
        }

        /// The process id on the instance.
        public var process: Int32
        /// The command line, at most 200 characters.
        public var command: String
        /// The state, as last reported.
        public var state: State
        /// The number of seconds in which it was seen working after the command had ended.
        public var secondsAtWork: Int

        /// A process that was not seen at work, unless told otherwise.
        public init(process: Int32, command: String, state: State, secondsAtWork: Int = 0) {
            self.process = process
            self.command = command
            self.state = state
            self.secondsAtWork = secondsAtWork
        }

        /// The exit status; nil while it runs, and if it is not known.
        public var status: Int32? { if case .ended(let status) = self.state { status } else { nil } }

        /// True if it did the job's work and was no service beside it: it worked on for a minute after the
        /// command.
        var wasAtWork: Bool { self.secondsAtWork >= 60 }
    }

    /// The number of processes that still run after the command of a job that is not over.
    public var processesAtWork: Int {
        self.backgroundCount ?? (self.background ?? []).count { $0.state == .running }
    }

    /// Processes that the job left behind and that still ran when its instance was last asked.
    public var leftBehind: [BackgroundProcess] { (self.background ?? []).filter { $0.state == .leftBehind } }
}
