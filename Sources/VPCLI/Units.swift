import Foundation

/// Amounts as people read them.
enum Units {
    /// `0 B`, `812 B`, `1.2 MB`, `40 GB`: decimal, as disks and links are sold.
    static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        var unit = "B"
        for next in ["kB", "MB", "GB", "TB", "PB"] where abs(value) >= 999.5 {
            value /= 1000
            unit = next
        }
        return unit == "B" || value >= 99.95
            ? "\(Int(value.rounded())) \(unit)" : "\(Self.short(value)) \(unit)"
    }

    /// `24 GB` for the 24,564 MB that a platform states: drivers count a card's gigabytes as 1,024 of these.
    static func gpuMemory(_ bytes: Int64) -> String { "\(Int((Double(bytes) / 1.024e9).rounded())) GB" }

    static func hourly(_ dollars: Double) -> String { String(format: "$%.3f/h", dollars) }

    /// Four digits behind the point under ten cents, where two would say little.
    static func dollars(_ dollars: Double) -> String {
        String(format: abs(dollars) < 0.0995 && dollars != 0 ? "$%.4f" : "$%.2f", dollars)
    }

    /// `0.4 s`, `12 s`, `3:07`, `1:02:07`.
    static func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if seconds < 9.95 { return String(format: "%.1f s", max(0, seconds)) }
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return String(format: "%d:%02d", whole / 60, whole % 60) }
        return String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }

    /// `just now`, `7 min`, `3 h`, `2 d`: how long ago.
    static func age(_ date: Date?, now: Date) -> String {
        guard let date else { return "" }
        let seconds = now.timeIntervalSince(date)
        switch seconds {
        case ..<60: return "just now"
        case ..<5400: return "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: return "\(Int((seconds / 3600).rounded())) h"
        default: return "\(Int((seconds / 86400).rounded())) d"
        }
    }

    /// ISO 8601 in UTC.
    static func timestamp(_ date: Date) -> String { date.formatted(.iso8601) }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func short(_ value: Double) -> String {
        let text = String(format: "%.1f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

/// Columns of text, as wide as their widest cell.
struct TextTable {
    enum Alignment { case left, right }

    struct Cell {
        var text: String
        var style: Style?

        init(_ text: String, _ style: Style? = nil) {
            self.text = Terminal.printable(text)
            self.style = style
        }
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[Cell]] = []

    init(_ columns: [(title: String, alignment: Alignment)]) {
        self.columns = columns
    }

    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == self.columns.count, "a row has one cell for each column")
        self.rows.append(cells)
    }

    /// The lines. A column without any text is left out.
    func lines(colour: Bool) -> [String] {
        let used = self.columns.indices.filter { column in self.rows.contains { !$0[column].text.isEmpty } }
        let widths = self.columns.indices.map { column in
            ([self.columns[column].title] + self.rows.map { $0[column].text }).map(DisplayWidth.of).max() ?? 0
        }
        let header = used.map { Cell(self.columns[$0].title, .faint) }
        let body = self.rows.map { row in used.map { row[$0] } }
        return ([header] + body).map { cells in
            var line = ""
            for (index, cell) in zip(used, cells) {
                let pad = String(repeating: " ", count: widths[index] - DisplayWidth.of(cell.text))
                let text = cell.style?.apply(cell.text, if: colour) ?? cell.text
                line += self.columns[index].alignment == .right ? pad + text : text + pad
                line += "  "
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
