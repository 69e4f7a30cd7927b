import Foundation
import Glibc

/// A tiny shell that waits for the end of our process, in whatever way it ends, and then cleans up.
///
/// It blocks in `read` on a socket whose other end only this process holds: the kernel closes it when we exit,
/// crash or are killed. `PR_SET_PDEATHSIG` alone would not do, because it follows the *thread* that forked,
/// and Swift's worker threads come and go; the guardian is single-threaded, so what it starts may rely on it.
struct Guardian: Sendable {
    let processID: pid_t
    private let lifeline: Int32

    /// Starts the shell `script` with `arguments` as `$1`…; its standard input is the lifeline.
    init(script: String, arguments: [String], output: String = "/dev/null") throws {
        var ends: [Int32] = [-1, -1]
        // Close-on-exec from the first moment: a copy in any other child would keep the guardian waiting.
        // (`pipe` cannot do that in one step, and `pipe2` is not there for Swift.)
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw ChildProcess.Failure(program: "socketpair", code: errno)
        }
        defer { close(ends[0]) }
        do {
            self.processID = try ChildProcess.spawn(
                ["/bin/sh", "-c", script, "vp-guardian"] + arguments,
                environment: ["PATH": ChildProcess.standardPath], input: ends[0], output: output)
        } catch {
            close(ends[1])
            throw error
        }
        self.lifeline = ends[1]
    }

    /// Lets go of the lifeline and returns once the guardian has done its work. Call it once.
    @discardableResult
    func release() async -> Int32 {
        close(self.lifeline)
        return await ChildProcess.wait(for: self.processID)
    }

    /// For a guardian that is known to have ended and been reaped.
    func discard() { close(self.lifeline) }

    /// Removes the folder `$1`. The first attempts may race with processes that are just being killed.
    static let folderScript = """
        read -r _
        tries=0
        while [ -e "$1" ] && [ "$tries" -lt 200 ]; do
            rm -rf --one-file-system "$1" && break
            chmod -R u+rwX "$1"
            tries=$((tries + 1))
            sleep 0.05
        done
        """

    /// Runs the sandbox `$2…` and ends it with everything in it. `$1` is where bubblewrap tells the process
    /// id of the namespace's init: when that one is killed the kernel kills all others and bubblewrap ends
    /// only after them, so the end of this script means that nothing is left.
    static let sandboxScript = """
        info=$1
        shift
        exec 3<&0
        "$@" 3<&- 4>"$info" </dev/null &
        sandbox=$!
        {
            read -r _ <&3
            # Killed before it has told, bubblewrap would leave an inner process that nobody knows.
            tries=0
            while [ $tries -lt 100 ] && ! grep -q child-pid "$info" && kill -0 $sandbox; do
                sleep 0.01
                tries=$((tries + 1))
            done
            inner=
            while read -r key value _; do
                case $key in '"child-pid":') inner=${value%,} ;; esac
            done <"$info"
            kill -9 $inner
            kill -9 $sandbox
        } >/dev/null 2>&1 &
        watcher=$!
        exec 3<&-
        wait $sandbox
        status=$?
        kill $watcher
        wait $watcher
        exit $status
        """

    /// The same without a sandbox: `$1` is a mark that sshd puts into the environment of every session, by
    /// which also processes that left their session and parent are found.
    static let plainScript = """
        mark=$1
        shift
        exec 3<&0
        "$@" 3<&- </dev/null &
        daemon=$!
        below() {
            for child in $(cat "/proc/$1/task/$1/children"); do
                echo "$child"
                below "$child"
            done
        }
        end() {
            kill -9 $(below $daemon) $daemon
            rounds=0
            while [ "$rounds" -lt 100 ]; do
                found=
                for folder in /proc/[0-9]*; do
                    if grep -qsazF "VP_LOOPBACK_MARK=$mark" "$folder/environ"; then
                        kill -9 "${folder#/proc/}" && found=1
                    fi
                done
                [ -n "$found" ] || break
                rounds=$((rounds + 1))
            done
        }
        { read -r _ <&3; end; } >/dev/null 2>&1 &
        watcher=$!
        exec 3<&-
        wait $daemon
        wait $watcher
        """
}
