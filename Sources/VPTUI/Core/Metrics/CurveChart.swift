import Foundation
import VPEngine

/// A curve of a chart.
struct ChartCurve {
    struct Point: Equatable {
        var x: Double
        var value: Double
        /// The range of the figures that this point stands for.
        var low: Double
        var high: Double
    }

    var name: String
    var role: Role
    var letter: Character
    var points: [Point]
    /// The smoothed values; nil if the curve is not smoothed.
    var smoothed: [Double]?
    var best: (x: Double, value: Double)?
    /// The curve belongs to another job, for comparison.
    var isBehind = false

    /// Returns the value of the full line: the smoothed one, if any.
    func shown(_ index: Int) -> Double { self.smoothed?[index] ?? self.points[index].value }

    /// Returns the index of the point nearest to `x`; nil if the curve has none.
    func nearest(_ x: Double) -> Int? {
        self.points.indices.filter { self.points[$0].value.isFinite && self.points[$0].x.isFinite }
            .min { abs(self.points[$0].x - x) < abs(self.points[$1].x - x) }
    }

    /// Returns an exponential moving average that keeps `weight` of the value before. The beginning is
    /// not drawn towards 0.
    static func smoothed(_ values: [Double], _ weight: Double) -> [Double] {
        var mean = 0.0
        var share = 0.0
        return values.map { value in
            guard value.isFinite else { return value }
            mean = mean * weight + value * (1 - weight)
            share = share * weight + (1 - weight)
            return mean / share
        }
    }
}

/// Curves over a common axis, as drawn into a box.
struct CurveChart {
    var curves: [ChartCurve]
    var x: CurveScale
    var y: CurveScale
    /// The positions of saved checkpoints.
    var marks: [Double] = []
    /// The position of the cursor.
    var cursor: Double?
    /// The number of points outside the axis, and the farthest of them.
    private(set) var clipped: (count: Int, farthest: Double) = (0, 0)

    /// - Parameter isRobust: the axis ignores a few extreme values.
    init(
        _ curves: [ChartCurve], isLog: Bool, isRobust: Bool, xUnit: CurveScale.Unit = .number
    ) {
        self.curves = curves
        let points = curves.flatMap(\.points).filter { $0.x.isFinite && $0.value.isFinite }
        let xs = points.map(\.x)
        self.x = CurveScale(xs.min() ?? 0, xs.max() ?? 1, unit: xUnit)
        let values = points.flatMap { [$0.low, $0.high, $0.value] }.filter { !isLog || $0 > 0 }
        let (least, most) = (values.min() ?? 0, values.max() ?? 1)
        let measured = isLog ? values.map { log10($0) } : values
        var range = (low: least, high: most)
        if isRobust, let robust = CurveScale.robustRange(measured) {
            range = isLog ? (pow(10, robust.low), pow(10, robust.high)) : robust
            range = (max(least, range.low), min(most, range.high))
        }
        self.y = CurveScale(range.low, range.high, isLog: isLog)
        let beyond = points.flatMap { $0.low == $0.high ? [$0.value] : [$0.low, $0.high] }
            .filter { $0 < self.y.low || $0 > self.y.high }
        let middle = (self.y.low + self.y.high) / 2
        if let farthest = beyond.max(by: { abs($0 - middle) < abs($1 - middle) }) {
            self.clipped = (beyond.count, farthest)
        }
    }

    /// The columns at the left for the labels of values.
    static let labelWidth = 9

    /// Returns the area of the curves in a box with both axes.
    static func plot(in area: Rect) -> Rect {
        Rect(
            x: area.x + Self.labelWidth + 1, y: area.y, width: area.width - Self.labelWidth - 2,
            height: area.height - 2)
    }

