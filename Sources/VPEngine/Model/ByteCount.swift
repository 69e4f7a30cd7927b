import Foundation

/// Byte counts as text that people write and read; every front end uses the same form.
public enum ByteCount {
    /// Formats a count as `0 B`, `812 B`, `1.2 MB` or `40 GB`: in decimal units, as disks and links are sold.
    public static func text(_ count: Int64) -> String {
        var value = Double(count)
        var unit = "B"
        for next in ["kB", "MB", "GB", "TB", "PB"] where abs(value) >= 999.5 {
            value /= 1000
            unit = next
        }
        let places = unit == "B" || abs(value) >= 99.95 ? 0 : 1
        let text = Figures.fixed(value, places)
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " " + unit
    }

    /// Parses `40` (gigabytes), `40GB`, `1.5 TB` or `512 MiB`. Returns nil if `text` is no such size or is
    /// not positive.
    package static func parse(_ text: String) -> Int64? {
        let text = text.trimmingCharacters(in: .whitespaces)
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).uppercased()
        let factors: [String: Double] = [
            "": 1e9, "B": 1, "K": 1e3, "KB": 1e3, "M": 1e6, "MB": 1e6, "G": 1e9, "GB": 1e9, "T": 1e12,
            "TB": 1e12, "KIB": 1024, "MIB": 1_048_576, "GIB": 1_073_741_824, "TIB": 1_099_511_627_776,
        ]
        guard let number = Double(digits), let factor = factors[unit], number > 0, number * factor < 1e18
        else {
            return nil
        }
        return Int64(number * factor)
    }
}
