import VPEngine

/// The bottom line: the keys that have an effect at the focus, or the text being typed. A click
/// on a key presses it.
enum HintBar {
    /// The groups of hints, in their order on screen.
    private enum Group: CaseIterable { case act, look, move }

    private struct Hint {
        var key: String
        var word: String
        /// The key that a click presses; nil for a hint that names several keys.
        var pressed: Key?
        var group = Group.look
        /// The lower, the longer it stays on a narrow screen.
        var rank = 0

        init(_ key: String, _ word: String, _ pressed: Key? = nil, _ group: Group = .look) {
            self.key = key
            self.word = word
            self.pressed = pressed
            self.group = group
        }

        var width: Int { DisplayWidth.of(self.key) + 1 + DisplayWidth.of(self.word) }
    }

    private struct Placed {
        var hints: [(hint: Hint, x: Int)] = []
        /// Marks between groups, and in place of omitted hints.
        var marks: [(text: String, x: Int)] = []
    }

    static func draw(_ state: State, in area: Rect, of buffer: inout CellBuffer) {
        guard !area.isEmpty else { return }
        buffer.fill(area, style: Style(.plain, on: .bar))
        if case .prompt(let prompt) = state.overlay, prompt.isInline {
            Self.draw(prompt, state, in: area, of: &buffer)
            return
        }
        let placed = Self.placed(state, in: area)
        for (text, x) in placed.marks {
            buffer.write(text, x: x, y: area.y, style: Style(.muted, on: .bar))
        }
        for (hint, x) in placed.hints {
            let used = buffer.write(hint.key, x: x, y: area.y, style: Style(.key, on: .bar, .bold))
            buffer.write(hint.word, x: x + used + 1, y: area.y, style: Style(.plain, on: .bar))
        }
    }

    /// Returns the key whose hint is at `point`.
    static func key(at point: Point, _ state: State) -> Key? {
        let area = Layout(state).hint
        guard area.contains(point) else { return nil }
        return Self.placed(state, in: area).hints.first { hint, x in
            point.x >= x && point.x < x + hint.width
        }?.hint.pressed
    }

    /// Returns the hints that fit, with their positions. Help and the way out are always included.
    private static func placed(_ state: State, in area: Rect) -> Placed {
        let fixed = Self.fixedHints(state)
        let fixedWidth = fixed.reduce(0) { $0 + $1.width + 2 }
        var placed = Placed()
        var x = area.x + 1
        let end = area.maxX - 1 - fixedWidth
        let all = Self.hints(state)
        let hints = Self.fitting(all, room: end - x)
        for (index, hint) in hints.enumerated() {
            if index > 0, hints[index - 1].group != hint.group {
                placed.marks.append(("·", x - 1))
                x += 1
            }
            placed.hints.append((hint, x))
            x += hint.width + 2
        }
        if hints.count < all.count { placed.marks.append(("…", x)) }
        x = max(x, area.maxX - 1 - fixedWidth + 2)
        for hint in fixed where x + hint.width <= area.maxX - 1 {
            placed.hints.append((hint, x))
            x += hint.width + 2
        }
        return placed
    }

    /// The most wanted of them, in their order; where some are left out, a mark for that has its place too.
    private static func fitting(_ hints: [Hint], room: Int) -> [Hint] {
        func width(_ places: [Int]) -> Int {
            zip(places, places.dropFirst()).reduce(places.reduce(0) { $0 + hints[$1].width + 2 } - 2) {
                $0 + (hints[$1.0].group == hints[$1.1].group ? 0 : 1)
            }
        }
        let wanted = hints.indices.sorted { (hints[$0].rank, $0) < (hints[$1].rank, $1) }
        for count in stride(from: hints.count, to: 0, by: -1) {
            let places = wanted.prefix(count).sorted()
            if width(places) + (count < hints.count ? 3 : 0) <= room { return places.map { hints[$0] } }
        }
        return []
    }

