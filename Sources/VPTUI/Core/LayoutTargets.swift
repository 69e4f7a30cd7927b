import VPEngine

/// The boxes above the panes, scroll limits, and the target at a point: `update` asks here
/// and knows no screen.
extension Layout {
    /// The targets of the mouse.
    enum Target: Equatable {
        case hint(Key)
        case alarms
        /// A row by its index after filter and order.
        case row(Pane, Int)
        case list(Pane)
        case main
        /// A button of the dialog on top, by its index.
        case button(Int)
        /// A field of the launch form.
        case field(LaunchForm.Field)
        /// A row of the list in a box, by its index.
        case listRow(Int)
    }

    /// Returns the target at `point`; the overlay is in front of everything else.
    func target(at point: Point, _ state: State) -> Target? {
        guard !self.isTooSmall else { return nil }
        if let overlay = state.overlay {
            if point.y == self.hint.y { return HintBar.key(at: point, state).map { .hint($0) } }
            switch overlay {
            case .dialog(let dialog): return DialogScreen.button(at: point, dialog, state).map { .button($0) }
            case .form(let form): return FormScreen.field(at: point, form, state).map { .field($0) }
            case .list(let list): return Self.row(at: point, of: list, state).map { .listRow($0) }
            case .prompt, .palette, .text, .help: return nil
            }
        }
        if point.y == self.hint.y { return HintBar.key(at: point, state).map { .hint($0) } }
        if point.y == self.burn.y { return BurnLine.isOnAlarm(point, state) ? .alarms : nil }
        // A border row that two lists share shows the title of the lower one.
        if let (pane, _) = self.lists.last(where: { $0.1.contains(point) }) {
            guard let rows = self.rows(of: pane, state), rows.contains(point) else { return .list(pane) }
            let (top, count) = state.topAndCount(of: pane)
            let index = top + point.y - rows.y
            return index < count ? .row(pane, index) : .list(pane)
        }
        if let main = self.main, main.contains(point) { return .main }
        return nil
    }

    /// Returns the area of a visible list's rows, without its border, banner and titles.
    func rows(of pane: Pane, _ state: State) -> Rect? {
        self.lists.first { $0.0 == pane }.map {
            ListFrame(
                area: $0.1, hasBanner: state.banner(of: pane) != nil, count: state.topAndCount(of: pane).count
            ).rows
        }
    }

    /// Returns the size of the log's text; a typical size if the log is not on screen.
    func logText(_ state: State) -> Size {
        self.main.map { LogScreen.textArea(state, in: $0).size } ?? Size(width: 80, height: 20)
    }

    /// Returns the number of rows by which details and files can be scrolled.
    func mainScrollLimit(_ state: State) -> Int {
        self.main.map { MainScreen.maximumScroll(state, in: $0) } ?? state.mainScroll
    }

    // MARK: Boxes

    private static func body(_ size: Size) -> Rect { Rect(size).dropFirst(rows: 1).dropLast(rows: 1) }

    /// A box of rows with a line below them; no higher than that takes.
    static func listBox(_ size: Size, count: Int) -> Rect {
        let box = Self.body(size).inset(x: size.width >= 100 ? 6 : 1, y: size.height >= 30 ? 2 : 0)
        return Rect(x: box.x, y: box.y, width: box.width, height: min(box.height, max(6, count + 3)))
    }

    /// The box of the alarms, with the details of the selected one; no higher than necessary.
    static func alarmsBox(_ size: Size, count: Int) -> Rect {
        let box = Self.listBox(size, count: .max / 2)
        return Rect(
            x: box.x, y: box.y, width: box.width,
            height: min(box.height, max(1, count) + Self.alarmDetailHeight + 2))
    }

    /// A rule, two lines of text, the effect of Enter, and the line that y copies.
    static let alarmDetailHeight = 5

    /// Returns the number of the list's rows that fit on screen.
    static func page(of list: ListOverlay, _ state: State) -> Int {
        switch list.kind {
        case .history, .actions:
            max(1, Self.listBox(state.size, count: state.count(of: list)).inner.height - 1)
        case .alarms:
            max(
                1,
                Self.alarmsBox(state.size, count: state.alarms.count).inner.height - Self.alarmDetailHeight)
        }
    }

    private static func row(at point: Point, of list: ListOverlay, _ state: State) -> Int? {
        let box =
            list.kind == .alarms
            ? Self.alarmsBox(state.size, count: state.alarms.count)
            : Self.listBox(state.size, count: state.count(of: list))
        let row = point.y - box.inner.y
        guard box.inner.contains(point), row < Self.page(of: list, state) else { return nil }
        let index = list.top + row
        return index < state.count(of: list) ? index : nil
    }

    static func textBox(_ size: Size, _ text: TextOverlay) -> Rect {
        let longest = text.lines.map { DisplayWidth.of($0) }.max() ?? 0
        return Self.body(size).centred(
            Size(
                width: min(size.width - 2, max(40, longest + 4, DisplayWidth.of(text.title) + 6)),
                height: min(size.height - 3, text.lines.count + 2)))
    }

    static func page(of text: TextOverlay, _ size: Size) -> Int {
        max(1, Self.textBox(size, text).inner.height - 1)
    }
}

extension State {
    /// Returns the first visible row of a list, and the number of shown rows.
    fileprivate func topAndCount(of pane: Pane) -> (top: Int, count: Int) {
        switch pane {
        case .instances: (self.instances.top, self.instances.shownCount)
        case .offers: (self.offers.top, self.offers.shownCount)
        case .jobs: (self.jobs.top, self.jobs.shownCount)
        case .main: (0, 0)
        }
    }
}
