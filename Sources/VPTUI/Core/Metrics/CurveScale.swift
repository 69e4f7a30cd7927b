import Foundation
import VPEngine

/// Maps values to positions along an axis, with ticks at round numbers.
struct CurveScale: Equatable {
    struct Tick: Equatable {
        var value: Double
        var label: String
    }

    /// The unit of an axis, which determines labels and round steps.
    enum Unit: Equatable { case number, seconds }

    let low: Double
    let high: Double
    let isLog: Bool
    let unit: Unit

    /// Creates a scale. An empty range is widened, so that a flat line is in the middle. A logarithmic axis
    /// needs values above 0; without any, the axis is linear.
    init(_ low: Double, _ high: Double, isLog: Bool = false, unit: Unit = .number) {
        let isOrdered = low.isFinite && high.isFinite && low <= high
        var (low, high) = isOrdered ? (low, high) : (0, 1)
        self.isLog = isLog && low > 0
        self.unit = unit
        if high - low <= max(abs(low), abs(high)) * 1e-12 {
            let room = low == 0 ? 1 : abs(low) * 0.1
            (low, high) = self.isLog ? (low / 1.2, high * 1.2) : (low - room, high + room)
        }
        self.low = low
        self.high = high
    }

    /// Returns the position of `value`: 0 at the low end, 1 at the high end, less or more outside. NaN if the
    /// axis has no position for it.
    func share(_ value: Double) -> Double {
        guard self.isLog else { return (value - self.low) / (self.high - self.low) }
        guard value > 0 else { return value == 0 ? -1 : .nan }
        return (log(value) - log(self.low)) / (log(self.high) - log(self.low))
    }

    func value(at share: Double) -> Double {
        guard self.isLog else { return self.low + (self.high - self.low) * share }
        return exp(log(self.low) + (log(self.high) - log(self.low)) * share)
    }

    // MARK: Ticks

    /// Returns at most `count` round numbers within the range, in ascending order.
    func ticks(_ count: Int) -> [Tick] {
        guard count > 0 else { return [] }
        if self.isLog, let ticks = self.logTicks(count) { return ticks }
        let steps = self.unit == .seconds ? Self.timeSteps : []
        let rough = (self.high - self.low) / Double(count)
        var step = steps.first { $0 >= rough } ?? Self.roundStep(rough)
        var values = self.multiples(of: step)
        // Both ends may be round numbers, which is one more than there is room for.
        while values.count > count {
            step = steps.first { $0 > step } ?? Self.roundStep(step * 1.01)
            values = self.multiples(of: step)
        }
        return values.map { Tick(value: $0, label: self.label($0, step: step)) }
    }

    /// Round steps of a time axis, in seconds.
    private static let timeSteps: [Double] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
        172_800, 432_000, 864_000,
    ]

    /// Rounds up to 1, 2 or 5 times a power of ten.
    static func roundStep(_ rough: Double) -> Double {
        guard rough > 0, rough.isFinite else { return 1 }
        let power = pow(10, floor(log10(rough)))
        return ([1, 2, 5].first { $0 * power >= rough * 0.999_999 } ?? 10) * power
    }

    private func multiples(of step: Double) -> [Double] {
        guard step > 0, step.isFinite else { return [] }
        let first = (self.low / step - 1e-9).rounded(.up)
        let last = (self.high / step + 1e-9).rounded(.down)
        guard last >= first, last - first < 1000, abs(first) < 1e15 else { return [] }
        // Repeated addition of the step would accumulate its error.
        return (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    /// Returns powers of ten, with twos and fives between them if needed; nil if even those are too few.
    private func logTicks(_ count: Int) -> [Tick]? {
        let first = Int(floor(log10(self.low)))
        let last = Int(ceil(log10(self.high)))
        func within(_ factors: [Double], every: Int = 1) -> [Double] {
            stride(from: first, through: last, by: every).flatMap { power in
                factors.map { $0 * pow(10, Double(power)) }
            }.filter { $0 >= self.low * 0.999_999 && $0 <= self.high * 1.000_001 }
        }
        var values = within([1, 2, 5])
        if values.count > count { values = within([1]) }
        var every = 2
        while values.count > count, every < 700 {
            values = within([1], every: every)
            every += 1
        }
        guard values.count >= 2 else { return nil }
        return values.map { Tick(value: $0, label: self.label($0, step: $0)) }
    }

    private func label(_ value: Double, step: Double) -> String {
        if self.unit == .seconds { return Self.time(value) }
        let size = max(abs(value), self.isLog ? 0 : max(abs(self.low), abs(self.high)))
        if value == 0 { return "0" }
        if size >= 1e15 || size < 1e-4 { return Format.short(value) }
        if size >= 10_000 { return Self.thousands(value, step: step) }
        // All labels of an axis have as many decimal places as the step.
        let places = step >= 1 ? 0 : min(4, Int((-log10(step) - 1e-9).rounded(.up)))
        let isExact = abs(step - (step * pow(10, Double(places))).rounded() / pow(10, Double(places))) < 1e-12
        return isExact ? Format.fixed(value, places) : Format.short(value)
    }

    /// Formats `12k` or `1.5M`, with the precision of the axis' step.
    private static func thousands(_ value: Double, step: Double) -> String {
        let units: [(Double, String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        guard let (size, letter) = units.first(where: { abs(value) >= $0.0 }) else {
            return Format.fixed(value, 0)
        }
        var places = 0
        while places < 3,
            (step / size * pow(10, Double(places))).rounded() != step / size * pow(10, Double(places))
        {
            places += 1
        }
        return Format.fixed(value / size, places) + letter
    }

    /// `45s`, `5m`, `1h30m`, `2d`
    private static func time(_ value: Double) -> String {
        value.rounded() == 0 ? "0" : TimeSpan.text(value)
    }
}

extension CurveScale {
    /// Returns the range of `values` without the few that are far from all others: a single spike must not
    /// flatten the curve. If none is that far away, the range covers all values.
    static func robustRange(_ values: [Double]) -> (low: Double, high: Double)? {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        guard sorted.count >= 5 else { return (first, last) }
        // Ignores two of a hundred values at each end, and one of a few.
        let cut = max(1, sorted.count / 50)
        let (low, high) = (sorted[cut], sorted[sorted.count - 1 - cut])
        let spread = high - low
        guard spread > 0 else { return (first, last) }
        // The steep beginning of a curve is no extreme: what is near enough stays.
        return (
            sorted.first { $0 >= low - 1.5 * spread } ?? first,
            sorted.last { $0 <= high + 1.5 * spread } ?? last
        )
    }
}
