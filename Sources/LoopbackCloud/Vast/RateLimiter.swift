import Synchronization

/// The platform's limits: a minimum pause between calls of one kind by one caller; for searches, a number of
/// calls per minute.
///
/// The published seconds are divided by the cloud's speed, so that a demo is quick while a client that does
/// not keep the pauses is still refused; the refusal names the pause in force.
final class RateLimiter: Sendable {
    private struct Caller: Hashable {
        let endpoint: VastEndpoint
        let identity: String
    }

    private let speed: Double
    private let past = Mutex<[Caller: [Double]]>([:])

    init(speed: Double) { self.speed = speed }

    /// nil if the call may pass; else the pause between calls that was not kept, in seconds.
    func refusal(of endpoint: VastEndpoint, by identity: String, at now: Double) -> Double? {
        let threshold = endpoint.threshold / self.speed
        guard threshold > 0 else { return nil }
        let caller = Caller(endpoint: endpoint, identity: identity)
        return self.past.withLock { past in
            let isCounted = endpoint == .search
            let window = isCounted ? threshold * 10 : threshold
            var calls = past[caller, default: []].filter { now - $0 < window }
            defer { past[caller] = calls }
            guard calls.count < (isCounted ? 10 : 1) else { return threshold }
            calls.append(now)
            return nil
        }
    }
}

/// The kinds of calls that are limited separately.
enum VastEndpoint: Hashable {
    case search, rent, launch, list, show, order, reboot, destroy, bid, keys, detachKey, command, deposit
    case invoices, volumes, copy, unlimited

    /// The published seconds between calls. Searches are limited to ten a minute instead.
    var threshold: Double {
        switch self {
        case .search: 6
        case .rent: 4.5
        case .launch: 5
        case .list, .order, .reboot, .keys: 1
        case .show, .detachKey: 2
        case .destroy, .deposit, .invoices: 3
        case .bid, .volumes: 5.5
        case .command: 1.5
        case .copy: 3.5
        case .unlimited: 0
        }
    }
}
