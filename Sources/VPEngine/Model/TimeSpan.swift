import Foundation

/// A length of time as it is typed and shown: `90s`, `30m`, `4h`, `2d`, and parts of them together, `1h30m`.
///
/// Options, settings and the dashboard share this grammar. A number without a unit would mean hours in one
/// place and minutes in the next, so that it is refused with a hint what to type.
public enum TimeSpan {
    /// A problem with a text, as a sentence that says what to type.
    public struct Problem: Error, Hashable, Sendable {
        public let sentence: String
    }

    private static let units: [(name: String, seconds: Int)] = [
        ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// Reads a length of time in seconds, more than 0 and less than thirty years.
    public static func seconds(_ text: String) throws(Problem) -> Double {
        let typed = text.trimmingCharacters(in: .whitespaces).lowercased()
        var rest = Substring(typed)
        var sum = 0.0
        var last = Double.infinity
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count).drop { $0 == " " }
            guard let number = Double(digits), number.isFinite else { throw Self.problem(text) }
            guard !letters.isEmpty else {
                throw Problem(
                    sentence: "“\(text)” has no unit: type \(digits)s, \(digits)m, \(digits)h or \(digits)d")
            }
            // `1h30m`, and not `30m1h`, which is more likely a slip than a time.
            guard let unit = Self.unit(letters), unit < last else { throw Self.problem(text) }
            last = unit
            sum += number * unit
        }
        guard sum > 0, sum < 1e9 else { throw Self.problem(text) }
        return sum
    }

    private static func unit(_ letters: Substring) -> Double? {
        switch letters {
        case "s", "sec", "secs", "second", "seconds": 1
        case "m", "min", "mins", "minute", "minutes": 60
        case "h", "hour", "hours": 3600
        case "d", "day", "days": 86_400
        default: nil
        }
    }

    private static func problem(_ text: String) -> Problem {
        Problem(sentence: "“\(text)” is not a length of time: type 90s, 30m, 4h, 2d or 1h30m")
    }

    /// Formats whole seconds such as `12h`, `1h30m` or `90s`, which `seconds` reads back.
    public static func text(_ seconds: Double) -> String {
        var rest = Int(saturating: NumberRange.seconds.clamp(seconds).rounded())
        // Two minutes or less are easier in seconds than in minutes and seconds.
        if rest < 120, rest % 60 != 0 { return "\(rest)s" }
        var text = ""
        for (name, length) in Self.units where rest >= length {
            text += "\(rest / length)\(name)"
            rest %= length
        }
        return text.isEmpty ? "0s" : text
    }

    // MARK: Other forms, for display only

    /// Formats a time for sentences, in one unit: `40 s`, `12 min`, `3 h`, `2 d`. Minutes begin at
    /// `minutesFrom` seconds.
    package static func rough(_ seconds: Double, minutesFrom: Double = 90) -> String {
        func whole(_ unit: Double) -> Int {
            Int(saturating: (NumberRange.seconds.clamp(seconds) / unit).rounded())
        }
        if seconds < minutesFrom { return "\(whole(1)) s" }
        switch seconds {
        case ..<5400: return "\(whole(60)) min"
        case ..<172_800: return "\(whole(3600)) h"
        default: return "\(whole(86_400)) d"
        }
    }

    /// Formats a measured time: `0.4 s`, `12 s`, `3:07`, `1:02:07`.
    package static func exact(_ seconds: Double) -> String {
        let seconds = NumberRange.seconds.clamp(seconds)
        if seconds < 9.95 { return "\(Figures.fixed(seconds, 1)) s" }
        let whole = Int(saturating: seconds.rounded())
        return whole < 60 ? "\(whole) s" : Self.hoursAndMinutes(whole)
    }

    /// Formats a time for columns, the coarser the longer it is: `45s`, `12m`, `1h12m`, `3d4h`.
    package static func brief(_ seconds: Double) -> String {
        let whole = Self.whole(seconds, .down)
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m"
        case ..<86_400: return "\(whole / 3600)h\(Figures.twoDigits(whole / 60 % 60))m"
        default: return "\(whole / 86_400)d\(whole / 3600 % 24)h"
        }
    }

    /// Formats the time for which something has been running: `00:41:12`.
    package static func clock(_ seconds: Double) -> String {
        let whole = Self.whole(seconds, .down)
        let minutes = "\(Figures.twoDigits(whole / 60 % 60)):\(Figures.twoDigits(whole % 60))"
        return "\(Figures.twoDigits(whole / 3600)):\(minutes)"
    }

    /// Formats the time that is left: `0:08`, `1:00:00`.
    package static func countdown(_ seconds: Double) -> String {
        Self.hoursAndMinutes(Self.whole(seconds, .up))
    }

    /// Formats whole seconds as `3:07` or `1:02:07`.
    private static func hoursAndMinutes(_ whole: Int) -> String {
        let rest = Figures.twoDigits(whole % 60)
        guard whole >= 3600 else { return "\(whole / 60):\(rest)" }
        return "\(whole / 3600):\(Figures.twoDigits(whole / 60 % 60)):\(rest)"
    }

    private static func whole(_ seconds: Double, _ rule: FloatingPointRoundingRule) -> Int {
        Int(saturating: max(0, min(seconds, 1e9)).rounded(rule))
    }
}
