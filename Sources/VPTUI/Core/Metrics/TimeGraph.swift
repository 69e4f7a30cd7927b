import Foundation
import VPEngine

/// A figure over time, drawn as a filled curve whose right edge is now.
struct TimeGraph {
    /// The possible spans of a column, in seconds.
    private static let steps: [Double] = [2, 3, 4, 6, 8, 12, 20, 30, 60]

    /// Returns the seconds per column with which `moments` fill most of `columns`, if possible.
    static func step(_ moments: [TelemetryState.Moment], columns: Int, now: Date) -> Double {
        let span = moments.first.map { now.timeIntervalSince($0.date) } ?? 0
        return Self.steps.first { $0 * Double(max(1, columns)) >= span } ?? Self.steps[Self.steps.count - 1]
    }

    /// Returns the mean for each of `count` steps, the newest last; nil for a step without data.
    ///
    /// A sample is valid until the next one, or for `hold` seconds.
    static func values(
        _ moments: [TelemetryState.Moment], _ figure: KeyPath<TelemetryState.Moment, Double?>, count: Int,
        step: Double, now: Date, hold: Double = 16
    ) -> [Double?] {
        guard count > 0 else { return [] }
        var sums = [Double](repeating: 0, count: count)
        var counts = [Int](repeating: 0, count: count)
        // Steps begin at round times, so that the curve moves without flickering.
        let last = Int(saturating: (now.timeIntervalSinceReferenceDate / step).rounded(.down))
        func column(_ date: Date) -> Int {
            Int(saturating: (date.timeIntervalSinceReferenceDate / step).rounded(.down)) - last + count - 1
        }
        var newest: (column: Int, value: Double)?
        var held = [Double?](repeating: nil, count: count)
        let holdColumns = max(1, Int((hold / step).rounded(.up)))
        func carry(to end: Int) {
            guard let newest else { return }
            let from = max(0, newest.column + 1)
            let until = min(end, newest.column + holdColumns + 1, count)
            guard from < until else { return }
            for index in from..<until { held[index] = newest.value }
        }
        for moment in moments {
            guard let value = moment[keyPath: figure], value.isFinite else { continue }
            let index = column(moment.date)
            guard index < count else { break }
            carry(to: index)
            newest = (index, value)
            guard index >= 0 else { continue }
            sums[index] += value
            counts[index] += 1
        }
        carry(to: count)
        return sums.indices.map { counts[$0] > 0 ? sums[$0] / Double(counts[$0]) : held[$0] }
    }

    /// Returns `height` rows, the highest first, for values from 0 to `top`; nil leaves its step empty. A
    /// known value is at least a dot, so that idle differs from unknown.
    static func rows(_ values: [Double?], top: Double, height: Int, isASCII: Bool) -> [String] {
        guard height > 0 else { return [] }
        let levels = height * (isASCII ? 1 : 8)
        let heights = values.map { value -> Int in
            guard let value else { return 0 }
            let share = top > 0 ? max(0, min(1, value / top)) : 0
            return max(1, Int(saturating: (share * Double(levels)).rounded()))
        }
        return (0..<height).map { row in
            let below = height - 1 - row
            return String(
                heights.map { height -> Character in
                    isASCII ? (height > below ? "#" : " ") : Self.eighths[max(0, min(8, height - below * 8))]
                })
        }
    }

    private static let eighths: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
}
