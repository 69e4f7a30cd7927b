import VPEngine

/// Notices that stay for a few seconds, in rows of their own, so that they cover nothing. The
/// newest is the lowest.
enum Toasts {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        for (row, toast) in state.toasts.suffix(area.height).enumerated() {
            let line = area.row(row)
            buffer.fill(line, style: Style(.plain, on: .dialog))
            let mark = buffer.write(
                "▌", x: line.x, y: line.y,
                style: Style(toast.role == .plain ? .accent : toast.role, on: .dialog))
            buffer.writeCut(
                toast.text, x: line.x + mark, y: line.y, style: Style(toast.role, on: .dialog, .bold),
                limit: line.width - mark - 1)
        }
    }
}
