import Foundation

/// Runs a shell on the instance as one more session of the connection that an ssh program shares
/// (`ControlMaster`).
///
/// This avoids starting an ssh program, which alone costs more than the rest of a short question. If no
/// connection is shared, or it takes no more sessions (sshd's `MaxSessions`), `runner` starts the ssh
/// program, which makes a connection of its own.
struct SharedConnection: ProcessRunner {
    let controlPath: String
    let remoteCommand: String
    let runner: any ProcessRunner

    /// Runs the session; without a shared connection runs `command`, whose input is read in both cases.
    func run(
        _ command: ProcessCommand, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        if let session = SharedSession(at: self.controlPath),
            let ending = await self.run(command, in: session, onOutput, onErrorOutput)
        {
            // A program that has not been given its input yet no longer needs any.
            command.laterInput?.give([])
            if Task.isCancelled {
                throw EngineError(.cancelled, .init("running a script on the instance"))
            }
            return ending
        }
        return try await self.runner.run(command, onOutput: onOutput, onErrorOutput: onErrorOutput)
    }

    /// Returns nil if the session was refused.
    private func run(
        _ command: ProcessCommand, in session: SharedSession,
        _ onOutput: @escaping @Sendable ([UInt8]) -> Void,
        _ onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async -> ProcessEnding? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A session may last for hours, which no thread of a shared pool must wait for.
                Thread.detachNewThread {
                    continuation.resume(
                        returning: session.run(
                            self.remoteCommand,
                            onOpened: { _ = Task { session.give(await command.awaitedInput()) } },
                            onOutput: onOutput, onErrorOutput: onErrorOutput))
                }
            }
        } onCancel: {
            session.cancel()
        }
    }
}
