import Foundation
import VPEngine

/// The keys of the metrics pane, and the logs of the jobs that are drawn behind the open one.
extension State {
    mutating func cycleSmoothing() {
        let count = CurveOptions.weights.count
        self.metrics.options.smoothing = (self.metrics.options.smoothing + 1) % count
        let weight = self.metrics.options.weight
        self.toast(
            weight > 0 ? "Smooth: EMA \(Format.short(weight)), the figures themselves pale" : "Not smoothed",
            .muted, for: 3)
    }

    mutating func cycleAxis() {
        let all = CurveOptions.XAxis.allCases
        let index = all.firstIndex(of: self.metrics.options.x) ?? 0
        self.metrics.options.x = all[(index + 1) % all.count]
        self.metrics.cursor = nil
        self.toast("Along the axis: \(self.metrics.options.x.rawValue)", .muted, for: 3)
    }

    mutating func toggleRange() {
        self.metrics.options.isRobust.toggle()
        self.toast(
            self.metrics.options.isRobust
                ? "Extremes are clipped, and marked ▲ ▼" : "The axis holds every figure", .muted, for: 3)
    }

    /// Moves the cursor by columns, starting at the newest figure if there is no cursor yet.
    mutating func moveCursor(by columns: Int) {
        guard let plot = MetricsScreen.plot(self), let chart = MetricsChart(self)?.chart else { return }
        guard let cursor = self.metrics.cursor else {
            self.metrics.cursor = chart.x.high
            return
        }
        let last = Double(max(1, plot.width - 1))
        let column = (chart.x.share(cursor) * last).rounded() + Double(columns)
        self.metrics.cursor = chart.x.value(at: max(0, min(1, column / last)))
    }

    mutating func togglePin() {
        guard let job = self.metrics.job else { return }
        if self.metrics.pinned == job {
            self.metrics.pinned = nil
            self.toast("\(job) is no longer pinned", .muted, for: 3)
        } else {
            self.metrics.pinned = job
            self.metrics.others[job] = self.metrics.reading
            self.toast("\(job) stays behind the curves of other jobs", .muted, for: 3)
        }
    }

    mutating func toggleOthers() {
        if self.jobs.marks.isEmpty, self.metrics.pinned == nil {
            self.toast("Space marks jobs in Jobs; their curves are drawn behind this one's", .muted)
            self.metrics.options.showsOthers = true
        } else {
            self.metrics.options.showsOthers.toggle()
        }
    }

    /// Requests the logs of the jobs drawn behind: once, and again while they run.
    mutating func readOthersAsNeeded() -> [Effect] {
        guard self.mainContent == .metrics, self.metrics.job != nil else { return [] }
        var effects: [Effect] = []
        for job in self.overlaidJobs where !self.metrics.readingOthers.contains(job) {
            let isOver = self.jobs.row(job)?.state.isOver ?? true
            if let at = self.metrics.otherReadAt[job] {
                // A job that has ended meanwhile is read once more.
                guard !isOver, self.now.timeIntervalSince(at) >= 5 else { continue }
            }
            self.metrics.readingOthers.insert(job)
            effects.append(.log(.readMetrics(job)))
        }
        return effects
    }

    mutating func otherMetricsArrived(_ job: JobID, _ reading: TrainingReading) {
        guard self.metrics.readingOthers.remove(job) != nil else { return }
        self.metrics.others[job] = reading
        self.metrics.otherReadAt[job] = self.now
        // Figures that are no longer shown are dropped.
        let wanted = Set(self.overlaidJobs)
        for other in self.metrics.others.keys where !wanted.contains(other) && other != self.metrics.pinned {
            self.metrics.others[other] = nil
            self.metrics.otherReadAt[other] = nil
        }
    }
}
