import Foundation
import Synchronization

/// The rate limits of one account: calls in a minute, an hour, a day.
///
/// The windows are shortened by the cloud's speed, like all its clocks, and the headers give their real
/// lengths.
final class RunPodLimiter: Sendable {
    private struct Window {
        let name: String
        let quota: Int
        let seconds: Double
        var began = 0.0
        var used = 0
    }

    private let windows: Mutex<[Window]>

    init(speed: Double) {
        self.windows = Mutex([
            Window(name: "minute", quota: 60, seconds: 60 / speed),
            Window(name: "hour", quota: 3000, seconds: 3600 / speed),
            Window(name: "day", quota: 50_000, seconds: 86_400 / speed),
        ])
    }

    /// The rate limit headers of every answer, and the refusal if this call exceeds a limit.
    func admit(at now: Double) -> (headers: [String: String], refusal: RunPodError?) {
        self.windows.withLock { windows in
            for index in windows.indices where now - windows[index].began >= windows[index].seconds {
                windows[index].began = now
                windows[index].used = 0
            }
            let full = windows.first { $0.used >= $0.quota }
            if full == nil {
                for index in windows.indices { windows[index].used += 1 }
            }
            func reset(_ window: Window) -> Int {
                max(1, Int((window.began + window.seconds - now).rounded(.up)))
            }
            var headers = [
                "RateLimit": windows.map { "\"\($0.name)\";r=\($0.quota - $0.used);t=\(reset($0))" }
                    .joined(separator: ", "),
                "RateLimit-Policy": windows.map {
                    "\"\($0.name)\";q=\($0.quota);w=\(max(1, Int($0.seconds.rounded(.up))))"
                }.joined(separator: ", "),
            ]
            guard let full else { return (headers, nil) }
            headers["Retry-After"] = String(reset(full))
            let refusal = RunPodError(
                status: 429, detail: "rate limit exceeded for the \(full.name) window", headers: headers)
            return (headers, refusal)
        }
    }
}
