import Synchronization

@testable import VPEngine

/// Runs programs, and lets some of one name fail as those do whose connection is cut.
final class CutRunner: ProcessRunner {
    private let state = Mutex<(program: String, left: Int)>(("", 0))

    /// How many are still to fail.
    var left: Int { self.state.withLock(\.left) }

    /// The next `count` runs of `program` fail.
    func cut(_ program: String, times count: Int) { self.state.withLock { $0 = (program, count) } }

    func run(
        _ command: ProcessCommand, onOutput: @escaping @Sendable ([UInt8]) -> Void,
        onErrorOutput: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(EngineError) -> ProcessEnding {
        let isCut = self.state.withLock { state in
            guard command.program == state.program, state.left > 0 else { return false }
            state.left -= 1
            return true
        }
        guard isCut else {
            return try await SystemProcessRunner().run(
                command, onOutput: onOutput, onErrorOutput: onErrorOutput)
        }
        onErrorOutput(Array("ssh: connect to host 127.0.0.1: Connection refused\n".utf8))
        return .exited(255)
    }
}
