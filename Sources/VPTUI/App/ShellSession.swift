import Glibc

/// An interactive program that gets the terminal for a while.
enum ShellSession {
    /// Runs `argv` on our terminal and returns its exit status; 127 where it could not be started.
    static func run(_ argv: [String]) -> Int32 {
        guard let program = argv.first else { return 127 }
        // Ctrl-C and Ctrl-z are the program's while it runs.
        let interrupt = signal(SIGINT, SIG_IGN)
        let stop = signal(SIGTSTP, SIG_IGN)
        defer {
            signal(SIGINT, interrupt)
            signal(SIGTSTP, stop)
        }
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
        var pid: pid_t = 0
        guard posix_spawnp(&pid, program, nil, &attributes, &arguments, environ) == 0 else { return 127 }
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, WUNTRACED)
            if result < 0, errno != EINTR { return 127 }
            guard result == pid else { continue }
            if status & 0xFF == 0x7F {
                // It suspended itself (`~^Z`); nobody else could wake it.
                kill(pid, SIGCONT)
                continue
            }
            return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        }
    }
}
