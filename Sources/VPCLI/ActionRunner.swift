import Foundation
import Glibc
import Synchronization
import VPEngine

/// Starts engine actions through an `ActionQueue` and shows their reports, until they end or Ctrl-C comes.
struct ActionRunner {
    /// The end of an action from the point of view of `vp`.
    enum Ending {
        case succeeded(ActionResult)
        case failed(EngineError)
        /// Ended by Ctrl-C or another signal; the instance is the newest one that the action reported.
        case interrupted(Instance?, Job?)
    }

    /// The signal that told `vp` to end. Only Ctrl-C leaves somebody to ask:
    /// after the others the terminal is gone, or a program sent the signal.
    final class Interruption: Sendable {
        private let number = Mutex<Int32?>(nil)
        /// Cancels the work between two actions.
        private let breakOff = Mutex<(@Sendable () -> Void)?>(nil)

        /// The first signal that came, or the last one other than Ctrl-C.
        var signal: Int32? { self.number.withLock(\.self) }

        /// Whether vp may ask the user at the terminal how to go on.
        var mayAsk: Bool { self.signal.map { $0 == SIGINT } ?? true }

        /// Watches signals from now on, for the time between actions.
        func watch() -> SignalWatch {
            SignalWatch([SIGINT, SIGTERM, SIGHUP]) { number in
                self.note(number)
                Terminal.note("vp: \(self.words); stopping…")
                self.breakOff.withLock(\.self)?()
            }
        }

        /// Returns the value of `body`. A signal cancels it, and `ExitStatus` is thrown.
        func orEnd<Value: Sendable>(
            _ body: @escaping @Sendable () async throws -> Value
        ) async throws -> Value {
            let work = Task { try await body() }
            self.breakOff.withLock { $0 = { work.cancel() } }
            defer { self.breakOff.withLock { $0 = nil } }
            if self.signal != nil { work.cancel() }
            do {
                return try await work.value
            } catch {
                if self.signal != nil { throw ExitStatus(status: self.exitStatus) }
                throw error
            }
        }

        var words: String {
            switch self.signal {
            case SIGTERM: "terminated"
            case SIGHUP: "the terminal was closed"
            default: "interrupted"
            }
        }

        var exitStatus: Int32 { 128 + (self.signal ?? SIGINT) }

        func note(_ signal: Int32) {
            self.number.withLock { number in if number == nil || signal != SIGINT { number = signal } }
        }

        /// Forgets the signal, after the user has chosen to continue.
        func forget() { self.number.withLock { $0 = nil } }
    }

    let engine: Engine
    let session: Session
    /// Whether job output goes to stdout. `false` if stdout is for an answer of another kind.
    var showsOutput = true
    /// The offsets in the job's logs from which output is printed; earlier output has been shown already.
    var outputStarts: [JobStream: Int64] = [:]
    /// The followed job, if it is known before the action reports it: Ctrl-C may come first.
    var followed: Job?
    /// Whether Ctrl-C asks about the job. `vp logs --follow` leaves without a question.
    var asksOnInterrupt = true
    /// A signal that arrived before this action; it ends the action as it begins.
    var earlier: Interruption?
    /// Whether a job with a terminal gets the local keyboard.
    var lendsKeyboard = true
    let interruption = Interruption()

    func perform(_ action: EngineAction) async -> Ending {
        let inbox = ActionInbox()
        let signals = SignalWatch([SIGINT, SIGTERM, SIGHUP]) { [interruption] number in
            interruption.note(number)
            inbox.post(.interrupted)
        }
        defer { signals.end() }
        if let number = self.earlier?.signal {
            self.interruption.note(number)
            inbox.post(.interrupted)
        }
        let queue = ActionQueue(engine: self.engine) { inbox.post($0) }
        let id = ActionID()
        await queue.start(action, as: id)

        let progress = ProgressDisplay(session: self.session, action: action)
        let ticker = Task { [canRedraw = self.session.terminal.canRedraw] in
            while canRedraw, !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                inbox.post(.ticked)
            }
        }
        defer { ticker.cancel() }

