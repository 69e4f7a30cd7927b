import Foundation
import Synchronization

extension RemoteScan {
    /// The maximum size of a listing that is read: a machine that never stops sending must not use up all
    /// memory here.
    package enum Limit {
        /// Two million files.
        package static let rows = 2_000_000
        /// In bytes.
        package static let bytes = 192_000_000

        static let words =
            "the workspace on the instance has more than \(rows) files, which is the limit; move some out of it"
    }

    var activity: EngineError.Activity {
        EngineError.Activity(
            "listing files on the instance", platform: self.shell.target.instance.platform,
            subject: self.shell.target.instance.rawValue)
    }

    /// Runs a script that prints a listing, and aborts it if it grows longer, or takes longer, than a listing
    /// can.
    func run(_ script: String) async throws(EngineError) -> ProcessResult {
        let collector = ListingCollector()
        let errors = ListingCollector()
        let shell = self.shell
        let reading = Task { () -> Result<ProcessEnding, EngineError> in
            do throws(EngineError) {
                return .success(
                    try await shell.stream(
                        script, onOutput: { collector.append($0) }, onErrorOutput: { errors.append($0) }))
            } catch {
                return .failure(error)
            }
        }
        collector.whenFull { reading.cancel() }
        errors.whenFull { reading.cancel() }
        let deadline = self.deadline
        let timer = Task {
            guard (try? await Task.sleep(for: deadline)) != nil else { return }
            collector.end(.late)
            reading.cancel()
        }
        let answer = await withTaskCancellationHandler {
            await reading.value
        } onCancel: {
            reading.cancel()
        }
        timer.cancel()
        if let excess = collector.excess ?? errors.excess {
            throw EngineError(.downloadFailed, self.activity, detail: excess.words(deadline))
        }
        let result = ProcessResult(
            ending: try answer.get(), output: collector.take(), errorOutput: errors.take())
        switch result.ending {
        case .exited(RemoteShell.sshFailure), .signalled: throw shell.connectionError(result.errorOutput)
        case .exited: return result
        }
    }
}

/// Collects a listing from callbacks on any thread, and stops at the limits of a listing.
private final class ListingCollector: Sendable {
    enum Excess {
        case rows, bytes, late

        func words(_ deadline: Duration) -> String {
            switch self {
            case .rows: RemoteScan.Limit.words
            case .bytes:
                "the list of its files is longer than \(ByteCount.text(Int64(RemoteScan.Limit.bytes))), which is the limit"
            case .late: "the list of its files was not complete within \(deadline.components.seconds) s"
            }
        }
    }

    private struct State {
        var bytes: [UInt8] = []
        var rows = 0
        var excess: Excess?
        var whenFull: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var excess: Excess? { self.state.withLock { $0.excess } }

    func take() -> [UInt8] {
        self.state.withLock { state in
            defer { state.bytes = [] }
            return state.bytes
        }
    }

    /// Calls `action` once a limit is exceeded, immediately if one already is.
    func whenFull(_ action: @escaping @Sendable () -> Void) {
        let isFull = self.state.withLock { state in
            state.whenFull = action
            return state.excess != nil
        }
        if isFull { action() }
    }

    func end(_ excess: Excess) {
        self.state.withLock { state in
            state.excess = state.excess ?? excess
            state.bytes = []
        }
    }

    func append(_ bytes: [UInt8]) {
        let action = self.state.withLock { state -> (@Sendable () -> Void)? in
            guard state.excess == nil else { return nil }
            // A link has two records, so that each record counts as at least half a row.
            for byte in bytes where byte == 0 || byte == 0x0a { state.rows += 1 }
            if state.rows > 2 * RemoteScan.Limit.rows { state.excess = .rows }
            if state.bytes.count + bytes.count > RemoteScan.Limit.bytes { state.excess = .bytes }
            guard state.excess == nil else {
                state.bytes = []
                return state.whenFull
            }
            state.bytes.append(contentsOf: bytes)
            return nil
        }
        action?()
    }
}
