import Foundation

/// The shell text that starts a job on an instance, follows its log, looks at it and ends it. POSIX sh; GNU
/// tools are used where they are found and never required.
///
/// Below `~/.vp/jobs/<id>/` stand `command`, `environment` (0600, emptied once read), `supervisor` (its
/// process and the time of that one's start), `pid` (the command's process and start), `log`, with
/// `--split-stderr` also `errors`, and at the end `status`; `background` tells of processes that outlived the command;
/// `supervise`, `waiter.pl` and `start-up` are the texts that run there; `lease-ended` is the watchdog's word that it ends
/// the job, `limit-reached` the supervisor's. Making the folder is the lock: however often a start is asked for, one process comes of it.
package struct JobScript: Sendable {
    /// How the command's output is taken.
    package enum Manner: Hashable, Sendable {
        /// Standard output and error in one log, in order.
        case plain
        /// A log for each.
        case split
        /// A terminal of that size; what it shows is the log. What is written to `keys` is typed on it, and a line
        /// `rows columns` in `size` gives it another size. Without a keyboard its input is at its end.
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
    /// The workspace on the instance; made if it is not there.
    package var remoteRoot: String
    /// Absolute folder the command runs in.
    package var workingDirectory: String
    /// A job of the same instance that has to end first, in whatever way.
    package var predecessor: JobID?
    package var manner: Manner
    /// Whole seconds that the command may take; nil for no limit.
    package var limitSeconds: Int?
    /// Whole seconds for which what the command left in the background may do nothing before it is left behind.
    package var lingerSeconds: Int
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

    /// For a job that was started before: it can be followed and ended, not started.
    package init(existing job: Job) {
        self.init(job: job.id, command: job.command, environment: [:], remoteRoot: "/", workingDirectory: nil)
    }

    /// Lines that the script writes to standard error for us alone begin with this.
    package static let mark = "vp-job "

    private var folder: String { "\"$HOME/.vp/jobs/\(self.job.pathComponent)\"" }

    private var commandText: String {
        switch self.command {
        case .shell(let text): text
        // Without `exec` older shells stay in between, and what ended the program would be seen as an exit.
        case .arguments: "exec \(self.command.shellText)"
        }
    }

    /// Starts the job unless it was started before.
    package var start: String {
        let exports = self.environment.sorted { $0.key < $1.key }.map { name, value in
            "export \(name)=\(ShellQuoting.quoted(value))\n"
        }.joined()
        let root = ShellQuoting.quoted(self.remoteRoot)
        // Builtins wherever they serve: each process that is started here is time before the command runs. The
        // shell reads an `if` whole before it runs any of it, so that a connection that breaks while the script
        // is on its way leaves either no job or a started one.
        return """
            umask 077
            job=\(self.folder)
            fail() { echo "\(Self.mark)failed $1" >&2; exit 91; }
            [ -d "$HOME/.vp/jobs" ] || mkdir -p "$HOME/.vp/jobs" || fail 'cannot write to the home folder'
            [ -d \(root) ] || (umask 022; mkdir -p \(root)) || fail 'cannot make the workspace'
            # shellcheck disable=SC2016
            if mkdir "$job" 2>/dev/null; then
            undo() { rm -rf "$job"; fail "$1"; }
            printf '%s\\n' \(ShellQuoting.quoted(self.commandText)) > "$job/command" || undo 'cannot write the job'
            printf '%s' \(ShellQuoting.quoted(exports)) > "$job/environment" || undo 'cannot write the job'
            : > "$job/log" || undo 'cannot write the job'
            \(self.manner == .split ? ": > \"$job/errors\" || undo 'cannot write the job'" : ":")
            printf '%s\\n' \(ShellQuoting.quoted(JobSupervisor.text)) > "$job/supervise" || undo 'cannot write the job'
            printf '%s\\n' \(ShellQuoting.quoted(JobWaiter.perl)) > "$job/waiter.pl" || undo 'cannot write the job'
            printf '%s\\n' \(ShellQuoting.quoted(JobWaiter.startUp)) > "$job/start-up" || undo 'cannot write the job'
            \(self.takeInput)
            setsid sh "$job/supervise" "$job" \
            \(ShellQuoting.quoted(self.workingDirectory)) \(ShellQuoting.quoted(self.predecessor?.pathComponent ?? "")) \
            \(self.manner.word) \(self.limitSeconds ?? 0) \(self.lingerSeconds) \(root) </dev/null >/dev/null 2>&1 &
            fi

            """
    }

    private var takeInput: String {
        guard let count = self.inputBytes else { return ":" }
        let file = JobInput.file(of: self.job)
        return """
            [ "$(($(wc -c < \(file))))" -eq \(count) ] || undo 'the standard input did not arrive whole'
            mv \(file) "$job/input" || undo 'cannot write the job'
            """
    }

    /// Starts the job unless it was started before, and says `queued`, `following` or how it ended already.
    package var startAndReturn: String { self.start + self.open + Self.report(of: .log) }

    /// Starts the job unless it was started before, then follows its log from byte `offset` on.
    package func startAndFollow(_ stream: JobStream = .log, from offset: Int64) -> String {
        self.start + self.follow(stream, from: offset)
    }

    /// Waits until the job can be told about. A supervisor that was just started has a few milliseconds to say
    /// that it is there, and on a machine that is overwhelmed a few seconds.
    private var open: String {
        """
        job=\(self.folder)
        \(JobSupervisor.aliveFunction)
        \(JobProcesses.childrenFunction)
        [ -d "$job" ] || { echo '\(Self.mark)absent' >&2; exit 0; }
        tries=0
        while [ ! -s "$job/supervisor" ] && [ $tries -lt 5000 ]; do tries=$((tries + 1)); sleep 0.002; done
        while [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && [ ! -e "$job/queued" ] && alive "$job"; do
        sleep 0.002
        done

        """
    }

    /// Follows a log of a job that was started before.
    ///
    /// The log goes to standard output as it is. Standard error says `queued` while the job waits for another,
    /// `following` with its start once it runs, and at the end what `report(of:)` says.
    ///
    /// A reader that goes away must not leave anything behind for as long as the job runs. A shell notices that
    /// by writing alone, so that where nothing is written for long the same is said again now and then.
    package func follow(_ stream: JobStream = .log, from offset: Int64) -> String {
        self.open + """
            log=$job/\(stream.rawValue) offset=\(offset) pid=''
            if [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && alive "$job"; then
            echo '\(Self.mark)queued' >&2
            beats=0
            while [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && alive "$job"; do
            sleep 0.2
            beats=$((beats + 1))
            [ $((beats % 25)) -ne 0 ] || echo '\(Self.mark)queued' >&2 || exit 92
            done
            fi
            start=0
            [ ! -s "$job/pid" ] || read -r pid start < "$job/pid"
            [ ! -s "$job/watched" ] || read -r pid < "$job/watched"
            told=0
            # Says so when work goes on after the command has ended.
            tell() {
            count=0
            if [ -s "$job/background" ]; then
            while read -r state _; do [ "$state" != running ] || count=$((count + 1)); done < "$job/background"
            fi
            [ $count -ne $told ] || return 0
            told=$count
            [ -s "$job/status" ] || echo "\(Self.mark)background $count" >&2
            }
            echo "\(Self.mark)following $start" >&2
            # Other tails know no --pid. What this one knows is noted, because asking costs a process.
            if [ ! -f "$HOME/.vp/tail-knows-pid" ] && tail --pid=$$ -c 0 /dev/null 2>/dev/null; then
            : > "$HOME/.vp/tail-knows-pid"
            fi
            if [ ! -e "$log" ]; then
            :
            elif [ -s "$job/status" ] || [ -z "$pid" ]; then
            tail -c +$((offset + 1)) "$log"
            elif [ -f "$HOME/.vp/tail-knows-pid" ]; then
            tail -s 0.05 --pid="$pid" -c +$((offset + 1)) -f "$log" &
            tail=$!
            # Where the supervisor was killed nobody may be left who collects the command, and to tail a dead
            # process that was not collected is one that lives.
            while kill -0 "$tail" 2>/dev/null; do
            tell
            if ! alive "$job"; then
            sleep 1 2>/dev/null
            [ -s "$job/status" ] || kill "$tail" 2>/dev/null
            break
            fi
            sleep 1 2>/dev/null
            done >/dev/null &
            watch=$!
            # With a job that runs on, it is the reader that has ended it.
            wait "$tail" 2>/dev/null || [ -s "$job/status" ] || ! alive "$job" || { kill "$watch" 2>/dev/null; exit 92; }
            kill "$watch" 2>/dev/null
            else
            beats=0
            while :; do
            over=''
            if [ -s "$job/status" ] || ! alive "$job"; then over=1; fi
            size=$(($(wc -c < "$log")))
            if [ "$size" -gt "$offset" ]; then
            tail -c +$((offset + 1)) "$log" | head -c $((size - offset)) || exit 92
            offset=$size
            fi
            [ -z "$over" ] || break
            tell
            sleep 0.2
            beats=$((beats + 1))
            [ $((beats % 25)) -ne 0 ] || echo "\(Self.mark)following $start" >&2 || exit 92
            done
            fi
            while [ ! -s "$job/status" ] && alive "$job"; do sleep 0.005; done
            \(Self.report(of: stream))
            """
    }

    /// Brings what a log holds beyond byte `offset` now, and says how the job stands.
    package func catchUp(_ stream: JobStream = .log, from offset: Int64) -> String {
        self.open + """
            [ ! -e "$job/\(stream.rawValue)" ] || tail -c +\(offset + 1) "$job/\(stream.rawValue)"
            \(Self.report(of: stream))
            """
    }

    /// A command line that types what it reads on the job's terminal, to the end of its input.
    package var typing: String { self.writing(to: "keys", "exec cat >&3") }

    /// A command line that gives the job's terminal another size.
    package func resizing(columns: Int, rows: Int) -> String {
        self.writing(to: "size", "echo \(rows) \(columns) >&3")
    }

    /// Opened for both directions, which waits for nobody.
    private func writing(to name: String, _ command: String) -> String {
        "[ -p \(self.folder)/\(name) ] || exit 0; exec 3<>\(self.folder)/\(name); \(command)"
    }

    /// Says on standard error how each of `jobs` stands: a line `about` with its id, then one as of `report`.
    package static func look(at jobs: [JobID]) -> String {
        var text = JobSupervisor.aliveFunction + "\n" + JobProcesses.childrenFunction + "\n"
        for job in jobs {
            let script = JobScript(
                job: job, command: .shell(""), environment: [:], remoteRoot: "/", workingDirectory: nil)
            text += """
                echo '\(Self.mark)about \(job.pathComponent)' >&2
                job=\(script.folder)
                if [ -d "$job" ]; then
                \(Self.report(of: nil))
                else
                echo '\(Self.mark)absent' >&2
                fi

                """
        }
        return text
    }

    /// What is known of processes that outlived the command, then
    /// `ended` (or `cancelled`) with what the supervisor wrote; `queued`, or `following` with the start, while
    /// it is there; `lost` where it is gone without a word. Of a log that is over, also the checksum: of the
    /// bytes that were promised, and as POSIX has it, because that program is on nearly every machine.
    private static func report(of stream: JobStream?) -> String {
        let sum =
            stream.map { stream in
                """
                size=''
                for word in $status; do
                case $word in \(stream == .log ? "bytes" : "errors")=*) size=${word#*=} ;; esac
                done
                if [ "${size:-0}" -gt 0 ]; then
                sum=$(head -c "$size" "$job/\(stream.rawValue)" | cksum 2>/dev/null)
                [ -z "$sum" ] || status="$status sum=${sum%% *}"
                fi

                """
            } ?? ""
        return """
            children
            if [ -s "$job/status" ]; then
            ended=ended
            [ ! -f "$job/cancelled" ] || ended=cancelled
            read -r status < "$job/status"
            \(sum)echo "\(Self.mark)$ended $status" >&2
            elif alive "$job"; then
            if [ -s "$job/pid" ]; then
            read -r _ start < "$job/pid"
            echo "\(Self.mark)following $start" >&2
            else
            echo '\(Self.mark)queued' >&2
            fi
            else
            echo '\(Self.mark)lost' >&2
            fi

            """
    }

    /// Ends every process of the job: TERM, up to `grace` seconds, then KILL; of one that is over, what it left
    /// behind. Standard error says at the end what `report` does, after a line `survivor` with number and name for
    /// each process that is still there, and a line `unadopted` where one that has an empty environment and
    /// a session of its own may have been missed.
    package func cancel(grace: Int) -> String {
        """
        job=\(self.folder)
        \(JobSupervisor.aliveFunction)
        \(JobProcesses.childrenFunction)
        [ -d "$job" ] || { echo '\(Self.mark)absent' >&2; exit 0; }
        \(JobProcesses.functions)
        [ -s "$job/status" ] || echo \(grace) > "$job/cancelled"
        terminate \(grace)
        for process in $(own); do
        name=''
        { read -r name < "/proc/$process/comm"; } 2>/dev/null
        echo "\(Self.mark)survivor $process $name" >&2
        done
        tries=150
        while [ $tries -gt 0 ] && [ ! -s "$job/status" ] && alive "$job"; do
        sleep 0.1
        tries=$((tries - 1))
        done
        [ -s "$job/waiter" ] || [ ! -s "$job/pid" ] || echo '\(Self.mark)unadopted' >&2
        \(Self.report(of: nil))
        """
    }
}
