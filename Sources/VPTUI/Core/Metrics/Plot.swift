import VPEngine

/// Draws curves with the characters that the terminal can show: braille, blocks or ASCII.
enum Plot {
    /// Returns a curve in one row of `width` columns. If `range` is nil, it is that of the values. With
    /// `stretches`, few values fill the whole width.
    static func sparkline(
        _ values: [Double], width: Int, range: ClosedRange<Double>? = nil, stretches: Bool = false,
        _ kind: Settings.Plotting
    ) -> String {
        let columns = kind == .braille ? width * 2 : width
        let drawn = stretches ? Self.stretched(values.filter(\.isFinite), to: columns) : values
        return Self.rows(drawn, width: width, height: 1, range: range, kind).first ?? ""
    }

    /// Interpolates linearly between few values.
    private static func stretched(_ values: [Double], to columns: Int) -> [Double] {
        guard values.count > 1, values.count < columns else { return values }
        return (0..<columns).map { column in
            let place = Double(column) / Double(columns - 1) * Double(values.count - 1)
            let index = min(values.count - 2, Int(place))
            let share = place - Double(index)
            return values[index] * (1 - share) + values[index + 1] * share
        }
    }

    /// Returns a curve in `height` rows of `width` columns, the highest row first.
    static func rows(
        _ values: [Double], width: Int, height: Int, range: ClosedRange<Double>? = nil,
        _ kind: Settings.Plotting
    ) -> [String] {
        guard width > 0, height > 0 else { return [] }
        let columns = kind == .braille ? width * 2 : width
        let points = Self.resampled(values.filter(\.isFinite), to: columns)
        guard !points.isEmpty else {
            return Array(repeating: String(repeating: " ", count: width), count: height)
        }
        let low = range?.lowerBound ?? points.min() ?? 0
        let high = range?.upperBound ?? points.max() ?? 1
        let span = high - low
        // A single row of ASCII has five levels.
        let levels =
            kind == .braille ? height * 4 : kind == .blocks ? height * 8 : height == 1 ? 5 : height
        // Levels from 0 to levels - 1, counted from below; a flat line is in the middle.
        let heights = points.map { value in
            span > 0
                ? max(
                    0, min(levels - 1, Int(saturating: ((value - low) / span * Double(levels - 1)).rounded()))
                )
                : levels / 2
        }
        switch kind {
        case .braille: return Self.braille(heights, width, height)
        case .blocks: return Self.blocks(heights, width, height)
        case .ascii: return Self.ascii(heights, width, height)
        }
    }

    /// Returns means of equal parts if there are more values than columns; otherwise the values
    /// themselves, aligned right.
    private static func resampled(_ values: [Double], to columns: Int) -> [Double] {
        guard values.count > columns else { return values }
        return (0..<columns).map { column in
            let start = column * values.count / columns
            let end = max(start + 1, (column + 1) * values.count / columns)
            return values[start..<end].reduce(0, +) / Double(end - start)
        }
    }

    private static func braille(_ heights: [Int], _ width: Int, _ height: Int) -> [String] {
        // Dots of a cell from below, left and right column (Unicode chapter 21).
        let left: [UInt32] = [0x40, 0x04, 0x02, 0x01]
        let right: [UInt32] = [0x80, 0x20, 0x10, 0x08]
        var cells = [UInt32](repeating: 0, count: width * height)
        for (column, level) in heights.enumerated() {
            // Connected to the point before, so that a steep curve has no gaps.
            let previous = column > 0 ? heights[column - 1] : level
            for dot in min(
                level, previous + (level > previous ? 1 : 0))...max(
                    level, previous - (level < previous ? 1 : 0))
            {
                let row = height - 1 - dot / 4
                let bit = column % 2 == 0 ? left[dot % 4] : right[dot % 4]
                cells[row * width + column / 2] |= bit
            }
        }
        return (0..<height).map { row in
            String(
                String.UnicodeScalarView(
                    cells[(row * width)..<((row + 1) * width)].map {
                        $0 == 0 ? " " : Unicode.Scalar(0x2800 + $0) ?? " "
                    }))
        }
    }

    private static let eighths: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    private static func blocks(_ heights: [Int], _ width: Int, _ height: Int) -> [String] {
        (0..<height).map { row in
            let base = (height - 1 - row) * 8
            let text = heights.map { Self.eighths[max(0, min(8, $0 + 1 - base))] }
            return String(text) + String(repeating: " ", count: max(0, width - text.count))
        }
    }

    private static func ascii(_ heights: [Int], _ width: Int, _ height: Int) -> [String] {
        if height == 1 {
            let shades: [Character] = ["_", ".", "-", "=", "#"]
            let text = heights.map { shades[max(0, min(4, $0))] }
            return [String(text) + String(repeating: " ", count: max(0, width - text.count))]
        }
        return (0..<height).map { row in
            let text = heights.map { height - 1 - row == $0 ? Character("*") : " " }
            return String(text) + String(repeating: " ", count: max(0, width - text.count))
        }
    }
}
