import Foundation

/// Retries a step for as long as somebody waits for it: a hiccup must not leave a billed instance behind, or
/// results on it.
struct Pursuit {
    let context: EngineContext
    /// The time in seconds after which it gives up.
    let patience: Double
    let progress: @Sendable (ActionProgress) -> Void
    /// The failures after which it tries again.
    var isPassing: @Sendable (EngineError) -> Bool = Self.mayPass

    /// Returns how long an end is pursued while somebody waits, in seconds; in a rehearsal cloud the time is
    /// shorter, but never under 12 of our seconds: its instances end in real time.
    static func patience(_ seconds: Double, _ context: EngineContext) -> Double {
        max(min(12, seconds), seconds * min(1, context.configuration.timeScale))
    }

    /// Returns the result of `body` as soon as it succeeds. Throws its last error when the patience is over,
    /// and a permanent error at once.
    func callAsFunction<Value>(
        _ stage: ActionStage, _ words: String, _ body: () async throws(EngineError) -> Value
    ) async throws(EngineError) -> Value {
        let start = ContinuousClock.now
        var pause = 1.0
        while true {
            do throws(EngineError) {
                return try await body()
            } catch {
                let wait = pause * self.context.configuration.timeScale
                guard self.isPassing(error), start.secondsUntilNow + wait < self.patience else { throw error }
                self.progress(ActionProgress(stage, detail: error.detail ?? error.code.rawValue))
            }
            try await self.context.pause(pause, words)
            pause = min(10, pause * 1.5)
        }
    }

    /// True if the same request may succeed in a while.
    static func mayPass(_ error: EngineError) -> Bool {
        switch error.code {
        case .networkDown, .platformFailed, .badResponse, .rateLimited, .timedOut, .unauthorized,
            .missingPermission, .unreachable, .sshRefused, .downloadFailed:
            true
        default: false
        }
    }
}
