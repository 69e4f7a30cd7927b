/// Draws the part of a text field around its cursor, and puts the terminal's cursor there.
func drawField(
    _ field: TextField, x: Int, y: Int, width: Int, surface: Surface, in buffer: inout CellBuffer
) {
    guard width > 1 else { return }
    var head = field.text.prefix(field.cursor)
    var shift = 0
    while DisplayWidth.of(head) > width - 1, !head.isEmpty {
        head = head.dropFirst()
        shift += 1
    }
    buffer.write(field.text.dropFirst(shift), x: x, y: y, style: Style(.plain, on: surface), limit: width)
    buffer.cursor = Point(x: x + DisplayWidth.of(head), y: y)
}
