import Foundation

/// What is worth knowing of a job long after it: what ran, on what, and what came of it.
///
/// Everything may be missing: a history is read by versions older and newer than the one that wrote it.
public struct JobRecord: Hashable, Codable, Sendable {
    /// The project's revision when the job was started.
    public struct Revision: Hashable, Codable, Sendable {
        public var commit: String
        /// Files differed from it.
        public var isDirty: Bool
        /// A local file with the differences of tracked files, as `git apply` reads them.
        public var patchPath: String?

        public init(commit: String, isDirty: Bool, patchPath: String? = nil) {
            self.commit = commit
            self.isDirty = isDirty
            self.patchPath = patchPath
        }
    }

    /// The hardware as it was rented.
    public struct Hardware: Hashable, Codable, Sendable {
        public var gpuName: String
        public var gpuCount: Int
        public var machineID: String?
        public var location: String?
        public var image: String?
        public var dollarsPerHour: Double
        public var isInterruptible: Bool

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
        public var files: Int
        public var bytes: Int64
        public var conflicts: Int
        public var missing: Int
        public var at: Date

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
        case following, reconnecting, disconnected
    }

    /// As it was asked for; nil is the workspace itself.
    public var workingDirectory: String?
    /// Names alone: values may be secrets.
    public var environmentNames: [String]?
    public var syncsUp: Bool?
    public var syncsDown: Bool?
    public var splitsErrors: Bool?
    public var hasTerminal: Bool?
    /// Somebody may type on that terminal.
    public var hasKeyboard: Bool?
    /// Dollars that it may cost; the instance ends it then.
    public var maximumCost: Double?
    /// The limit that ended it, in words.
    public var limitReached: String?
    /// The job it waited for.
    public var predecessor: JobID?
    public var revision: Revision?
    public var hardware: Hardware?
    public var driver: String?
    /// Memory of its largest process, in bytes.
    public var peakBytes: Int64?
    /// Size of the log on the instance when the command ended.
    public var logBytes: Int64?
    public var errorBytes: Int64?
    /// The local copy was compared with the instance's, by length and checksum.
    public var logIsVerified: Bool?
    public var results: Results?
    /// Processes that outlived the command: those that go on, and those that have ended since.
    public var background: [BackgroundProcess]?
    /// It was ended on an instance that cannot tell the whole tree of its processes: one with an empty environment in
    /// a session of its own may have been missed.
    public var mayHaveMissedProcesses: Bool?
    /// What the one who follows it has said last; see `Engine.connection(of:)` for whether it is still there.
    public var connection: Connection?

    public init() {}
}

extension JobRecord {
    /// A process of a job that outlived its command.
    public struct BackgroundProcess: Hashable, Codable, Sendable {
        public enum State: Hashable, Codable, Sendable {
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
        public var command: String
        public var state: State
        /// For how many seconds it was seen at work after the command had ended.
        public var secondsAtWork: Int

        public init(process: Int32, command: String, state: State, secondsAtWork: Int = 0) {
            self.process = process
            self.command = command
            self.state = state
            self.secondsAtWork = secondsAtWork
        }

        /// Its exit status; nil while it runs, and where it is not known.
        public var status: Int32? { if case .ended(let status) = self.state { status } else { nil } }

        /// Whether it was the job's work, and no service beside it: it worked on for a minute after the command.
        var wasAtWork: Bool { self.secondsAtWork >= 60 }
    }

    /// Processes that the job has left behind, and that were still there when its instance was last asked.
    public var leftBehind: [BackgroundProcess] { (self.background ?? []).filter { $0.state == .leftBehind } }
}
