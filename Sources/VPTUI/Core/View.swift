import VPEngine

/// Returns the screen for `state`. It depends on nothing else.
public func view(_ state: State) -> CellBuffer {
    var buffer = CellBuffer(size: state.size)
    let layout = Layout(state)
    if layout.isTooSmall {
        drawTooSmall(state, in: &buffer)
    } else {
        drawPanes(state, layout, in: &buffer)
        drawOverlay(state, in: &buffer)
    }
    if state.settings.isASCII { buffer.foldToASCII() }
    return buffer
}

private func drawTooSmall(_ state: State, in buffer: inout CellBuffer) {
    func key(_ command: Command) -> String {
        state.keyMap.bindings.first { $0.command == command }?.keys.first?.name ?? "Ctrl-c"
    }
    var lines = [
        "Too small: \(state.size.width)x\(state.size.height)",
        "at least \(Layout.minimum.width)x\(Layout.minimum.height)", "\(key(.quit)) quits; jobs keep running",
    ]
    if !state.pendingDestroys.isEmpty { lines.append("\(key(.undo)) cancels the destroy") }
    let top = max(0, (state.size.height - lines.count) / 2)
    for (index, line) in lines.enumerated() {
        let x = max(0, (state.size.width - line.count) / 2)
        buffer.writeCut(
            line, x: x, y: top + index, style: Style(index == 0 ? .warning : .muted),
            limit: state.size.width - x)
    }
}

private func drawPanes(_ state: State, _ layout: Layout, in buffer: inout CellBuffer) {
    BurnLine.draw(state, in: layout.burn, of: &buffer)
    if let main = layout.main { MainScreen.draw(state, in: main, of: &buffer) }
    if let fleet = layout.fleet { FleetScreen.draw(state, in: fleet, of: &buffer) }
    // The focused pane is drawn last: the border row that it shares is drawn in its colour.
    let order = layout.lists.filter { $0.0 != state.focus } + layout.lists.filter { $0.0 == state.focus }
    for (pane, area) in order {
        let isLast = pane == layout.lists.last?.0
        let joins = (above: pane != layout.lists.first?.0, below: !isLast || layout.fleet != nil)
        let isFocused = pane == state.focus
        switch pane {
        case .instances:
            InstancesScreen.pane(state, area: area).draw(isFocused: isFocused, joins: joins, in: &buffer)
        case .offers:
            OffersScreen.pane(state, area: area).draw(isFocused: isFocused, joins: joins, in: &buffer)
        case .jobs:
            JobsScreen.pane(state, area: area).draw(isFocused: isFocused, joins: joins, in: &buffer)
        case .main: break
        }
    }
    if let fleet = layout.fleet { FleetScreen.drawTitle(state, in: fleet, of: &buffer) }
    redrawTitle(state, layout, in: &buffer)
    if let main = layout.main, !layout.lists.isEmpty { joinSides(main, state, in: &buffer) }
    ActionsStrip.draw(state, in: layout.strip, of: &buffer)
    Toasts.draw(state, in: layout.toasts, of: &buffer)
    HintBar.draw(state, in: layout.hint, of: &buffer)
}

/// Draws a title again: the bottom border of the focused pane is the top border of the next pane, whose title
/// it has just covered.
private func redrawTitle(_ state: State, _ layout: Layout, in buffer: inout CellBuffer) {
    guard let index = layout.lists.firstIndex(where: { $0.0 == state.focus }), index + 1 < layout.lists.count
    else { return }
    let (pane, area) = layout.lists[index + 1]
    switch pane {
    case .instances, .main: break
    case .offers: OffersScreen.pane(state, area: area).drawTitle(isFocused: false, in: &buffer)
    case .jobs: JobsScreen.pane(state, area: area).drawTitle(isFocused: false, in: &buffer)
    }
}

/// Draws the border that lists and main pane share: its corners lead both ways, and it has the colour of the
/// focused side. The mark for the visible part of a list stays.
private func joinSides(_ main: Rect, _ state: State, in buffer: inout CellBuffer) {
    let x = main.x
    for y in main.y..<main.maxY {
        let cell = buffer[x, y]
        guard cell.text != "┃" else { continue }
        let text: String =
            y == main.y ? "┬" : y == main.maxY - 1 ? "┴" : String(cell.text)
        let style = state.focus == .main ? Style(.borderFocused) : cell.style
        buffer.write(text, x: x, y: y, style: style)
    }
}

private func drawOverlay(_ state: State, in buffer: inout CellBuffer) {
    switch state.overlay {
    case .dialog(let dialog): DialogScreen.draw(dialog, state, of: &buffer)
    case .prompt(let prompt): if !prompt.isInline { PromptScreen.draw(prompt, state, of: &buffer) }
    case .form(let form): FormScreen.draw(form, state, of: &buffer)
    case .palette(let palette): PaletteScreen.draw(palette, state, of: &buffer)
    case .list(let list): ListOverlayScreen.draw(list, state, of: &buffer)
    case .text(let text): TextOverlayScreen.draw(text, of: &buffer)
    case .help(let help): HelpScreen.draw(help, state, of: &buffer)
    case nil: break
    }
}
