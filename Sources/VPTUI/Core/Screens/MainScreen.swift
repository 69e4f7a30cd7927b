import VPEngine

/// The main pane, with its current content.
enum MainScreen {
    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        switch state.mainContent {
        case .log: LogScreen.draw(state, in: area, of: &buffer)
        case .details: DetailsScreen.draw(state, in: area, of: &buffer)
        case .metrics: MetricsScreen.draw(state, in: area, of: &buffer)
        case .files: FilesScreen.draw(state, in: area, of: &buffer)
        }
    }

    /// Returns the number of rows by which details and files can be scrolled.
    static func maximumScroll(_ state: State, in area: Rect) -> Int {
        switch state.mainContent {
        case .details: max(0, DetailsScreen.lineCount(state, width: area.inner.width) - area.inner.height)
        case .files: max(0, FilesScreen.lineCount(state) - area.inner.height)
        case .log, .metrics: 0
        }
    }
}
