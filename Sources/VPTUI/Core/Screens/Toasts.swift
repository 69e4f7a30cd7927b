import VPEngine

/// Sentences that stay for a few seconds, at the lower right.
enum Toasts {
    static func draw(_ state: State, above bottom: Int, of buffer: inout CellBuffer) {
        var y = bottom - 1
        for toast in state.toasts.reversed() where y > 1 {
            let width = min(state.size.width - 4, DisplayWidth.of(toast.text) + 2)
            let x = state.size.width - width - 2
            buffer.fill(Rect(x: x, y: y, width: width, height: 1), style: Style(.plain, on: .dialog))
            buffer.writeCut(
                toast.text, x: x + 1, y: y, style: Style(toast.role, on: .dialog, .bold), limit: width - 2)
            y -= 1
        }
    }
}
