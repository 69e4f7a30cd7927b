import Foundation
import VPEngine

/// The chart of the metrics pane: the selected figure, its partner of the evaluation or of the training, and
/// the same figure of other jobs behind them.
struct MetricsChart {
    /// Colours of the jobs behind; more jobs could not be told apart.
    static let otherRoles: [Role] = [.good, .magenta, .brightBlue, .brightYellow, .red, .cyan]

    var chart: CurveChart
    /// The name of the x axis, for the line under the cursor.
    var xName: String
    /// The log does not have the requested axis, so another is shown.
    var isOtherAxis: Bool
    /// Times and their positions on the axis.
    private var times: [Double]
    private var places: [Double]

    init?(_ state: State) {
        let metrics = state.metrics
        guard let series = metrics.selectedSeries else { return nil }
        let options = metrics.options
        let axis = series.places(options.x) == nil ? CurveOptions.XAxis.step : options.x
        self.isOtherAxis = axis != options.x
        // Among the curves of several jobs, the first has a job as well.
        let job = state.overlaidJobs.isEmpty ? nil : metrics.job?.rawValue
        let name = [series.name, job].compactMap(\.self).joined(separator: " ")
        var curves = [Self.curve(series, name, .accent, "a", axis, options)]
        if let partner = metrics.reading.figures.partner(of: series) {
            curves.append(Self.curve(partner, partner.name, .warning, "b", axis, options))
        }
        for (index, job) in state.overlaidJobs.enumerated() {
            guard let figures = metrics.others[job]?.figures,
                let other = figures.series(series.name)
                    ?? figures.series.first(where: {
                        $0.kind == series.kind && $0.isEvaluation == series.isEvaluation
                            && $0.subject == series.subject
                    })
            else { continue }
            let letter = Character(Unicode.Scalar(UInt8(0x61 + min(25, curves.count))))
            var curve = Self.curve(
                other, job.rawValue, Self.otherRoles[index % Self.otherRoles.count], letter, axis, options)
            curve.isBehind = true
            curves.append(curve)
        }
        self.chart = CurveChart(
            curves, isLog: options.isLog, isRobust: options.isRobust,
            xUnit: axis == .time ? .seconds : .number)
        self.xName =
            switch axis {
            case .step: metrics.reading.figures.step != nil ? "step" : series.hasSteps ? "epoch" : "line"
            case .time: "after"
            case .epoch: "epoch"
            }
        let known = zip(series.times, series.places(axis) ?? []).filter { $0.0.isFinite && $0.1.isFinite }
        self.times = known.map(\.0)
        self.places = known.map(\.1)
        self.chart.marks = Self.marks(metrics.reading.figures, series, axis)
        self.chart.cursor = metrics.cursor
    }

    private static func curve(
        _ series: FigureSeries, _ name: String, _ role: Role, _ letter: Character,
        _ axis: CurveOptions.XAxis, _ options: CurveOptions
    ) -> ChartCurve {
        let places = series.places(axis) ?? series.places(.step) ?? []
        let points = series.points.enumerated().map { index, point in
            ChartCurve.Point(
                x: places.indices.contains(index) ? places[index] : .nan, value: point.value, low: point.low,
                high: point.high)
        }
        var curve = ChartCurve(name: name, role: role, letter: letter, points: points)
        if options.weight > 0 { curve.smoothed = ChartCurve.smoothed(series.values, options.weight) }
        if let best = series.best {
            // The best value is drawn at the position of its step.
            let index = series.points.indices.min {
                abs(series.points[$0].step - best.step) < abs(series.points[$1].step - best.step)
            }
            if let index, places.indices.contains(index) {
                curve.best = (axis == .step ? best.step : places[index], best.value)
            }
        }
        return curve
    }

    /// Returns the positions of saved checkpoints on this axis.
    private static func marks(
        _ figures: TrainingFigures, _ series: FigureSeries, _ axis: CurveOptions.XAxis
    ) -> [Double] {
        guard axis != .step, let places = series.places(axis) else { return figures.checkpoints }
        let steps = series.steps
        return figures.checkpoints.compactMap { Self.interpolated($0, steps, places) }
    }

    /// Returns the position of a time on the axis, from 0 to 1; nil outside the known times.
    func share(at time: Double) -> Double? {
        // Figures arrive one after the other, whatever their steps are.
        var (first, last) = (0, self.times.count)
        while first < last {
            let middle = (first + last) / 2
            if self.times[middle] < time { first = middle + 1 } else { last = middle }
        }
        guard first < self.times.count, first > 0 || self.times[0] == time else { return nil }
        guard first > 0, self.times[first] > self.times[first - 1] else {
            return self.chart.x.share(self.places[first])
        }
        let share = (time - self.times[first - 1]) / (self.times[first] - self.times[first - 1])
        let place = self.places[first - 1] + (self.places[first] - self.places[first - 1]) * share
        return self.chart.x.share(place)
    }

    /// Returns the value of `to` at the point where `from` reaches `value`.
    static func interpolated(_ value: Double, _ from: [Double], _ to: [Double]) -> Double? {
        guard from.count == to.count, let first = from.first(where: \.isFinite), value >= first else {
            return nil
        }
        var last: Int?
        for index in from.indices where from[index].isFinite && to[index].isFinite {
            if from[index] >= value {
                guard let last, from[index] > from[last] else { return to[index] }
                let share = (value - from[last]) / (from[index] - from[last])
                return to[last] + (to[index] - to[last]) * share
            }
            last = index
        }
        return nil
    }
}

extension FigureSeries {
    /// `true` if the positions are steps or epochs rather than a running number.
    var hasSteps: Bool { self.epochs.contains(where: \.isFinite) }
}

extension State {
    /// The pinned job and the jobs marked in Jobs, without the open one.
    var overlaidJobs: [JobID] {
        var jobs: [JobID] = self.metrics.pinned.map { [$0] } ?? []
        if self.metrics.options.showsOthers {
            jobs += self.jobs.targetsIfMarked.map(\.id)
        }
        var seen: Set<JobID> = self.metrics.job.map { [$0] } ?? []
        return Array(jobs.filter { seen.insert($0).inserted }.prefix(MetricsChart.otherRoles.count))
    }
}

extension ListState {
    /// The marked rows; empty if none is marked.
    var targetsIfMarked: [Row] { self.marks.isEmpty ? [] : self.targets }
}