    private static func draw(_ prompt: Prompt, _ state: State, in area: Rect, of buffer: inout CellBuffer) {
        let count = Self.count(prompt, state)
        let width = DisplayWidth.of(count)
        let mark =
            switch prompt.kind {
            case .keepLines: "&"
            case .filter, .search, .run, .rename, .lease, .forward, .offerQuery, .writeLog, .goToTime: "/"
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
            var hints = [Hint("Tab", "next button", .tab), Hint("Esc", "cancel", .escape)]
            let needsButton = if case .destroy = dialog.kind { dialog.focused == .cancel } else { false }
            if !needsButton { hints.insert(Hint("y", "confirm", .character("y")), at: 1) }
            return hints
        case .prompt(let prompt):
            var hints = [Hint("Enter", "go", .enter), Hint("Esc", "cancel", .escape)]
            if !prompt.history.isEmpty { hints.insert(Hint("↑ ↓", "choose", .up), at: 1) }
            return hints
        case .form:
            return [
                Hint("Tab", "next field", .tab), Hint("→", "complete", .right),
                Hint("Ctrl-s", "rent it"),
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
                case .history where list.isTyping:
                    [Hint("Enter", "keep the filter", .enter)]
                case .history:
                    [
                        copy, Hint("/", "filter", .character("/")),
                        Hint("p", list.showsCalls ? "hide polls" : "show polls", .character("p")),
                    ]
                case .actions: [Hint("X", "cancel it", .character("X"))]
                case .alarms where state.alarms.isEmpty: []
                case .alarms: Self.hints(ofAlarm: list.selected, state) + [copy]
                }
            return [Hint("j k", "move")] + own + [Hint("Esc", "close", .escape)]
        case .help(let help):
            let isEmpty = help.field.text.isEmpty
            return [
                Hint("↑ ↓ PgDn", "scroll"), Hint("Esc", isEmpty ? "close" : "all keys", .escape),
            ]
        case .text: return [Hint("j k", "scroll"), Hint("Esc", "close", .escape)]
        case nil: break
        }
        var hints: [Hint] = []
        if !state.alarms.isEmpty,
            let key = state.keyMap.bindings.first(where: { $0.command == .alarms })?.keys.first
        {
            hints.append(Hint(key.name, "alarms", key, .act))
        }
        if !state.pendingDestroys.isEmpty { hints.append(Hint("z", "undo destroy", .character("z"), .act)) }
        let own = Self.paneHints(state)
        return hints + Group.allCases.flatMap { group in own.filter { $0.group == group } }
    }

    /// Returns the keys that have an effect at the focus in the current state.
    private static func paneHints(_ state: State) -> [Hint] {
        var hints: [Hint] = []
        var keyed = state
        keyed.focus = state.keyPane
        let marks = state.markCount(of: keyed.focus)
        for context in KeyMap.contexts(of: state.keyPane, state.mainContent) where context != .everywhere {
            for binding in state.keyMap.bindings(in: context) {
                guard let hint = binding.hint, let key = binding.keys.first,
                    Self.works(binding.command, keyed)
                else { continue }
                let applies = marks > 0 && binding.command.appliesToMarks
                let isBack =
                    binding.command == .metrics && state.focus == .main && state.mainContent == .metrics
                let word = binding.command == .stopOrStart ? Self.stopOrStart(state) : hint
                var shown = Hint(
                    key.name, isBack ? "log" : applies ? "\(word) \(marks)" : word, key,
                    binding.command.changesSomething ? .act : .look)
                shown.rank = Self.rank(binding.command, state)
                hints.append(shown)
            }
        }
        func add(_ command: Command, _ word: String) {
            let contexts = KeyMap.contexts(of: state.keyPane, state.mainContent)
            guard
                let key = state.keyMap.bindings.first(where: {
                    $0.command == command && contexts.contains($0.context)
                })?.keys.first
            else { return }
            var hint = Hint(key.name, word, key, .move)
            // A way out is never left out before the rest.
            hint.rank =
                switch command {
                case .back, .nextHit: 0
                // Everywhere the same, so the first to go.
                case .limits, .history: 40
                case .nextPane: 30
                default: 20
                }
            hints.append(hint)
        }
        if marks > 0 { add(.unmark, "unmark") }
        if state.focus == .main {
            if state.mainContent == .log, state.log.search != nil {
                add(.nextHit, "next hit")
                add(.previousHit, "previous hit")
                add(.back, "end search")
            } else if state.mainContent == .log, state.log.filter != nil {
                add(.back, "all lines")
            } else {
                add(.back, state.mainContent == .log || state.log.job == nil ? "to the list" : "back")
            }
            if state.mainContent == .log || state.mainContent == .metrics, state.jobs.shownCount > 1 {
                add(.previousJob, "previous job")
                add(.nextJob, "next job")
            }
        }
        add(.nextPane, "next pane")
        add(.limits, "limits")
        add(.history, "history")
        return hints
    }

