import Foundation

/// How long the program says it still takes.
extension LineReader {
    /// `0:12:30`, `1 day, 2:12:07`, `1m 10s`, `171.6m`, `33 minutes and 42.59 seconds`, `12.28 hours left`.
    func timeLeft(_ start: Int) -> Int {
        var index = start
        var seconds = 0.0
        var parts: [(token: Int, factor: Double)] = []
        var isKnown = false
        while index < self.count, index < start + 12 {
            let token = self.tokens[index]
            if token.kind == .clock {
                seconds += token.value
                parts.append((index, 1))
                isKnown = true
                index += 1
                break
            }
            if isKnown,
                self.isSign(index, 0x2C) || (self.isWord(index) && self.uses(index).contains(.and))
            {
                guard
                    self.isNumber(index + 1)
                        || (index + 1 < self.count && self.tokens[index + 1].kind == .clock)
                else { break }
                index += 1
                continue
            }
            guard token.kind == .number else { break }
            var unit = ""
            var end = index + 1
            if token.unitEnd > token.end {
                unit = self.lexer.lowercased(Int(token.end), Int(token.unitEnd))
            } else if self.isWord(end), self.tokens[end].space == 1 {
                unit = self.word(at: end)
                end += 1
            }
            guard let length = Self.units[unit] else {
                // A number alone is taken as seconds: JSON has it so.
                if !isKnown, unit.isEmpty {
                    seconds = token.value
                    parts = [(index, 1)]
                    isKnown = true
                    index = end
                }
                break
            }
            // The lexer read `M` as a factor of a million; here it means minutes.
            seconds += (unit == "M" ? token.value / 1e6 : token.value) * length
            parts.append((index, length))
            isKnown = true
            index = end
        }
        if isKnown, seconds >= 0, seconds < Self.longestTimeLeft, !self.section.isEvaluation,
            self.startsPositive(start)
        {
            self.line.timeLeft = seconds
            self.timeParts = parts
        }
        return max(index, start + 1)
    }

    /// `-1 day, 4:39:18` is nonsense.
    private func startsPositive(_ start: Int) -> Bool {
        self.tokens[start].value >= 0 && self.text[Int(self.tokens[start].start)] != 0x2D
    }

    /// The longest time left that is believed, in seconds.
    static let longestTimeLeft = 1e9

    static let units: [String: Double] = [
        "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "ms": 0.001, "m": 60, "min": 60,
        "mins": 60,
        "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
        "d": 86400,
        "day": 86400, "days": 86400,
    ]
}
