import Foundation

/// Names one job in this user's history, for example `train-7`.
public struct JobID: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The project's name, a hyphen and a number that no other job of this user has.
    public var rawValue: String

    /// Takes any text, as it was typed or stored; there need not be such a job.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// The id itself.
    public var description: String { self.rawValue }
}

/// The command of a job.
///
/// One word given by the user is shell text (`vp "cd src && make"`); several are an exact argument vector
/// whose quoting is kept.
public enum JobCommand: Hashable, Codable, Sendable, CustomStringConvertible {
    /// Text that sh reads.
    case shell(String)
    /// A program and its arguments, none of which a shell interprets.
    case arguments([String])

    /// One word is shell text; several are an argument vector.
    public init(words: [String]) {
        self = words.count == 1 ? .shell(words[0]) : .arguments(words)
    }

    /// The command as a line for sh, with each argument quoted if necessary.
    public var shellText: String {
        switch self {
        case .shell(let text): text
        case .arguments(let words): words.map(ShellQuoting.quoted).joined(separator: " ")
        }
    }

    /// The same as `shellText`.
    public var description: String { self.shellText }
}

/// One of a job's logs.
public enum JobStream: String, CaseIterable, Hashable, Sendable {
    /// Standard output, together with standard error unless the run keeps them apart.
    case log
    /// Standard error, if the run keeps it apart from standard output.
    case errors
}

/// One command run on one instance.
public struct Job: Identifiable, Hashable, Codable, Sendable {
    /// The state of a job.
    public enum State: String, CaseIterable, Codable, Hashable, Sendable {
        /// Waiting for an earlier job on its instance, or not started yet.
        case queued
        /// The command runs, or processes that it left in the background are still at work.
        case running
        /// The command ended with 0, and nothing that it left in the background is known to have failed.
        case succeeded
        /// The command or a process that it left in the background failed, or the job was never started.
        case failed
        /// The job was ended on request, or by a limit on its cost.
        case cancelled
        /// The instance of the job disappeared, or lost its record of the job, before the end was known.
        case lost
        /// It is not known how the job ended, or whether it started. Without `endedAt` the instance may still
        /// report it.
        case unknown

        /// True if nothing more is expected of the job. An `unknown` job counts as over.
        public var isOver: Bool {
            switch self {
            case .queued, .running: false
            case .succeeded, .failed, .cancelled, .lost, .unknown: true
            }
        }
    }

    /// How the command ended.
    public enum Outcome: Hashable, Codable, Sendable {
        /// The command ended by itself, with an exit status from 0 to 255.
        case exited(Int32)
        /// A signal ended the command; the value is the signal's number on Linux.
        case signalled(Int32)

        /// The status as a shell reports it: the code itself, or 128 and the signal's number.
        public var exitStatus: Int32 {
            switch self {
            case .exited(let code): code
            case .signalled(let signal): signal.addingSaturated(128)
            }
        }
    }

    /// Unique in this user's history.
    public var id: JobID
    /// The instance that it runs on; it may no longer exist.
    public var instance: InstanceID
    /// The command, as it was given.
    public var command: JobCommand
    /// The state when the instance was last heard from.
    public var state: State
    /// How the command ended; nil while it runs, and if that is not known.
    public var outcome: Outcome?
    /// The reason for this end, in one line, if it is known.
    public var cause: String?
    /// When the job was recorded here, before its instance heard of it.
    public var createdAt: Date
    /// When the command started, by the instance's clock if the instance has reported it; nil before.
    public var startedAt: Date?
    /// When it ended; nil while it runs, and while its end may still be found out.
    public var endedAt: Date?
    /// The cost of the instance while the job ran, in dollars.
    public var dollars: Double?
    /// The local folder that was synced for it.
    public var workspacePath: String
    /// The local copy of its output; grows while the job is followed.
    public var logPath: String
    /// Further facts about the job; nil for jobs of an earlier version.
    public var record: JobRecord?

    /// A job that waits to be started, unless told otherwise.
    public init(
        id: JobID, instance: InstanceID, command: JobCommand, state: State = .queued,
        outcome: Outcome? = nil, cause: String? = nil, createdAt: Date, startedAt: Date? = nil,
        endedAt: Date? = nil, dollars: Double? = nil, workspacePath: String, logPath: String,
        record: JobRecord? = nil
    ) {
        self.id = id
        self.instance = instance
        self.command = command
        self.state = state
        self.outcome = outcome
        self.cause = cause
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.dollars = dollars
        self.workspacePath = workspacePath
        self.logPath = logPath
        self.record = record
    }
}

/// Quoting of words for POSIX shells.
public enum ShellQuoting {
    /// Returns `word` as one word of shell text: unchanged if every character is harmless, else in single
    /// quotes.
    public static func quoted(_ word: String) -> String {
        let isHarmless =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"),
                    UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: ","):
                    true
                // `=` is not harmless: a first word such as A=b would become an assignment.
                default: false
                }
            }
        if isHarmless { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}

extension Job {
    /// Records that the end of the command cannot be found out.
    mutating func lose(_ state: State, _ cause: String, at date: Date) {
        self.state = state
        self.cause = cause
        self.endedAt = date
        self.settle()
    }

    /// Computes the cost of the instance while the job ran, and clears the connection.
    mutating func settle() {
        self.record?.connection = nil
        guard let start = self.startedAt, let end = self.endedAt, let hardware = self.record?.hardware else {
            return
        }
        self.dollars = NumberRange.cost.clamp(
            hardware.dollarsPerHour * max(0, end.timeIntervalSince(start)) / 3600)
    }
}
