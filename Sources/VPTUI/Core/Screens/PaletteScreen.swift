import VPEngine

/// The command line, with its completions below.
enum PaletteScreen {
    static func draw(_ palette: Palette, _ state: State, of buffer: inout CellBuffer) {
        let screen = buffer.bounds
        let candidates = palette.candidates(state)
        let rows = max(1, min(12, screen.height - 8))
        let width = max(56, min(110, screen.width - 4))
        let area = Rect(
            x: (screen.width - min(width, screen.width - 2)) / 2, y: min(3, max(1, screen.height - rows - 5)),
            width: min(width, screen.width - 2), height: min(rows + 4, screen.height - 2))
        let inner = drawBox(area, title: "Command", in: &buffer)
        let mark = buffer.write(
            ":", x: inner.x + 1, y: inner.y, style: Style(.key, on: .dialog, .bold))
        drawField(
            palette.field, x: inner.x + 1 + mark, y: inner.y, width: inner.width - 2 - mark,
            surface: .dialog, in: &buffer)
        let list = inner.dropFirst(rows: 2)
        guard !candidates.isEmpty else {
            let text =
                palette.field.text.isEmpty && state.verbs.verbs.isEmpty
                ? "Reading the commands of vp…" : "Enter runs this line with vp."
            buffer.writeCut(
                text, x: list.x + 1, y: list.y, style: Style(.muted, on: .dialog), limit: list.width - 2)
            return
        }
        let top = max(0, min((palette.selected ?? 0) - list.height + 1, candidates.count - list.height))
        let nameWidth = min(
            list.width / 2, candidates[top...].prefix(list.height).map { DisplayWidth.of($0.text) }.max() ?? 0
        )
        for (row, candidate) in candidates[top...].prefix(list.height).enumerated() {
            let isChosen = palette.selected == top + row
            let surface: Surface = isChosen ? .selected : .dialog
            let y = list.y + row
            if isChosen { buffer.fill(list.row(row), style: Style(.plain, on: surface)) }
            buffer.write(isChosen ? "▸" : " ", x: list.x, y: y, style: Style(.accent, on: surface, .bold))
            buffer.writeCut(
                candidate.text, x: list.x + 2, y: y, style: Style(.plain, on: surface, .bold),
                limit: nameWidth)
            let key = candidate.key ?? ""
            let helpX = list.x + 4 + nameWidth
            buffer.writeCut(
                candidate.help, x: helpX, y: y, style: Style(.muted, on: surface),
                limit: list.maxX - helpX - DisplayWidth.of(key) - 2)
            buffer.write(
                key, x: list.maxX - DisplayWidth.of(key) - 1, y: y, style: Style(.key, on: surface))
        }
    }
}
