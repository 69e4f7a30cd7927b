import Foundation
import VPEngine

/// The dashboard's number formats. They ignore the locale, so that the screen looks the same everywhere.
enum Format {
    static func fixed(_ value: Double, _ places: Int) -> String {
        guard value.isFinite else { return "–" }
        let scale = [1.0, 10, 100, 1000, 10_000][max(0, min(4, places))]
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "–" }
        let whole = Int(scaled) / Int(scale)
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + String(whole) }
        let rest = String(Int(scaled) % Int(scale))
        return sign + "\(whole)." + String(repeating: "0", count: max(0, places - rest.count)) + rest
    }

    static func dollars(_ value: Double) -> String { "$" + Self.fixed(value, 2) }

    /// `$0.354/h`; a price under a dollar keeps its third place, as the markets quote it.
    static func hourly(_ price: HourlyPrice) -> String {
        "$" + Self.fixed(price.dollarsPerHour, price.dollarsPerHour < 1 ? 3 : 2) + "/h"
    }

    /// `$0.60`, `$0.355`: a limit as it was typed.
    static func limit(_ price: HourlyPrice) -> String {
        let text = Self.fixed(price.dollarsPerHour, 3)
        return "$" + (text.hasSuffix("0") ? String(text.dropLast()) : text)
    }

    static func bytes(_ count: Int64) -> String { ByteCount.text(count) }

    /// GPU memory by the size on the box: `24G`.
    static func memory(_ bytes: Int64, of gpu: String? = nil) -> String {
        "\(GPUMemory.gigabytes(bytes, of: gpu))G"
    }

    /// `12:04` at `offset` seconds from GMT.
    static func timeOfDay(_ date: Date, offset: Int) -> String {
        let seconds = Int(saturating: date.timeIntervalSince1970.rounded(.down)).addingSaturated(offset)
        let day = ((seconds % 86_400) + 86_400) % 86_400
        return "\(Self.two(day / 3600)):\(Self.two(day / 60 % 60))"
    }

    /// `12:04`, `tomorrow 12:04` or `Dec 7 12:04` at `offset` seconds from GMT.
    static func moment(_ date: Date, now: Date, offset: Int) -> String {
        func day(_ date: Date) -> Int {
            Int(saturating: ((date.timeIntervalSince1970 + Double(offset)) / 86_400).rounded(.down))
        }
        let time = Self.timeOfDay(date, offset: offset)
        switch day(date) - day(now) {
        case 0: return time
        case 1: return "tomorrow \(time)"
        case -1: return "yesterday \(time)"
        default:
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = TimeZone(secondsFromGMT: offset) ?? .gmt
            let parts = calendar.dateComponents([.month, .day], from: date)
            guard let month = parts.month, let day = parts.day else { return time }
            return "\(Self.months[max(0, min(11, month - 1))]) \(day) \(time)"
        }
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `12:04:31` at `offset` seconds from GMT.
    static func clockTime(_ date: Date, offset: Int) -> String {
        let seconds = Int(saturating: date.timeIntervalSince1970.rounded(.down))
        let second = ((seconds % 60) + 60) % 60
        return "\(Self.timeOfDay(date, offset: offset)):\(Self.two(second))"
    }

    /// `1 234`.
    static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits[...], at: 0)
        return (value < 0 ? "-" : "") + groups.joined(separator: " ")
    }

    static func plural(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(Self.count(count)) \(count == 1 ? one : many ?? one + "s")"
    }

    /// Formats a figure as briefly as is readable: `0.412`, `2.9e-4`, `640`, `15.5`.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        if size != 0, size < 0.001 || size >= 1e7 {
            var exponent = 0
            var mantissa = size
            while mantissa >= 10, exponent < 400 {
                mantissa /= 10
                exponent += 1
            }
            while mantissa < 1, exponent > -400 {
                mantissa *= 10
                exponent -= 1
            }
            // 9.97 would round to 10.0, so the next exponent is used.
            if mantissa >= 9.95 {
                mantissa /= 10
                exponent += 1
            }
            return (value < 0 ? "-" : "") + Self.fixed(mantissa, 1) + "e\(exponent)"
        }
        if value == value.rounded() { return Self.fixed(value, 0) }
        return Self.trimmed(Self.fixed(value, size < 1 ? 4 : size < 100 ? 3 : 1))
    }

    /// Returns a number without the zeros at the end of its decimals.
    static func trimmed(_ number: String) -> String {
        guard number.contains(".") else { return number }
        var text = number[...]
        while text.hasSuffix("0") { text.removeLast() }
        return String(text.hasSuffix(".") ? text.dropLast() : text)
    }

    /// Returns a count, shortened but still distinct from its neighbours on an axis: `640`, `20.6k`, `1.5M`.
    static func compact(_ value: Double) -> String {
        guard value.isFinite, abs(value) >= 10_000 else { return Self.short(value) }
        let (scaled, unit) = abs(value) < 999_950 ? (value / 1000, "k") : (value / 1_000_000, "M")
        let text = Self.fixed(scaled, abs(scaled) < 100 ? 1 : 0)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + unit
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
