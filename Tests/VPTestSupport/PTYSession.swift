import Foundation
import Glibc

/// A program on a pseudo terminal of its own: types, reads its screen, and waits for conditions with a
/// deadline.
public final class PTYSession {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        /// Replaces all other characters by ASCII: `swift test` drops a part of a test's output that ends
        /// within a character.
        public init(description: String) {
            let boxes: [Unicode.Scalar: Character] = [
                "│": "|", "─": "-", "“": "\"", "”": "\"", "▸": ">", "…": "~",
            ]
            self.description = String(
                description.unicodeScalars.map { $0.isASCII ? Character($0) : boxes[$0] ?? "+" })
        }
    }

    public enum End: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    public let processID: pid_t
    public private(set) var screen: VirtualTerminal
    /// The number of bytes that the program has written.
    public private(set) var bytesRead = 0
    /// The end of its output, as it was written.
    public private(set) var tail: [UInt8] = []
    public private(set) var end: End?
    private let master: Int32
    private var slave: Int32
    private let modesAtStart: termios

    /// Starts `program` as the leader of its own session, with the terminal as its controlling one.
    public init(
        _ program: String, _ arguments: [String] = [], width: Int = 100, height: Int = 30,
        environment: [String: String], directory: String
    ) throws {
        guard OwnThreadTrait.isOn else {
            throw Failure(description: "a test with a pseudo-terminal needs the trait .ownThread")
        }
        var master: Int32 = -1
        var slave: Int32 = -1
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        var name = [CChar](repeating: 0, count: 256)
        guard openpty(&master, &slave, &name, nil, &size) == 0 else {
            throw Failure(description: "openpty: \(errno)")
        }
        _ = fcntl(master, F_SETFD, FD_CLOEXEC)
        _ = fcntl(slave, F_SETFD, FD_CLOEXEC)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var modes = termios()
        tcgetattr(slave, &modes)
        self.modesAtStart = modes
        self.screen = VirtualTerminal(width: width, height: height)
        self.master = master
        self.slave = slave

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Threads of Dispatch block all signals, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // With a session of its own, the terminal that it opens first becomes the controlling one.
        let newSession: Int32 = 0x80
        posix_spawnattr_setflags(&attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGMASK)))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        // The shell is replaced by the program: same process, same terminal.
        let command =
            ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", directory, program] + arguments
        var argv: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, command[0], &actions, &attributes, &argv, &envp)
        guard result == 0 else { throw Failure(description: "cannot start \(program): \(result)") }
        self.processID = pid
    }

    deinit {
        if self.end == nil {
            kill(self.processID, SIGKILL)
            waitpid(self.processID, nil, 0)
        }
        close(self.master)
        if self.slave >= 0 { close(self.slave) }
    }

    public func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(self.master, $0.baseAddress, $0.count) }
    }

    /// Sends more than a terminal holds at once: the program must read it meanwhile.
    public func send(_ bytes: some Collection<UInt8>, seconds: Double = 60) throws {
        var rest = Array(bytes)[...]
        let deadline = Date().addingTimeInterval(seconds)
        while !rest.isEmpty {
            let count = rest.prefix(4096).withUnsafeBytes { write(self.master, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                self.read(milliseconds: 5)
            }
            if Date() > deadline {
                throw Failure(
                    description: "\(rest.count) bytes were not taken in \(seconds) s:\n\(self.screen.text)")
            }
        }
    }

    public func resize(width: Int, height: Int) {
        var size = winsize(ws_row: UInt16(height), ws_col: UInt16(width), ws_xpixel: 0, ws_ypixel: 0)
        self.screen.resize(width: width, height: height)
        _ = ioctl(self.master, UInt(TIOCSWINSZ), &size)
    }

    public func send(signal: Int32) { kill(self.processID, signal) }

    /// `true` if the terminal's modes are as they were before the program started.
    public var hasModesOfStart: Bool {
        var now = termios()
        guard tcgetattr(self.slave, &now) == 0 else { return false }
        let before = self.modesAtStart
        return now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag
    }

    /// Closes our end, as a terminal emulator does when it is killed.
    public func hangUp() {
        close(self.slave)
        self.slave = -1
        // The number stays in use, so that nobody else gets it before deinit closes it.
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(null, self.master)
        close(null)
    }

    /// Reads the screen until `condition` holds. Throws with the last screen if it does not in time.
    public func wait(
        _ what: String, seconds: Double = 60, until condition: (VirtualTerminal) -> Bool
    ) throws {
        let deadline = Date().addingTimeInterval(seconds)
        var quietReads = 0
        while true {
            // Reading a screen costs more than waiting for it: an unchanged screen is read again only now and
            // then, for conditions about other things.
            quietReads = self.read(milliseconds: 20) ? 0 : quietReads + 1
            if quietReads % 10 <= 1, condition(self.screen) {
                self.settle()
                return
            }
            if Date() > deadline {
                throw Failure(
                    description: "waited \(seconds) s for \(what); the screen is:\n\(self.screen.text)")
            }
            if self.end != nil {
                self.read(milliseconds: 0)
                if condition(self.screen) { return }
                throw Failure(
                    description:
                        "ended (\(String(describing: self.end))) before \(what):\n\(self.screen.text)")
            }
        }
    }

    public func wait(for text: String, seconds: Double = 60) throws {
        try self.wait("“\(text)”", seconds: seconds) { $0.contains(text) }
    }

    /// Reads the rest of a frame that is being drawn: its last row may contradict its first.
    public func settle() {
        for _ in 0..<20 { if !self.read(milliseconds: 5) { return } }
    }

    /// Waits until the program has ended.
    public func waitForEnd(seconds: Double = 60) throws -> End {
        let deadline = Date().addingTimeInterval(seconds)
        while self.end == nil {
            self.read(milliseconds: 10)
            if Date() > deadline {
                throw Failure(description: "still running after \(seconds) s:\n\(self.screen.text)")
            }
        }
        self.read(milliseconds: 0)
        return self.end!
    }

    /// Waits until the program has stopped (Ctrl-z).
    public func waitForStop(seconds: Double = 60) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while Date() < deadline {
            self.read(milliseconds: 10)
            let status = (try? String(contentsOfFile: "/proc/\(self.processID)/stat", encoding: .utf8)) ?? ""
            if status.split(separator: ")").last?.hasPrefix(" T") == true {
                self.read(milliseconds: 0)
                return
            }
        }
        throw Failure(description: "not stopped after \(seconds) s")
    }

    /// The seconds from typing `text` to the program's next output, or nil if there is none within `limit`.
    public func timeToOutput(after text: String, limit: Double = 2) -> Double? {
        self.read(milliseconds: 0)
        let start = DispatchTime.now().uptimeNanoseconds
        self.type(text)
        var wait = pollfd(fd: self.master, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(limit * 1000)) > 0 else { return nil }
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        self.read(milliseconds: 0)
        return seconds
    }

    /// Reads the available output, after waiting a little for it. Returns `false` if there was none.
    @discardableResult
    public func read(milliseconds: Int32) -> Bool {
        var wait = pollfd(fd: self.master, events: Int16(POLLIN), revents: 0)
        let before = self.bytesRead
        if poll(&wait, 1, milliseconds) > 0 {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = Glibc.read(self.master, &buffer, buffer.count)
                guard count > 0 else { break }
                self.bytesRead += count
                self.tail = Array((self.tail + buffer[..<count]).suffix(65_536))
                self.screen.feed(buffer[..<count])
            }
        }
        let isNew = self.bytesRead > before
        guard self.end == nil else { return isNew }
        var status: Int32 = 0
        if waitpid(self.processID, &status, WNOHANG) == self.processID {
            self.end = status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .signalled(status & 0x7F)
        }
        return isNew
    }
}