    /// Returns what the key would ask about for the selected instances.
    private static func stopOrStart(_ state: State) -> String {
        let targets = state.instances.targets
        return !targets.isEmpty && targets.allSatisfy { $0.status == .stopped || $0.status == .failed }
            ? "start" : "stop"
    }

    /// The order of hints, the most frequent actions on an instance first; searching offers has its
    /// key on their line.
    private static func rank(_ command: Command, _ state: State) -> Int {
        let order: [Command] = [
            .run, .sync, .openLog, .destroy, .download, .create, .details, .search, .shell,
        ]
        if command == .sortColumn || command == .mark { return 25 }
        // Of what is stopped, that is the next thing.
        if command == .stopOrStart, self.stopOrStart(state) == "start" { return 0 }
        return order.firstIndex(of: command) ?? order.count
    }

    /// `true` if the command has an effect in the current state.
    private static func works(_ command: Command, _ state: State) -> Bool {
        if state.settings.isReadOnly, command.changesSomething { return false }
        switch command {
        case .search where state.focus != .main: return true
        case .follow, .wrap, .keepLines, .search: return state.mainContent == .log
        case .metrics where state.focus == .main, .cancel where state.focus == .main:
            guard let job = state.log.job else { return false }
            return command == .metrics || state.jobs.row(job)?.state.isOver == false
        case .download where state.focus == .main: return state.mainContent == .files
        case .sortColumn: return (state.shownCount(of: state.focus) ?? 0) > 1
        case .mark: return (state.shownCount(of: state.focus) ?? 0) > 0
        case .details, .openLog: return state.focus != .instances || !state.instances.rows.isEmpty
        case .sync, .run, .shell, .files, .lease,
            .download where state.focus == .instances:
            return state.instances.targets.contains(where: state.isUsable)
        case .destroy, .stopOrStart: return !state.instances.targets.allSatisfy(state.isEnding)
        case .rent: return state.offers.selection != nil
        case .rentDirectly:
            return state.offers.selectedRow.map { state.money.limits.objection(to: $0) == nil } ?? false
        case .runAgain, .download:
            return state.jobs.targets.contains { job in
                state.instances.row(job.instance).map(state.isUsable) ?? false
            }
        case .cancel where state.focus == .jobs: return state.jobs.selectedRow?.state.isOver == false
        default: return true
        }
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
        case .filter(.main), .search, .keepLines, .run, .rename, .lease, .forward, .offerQuery, .writeLog,
            .goToTime:
            return prompt.problem ?? TextPattern(prompt.field.text).problem ?? ""
        }
    }

    private static func count<Row>(_ list: ListState<Row>) -> String {
        list.filterProblem ?? "\(list.shownCount) of \(list.rows.count)"
    }
}

extension State {
    /// The number of rows that a list shows; nil for the main pane.
    fileprivate func shownCount(of pane: Pane) -> Int? {
        switch pane {
        case .instances: self.instances.shownCount
        case .offers: self.offers.shownCount
        case .jobs: self.jobs.shownCount
        case .main: nil
        }
    }
}
