import VPEngine

/// The bottom line: the keys of what has the focus, or the text being typed. A click on a key presses it.
enum HintBar {
    private struct Hint {
        var key: String
        var word: String
        /// What a click presses; nil for a hint that names several keys.
        var pressed: Key?

        init(_ key: String, _ word: String, _ pressed: Key? = nil) {
            self.key = key
            self.word = word
            self.pressed = pressed
        }

        var width: Int { DisplayWidth.of(self.key) + 1 + DisplayWidth.of(self.word) }
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard !area.isEmpty else { return }
        buffer.fill(area, style: Style(.plain, on: .bar))
        if case .prompt(let prompt) = state.overlay, prompt.isInline {
            Self.draw(prompt, state, in: area, of: &buffer)
            return
        }
        for (hint, x) in Self.placed(state, in: area) {
            let used = buffer.write(hint.key, x: x, y: area.y, style: Style(.key, on: .bar, .bold))
            buffer.write(hint.word, x: x + used + 1, y: area.y, style: Style(.plain, on: .bar))
        }
    }

    /// The key whose hint is at `point`.
    static func key(at point: Point, _ state: State) -> Key? {
        let area = Layout(state).hint
        guard area.contains(point) else { return nil }
        return Self.placed(state, in: area).first { hint, x in
            point.x >= x && point.x < x + hint.width
        }?.0.pressed
    }

    /// Which hints fit, and where. Help and the way out are always there, whatever else fits.
    private static func placed(_ state: State, in area: Rect) -> [(Hint, Int)] {
        let fixed = Self.fixedHints(state)
        let fixedWidth = fixed.reduce(0) { $0 + $1.width + 2 }
        var placed: [(Hint, Int)] = []
        var x = area.x + 1
        func place(_ hints: [Hint], until end: Int) {
            for hint in hints {
                guard x + hint.width <= end else { return }
                placed.append((hint, x))
                x += hint.width + 2
            }
        }
        place(Self.hints(state), until: area.maxX - 1 - fixedWidth)
        x = max(x, area.maxX - 1 - fixedWidth + 2)
        place(fixed, until: area.maxX - 1)
        return placed
    }

    private static func draw(_ prompt: Prompt, _ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let count = Self.count(prompt, state)
        let width = DisplayWidth.of(count)
        let mark =
            switch prompt.kind {
            case .keepLines: "&"
            case .filter, .search, .run, .rename, .forward, .offerQuery, .writeLog, .goToTime: "/"
            }
        let x = area.x + 1 + buffer.write(mark, x: area.x + 1, y: area.y, style: Style(.key, on: .bar, .bold))
        drawField(
            prompt.field, x: x, y: area.y, width: area.width - 4 - width, surface: .bar, in: &buffer)
        buffer.write(
            count, x: area.maxX - 1 - width, y: area.y,
            style: Style(prompt.problem == nil ? .muted : .bad, on: .bar))
    }

    private static func fixedHints(_ state: State) -> [Hint] {
        guard state.overlay == nil else { return [] }
        return state.keyMap.bindings(in: .everywhere).compactMap { binding in
            guard let hint = binding.hint, let key = binding.keys.first else { return nil }
            return Hint(key.name, hint, key)
        }
    }

    private static func hints(_ state: State) -> [Hint] {
        switch state.overlay {
        case .dialog(let dialog):
            if case .error = dialog.kind { return [Hint("Enter", "close", .enter)] }
            return [
                Hint("Tab", "next button", .tab), Hint("y", "confirm"), Hint("Esc", "cancel", .escape),
            ]
        case .prompt:
            return [Hint("Enter", "go", .enter), Hint("↑", "history", .up), Hint("Esc", "cancel", .escape)]
        case .form:
            return [
                Hint("Tab", "next field", .tab), Hint("→", "complete", .right), Hint("Ctrl-s", "rent it"),
                Hint("Esc", "cancel", .escape),
            ]
        case .palette:
            return [
                Hint("Enter", "do it", .enter), Hint("Tab", "complete", .tab), Hint("↑ ↓", "choose, history"),
                Hint("Esc", "cancel", .escape),
            ]
        case .list(let list):
            let copy = Hint("y", "copy the line", .character("y"))
            let own: [Hint] =
                switch list.kind {
                case .history: [copy]
                case .actions: [Hint("X", "cancel it", .character("X"))]
                case .alarms where state.alarms.isEmpty: []
                case .alarms: Self.hints(ofAlarm: list.selected, state) + [copy]
                }
            return [Hint("j k", "move")] + own + [Hint("Esc", "close", .escape)]
        case .help, .text: return [Hint("j k", "scroll"), Hint("Esc", "close", .escape)]
        case nil: break
        }
        var hints: [Hint] = []
        if !state.alarms.isEmpty,
            let key = state.keyMap.bindings.first(where: { $0.command == .alarms })?.keys.first
        {
            hints.append(Hint(key.name, "alarms", key))
        }
        if !state.pendingDestroys.isEmpty { hints.append(Hint("z", "undo destroy", .character("z"))) }
        for context in KeyMap.contexts(of: state.focus, state.mainContent) where context != .everywhere {
            for binding in state.keyMap.bindings(in: context) {
                guard let hint = binding.hint, let key = binding.keys.first else { continue }
                if state.settings.isReadOnly, binding.command.changesSomething { continue }
                hints.append(Hint(key.name, hint, key))
            }
        }
        return hints
    }

    private static func hints(ofAlarm row: Int, _ state: State) -> [Hint] {
        let alarms = state.alarms
        guard alarms.indices.contains(row) else { return [] }
        return [Hint("Enter", state.action(for: alarms[row]).hint, .enter)]
    }

    private static func count(_ prompt: Prompt, _ state: State) -> String {
        switch prompt.kind {
        case .filter(.instances): return Self.count(state.instances)
        case .filter(.offers): return Self.count(state.offers)
        case .filter(.jobs): return Self.count(state.jobs)
        case .filter(.main), .search, .keepLines, .run, .rename, .forward, .offerQuery, .writeLog, .goToTime:
            return prompt.problem ?? TextPattern(prompt.field.text).problem ?? ""
        }
    }

    private static func count<Row>(_ list: ListState<Row>) -> String {
        list.filterProblem ?? "\(list.shownCount) of \(list.rows.count)"
    }
}
