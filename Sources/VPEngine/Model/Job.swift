import Foundation

/// Names one job in this user's history, for example `train-7`.
public struct JobID: Hashable, Codable, Sendable, CustomStringConvertible {
    public var rawValue: String

    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    public var description: String { self.rawValue }
}

/// What a job runs.
///
/// One word given by the user is shell text (`vp "cd src && make"`); several are an exact argument vector
/// whose quoting is kept.
public enum JobCommand: Hashable, Codable, Sendable, CustomStringConvertible {
    case shell(String)
    case arguments([String])

    public init(words: [String]) {
        self = words.count == 1 ? .shell(words[0]) : .arguments(words)
    }

    /// The command as a line for sh; each argument is quoted where it has to be.
    public var shellText: String {
        switch self {
        case .shell(let text): text
        case .arguments(let words): words.map(ShellQuoting.quoted).joined(separator: " ")
        }
    }

    public var description: String { self.shellText }
}

/// One of a job's logs.
public enum JobStream: String, CaseIterable, Hashable, Sendable {
    /// Standard output, and standard error with it unless they were to be told apart.
    case log
    case errors
}

/// One command run on one instance.
public struct Job: Identifiable, Hashable, Codable, Sendable {
    public enum State: String, CaseIterable, Codable, Hashable, Sendable {
        case queued, running, succeeded, failed, cancelled, lost, unknown

        public var isOver: Bool {
            switch self {
            case .queued, .running: false
            case .succeeded, .failed, .cancelled, .lost, .unknown: true
            }
        }
    }

    /// How the command ended.
    public enum Outcome: Hashable, Codable, Sendable {
        case exited(Int32)
        case signalled(Int32)

        /// As a shell reports it: the code itself, or 128 and the signal's number.
        public var exitStatus: Int32 {
            switch self {
            case .exited(let code): code
            case .signalled(let signal): signal.addingSaturated(128)
            }
        }
    }

    public var id: JobID
    public var instance: InstanceID
    public var command: JobCommand
    public var state: State
    public var outcome: Outcome?
    /// Why it ended so, in one line, where that is known.
    public var cause: String?
    public var createdAt: Date
    public var startedAt: Date?
    public var endedAt: Date?
    /// What the instance cost while the job ran, in dollars.
    public var dollars: Double?
    /// The local folder that was synced for it.
    public var workspacePath: String
    /// The local copy of its output; grows while the job is followed.
    public var logPath: String
    /// nil for jobs of an earlier version.
    public var record: JobRecord?

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
    /// `word` as one word of shell text: as it is when every character is harmless, else in single quotes.
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
    /// Notes that nobody can tell how the command ended.
    mutating func lose(_ state: State, _ cause: String, at date: Date) {
        self.state = state
        self.cause = cause
        self.endedAt = date
        self.settle()
    }

    /// What the instance cost while it ran.
    mutating func settle() {
        self.record?.connection = nil
        guard let start = self.startedAt, let end = self.endedAt, let hardware = self.record?.hardware else {
            return
        }
        self.dollars = NumberRange.cost.clamp(
            hardware.dollarsPerHour * max(0, end.timeIntervalSince(start)) / 3600)
    }
}
