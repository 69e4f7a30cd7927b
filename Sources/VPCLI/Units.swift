import Foundation
import VPEngine

/// Amounts in a form for people.
enum Units {
    static func bytes(_ count: Int64) -> String { ByteCount.text(count) }

    /// `24 GB` for the 24,564 MB that a platform states.
    static func gpuMemory(_ bytes: Int64, of gpu: String? = nil) -> String {
        "\(GPUMemory.gigabytes(bytes, of: gpu)) GB"
    }

    static func hourly(_ dollars: Double) -> String { Figures.dollars(dollars, 3) + "/h" }

    /// Dollars with two decimals, or with four below ten cents.
    static func dollars(_ dollars: Double) -> String {
        Figures.dollars(dollars, abs(dollars) < 0.0995 && dollars != 0 ? 4 : 2)
    }

    /// The time since `date`: `just now`, `7 min`, `3 h`, `2 d`.
    static func age(_ date: Date?, now: Date) -> String {
        guard let date else { return "" }
        let seconds = NumberRange.seconds.clamp(now.timeIntervalSince(date))
        return seconds < 60 ? "just now" : TimeSpan.rough(seconds, minutesFrom: 60)
    }

    /// ISO 8601 in UTC.
    static func timestamp(_ date: Date) -> String { date.formatted(.iso8601) }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func short(_ value: Double) -> String {
        let text = Figures.fixed(value, 1)
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

    /// The table's lines, without columns that have no text.
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
