import VPEngine

/// The keys of the pane that has the focus, from the key map.
enum HelpScreen {
    private enum Line {
        case title(String)
        case key(String, String)
        case gap
    }

    private static func lines(_ state: State) -> [Line] {
        var lines: [Line] = []
        for context in KeyMap.contexts(of: state.focus, state.mainContent) {
            let bindings = state.keyMap.bindings(in: context)
            if bindings.isEmpty { continue }
            if !lines.isEmpty { lines.append(.gap) }
            lines.append(.title(context.title))
            for binding in bindings {
                lines.append(.key(binding.keys.map(\.name).joined(separator: " "), binding.help))
            }
        }
        for (title, keys) in KeyMap.fixedKeys {
            lines += [.gap, .title(title)]
            lines += keys.map { .key($0.0.joined(separator: " "), $0.1) }
        }
        return lines
    }

    static func lineCount(_ state: State) -> Int { Self.lines(state).count }

    static func draw(_ state: State, scroll: Int, of buffer: inout CellBuffer) {
        let lines = Self.lines(state)
        let area = Layout.helpBox(buffer.size, lineCount: lines.count)
        let border = Style(.borderFocused, on: .dialog)
        buffer.fill(area, style: Style(.plain, on: .dialog))
        buffer.box(area, style: border)
        buffer.writeCut(
            " Keys in \(state.focus.title) ", x: area.x + 2, y: area.y, style: border.adding(.bold),
            limit: area.width - 4)
        let inner = area.inner
        for (index, line) in lines.dropFirst(max(0, scroll)).enumerated() where index < inner.height {
            let y = inner.y + index
            switch line {
            case .title(let title):
                buffer.writeCut(
                    title, x: inner.x + 1, y: y, style: Style(.accent, on: .dialog, .bold),
                    limit: inner.width - 2)
            case .key(let keys, let help):
                let room = min(16, inner.width - 2)
                let width = DisplayWidth.of(keys)
                buffer.writeCut(
                    keys, x: inner.x + 1 + max(0, room - width), y: y, style: Style(.key, on: .dialog, .bold),
                    limit: room)
                buffer.writeCut(
                    help, x: inner.x + 3 + room, y: y, style: Style(.plain, on: .dialog),
                    limit: inner.width - room - 4)
            case .gap: break
            }
        }
        drawScrollbar(
            in: area, of: &buffer, first: scroll, visible: inner.height, total: lines.count, style: border)
    }
}
