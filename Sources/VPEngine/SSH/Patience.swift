import Synchronization

/// The time limits for an instance: a program there may never say anything again, and never end.
package struct Patience: Hashable, Sendable {
    /// The limit for a list of the files there, and for the first byte of an archive that has to be made
    /// first.
    package var listing = Duration.seconds(600)
    /// The limit for a script whose answer is read to its end.
    package var script = Duration.seconds(3600)
    /// The limit between two signs of life of a transfer.
    package var silence = Duration.seconds(60)

    package init() {}

    /// Uses the same limit for all.
    package init(_ time: Duration) {
        (self.listing, self.script, self.silence) = (time, time, time)
    }

    /// The silence in whole seconds, at least one, as other programs take it.
    var silentSeconds: Int64 { max(1, self.silence.components.seconds) }
}

/// The time of the last sign of life.
private final class Pulse: Sendable {
    private let state = Mutex(ContinuousClock.now)

    var last: ContinuousClock.Instant { self.state.withLock(\.self) }

    func beat() { self.state.withLock { $0 = .now } }
}

/// Ends a program that has been silent for too long.
struct StallLimit: Hashable, Sendable {
    let time: Duration

    /// Runs `program`, which calls `alive` whenever data has arrived.
    ///
    /// A program that has not called it for `time` is cancelled: `.unreachable`, since the connection may be
    /// at fault.
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
                    // The sleep is cancelled when the program has ended.
                    guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return nil }
                }
                return .failure(
                    EngineError(
                        .unreachable, activity,
                        detail: "no data has arrived for \(time.components.seconds) s"))
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
