import Synchronization

/// How long an instance is waited for: a program there may never say anything again, and never end.
package struct Patience: Hashable, Sendable {
    /// For a list of the files there, and for the first byte of an archive that has to be made first.
    package var listing = Duration.seconds(600)
    /// For a script whose answer is read to its end.
    package var script = Duration.seconds(3600)
    /// Between two signs of life of a transfer.
    package var silence = Duration.seconds(60)

    package init() {}

    /// The same for all.
    package init(_ time: Duration) {
        (self.listing, self.script, self.silence) = (time, time, time)
    }

    /// Whole seconds, at least one, as other programs take them.
    var silentSeconds: Int64 { max(1, self.silence.components.seconds) }
}

/// When something came for the last time.
private final class Pulse: Sendable {
    private let state = Mutex(ContinuousClock.now)

    var last: ContinuousClock.Instant { self.state.withLock(\.self) }

    func beat() { self.state.withLock { $0 = .now } }
}

/// Ends what has been silent for too long.
struct StallLimit: Hashable, Sendable {
    let time: Duration

    /// Runs `program`, which calls `alive` whenever something has come.
    ///
    /// One that has not done so for `time` is cancelled: `.unreachable`,
    /// since the connection may be what is at fault.
    func watch<Value: Sendable>(
        _ activity: EngineError.Activity,
        _ program:
            @escaping @Sendable (_ alive: @escaping @Sendable () -> Void) async throws(EngineError) ->
            Value
    ) async throws(EngineError) -> Value {
        let pulse = Pulse()
        let time = self.time
        let result = await withTaskGroup(of: Result<Value, EngineError>?.self) { group in
            group.addTask {
                do throws(EngineError) {
                    return .success(try await program { pulse.beat() })
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                while true {
                    let end = pulse.last.advanced(by: time)
                    guard end > .now else { break }
                    // Cancelled, since the program has ended.
                    guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return nil }
                }
                return .failure(
                    EngineError(
                        .unreachable, activity,
                        detail: "nothing has come through for \(time.components.seconds) s"))
            }
            defer { group.cancelAll() }
            while let result = await group.next() {
                if let result { return result }
            }
            return .failure(EngineError(.cancelled, activity))
        }
        return try result.get()
    }
}
