import Foundation

/// The shell text that starts a job on an instance and follows its log. POSIX sh; GNU tools are used where
/// they are found and never required.
///
/// Below `~/.vp/jobs/<id>/` stand `command`, `environment` (0600), `supervisor.pid`, `log`, and, at the end,
/// `status`: exit status, start and end in seconds since 1970, and the log's size. Making the folder is the lock: however often a
/// start is asked for, one process comes of it.
package struct JobScript: Sendable {
    package var job: JobID
    package var command: JobCommand
    package var environment: [String: String]
    /// The workspace on the instance; made if it is not there.
    package var remoteRoot: String
    /// Absolute folder the command runs in.
    package var workingDirectory: String

    /// `workingDirectory` may be relative to `remoteRoot`; nil is `remoteRoot` itself.
    package init(
        job: JobID, command: JobCommand, environment: [String: String], remoteRoot: String,
        workingDirectory: String?
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
    }

    /// Lines that the script writes to standard error for us alone begin with this.
    package static let mark = "vp-job "

    /// Starts the job unless it was started before, then follows its log from byte `offset` on.
    package func startAndFollow(from offset: Int64) -> String {
        self.start + self.follow(from: offset)
    }

    private var folder: String { "\"$HOME/.vp/jobs/\(self.job.rawValue)\"" }

    private var start: String {
        let exports = self.environment.sorted { $0.key < $1.key }.map { name, value in
            "export \(name)=\(ShellQuoting.quoted(value))\n"
        }.joined()
        let root = ShellQuoting.quoted(self.remoteRoot)
        // Builtins wherever they serve: each process that is started here is time before the command runs.
        return """
            umask 077
            job=\(self.folder)
            fail() { echo "\(Self.mark)failed $1" >&2; exit 91; }
            [ -d "$HOME/.vp/jobs" ] || mkdir -p "$HOME/.vp/jobs" || fail 'cannot write to the home folder'
            [ -d \(root) ] || (umask 022; mkdir -p \(root)) || fail 'cannot make the workspace'
            if mkdir "$job" 2>/dev/null; then
            undo() { rm -rf "$job"; fail "$1"; }
            printf '%s\\n' \(ShellQuoting.quoted(self.command.shellText)) > "$job/command" || undo 'cannot write the job'
            printf '%s' \(ShellQuoting.quoted(exports)) > "$job/environment" || undo 'cannot write the job'
            : > "$job/log" || undo 'cannot write the job'
            setsid sh -c \(ShellQuoting.quoted(Self.supervisor)) vp-supervisor "$job" \
            \(ShellQuoting.quoted(self.workingDirectory)) </dev/null >/dev/null 2>&1 &
            echo $! > "$job/supervisor.pid"
            fi

            """
    }

    /// Runs the command in a process of its own, so that what ends the command cannot end the record of it.
    ///
    /// `status` holds the log's size as well: a process that the command left behind may go on writing, and
    /// what it writes then is not part of what was promised. Setting the log to the size it has wakes a `tail`
    /// that waits for it, which then sees that the command has ended.
    private static let supervisor = """
        job=$1
        umask 022
        if cd "$2" 2>>"$job/log"; then
        export PYTHONUNBUFFERED=1
        . "$job/environment"
        VP_JOB=${job##*/} sh "$job/command" >>"$job/log" 2>&1 &
        child=$!
        echo "$child" > "$job/pid"
        started=$(date +%s)
        wait "$child"
        code=$?
        else
        echo "vp: the working folder $2 cannot be entered" >> "$job/log"
        echo $$ > "$job/pid"
        started=$(date +%s)
        code=126
        fi
        echo "$code $started $(date +%s) $(($(wc -c < "$job/log")))" > "$job/status"
        truncate -s +0 "$job/log"
        """

    /// Follows the log of a job that was started before.
    ///
    /// The log goes to standard output as it is. Standard error says `following` once, and at the end `ended`
    /// (or `cancelled`) with exit status, start, end and size of the log, or `lost` when the job's supervisor is gone and left
    /// no status, or `absent` when there is no such job.
    package func follow(from offset: Int64) -> String {
        """
        job=\(self.folder)
        [ -d "$job" ] || { echo '\(Self.mark)absent' >&2; exit 0; }
        tries=0
        while [ ! -s "$job/pid" ] && [ $tries -lt 1000 ]; do tries=$((tries + 1)); sleep 0.002; done
        pid= supervisor= offset=\(offset)
        [ ! -s "$job/pid" ] || read -r pid < "$job/pid"
        [ ! -s "$job/supervisor.pid" ] || read -r supervisor < "$job/supervisor.pid"
        works() { kill -0 "${supervisor:-x}" 2>/dev/null; }
        echo '\(Self.mark)following' >&2
        # Other tails know no --pid. What this one knows is noted, because asking costs a process.
        if [ ! -f "$HOME/.vp/tail-knows-pid" ] && tail --pid=$$ -c 0 /dev/null 2>/dev/null; then
        : > "$HOME/.vp/tail-knows-pid"
        fi
        if [ -s "$job/status" ]; then
        tail -c +$((offset + 1)) "$job/log"
        elif [ -f "$HOME/.vp/tail-knows-pid" ]; then
        tail -s 0.05 --pid="${pid:-1}" -c +$((offset + 1)) -f "$job/log"
        else
        while :; do
        over=
        if [ -s "$job/status" ] || ! works; then over=1; fi
        size=$(($(wc -c < "$job/log")))
        if [ "$size" -gt "$offset" ]; then
        tail -c +$((offset + 1)) "$job/log" | head -c $((size - offset)) || exit 92
        offset=$size
        fi
        [ -z "$over" ] || break
        sleep 0.2
        done
        fi
        while [ ! -s "$job/status" ] && works; do sleep 0.005; done
        \(Self.reportEnd)

        """
    }

    private static let reportEnd = """
        if [ -s "$job/status" ]; then
        ended=ended
        [ ! -f "$job/cancelled" ] || ended=cancelled
        read -r status < "$job/status"
        echo "\(Self.mark)$ended $status" >&2
        else
        echo '\(Self.mark)lost' >&2
        fi
        """

    /// Ends every process of the job: TERM, up to `grace` seconds, then KILL.
    ///
    /// They are found by the variable `VP_JOB` in their environment and by the supervisor's session, so that
    /// one that moved to another session, or was adopted by init, is found as well. The supervisor is spared:
    /// it writes down how the job ended. Standard error says at the end what `follow` would, after a line
    /// `survivor` for each process that is still there.
    package func cancel(grace: Int) -> String {
        """
        job=\(self.folder)
        [ -d "$job" ] || { echo '\(Self.mark)absent' >&2; exit 0; }
        supervisor=$(cat "$job/supervisor.pid" 2>/dev/null)
        own() {
        {
        grep -lzx "VP_JOB=${job##*/}" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n'
        for stat in /proc/[0-9]*/stat; do
        line=$(cat "$stat" 2>/dev/null) || continue
        set -- ${line##*)}
        [ "$1" != Z ] && [ "$4" = "${supervisor:-x}" ] && echo "${line%% *}"
        done
        } | sort -u | grep -vx "${supervisor:-x}"
        }
        end() { for process in $(own); do kill "-$1" "$process" 2>/dev/null; done; }
        if [ ! -s "$job/status" ]; then
        : > "$job/cancelled"
        tries=$((\(grace) * 10))
        [ $tries -eq 0 ] || end TERM
        while [ $tries -gt 0 ] && [ -n "$(own)" ]; do sleep 0.1; tries=$((tries - 1)); done
        tries=30
        while [ $tries -gt 0 ] && [ -n "$(own)" ]; do end KILL; sleep 0.1; tries=$((tries - 1)); done
        for process in $(own); do echo "\(Self.mark)survivor $process" >&2; done
        tries=50
        while [ $tries -gt 0 ] && [ ! -s "$job/status" ] && kill -0 "${supervisor:-x}" 2>/dev/null; do
        sleep 0.1
        tries=$((tries - 1))
        done
        fi
        \(Self.reportEnd)

        """
    }
}

