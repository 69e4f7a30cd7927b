import Foundation
import VPEngine

/// A figure over time as a filled curve whose right edge is now.
struct TimeGraph {
    /// What a column may stand for, in seconds.
    private static let steps: [Double] = [2, 3, 4, 6, 8, 12, 20, 30, 60]

    /// Seconds that one column stands for, so that `moments` fill most of `columns` where they can.
    static func step(_ moments: [TelemetryState.Moment], columns: Int, now: Date) -> Double {
        let span = moments.first.map { now.timeIntervalSince($0.date) } ?? 0
        return Self.steps.first { $0 * Double(max(1, columns)) >= span } ?? Self.steps[Self.steps.count - 1]
    }

    /// Mean of what came in each of `count` steps, the newest last; nil where nothing is known.
    ///
    /// A sample stands for what follows, until the next or for `hold` seconds.
    static func values(
        _ moments: [TelemetryState.Moment], _ figure: KeyPath<TelemetryState.Moment, Double?>, count: Int,
        step: Double, now: Date, hold: Double = 16
    ) -> [Double?] {
        guard count > 0 else { return [] }
        var sums = [Double](repeating: 0, count: count)
        var counts = [Int](repeating: 0, count: count)
        // Steps begin at round times, so that a curve moves and does not flicker.
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

    /// `height` rows, the highest first, of values from 0 to `top`; a value of nil leaves its column empty.
    /// Whatever is known is at least a line, so that nothing at work differs from nothing known.
    ///
    /// In blocks: a full area of braille is a field of dots.
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
