import Foundation

/// Estimates how long a run still takes, from the times at which its steps arrived.
///
/// The interval between two looks has a usual time per step; an interval that takes much longer contains a
/// pause, such as an evaluation or a checkpoint. The estimate assumes that pauses recur as often as they have
/// so far. The time left that a program prints itself is often wrong after a resume.
public struct TimeLeftEstimate: Equatable, Sendable {
    private static let recentLimit = 64
    /// An interval whose time per step exceeds the usual one by this factor contains a pause.
    private static let pauseFactor = 3.0

    private struct Interval: Equatable {
        var steps: Double
        var seconds: Double
        var perStep: Double { self.seconds / self.steps }
    }

    private var first: (done: Double, at: Double)?
    private var last: (done: Double, at: Double)?
    private var total = 0.0
    /// The newest intervals, at most `recentLimit`; the usual time is their median.
    private var recent: [Interval] = []
    private var next = 0
    private var steps = 0.0
    private var seconds = 0.0
    private var pauses = 0
    private var pauseSeconds = 0.0
    private var longestPause = 0.0
    private var firstPauseAt = 0.0
    private var lastPauseAt = 0.0
    private var intervals = 0

    public init() {}

    public static func == (a: Self, b: Self) -> Bool {
        a.last?.done == b.last?.done && a.last?.at == b.last?.at && a.steps == b.steps
            && a.seconds == b.seconds
            && a.pauses == b.pauses && a.total == b.total
    }

    /// Records that the run had done `done` steps of `total` at `time`, in seconds.
    public mutating func add(done: Double, of total: Double, at time: Double) {
        guard done.isFinite, total.isFinite, total > 0, time.isFinite else { return }
        guard let last = self.last, done >= last.done, abs(total - self.total) <= total * 0.001 else {
            // The run began again: from a checkpoint, or another run took its place.
            self = TimeLeftEstimate()
            self.first = (done, time)
            self.last = (done, time)
            self.total = total
            return
        }
        guard done > last.done, time > last.at else { return }
        self.total = total
        self.last = (done, time)
        self.intervals += 1
        let interval = Interval(steps: done - last.done, seconds: time - last.at)
        // The first interval, with compilation and cold caches, is never like the others.
        guard self.intervals > 1 else { return }
        let usual = self.usualSecondsPerStep
        self.remember(interval)
        if let usual, self.intervals > 3, interval.perStep > usual * Self.pauseFactor {
            let pause = interval.seconds - usual * interval.steps
            self.pauses += 1
            self.pauseSeconds += pause
            self.longestPause = max(self.longestPause, pause)
            if self.pauses == 1 { self.firstPauseAt = done }
            self.lastPauseAt = done
            self.steps += interval.steps
            self.seconds += usual * interval.steps
        } else {
            self.steps += interval.steps
            self.seconds += interval.seconds
        }
    }

    private mutating func remember(_ interval: Interval) {
        if self.recent.count < Self.recentLimit {
            self.recent.append(interval)
        } else {
            self.recent[self.next] = interval
            self.next = (self.next + 1) % Self.recentLimit
        }
    }

    /// The usual time for a step, in seconds; nil until a few steps have been seen.
    public var usualSecondsPerStep: Double? {
        guard self.recent.count >= 2 else { return nil }
        return self.recent.map(\.perStep).sorted()[self.recent.count / 2]
    }

    /// The time of the run's last progress, in seconds.
    public var lastAdvance: Double? { self.last?.at }

    /// The longest usual time without progress, in seconds; nil until a few steps have been seen.
    public var usualSilence: Double? {
        guard self.intervals >= 5 else { return nil }
        let usual = self.recent.map(\.seconds).sorted()[self.recent.count / 2]
        return max(usual, self.longestPause)
    }

    /// The time left from `now`, in seconds; nil if too little has been seen to tell.
    public func secondsLeft(at now: Double) -> Double? {
        guard let first, let last, self.intervals >= 4, self.steps > 0, last.at - first.at >= 2 else {
            return nil
        }
        let remaining = max(0, self.total - last.done)
        var left = remaining * self.seconds / self.steps
        if self.pauses > 0 {
            let distance =
                self.pauses > 1
                ? (self.lastPauseAt - self.firstPauseAt) / Double(self.pauses - 1)
                : (first.done < self.firstPauseAt * 0.05 ? self.firstPauseAt : last.done - first.done)
            if distance > 0 {
                let ahead = max(0, ((self.total - self.lastPauseAt) / distance * (1 + 1e-9)).rounded(.down))
                left += ahead * self.pauseSeconds / Double(self.pauses)
            }
        }
        return max(0, left - min(max(0, now - last.at), left * 0.5))
    }
}
