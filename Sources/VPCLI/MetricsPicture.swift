import Foundation
import VPEngine

/// Curves as an SVG of their own: a panel for each kind of figure, training and evaluation together.
enum MetricsPicture {
    private static let width = 960.0
    private static let height = 260.0
    private static let left = 76.0
    private static let bottom = 34.0
    private static let top = 30.0
    private static let colours = [
        "#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f",
    ]

    private struct Curve {
        var name: String
        var steps: [Double]
        var values: [Double]
    }

    static func document(_ readings: [MetricsCommand.Reading]) -> String {
        let panels = Self.panels(readings)
        let total = max(1, panels.count)
        var text =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(Self.width)) "
            + "\(total * Int(Self.height))\" font-family=\"sans-serif\" font-size=\"12\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        if panels.isEmpty { text += "<text x=\"20\" y=\"40\">No figures of a training.</text>\n" }
        for (index, panel) in panels.enumerated() {
            text += Self.draw(panel.title, panel.curves, y: Double(index) * Self.height)
        }
        return text + "</svg>\n"
    }

    /// Groups the curves into panels, one for each kind of metric; counters such as the step have none.
    private static func panels(_ readings: [MetricsCommand.Reading]) -> [(title: String, curves: [Curve])] {
        var panels: [(title: String, curves: [Curve])] = []
        for kind in FigureKind.allCases where kind != .step && kind != .epoch && kind != .other {
            var curves: [Curve] = []
            for reading in readings {
                for series in reading.report.figures.series where series.kind == kind {
                    let name = readings.count > 1 ? "\(reading.name) \(series.name)" : series.name
                    curves.append(Curve(name: name, steps: series.steps, values: series.values))
                }
            }
            if !curves.isEmpty { panels.append((kind.rawValue, Array(curves.prefix(12)))) }
        }
        return panels
    }

    private static func draw(_ title: String, _ curves: [Curve], y: Double) -> String {
        let points = curves.flatMap { curve in
            zip(curve.steps, curve.values).filter { $0.0.isFinite && $0.1.isFinite }
        }
        guard let firstStep = points.map(\.0).min(), let lastStep = points.map(\.0).max(),
            let low = points.map(\.1).min(), let high = points.map(\.1).max()
        else { return "" }
        let area = (
            x: Self.left, y: y + Self.top, width: Self.width - Self.left - 20,
            height: Self.height - Self.top - Self.bottom
        )
        let (stepSpan, span) = (max(lastStep - firstStep, 1e-12), max(high - low, 1e-12))
        func place(_ step: Double, _ value: Double) -> (Double, Double) {
            (
                area.x + (step - firstStep) / stepSpan * area.width,
                area.y + area.height - (value - low) / span * area.height
            )
        }
        var text =
            "<text x=\"\(Self.left)\" y=\"\(y + 20)\" font-weight=\"bold\">\(Self.escaped(title))</text>\n"
        for tick in Self.ticks(low, high) {
            let at = place(firstStep, tick).1
            text += "<path d=\"M\(area.x) \(Self.number(at))h\(area.width)\" stroke=\"#e5e7eb\"/>"
            text +=
                "<text x=\"\(area.x - 8)\" y=\"\(Self.number(at + 4))\" text-anchor=\"end\" fill=\"#6b7280\">"
                + "\(MetricsText.short(tick))</text>\n"
        }
        for tick in Self.ticks(firstStep, lastStep) {
            let at = place(tick, low).0
            text +=
                "<text x=\"\(Self.number(at))\" y=\"\(area.y + area.height + 18)\" text-anchor=\"middle\" "
                + "fill=\"#6b7280\">\(MetricsText.short(tick))</text>\n"
        }
        var legend = Self.left + 80
        for (index, curve) in curves.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            text += Self.path(curve, colour, place)
            text +=
                "<text x=\"\(Int(legend))\" y=\"\(y + 20)\" fill=\"\(colour)\">\(Self.escaped(curve.name))</text>\n"
            legend += Double(curve.name.count) * 7 + 18
        }
        return text
    }

    /// Draws a curve, with a gap at each value that is not a number.
    private static func path(
        _ curve: Curve, _ colour: String, _ place: (Double, Double) -> (Double, Double)
    ) -> String {
        var line = ""
        var isDrawing = false
        for (step, value) in zip(curve.steps, curve.values) {
            guard step.isFinite, value.isFinite else {
                isDrawing = false
                continue
            }
            let (x, y) = place(step, value)
            line += "\(isDrawing ? "L" : "M")\(Self.number(x)) \(Self.number(y))"
            isDrawing = true
        }
        return "<path d=\"\(line)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"/>\n"
    }

    /// Round numbers within a range, about five.
    private static func ticks(_ low: Double, _ high: Double) -> [Double] {
        guard high > low else { return [low] }
        let rough = (high - low) / 5
        let power = pow(10, floor(log10(rough)))
        let step = [1.0, 2, 5, 10].first { $0 * power >= rough }.map { $0 * power } ?? rough
        guard step > 0, step.isFinite else { return [low] }
        let first = (low / step).rounded(.up)
        let last = (high / step).rounded(.down)
        guard last >= first, last - first < 20 else { return [low] }
        return (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    private static func number(_ value: Double) -> String { Figures.fixed(value, 1) }

    private static func escaped(_ text: String) -> String {
        Terminal.printable(text).replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;")
    }
}