/// What the instance said about a job on standard error.
package enum JobReport: Hashable, Sendable {
    case following
    case ended(Job.Outcome, seconds: Double, logBytes: Int64, wasCancelled: Bool)
    /// A process of a cancelled job that could not be ended.
    case survivor(Int32)
    case lost
    case absent
    case failed(String)

    /// Reads one line, or nil where it is not one of ours.
    package init?(line: Substring) {
        guard line.hasPrefix(JobScript.mark) else { return nil }
        let words = line.dropFirst(JobScript.mark.count).split(separator: " ")
        switch words.first {
        case "following": self = .following
        case "lost": self = .lost
        case "absent": self = .absent
        case "failed": self = .failed(words.dropFirst().joined(separator: " "))
        case "survivor":
            guard words.count == 2, let process = Int32(words[1]) else { return nil }
            self = .survivor(process)
        case "ended", "cancelled":
            guard words.count == 5, let code = Int32(words[1]), let start = Double(words[2]),
                let end = Double(words[3]), let size = Int64(words[4])
            else { return nil }
            // A shell reports a signal as 128 and its number; a command may also exit so by itself.
            let outcome: Job.Outcome = (129...192).contains(code) ? .signalled(code - 128) : .exited(code)
            self = .ended(
                outcome, seconds: max(0, end - start), logBytes: size, wasCancelled: words[0] == "cancelled")
        default: return nil
        }
    }
}
