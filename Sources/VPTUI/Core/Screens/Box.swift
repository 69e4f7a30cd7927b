/// Draws an empty box above the panes and returns its inside.
@discardableResult
func drawBox(_ area: Rect, title: String, isBad: Bool = false, in buffer: inout CellBuffer) -> Rect {
    let border = Style(isBad ? .bad : .borderFocused, on: .dialog)
    buffer.fill(area, style: Style(.plain, on: .dialog))
    buffer.box(area, style: border)
    buffer.writeCut(
        " \(title) ", x: area.x + 2, y: area.y, style: border.adding(.bold), limit: area.width - 4)
    return area.inner
}
