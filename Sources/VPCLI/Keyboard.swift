import Foundation
import Glibc
import Synchronization
import VPEngine

/// Connects the local keyboard to a job's terminal (`-t`): every key goes to the job, Ctrl-C too,
/// and its terminal has the size of the local one. Ctrl-P Ctrl-Q disconnects, as in docker.
final class Keyboard: Sendable {
    static let explanation = "vp: the keyboard is connected to the job. Ctrl-P Ctrl-Q detaches."

    private struct State {
        var modes: TerminalModes?
        var sender: Sender?
        var sizes: SignalWatch?
    }

    private let engine: Engine
    private let state = Mutex(State())
    private let bell: (ring: Int32, push: Int32)

    init(engine: Engine) {
        self.engine = engine
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        self.bell = (ends[0], ends[1])
    }

    deinit {
        close(self.bell.ring)
        close(self.bell.push)
    }

    var isConnected: Bool { self.state.withLock { $0.modes != nil } }

    /// Connects the keyboard to `job`, once. `onDetach` is called when Ctrl-P Ctrl-Q was typed.
    func connect(to job: Job, onDetach: @escaping @Sendable () -> Void) {
        guard !self.isConnected else { return }
        let modes = TerminalModes { modes in
            let output = modes.c_oflag
            cfmakeraw(&modes)
            // Messages of vp still need their carriage returns.
            modes.c_oflag = output
        }
        guard let modes else { return }
        Terminal.note(Self.explanation)
        let sender = Sender(engine: self.engine, job: job)
        let sizes = SignalWatch([SIGWINCH]) { _ in sender.resize() }
        self.state.withLock { $0 = State(modes: modes, sender: sender, sizes: sizes) }
        sender.resize()
        let ring = self.bell.ring
        Thread.detachNewThread { Self.read(until: ring, into: sender, onDetach) }
    }

    /// Takes the keyboard back.
    func disconnect() {
        let state = self.state.withLock { state in
            defer { state = State() }
            return state
        }
        guard let modes = state.modes else { return }
        state.sizes?.end()
        var byte: UInt8 = 0
        _ = write(self.bell.push, &byte, 1)
        state.sender?.end()
        modes.restore()
    }

    private static func read(until ring: Int32, into sender: Sender, _ onDetach: () -> Void) {
        var keys = DetachKeys()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var waits = [
                pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ring, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, 2, -1) >= 0 || errno == EINTR else { return }
            if waits[1].revents != 0 { return }
            guard waits[0].revents != 0 else { continue }
            let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            // The terminal went away; SIGHUP does the rest.
            guard count > 0 else { return }
            let (typed, isDetaching) = keys.take(buffer[..<count])
            sender.type(typed)
            if isDetaching { return onDetach() }
        }
    }
}

/// Finds Ctrl-P Ctrl-Q in the typed keys. A Ctrl-P alone is passed on with the key that follows it.
struct DetachKeys {
    private var isPending = false

    /// Returns the keys of `bytes` for the job, and whether Ctrl-P Ctrl-Q was among them.
    mutating func take(_ bytes: some Sequence<UInt8>) -> (typed: [UInt8], isDetaching: Bool) {
        var typed: [UInt8] = []
        for byte in bytes {
            if self.isPending, byte == 17 { return (typed, true) }
            if self.isPending { typed.append(16) }
            self.isPending = byte == 16
            if !self.isPending { typed.append(byte) }
        }
        return (typed, false)
    }
}

/// Types on a job's terminal, over one lasting ssh session that is reopened if it breaks.
private final class Sender: Sendable {
    private struct State {
        var pending: [UInt8] = []
        var isOver = false
        var input: FileHandle?
        var process: Process?
    }

    private let engine: Engine
    private let instance: InstanceID
    private let script: JobScript
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "keyboard")

    init(engine: Engine, job: Job) {
        self.engine = engine
        self.instance = job.instance
        self.script = JobScript(existing: job)
        Task { await self.open() }
    }

    func type(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let input: FileHandle? = self.state.withLock { state in
            if state.process?.isRunning == true, let input = state.input { return input }
            // Kept until the session is open.
            if state.pending.count < 65_536 { state.pending += bytes }
            return nil
        }
        guard let input else {
            Task { await self.open() }
            return
        }
        self.queue.async { try? input.write(contentsOf: Data(bytes)) }
    }

    func resize() {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return }
        let text = self.script.resizing(columns: Int(size.ws_col), rows: Int(size.ws_row))
        Task {
            guard let shell = try? await self.engine.context.shell(for: self.instance) else { return }
            _ = try? await shell.run(text + "\n")
        }
    }

    func end() {
        self.queue.async {
            let (input, process) = self.state.withLock { state in
                state.isOver = true
                return (state.input, state.process)
            }
            try? input?.close()
            process?.terminate()
        }
    }

    private func open() async {
        guard let shell = try? await self.engine.context.shell(for: self.instance),
            let words = try? shell.words(running: self.script.typing)
        else { return }
        self.queue.async {
            self.state.withLock { state in
                guard !state.isOver, state.process?.isRunning != true else { return }
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                process.arguments = words
                process.environment = shell.environment
                let pipe = Pipe()
                process.standardInput = pipe
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                guard (try? process.run()) != nil else { return }
                state.process = process
                state.input = pipe.fileHandleForWriting
                try? pipe.fileHandleForWriting.write(contentsOf: Data(state.pending))
                state.pending = []
            }
        }
    }
}
