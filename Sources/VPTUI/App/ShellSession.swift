import Foundation
import Glibc
import Synchronization
import VPEngine

/// An interactive program that uses the terminal for a while.
final class ShellSession: Sendable {
    private let process: pid_t?
    private let ending = Mutex<Int32?>(nil)

    /// Starts `argv` on the dashboard's terminal. Ctrl-C and Ctrl-z go to the program until `close`.
    ///
    /// - Parameter ended: called on another thread once `exitStatus` is set.
    init(_ argv: [String], ended: @escaping @Sendable () -> Void) {
        for number in [SIGINT, SIGTSTP] { signal(number, SIG_IGN) }
        self.process = Self.start(argv)
        guard let process = self.process else {
            self.ending.withLock { $0 = 127 }
            return
        }
        Thread.detachNewThread {
            let status = Self.wait(for: process)
            self.ending.withLock { $0 = status }
            ended()
        }
    }

    /// The exit status: nil while the program runs, 127 if it could not be started.
    var exitStatus: Int32? { self.ending.withLock { $0 } }

    /// Tells the program that its terminal is gone.
    func hangUp() {
        guard let process = self.process, self.exitStatus == nil else { return }
        kill(process, SIGHUP)
    }

    func close() { Signals.takeKeys() }

    private static func start(_ argv: [String]) -> pid_t? {
        guard let program = argv.first else { return nil }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for number in [SIGINT, SIGTSTP, SIGPIPE] { sigaddset(&defaults, number) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = argv.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let problem = ChildEnvironment.withOwn { environment in
            posix_spawnp(&process, program, nil, &attributes, &arguments, environment)
        }
        return problem == 0 ? process : nil
    }

    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while true {
            let result = waitpid(process, &status, WUNTRACED)
            if result < 0, errno != EINTR { return 127 }
            guard result == process else { continue }
            if status & 0xFF == 0x7F {
                // The program suspended itself (`~^Z`), and nothing else would continue it.
                kill(process, SIGCONT)
                continue
            }
            return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        }
    }
}
