import Foundation
import VPScripts

/// The shell text that starts a job on an instance, follows its log, looks at it and ends it. It is POSIX sh;
/// GNU tools are used if they are found and never required.
///
/// The folder `~/.vp/jobs/<id>/` contains `command`, `environment` (0600, emptied once read), `supervisor`
/// (its process and the time when that started), `pid` (the command's process and start), `log`, with
/// `--split-stderr` also `errors`, and at the end `status`; `background` lists processes that outlived the
/// command; `supervise`, `waiter.pl`, `loader`, `start-up` and `watch` are the texts that run there;
/// `lease-ended` is the watchdog's note that it ends the job, `limit-reached` the supervisor's, and `stopped`
/// that of `watch`, which keeps `--stop-on nan`. Making the folder is the lock: however often a start is
/// requested, only one process results.
package struct JobScript: Sendable {
    /// The way in which the command's output is recorded.
    package enum Manner: Hashable, Sendable {
        /// Standard output and error in one log, in order.
        case plain
        /// Standard output and error in a log each.
        case split
        /// A terminal of that size, whose output is the log. Text written to `keys` is typed on it, and a
        /// line `rows columns` in `size` resizes it. Without a keyboard its input is at its end.
        case terminal(columns: Int, rows: Int, hasKeyboard: Bool)

        fileprivate var word: String {
            switch self {
            case .plain: "plain"
            case .split: "split"
            case .terminal(let columns, let rows, let hasKeyboard):
                "\(rows):\(columns)" + (hasKeyboard ? ":keys" : "")
            }
        }
    }

    package var job: JobID
    package var command: JobCommand
    package var environment: [String: String]
    /// The workspace on the instance; it is made if it does not exist.
    package var remoteRoot: String
    /// The absolute path of the folder in which the command runs.
    package var workingDirectory: String
    /// A job of the same instance that has to end first, whether or not it succeeds.
    package var predecessor: JobID?
    package var manner: Manner
    /// Whole seconds that the command may take; nil for no limit.
    package var limitSeconds: Int?
    /// Whole seconds for which background processes of the command may stay idle before they are left behind.
    package var lingerSeconds: Int
    /// `true` if the instance ends the job by itself when its loss stops being a number.
    package var watchesLoss = false
    /// Bytes that `JobInput` has sent for the command to read; nil gives it the null device.
    package var inputBytes: Int64?

    /// `workingDirectory` may be relative to `remoteRoot`; nil is `remoteRoot` itself.
    package init(
        job: JobID, command: JobCommand, environment: [String: String], remoteRoot: String,
        workingDirectory: String?, predecessor: JobID? = nil, manner: Manner = .plain,
        limitSeconds: Int? = nil, lingerSeconds: Int = 300
    ) {
        self.job = job
        self.command = command
        self.environment = environment
        self.remoteRoot = remoteRoot
        self.workingDirectory =
            switch workingDirectory {
            case nil, "", ".": remoteRoot
            case .some(let path) where path.hasPrefix("/"): path
            case .some(let path): "\(remoteRoot)/\(path)"
            }
        self.predecessor = predecessor
        self.manner = manner
        self.limitSeconds = limitSeconds
        self.lingerSeconds = lingerSeconds
    }

    /// Makes a script for a job that was started before: it can be followed and ended, not started.
    package init(existing job: Job) {
        self.init(job: job.id, command: job.command, environment: [:], remoteRoot: "/", workingDirectory: nil)
    }

    /// The beginning of the lines that the script writes to standard error for us alone.
    package static let mark = "vp-job "

    private var commandText: String {
        switch self.command {
        case .shell(let text): text
        // Without `exec` older shells remain as a parent, and a signal that ended the program would appear as
        // an exit.
        case .arguments: "exec \(self.command.shellText)"
        }
    }

    /// Starts the job unless it was started before.
    package var start: String {
        let exports = self.environment.sorted { $0.key < $1.key }.map { name, value in
            "export \(name)=\(ShellQuoting.quoted(value))\n"
        }.joined()
        return ScriptFile.jobStart.text([
            "job_id": self.job.pathComponent, "job_command": self.commandText + "\n",
            "job_environment": exports,
            "job_supervise": ScriptFile.supervise.text, "job_waiter": ScriptFile.jobWaiter.text,
            "job_loader": ScriptFile.jobLoader.text, "job_start_up": ScriptFile.jobStartUp.text,
            "root": self.remoteRoot, "folder": self.workingDirectory,
            "after": self.predecessor?.pathComponent ?? "", "manner": self.manner.word,
            "limit": String(self.limitSeconds ?? 0), "linger": String(self.lingerSeconds),
            "input": self.inputBytes.map { _ in JobInput.name(of: self.job) } ?? "",
            "input_bytes": self.inputBytes.map { String($0) } ?? "",
            "job_watch": self.watchesLoss ? ScriptFile.watchLoss.text : "",
        ])
    }

    /// Starts the job unless it was started before, and reports `queued`, `following` or how it has already
    /// ended.
    package var startAndReturn: String {
        self.start + ScriptFile.jobReportStarted.text(["job_id": self.job.pathComponent])
    }

    /// Starts the job unless it was started before, then follows its log from byte `offset` on.
    package func startAndFollow(_ stream: JobStream = .log, from offset: Int64) -> String {
        self.start + self.follow(stream, from: offset)
    }

    /// Follows a log of a job that was started before.
    package func follow(_ stream: JobStream = .log, from offset: Int64) -> String {
        ScriptFile.jobFollow.text(self.place(in: stream, offset))
    }

    /// Prints the part of a log beyond byte `offset` as far as it goes now, and reports the job's state.
    package func catchUp(_ stream: JobStream = .log, from offset: Int64) -> String {
        ScriptFile.jobCatchUp.text(self.place(in: stream, offset))
    }

    private func place(in stream: JobStream, _ offset: Int64) -> KeyValuePairs<String, String> {
        ["job_id": self.job.pathComponent, "stream": stream.rawValue, "offset": String(offset)]
    }

    /// A command line that types its input on the job's terminal, up to the end of that input.
    package var typing: String { self.writing(to: "keys", "exec cat >&3") }

    /// Returns a command line that resizes the job's terminal.
    package func resizing(columns: Int, rows: Int) -> String {
        self.writing(to: "size", "echo \(rows) \(columns) >&3")
    }

    /// Opens the pipe for both directions, which does not block.
    private func writing(to name: String, _ command: String) -> String {
        let pipe = "\"$HOME/.vp/jobs/\(self.job.pathComponent)/\(name)\""
        return "[ -p \(pipe) ] || exit 0; exec 3<>\(pipe); \(command)"
    }

    /// Reports on standard error the state of each of `jobs`: a line `about` with its id, followed by the
    /// same lines as for a single job.
    package static func look(at jobs: [JobID]) -> String {
        ScriptFile.jobLook.text([:], arguments: jobs.map(\.pathComponent))
    }

    /// Ends every process of the job, and reports the survivors and the job's state.
    package func cancel(grace: Int) -> String {
        ScriptFile.jobCancel.text(["job_id": self.job.pathComponent, "grace": String(grace)])
    }
}