        let keyboard = Keyboard(engine: self.engine)
        defer { keyboard.disconnect() }
        var printer = OutputPrinter(engine: self.engine, starts: self.outputStarts)
        var instance: Instance?
        var job = self.followed
        var wasInterrupted = false
        // Output proves that the job runs; the report of that comes on another pipe, perhaps later.
        var hasOutput = false
        func isFollowed() -> Bool {
            guard let job, !job.state.isOver else { return false }
            return hasOutput || job.startedAt != nil || job.record?.connection != nil
        }
        for await message in inbox.messages {
            switch message {
            case .ticked: progress.redraw()
            case .output(let id, let stream):
                if id == job?.id { hasOutput = true }
                guard self.showsOutput else { break }
                let upTo = inbox.takeOutput(of: id, stream)
                progress.hide()
                printer.print(id, stream, upTo: upTo)
            case .overdue: return .interrupted(instance, job)
            case .interrupted:
                progress.hide()
                // A second Ctrl-C does not wait for processes that end slowly.
                if wasInterrupted { return .interrupted(instance, job) }
                if self.asksOnInterrupt, let running = job, isFollowed(),
                    self.session.terminal.canAsk, self.interruption.mayAsk, !keyboard.isConnected
                {
                    printer.endLine(on: self.session.terminal)
                    switch DetachMenu.ask(until: { [interruption] in !interruption.mayAsk }) {
                    case .keepWatching:
                        self.interruption.forget()
                        continue
                    case .stop:
                        self.interruption.forget()
                        Terminal.note("vp: stopping \(running.id)…")
                        await queue.start(
                            .cancel(running.id, on: running.instance, CancelRequest()), as: ActionID())
                        continue
                    case .detach: break
                    }
                }
                wasInterrupted = true
                keyboard.disconnect()
                if !isFollowed() {
                    Terminal.note("vp: \(self.interruption.words); stopping \(action.verb)…")
                }
                await queue.cancel(id)
                // Started processes have been told to end; vp waits for them only briefly.
                if isFollowed() {
                    Task {
                        try? await Task.sleep(for: .milliseconds(50))
                        inbox.post(.overdue)
                    }
                }
            case .event(.progress(id, let stage)):
                // If the command's output ends without a line feed, its last line stays on the screen.
                if stage.stage != .running { printer.endLine(on: self.session.terminal) }
                progress.show(stage)
            case .event(.alarm(let alarm)):
                progress.hide()
                self.session.warn([alarm.words])
            case .event(.notice(let text)):
                progress.hide()
                self.session.warn([text])
            case .event(.instanceChanged(let changed)): instance = changed
            // The candidate failed and was destroyed, so no question about it remains.
            case .event(.instanceGone(let gone)): if gone == instance?.id { instance = nil }
            case .event(.jobChanged(let changed)):
                job = changed
                progress.jobChanged(changed)
                if changed.state.isOver { keyboard.disconnect() }
                if self.lendsKeyboard, changed.state == .running, changed.record?.hasKeyboard == true,
                    self.session.terminal.canAsk, self.session.terminal.outputIsTTY
                {
                    progress.hide()
                    keyboard.connect(to: changed) { inbox.post(.interrupted) }
                }
            case .event(.finished(let other, .failed(let error))) where other != id:
                // Stopping the job failed; vp still follows it.
                progress.hide()
                Report.show(error, asJSON: false, terminal: self.session.terminal)
            case .event(.finished(id, let outcome)):
                progress.end(outcome)
                printer.endLine(on: self.session.terminal)
                switch outcome {
                case .succeeded(let result): return .succeeded(result)
                case .failed where wasInterrupted: return .interrupted(instance, job)
                case .failed(let error): return .failed(error)
                case .cancelled: return .interrupted(instance, job)
                }
            case .event: break
            }
        }
        return .interrupted(instance, job)
    }

    /// Performs an action that needs no cleanup after Ctrl-C.
    func result(of action: EngineAction) async throws -> ActionResult {
        switch await self.perform(action) {
        case .succeeded(let result): return result
        case .failed(let error): throw error
        case .interrupted:
            Terminal.note("vp: \(action.verb) was interrupted.")
            throw ExitStatus(status: self.interruption.exitStatus)
        }
    }
}

/// The messages for the printing loop, in order.
final class ActionInbox: Sendable {
    enum Message: Sendable {
        case event(EngineEvent)
        /// The job has more output; `takeOutput` returns its end.
        case output(JobID, JobStream)
        case interrupted
        case ticked
        /// The cancelled action has had its time to end.
        case overdue
    }

    let messages: AsyncStream<Message>
    private let continuation: AsyncStream<Message>.Continuation
    // The inbox keeps offsets instead of bytes: if the reader of stdout is slow,
    // the output waits in the job's log on disk and not in memory.
    private let outputs = Mutex<[Output: Int64]>([:])

    private struct Output: Hashable {
        var job: JobID
        var stream: JobStream
    }

    init() {
        (self.messages, self.continuation) = AsyncStream.makeStream()
    }

    func post(_ event: EngineEvent) {
        switch event {
        case .jobOutput(let job, let offset, let bytes):
            self.post(Output(job: job, stream: .log), upTo: offset + Int64(bytes.count))
        case .jobErrors(let job, let offset, let bytes):
            self.post(Output(job: job, stream: .errors), upTo: offset + Int64(bytes.count))
        default: self.continuation.yield(.event(event))
        }
    }

    private func post(_ output: Output, upTo end: Int64) {
        let isFirst = self.outputs.withLock { outputs in
            defer { outputs[output] = end }
            return outputs[output] == nil
        }
        if isFirst { self.continuation.yield(.output(output.job, output.stream)) }
    }

    func post(_ message: Message) { self.continuation.yield(message) }

    func takeOutput(of job: JobID, _ stream: JobStream) -> Int64 {
        self.outputs.withLock { $0.removeValue(forKey: Output(job: job, stream: stream)) } ?? 0
    }
}

/// Copies a job's local logs to stdout and stderr, byte for byte and without delay.
struct OutputPrinter {
    let engine: Engine
    private var printed: [JobStream: Int64]
    private var isWithinLine = false

    /// A printer for the logs of one job, beginning at the offsets `starts`.
    init(engine: Engine, starts: [JobStream: Int64]) {
        self.engine = engine
        self.printed = starts
    }

    mutating func print(_ job: JobID, _ stream: JobStream, upTo end: Int64) {
        var offset = self.printed[stream] ?? 0
        while offset < end {
            let limit = Int(min(end - offset, 1 << 18))
            guard let bytes = try? self.engine.readLog(job, stream, from: offset, limit: limit),
                !bytes.isEmpty
            else { break }
            if !Terminal.write(bytes, to: stream == .log ? STDOUT_FILENO : STDERR_FILENO) {
                Terminal.noteFailure(errno)
            }
            self.isWithinLine = bytes.last != UInt8(ascii: "\n")
            offset += Int64(bytes.count)
        }
        self.printed[stream] = offset
    }

    /// Begins a new line if the last output on the terminal ended within a line.
    mutating func endLine(on terminal: Terminal) {
        guard self.isWithinLine else { return }
        self.isWithinLine = false
        if terminal.outputIsTTY, terminal.errorIsTTY { Terminal.note("") }
    }
}
