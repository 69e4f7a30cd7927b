import VPEngine

/// Draws the part of a text field around its cursor, and places the terminal's cursor.
func drawField(
    _ field: TextField, x: Int, y: Int, width: Int, surface: Surface, in buffer: inout CellBuffer
) {
    guard width > 1 else { return }
    // Starts at the cursor and goes back as far as there is room: a pasted text may be long.
    let text = field.text
    var start = text.prefix(field.cursor).endIndex
    var used = 0
    while start > text.startIndex {
        let before = text.index(before: start)
        let columns = DisplayWidth.of(text[before])
        guard used + columns <= width - 1 else { break }
        used += columns
        start = before
    }
    buffer.write(text[start...], x: x, y: y, style: Style(.plain, on: surface), limit: width)
    buffer.cursor = Point(x: x + used, y: y)
}
