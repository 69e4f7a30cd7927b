import Dispatch
import Foundation
import Glibc

/// Starts programs that inherit nothing of ours but the named descriptors: no sockets, signal masks or
/// terminal. They run in a session of their own, so Ctrl-C in our terminal does not reach them.
package enum ChildProcess {
    package struct Failure: Error, CustomStringConvertible {
        let program: String
        let code: Int32
        package var description: String {
            "\(self.program) did not start: \(String(cString: strerror(self.code)))"
        }
    }

    /// Starts `arguments[0]`, an absolute path, and returns its process id; the caller must `wait` for it.
    /// Standard output is appended to the file `output`, standard error to `errors`, or to `output` if that
    /// is nil.
    package static func spawn(
        _ arguments: [String], environment: [String: String] = [:], input: Int32? = nil,
        output: String = "/dev/null", errors: String? = nil
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        Self.closeOthers(&actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // This is POSIX_SPAWN_SETSID, which glibc declares for GNU sources only.
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(
            &attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)))

        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, arguments[0], &actions, &attributes, argv, envp)
        guard code == 0 else { throw Failure(program: arguments[0], code: code) }
        return child
    }

    /// Adds the closing of every descriptor from 3 on. glibc has a function for that, which it declares for
    /// GNU sources only; without it the current descriptors are listed one by one (closing one that is gone
    /// by then is no error).
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        typealias CloseFrom =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        if let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") {
            _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
            return
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
    }

    /// Waits for the end of `child` and returns its exit status, 128+n after signal n. A child that somebody
    /// else has reaped counts as ended.
    ///
    /// It polls every few milliseconds instead of blocking in `waitpid`: many clouds may wait at once, and
    /// threads are few.
    @discardableResult
    package static func wait(for child: pid_t) async -> Int32 {
        var status: Int32 = 0
        var pause = 1
        while waitpid(child, &status, WNOHANG) == 0 {
            // Task.sleep is not used, because it does not wait in a cancelled task.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(pause)) {
                    continuation.resume()
                }
            }
            pause = min(pause * 2, 10)
        }
        return Self.exitStatus(status)
    }

    /// `true` if `child` has ended; it is then reaped and must not be asked about again.
    static func hasEnded(_ child: pid_t) -> Bool {
        var status: Int32 = 0
        return waitpid(child, &status, WNOHANG) != 0
    }

    /// Runs a short program to its end.
    static func run(_ arguments: [String], output: String = "/dev/null") async throws -> Int32 {
        await self.wait(
            for: try self.spawn(arguments, environment: ["PATH": Self.standardPath], output: output))
    }

    /// Copies a small file by a separate process, so that we never have `target` open for writing.
    static func copy(_ source: String, to target: String) throws {
        let child = try self.spawn(["/bin/cp", source, target])
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { throw Failure(program: "cp to \(target)", code: EIO) }
    }

    /// The output of a short program, errors included.
    static func output(of arguments: [String]) async -> String {
        let file = NSTemporaryDirectory() + "/vp-cloud-output-\(UUID().uuidString)"
        defer { unlink(file) }
        _ = try? await self.run(arguments, output: file)
        return String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
    }

    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private static func exitStatus(_ status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
