import Glibc

/// The frequency limit of one endpoint: `calls` in every `period`.
package struct RateLimit: Hashable, Sendable {
    /// Calls of the same name share the limit.
    package var name: String
    package var calls: Int
    package var period: Duration

    package init(_ name: String, calls: Int = 1, per period: Duration) {
        self.name = name
        self.calls = calls
        self.period = period
    }
}

/// The clock used for pacing; tests substitute their own.
package struct PacingClock: Sendable {
    /// The time since any fixed moment.
    package var now: @Sendable () -> Duration
    package var sleep: @Sendable (Duration) async throws -> Void

    package init(
        now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// The time since this machine was started, which is the same for all programs on it.
    package static let continuous = PacingClock(
        now: {
            var time = timespec()
            clock_gettime(CLOCK_BOOTTIME, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }, sleep: { try await Task.sleep(for: $0) })
}

/// Keeps calls within the published limits before a server has to refuse any, and holds back from an endpoint
/// that has.
///
/// One pacer serves all callers of one account, since the platforms count per account and endpoint.
/// Calls of other programs count as well, as recorded by `SharedPace`.
package actor RequestPacer {
    private let scale: Double
    private let clock: PacingClock
    private let shared: SharedPace?
    /// Starts of the latest calls under each name, oldest first; some lie in the future.
    private var starts: [String: [Duration]] = [:]
    private var closedUntil: [String: Duration] = [:]

    /// - Parameters:
    ///   - scale: factor on the limits' periods; 0 never makes anyone wait for a limit. A back-off that a
    ///     server requested is kept whatever the scale.
    ///   - clock: with `shared`, a clock that is the same for all programs.
    ///   - shared: the calls of other programs; nil counts only ours.
    package init(scale: Double = 1, clock: PacingClock = .continuous, shared: SharedPace? = nil) {
        self.scale = scale
        self.clock = clock
        self.shared = shared
    }

    /// Returns nil when a call under `limit` may start. Callers are served in the order in which they asked.
    ///
    /// If that would take longer than `patience`, immediately returns how long it would take: a server that
    /// asks for an hour's pause is an error to show, not a silence.
    package func waitForTurn(
        _ limit: RateLimit, patience: Duration
    ) async throws(CancellationError) -> Duration? {
        let now = self.clock.now()
        let others = self.shared?.closedUntil(limit, at: now) ?? .zero
        let closed = max(self.closedUntil[limit.name] ?? .zero, others) - now
        guard closed <= patience else { return closed }
        var turn = self.reserve(limit)
        while true {
            let now = self.clock.now()
            let wait = turn - now
            guard wait > .zero else {
                // The call is claimed only when it is due, so that a program that is killed while it waits
                // keeps nobody waiting.
                guard let next = self.shared?.claim(limit, scale: self.scale, at: now) else { return nil }
                guard next - now <= patience else { return next - now }
                turn = next
                continue
            }
            do {
                try await self.clock.sleep(wait)
            } catch {
                throw CancellationError()
            }
            // The endpoint may have been closed, or closed for longer, while this caller slept.
            turn = self.closedUntil[limit.name] ?? .zero
        }
    }

    /// Holds back every call under `limit` for `delay`: the server has said that there were too many.
    package func close(_ limit: RateLimit, for delay: Duration) {
        let until = self.clock.now() + delay
        self.closedUntil[limit.name] = max(self.closedUntil[limit.name] ?? .zero, until)
        self.shared?.close(limit, until: until, at: self.clock.now())
    }

    private func reserve(_ limit: RateLimit) -> Duration {
        var turn = max(self.clock.now(), self.closedUntil[limit.name] ?? .zero)
        var starts = self.starts[limit.name] ?? []
        if starts.count >= limit.calls { turn = max(turn, starts[0] + limit.period * self.scale) }
        starts.append(turn)
        self.starts[limit.name] = starts.suffix(limit.calls)
        return turn
    }
}