    func draw(in area: Rect, _ kind: Settings.Plotting, of buffer: inout CellBuffer) {
        let plot = Self.plot(in: area)
        guard plot.width >= 8, plot.height >= 2 else { return }
        self.drawAxes(area, plot, of: &buffer)
        var canvas = CurveCanvas(width: plot.width, height: plot.height, kind)
        for curve in self.curves.sorted(by: { $0.isBehind && !$1.isBehind }) {
            self.drawPale(curve, on: &canvas)
        }
        for curve in self.curves.sorted(by: { $0.isBehind && !$1.isBehind }) {
            self.drawFull(curve, on: &canvas)
        }
        self.drawCursor(plot, canvas, of: &buffer)
        canvas.draw(x: plot.x, y: plot.y, in: &buffer)
        self.drawSigns(plot, canvas, of: &buffer)
    }

    // MARK: Axes

    private func drawAxes(_ area: Rect, _ plot: Rect, of buffer: inout CellBuffer) {
        let axis = Style(.border)
        for row in 0..<plot.height { buffer.write("│", x: plot.x - 1, y: plot.y + row, style: axis) }
        buffer.write("└", x: plot.x - 1, y: plot.maxY, style: axis)
        buffer.write(String(repeating: "─", count: plot.width), x: plot.x, y: plot.maxY, style: axis)
        for tick in self.y.ticks(max(2, min(8, plot.height / 2))) {
            let row = self.row(tick.value, plot.height)
            guard row >= 0, row < plot.height else { continue }
            let y = plot.maxY - 1 - row
            buffer.write("┤", x: plot.x - 1, y: y, style: axis)
            let label = String(tick.label.prefix(Self.labelWidth))
            buffer.write(
                label, x: plot.x - 2 - label.count + 1 - 1, y: y, style: Style(.muted), limit: Self.labelWidth
            )
        }
        var free = area.x
        for tick in self.x.ticks(max(2, plot.width / 12)) {
            let column = Int(saturating: (self.x.share(tick.value) * Double(plot.width - 1)).rounded())
            guard column >= 0, column < plot.width else { continue }
            buffer.write("┬", x: plot.x + column, y: plot.maxY, style: axis)
            let start = min(plot.x + column - tick.label.count / 2, plot.maxX - tick.label.count)
            guard start >= free else { continue }
            buffer.write(tick.label, x: start, y: plot.maxY + 1, style: Style(.muted))
            free = start + tick.label.count + 1
        }
    }

    private func row(_ value: Double, _ rows: Int) -> Int {
        let share = self.y.share(value)
        return share.isFinite ? Int(saturating: (share * Double(rows - 1)).rounded()) : -1
    }

    private func column(_ x: Double, _ columns: Int) -> Int {
        Int(saturating: (self.x.share(x) * Double(columns - 1)).rounded())
    }

    // MARK: Curves

    /// Draws the figures behind the full line: the figures themselves, or the extremes of those that
    /// a point stands for.
    private func drawPale(_ curve: ChartCurve, on canvas: inout CurveCanvas) {
        guard !curve.isBehind else { return }
        let pen = CurveCanvas.Pen(style: Style(.border), letter: ".", isPale: true)
        if curve.smoothed != nil { self.drawLine(curve, { curve.points[$0].value }, pen, on: &canvas) }
        for point in curve.points where point.high > point.low && point.x.isFinite {
            let column = self.column(point.x, canvas.columns)
            let top = min(canvas.rows - 1, self.row(point.high, canvas.rows))
            let bottom = max(0, self.row(point.low, canvas.rows))
            guard bottom <= top else { continue }
            canvas.line(from: (column, bottom), to: (column, top), pen)
        }
    }

    private func drawFull(_ curve: ChartCurve, on canvas: inout CurveCanvas) {
        let pen = CurveCanvas.Pen(style: Style(curve.role), letter: curve.letter)
        self.drawLine(curve, { curve.shown($0) }, pen, on: &canvas)
    }

