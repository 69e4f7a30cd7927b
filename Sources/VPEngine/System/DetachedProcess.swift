import Foundation
import Glibc

/// A program that outlives this one: in a session of its own, away from the terminal.
package enum DetachedProcess {
    /// - Parameter output: a descriptor for both streams; nil discards them.
    /// - Returns: the process id; nil if the program could not be started.
    @discardableResult
    package static func start(
        _ words: [String], environment: [String: String], directory: String, input: Int32? = nil,
        output: Int32? = nil
    ) -> pid_t? {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        for number in [SIGKILL, SIGSTOP] { sigdelset(&all, number) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // The program replaces the shell and keeps its process id. A folder that is gone must not keep it
        // from starting.
        let command =
            ["/bin/sh", "-c", "cd \"$1\" 2>/dev/null || cd /; shift; exec \"$@\"", "sh", directory] + words
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var process: pid_t = 0
        guard posix_spawn(&process, command[0], &actions, &attributes, &argv, &envp) == 0 else { return nil }
        // The thread waits for as long as this program lives: a child that has ended must not look as if it
        // still ran.
        let child = process
        Thread.detachNewThread { while waitpid(child, nil, 0) < 0, errno == EINTR {} }
        return process
    }
}
