import Synchronization

/// Ends a transfer that brings more bytes than allowed.
final class VolumeGuard: Sendable {
    private struct State {
        var isOver = false
        var whenOver: (@Sendable () -> Void)?
    }

    private let limit: Int64
    private let state = Mutex(State())

    /// - Parameter limit: the maximum, in bytes.
    init(limit: Int64) { self.limit = limit }

    /// Records that `bytes` have arrived so far.
    func note(_ bytes: Int64) {
        guard bytes > self.limit else { return }
        let action = self.state.withLock { state in
            state.isOver = true
            return state.whenOver
        }
        action?()
    }

    /// Runs `transfer` and returns its result; nil if it was ended because it brought too much.
    func watch(
        _ transfer: @escaping @Sendable () async throws(EngineError) -> ProcessEnding
    ) async throws(EngineError) -> ProcessEnding? {
        let running = Task { () -> Result<ProcessEnding, EngineError> in
            do throws(EngineError) {
                return .success(try await transfer())
            } catch {
                return .failure(error)
            }
        }
        let isOver = self.state.withLock { state in
            state.whenOver = { running.cancel() }
            return state.isOver
        }
        if isOver { running.cancel() }
        let result = await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            running.cancel()
        }
        return self.state.withLock(\.isOver) ? nil : try result.get()
    }
}
