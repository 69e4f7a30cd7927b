import Synchronization

/// An ssh session in which a shell waits for its script.
///
/// Opening a session and giving it a script cost a round trip each. If it is opened during another wait, only
/// the script has to travel. An abandoned session gets an empty script, and ends.
final class OpenedSession: Sendable {
    private typealias Sink = @Sendable ([UInt8]) -> Void

    private struct Relay: Sendable {
        var onOutput: Sink?
        var onErrorOutput: Sink?
        /// ssh's error output before anybody listened.
        var earlyErrorOutput: [UInt8] = []
        /// True if its login printed something, which nobody wanted.
        var hasEarlyOutput = false
        var isOver = false
    }

    /// The state that the process shares with this object: the process must not keep this object alive.
    private final class Shared: Sendable {
        let relay = Mutex(Relay())
    }

    private let shared: Shared
    private let input: PendingInput
    private let process: Task<Result<ProcessEnding, EngineError>, Never>

    init(_ command: ProcessCommand, runner: any ProcessRunner) {
        let shared = Shared()
        let input = PendingInput()
        var command = command
        command.laterInput = input
        self.shared = shared
        self.input = input
        self.process = Task { [command] in
            let result: Result<ProcessEnding, EngineError>
            do throws(EngineError) {
                result = .success(
                    try await runner.run(
                        command,
                        onOutput: { bytes in
                            let sink = shared.relay.withLock { relay in
                                if relay.onOutput == nil { relay.hasEarlyOutput = true }
                                return relay.onOutput
                            }
                            sink?(bytes)
                        },
                        onErrorOutput: { bytes in
                            let sink = shared.relay.withLock { relay in
                                if relay.onErrorOutput == nil {
                                    let room = ByteCollector.wordsLimit - relay.earlyErrorOutput.count
                                    relay.earlyErrorOutput += bytes.prefix(max(0, room))
                                }
                                return relay.onErrorOutput
                            }
                            sink?(bytes)
                        }))
            } catch {
                result = .failure(error)
            }
            shared.relay.withLock { $0.isOver = true }
            return result
        }
    }

    deinit { self.input.give([]) }

    /// True if ssh ended before it got a script: the connection did not last.
    var isOver: Bool { self.shared.relay.withLock(\.isOver) }

    /// True if the login printed something before the script was given.
    var hasEarlyOutput: Bool { self.shared.relay.withLock(\.hasEarlyOutput) }

    /// Runs `script`, once, to its end.
    func run(
        _ script: [UInt8], onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        let early = self.shared.relay.withLock { relay in
            relay.onOutput = onOutput
            relay.onErrorOutput = onErrorOutput
            return relay.earlyErrorOutput
        }
        if !early.isEmpty { onErrorOutput(early) }
        self.input.give(script)
        return try await withTaskCancellationHandler {
            await self.process.value
        } onCancel: {
            self.process.cancel()
        }.get()
    }
}

/// The sessions of one connection that wait for scripts.
final class OpenedSessions: Sendable {
    private let sessions = Mutex<[OpenedSession]>([])

    /// Opens as many sessions as are missing to `count`.
    func fill(to count: Int, opening open: () -> OpenedSession) {
        self.sessions.withLock { sessions in
            sessions.removeAll(where: \.isOver)
            while sessions.count < count { sessions.append(open()) }
        }
    }

    func take() -> OpenedSession? {
        self.sessions.withLock { sessions in
            sessions.removeAll(where: \.isOver)
            return sessions.isEmpty ? nil : sessions.removeFirst()
        }
    }

    func removeAll() { self.sessions.withLock { $0 = [] } }
}
