import Foundation
import VPEngine

/// Draws the border of a pane with its title, and `right` at the border's right end.
func drawPane(
    _ area: Rect, number: Int, title: String, subtitle: String = "", right: [Span] = [],
    isFocused: Bool, joins: (above: Bool, below: Bool) = (false, false), dropsParts: Bool = false,
    in buffer: inout CellBuffer
) {
    let border = Style(isFocused ? .borderFocused : .border)
    buffer.box(area, style: border)
    if joins.above {
        buffer.write("├", x: area.x, y: area.y, style: border)
        buffer.write("┤", x: area.maxX - 1, y: area.y, style: border)
    }
    if joins.below {
        buffer.write("├", x: area.x, y: area.maxY - 1, style: border)
        buffer.write("┤", x: area.maxX - 1, y: area.maxY - 1, style: border)
    }
    drawTitle(
        area, number: number, title: title, subtitle: subtitle, right: right, isFocused: isFocused,
        dropsParts: dropsParts, in: &buffer)
}

/// Returns the first parts of a line of facts, separated by " · ", that have room; half a fact misleads.
private func wholeParts(of line: String, room: Int) -> String {
    guard DisplayWidth.of(line) > room else { return line }
    var parts = line.components(separatedBy: " · ")
    while parts.count > 1, DisplayWidth.of(parts.joined(separator: " · ")) > room { parts.removeLast() }
    return parts.joined(separator: " · ")
}

/// Writes a pane's title into its upper border. `dropsParts` says that the subtitle is a line of facts,
/// of which those without room are left out and not cut.
func drawTitle(
    _ area: Rect, number: Int, title: String, subtitle: String, right: [Span], isFocused: Bool,
    dropsParts: Bool = false, in buffer: inout CellBuffer
) {
    let rightWidth = right.reduce(0) { $0 + DisplayWidth.of($1.text) }
    let room = area.width - 4
    guard room > 0 else { return }
    var x = area.x + 2
    let end = area.maxX - 2
    let name = Style(isFocused ? .titleFocused : .title, on: .base, isFocused ? .bold : [])
    x += buffer.write(" \(number) ", x: x, y: area.y, style: Style(isFocused ? .key : .muted), limit: end - x)
    x += buffer.writeCut("\(title) ", x: x, y: area.y, style: name, limit: end - x)
    let subtitleRoom = end - x - (rightWidth > 0 ? rightWidth + 3 : 0)
    let subtitle = dropsParts ? wholeParts(of: subtitle, room: subtitleRoom) : subtitle
    if !subtitle.isEmpty, subtitleRoom > 4 {
        let shown = DisplayWidth.of(subtitle) < subtitleRoom ? subtitle + " " : subtitle
        x += buffer.writeCut(shown, x: x, y: area.y, style: Style(.muted), limit: subtitleRoom)
    }
    if rightWidth > 0, end - x >= rightWidth + 2 {
        var x = end - rightWidth - 2
        x += buffer.write(" ", x: x, y: area.y)
        for span in right { x += buffer.write(span.text, x: x, y: area.y, style: span.style) }
        buffer.write(" ", x: x, y: area.y)
    }
}

/// Draws the rows of one list.
struct ListPane<Row: ListRow> {
    var pane: Pane
    var area: Rect
    var list: ListState<Row>
    var table: TableView
    var subtitle: String
    var banner: String?
    /// The lines to show if the list has no rows.
    var emptyLines: [String]
    var isStale: (Row) -> Bool
    var spans: (Row) -> [[Span]]

    func draw(isFocused: Bool, joins: (above: Bool, below: Bool), in buffer: inout CellBuffer) {
        let frame = ListFrame(
            area: self.area, hasBanner: self.banner != nil, count: self.list.shownCount)
        buffer.fill(self.area.inner)
        drawPane(
            self.area, number: self.pane.rawValue, title: self.pane.title, subtitle: self.subtitle,
            right: self.corner, isFocused: isFocused, joins: joins, dropsParts: true, in: &buffer)
        if let banner {
            buffer.writeCut(
                banner, x: frame.banner.x + 1, y: frame.banner.y,
                style: Style(banner.hasPrefix("⚠") ? .bad : .muted),
                limit: frame.banner.width - 1)
        }
        guard self.list.shownCount > 0 else {
            for (index, line) in self.linesOfNothing(frame.rows.height).enumerated()
            where index < frame.rows.height {
                buffer.writeCut(
                    line, x: frame.rows.x + 1, y: frame.rows.y + index,
                    style: Style(index == 0 ? .plain : .muted), limit: frame.rows.width - 1)
            }
            return
        }
        let first = max(0, min(self.list.top, self.list.shownCount - 1))
        let visible = self.list.shown(from: first, count: frame.rows.height)
        let marked =
            self.list.marks.isEmpty ? [] : visible.indices.filter { self.list.marks.contains(visible[$0].id) }
        let order = self.list.order
        self.table.ordered(by: order.name, rising: order.largestFirst == self.list.isReversed).draw(
            visible.map(self.spans), selected: self.list.selectedIndex.map { $0 - first },
            marked: Set(marked), isStale: { self.isStale(visible[$0]) }, header: frame.header,
            area: frame.rows, in: &buffer)
        drawScrollbar(
            in: self.area, of: &buffer, first: first, visible: frame.rows.height,
            total: self.list.shownCount, style: Style(isFocused ? .borderFocused : .muted))
    }

    func drawTitle(isFocused: Bool, in buffer: inout CellBuffer) {
        VPTUICore.drawTitle(
            self.area, number: self.pane.rawValue, title: self.pane.title, subtitle: self.subtitle,
            right: self.corner, isFocused: isFocused, dropsParts: true, in: &buffer)
    }

    /// Explains an empty view: the filter that hides every row may be left from an earlier session, so it is
    /// named together with the key that clears it.
    private func linesOfNothing(_ height: Int) -> [String] {
        guard !self.list.rows.isEmpty else { return self.emptyLines }
        let all = "Esc shows all \(self.list.rows.count)"
        return height > 1
            ? ["Nothing matches “\(self.list.filter)”.", "\(all)."]
            : ["\(all): nothing matches “\(self.list.filter)”."]
    }

    /// The filter, and the order if it is not the usual one.
    private var corner: [Span] {
        var spans: [Span] = []
        if !self.list.marks.isEmpty {
            let range = self.list.isMarkingRange ? "…" : ""
            spans.append(Span("◆ \(self.list.marks.count) marked\(range)", .key, .bold))
        }
        if !self.list.filter.isEmpty {
            if !spans.isEmpty { spans.append(Span(" · ", .muted)) }
            spans.append(Span("/\(self.list.filter)", self.list.filterProblem == nil ? .warning : .bad))
            spans.append(Span(" \(self.list.shownCount) of \(self.list.rows.count)", .muted))
        }
        if self.list.orderIndex != 0 || self.list.isReversed {
            let arrow = self.list.order.largestFirst == self.list.isReversed ? "↑" : "↓"
            spans.append(Span("\(spans.isEmpty ? "" : " · ")\(self.list.order.name) \(arrow)", .muted))
        }
        return spans
    }
}
