import Foundation

/// Repeats a part of an end that was asked for, for as long as somebody waits for it:
/// a hiccup must not leave a paid instance behind.
struct Pursuit {
    let context: EngineContext
    /// Seconds after which it is given up.
    let patience: Double
    let progress: @Sendable (ActionProgress) -> Void

    /// How long an end is pursued while somebody waits, in seconds; a rehearsal cloud's are shorter,
    /// and never under a few of ours.
    static func patience(_ seconds: Double, _ context: EngineContext) -> Double {
        max(min(5, seconds), seconds * min(1, context.configuration.timeScale))
    }

    /// What `body` gives, as soon as it gives something. Throws its last error when the patience is over,
    /// and at once one that will not pass.
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
                guard Self.mayPass(error), start.secondsUntilNow + wait < self.patience else { throw error }
                self.progress(ActionProgress(stage, detail: error.detail ?? error.code.rawValue))
            }
            try await self.context.pause(pause, words)
            pause = min(10, pause * 1.5)
        }
    }

    /// Whether the same question may be answered in a while.
    static func mayPass(_ error: EngineError) -> Bool {
        switch error.code {
        case .networkDown, .platformFailed, .badResponse, .rateLimited, .timedOut, .unauthorized,
            .missingPermission, .unreachable, .sshRefused, .downloadFailed:
            true
        default: false
        }
    }
}