    /// Draws a line, with a gap at a value that is not a number and where the run went back
    /// to an earlier step.
    private func drawLine(
        _ curve: ChartCurve, _ value: (Int) -> Double, _ pen: CurveCanvas.Pen, on canvas: inout CurveCanvas
    ) {
        var last: (column: Int, row: Int)?
        for index in curve.points.indices {
            let x = curve.points[index].x
            let share = self.y.share(value(index))
            guard x.isFinite, share.isFinite else {
                last = nil
                continue
            }
            // A value outside the axis is drawn at its edge.
            let row = Int(saturating: (max(0, min(1, share)) * Double(canvas.rows - 1)).rounded())
            let place = (column: self.column(x, canvas.columns), row: row)
            if let last, last.column <= place.column {
                canvas.line(from: last, to: place, pen)
            } else {
                canvas.dot(place.column, place.row, pen)
            }
            last = place
        }
    }

    // MARK: Signs

    private func drawCursor(_ plot: Rect, _ canvas: CurveCanvas, of buffer: inout CellBuffer) {
        guard let cursor else { return }
        let column = max(0, min(plot.width - 1, self.column(cursor, plot.width)))
        for row in 0..<plot.height {
            buffer.write("│", x: plot.x + column, y: plot.y + row, style: Style(.key))
        }
        buffer.write("┴", x: plot.x + column, y: plot.maxY, style: Style(.key, on: .base, .bold))
    }

    private func drawSigns(_ plot: Rect, _ canvas: CurveCanvas, of buffer: inout CellBuffer) {
        for mark in self.marks {
            let column = self.column(mark, plot.width)
            guard column >= 0, column < plot.width else { continue }
            buffer.write("◆", x: plot.x + column, y: plot.maxY, style: Style(.good))
        }
        for curve in self.curves where !curve.isBehind {
            for point in curve.points where point.x.isFinite {
                let x = plot.x + self.column(point.x, plot.width)
                if !point.value.isFinite {
                    buffer.write("✗", x: x, y: plot.maxY - 1, style: Style(.bad))
                } else if point.high > self.y.high {
                    buffer.write("▲", x: x, y: plot.y, style: Style(.warning, on: .base, .bold))
                } else if point.low < self.y.low {
                    buffer.write("▼", x: x, y: plot.maxY - 1, style: Style(.warning, on: .base, .bold))
                }
            }
            guard let best = curve.best, best.value >= self.y.low, best.value <= self.y.high else { continue }
            let (column, row) = (self.column(best.x, plot.width), self.row(best.value, plot.height))
            guard column >= 0, column < plot.width, row >= 0, row < plot.height else { continue }
            buffer.write(
                "●", x: plot.x + column, y: plot.maxY - 1 - row, style: Style(curve.role, on: .base, .bold))
        }
        self.drawLetters(plot, of: &buffer)
    }

    /// Draws each curve's letter at its end, because not everybody can tell colours apart. Letters of curves
    /// that end side by side stand in the order of the curves.
    private func drawLetters(_ plot: Rect, of buffer: inout CellBuffer) {
        guard self.curves.count > 1 else { return }
        let ends = self.curves.compactMap { curve -> (curve: ChartCurve, value: Double, column: Int)? in
            guard
                let index = curve.points.indices.last(where: {
                    curve.shown($0).isFinite && curve.points[$0].x.isFinite
                })
            else { return nil }
            let column = max(0, min(plot.width - 1, self.column(curve.points[index].x, plot.width)))
            return (curve, curve.shown(index), column)
        }
        // From the lowest on: each letter goes above its line, and above those of lower curves.
        var free: [Int: Int] = [:]
        for (curve, value, end) in ends.sorted(by: { $0.value < $1.value }) {
            let row = max(0, min(plot.height - 1, self.row(value, plot.height)))
            let wanted = max(plot.y, plot.maxY - 2 - row)
            var column = end
            while let limit = free[column], limit < plot.y, column > 0 { column -= 1 }
            let y = max(plot.y, min(wanted, free[column] ?? wanted))
            free[column] = y - 1
            buffer.write(
                String(curve.letter), x: plot.x + column, y: y, style: Style(curve.role, on: .base, .bold))
        }
    }
}
