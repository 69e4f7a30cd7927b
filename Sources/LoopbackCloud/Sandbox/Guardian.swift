import Foundation
import Glibc

/// A tiny shell that waits for the end of our process, in whatever way it ends, and then cleans up.
///
/// It blocks in `read` on a socket whose other end only this process holds: the kernel closes it when we
/// exit, crash or are killed. `PR_SET_PDEATHSIG` alone would not suffice, because it follows the *thread*
/// that forked, and Swift's worker threads come and go; the guardian is single-threaded, so its children may
/// rely on it.
struct Guardian: Sendable {
    let processID: pid_t
    private let lifeline: Int32

    /// Starts the shell `script` with `arguments` as `$1`…; its standard input is the lifeline.
    init(script: String, arguments: [String], output: String = "/dev/null") throws {
        var ends: [Int32] = [-1, -1]
        // The sockets are close-on-exec from the first moment: a copy in any other child would keep the
        // guardian waiting. (`pipe` cannot do that in one step, and Swift does not offer `pipe2`.)
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

    /// Closes the lifeline and returns once the guardian has finished. Call it once.
    @discardableResult
    func release() async -> Int32 {
        close(self.lifeline)
        return await ChildProcess.wait(for: self.processID)
    }

    /// Closes the lifeline of a guardian that is known to have ended and been reaped.
    func discard() { close(self.lifeline) }
}
