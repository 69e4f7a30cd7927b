import Synchronization

@testable import VPEngine

/// Runs and remembers.
final class RecordingRunner: ProcessRunner {
    private let recorded = Mutex<[ProcessCommand]>([])

    var commands: [ProcessCommand] { self.recorded.withLock(\.self) }

    func forget() { self.recorded.withLock { $0 = [] } }

    func run(
        _ command: ProcessCommand, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        self.recorded.withLock { $0.append(command) }
        return try await SystemProcessRunner().run(command, onOutput: onOutput, onErrorOutput: onErrorOutput)
    }
}
