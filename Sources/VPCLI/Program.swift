import Dispatch
import Foundation
import Glibc
import VPEngine

/// Starts other programs.
enum Program {
    /// Replaces this process by `words[0]`, looked up in `PATH`.
    /// That program then owns the terminal and receives its signals.
    ///
    /// - Parameter keepsKeys: `true` only for the dashboard;
    ///   any other program gets an environment without the API
    ///   keys.
    static func replaceThisProcess(_ words: [String], keepsKeys: Bool = false) throws -> Never {
        signal(SIGPIPE, SIG_DFL)
        if !keepsKeys { ChildEnvironment.forgetKeys() }
        var pointers = words.map { strdup($0) }
        pointers.append(nil)
        if let program = pointers[0] { execvp(program, &pointers) }
        let problem = String(cString: strerror(errno))
        throw EngineError(
            .missingProgram, .init("starting a program"), detail: "\(words.first ?? ""): \(problem)")
    }

    /// Runs a program, with both of its output streams on our stderr. Returns its exit status,
    /// or 128 plus the number of the signal that ended it.
    static func run(_ path: String, _ arguments: [String]) async throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
        // vp ignores SIGPIPE, and a child inherits ignored signals.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let problem = ChildEnvironment.withOwn { environment in
            posix_spawn(&child, path, &actions, &attributes, &words, environment)
        }
        guard problem == 0 else {
            throw EngineError(
                .missingProgram, .init("starting a program"),
                detail: "\(path): \(String(cString: strerror(problem)))")
        }
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [child] in
                var status: Int32 = 0
                while waitpid(child, &status, 0) < 0, errno == EINTR {}
                let signal = status & 0x7F
                continuation.resume(returning: signal == 0 ? (status >> 8) & 0xFF : 128 + signal)
            }
        }
    }
}
