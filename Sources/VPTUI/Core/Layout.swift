import VPEngine

/// The areas of the screen, from its size, the focus and the current state.
public struct Layout: Equatable, Sendable {
    public var isTooSmall: Bool
    /// Lists and main pane do not fit side by side.
    public var isNarrow: Bool
    public var burn: Rect
    /// The lists with their areas, borders included; neighbours share the border row between them.
    public var lists: [(Pane, Rect)]
    /// Graphs of the rented instances, below the lists; border included.
    public var fleet: Rect?
    /// The main pane, border included; its left border is the lists' right border.
    public var main: Rect?
    /// The running actions, one per row.
    public var strip: Rect
    /// Notices that stay for a few seconds, one per row.
    public var toasts: Rect
    public var hint: Rect

    public static let minimum = Size(width: 60, height: 15)
    public static let narrowWidth = 100

    public init(_ state: State) {
        let size = state.size
        let screen = Rect(size)
        self.isTooSmall = size.width < Self.minimum.width || size.height < Self.minimum.height
        self.isNarrow = size.width < Self.narrowWidth
        self.burn = screen.row(0)
        self.hint = screen.row(size.height - 1)
        self.lists = []
        self.fleet = nil
        self.main = nil
        self.strip = Rect(x: 0, y: 0, width: 0, height: 0)
        self.toasts = self.strip
        guard !self.isTooSmall else { return }
        let stripHeight = min(
            state.pendingDestroys.count + state.listedActions.count, max(1, size.height / 8))
        let toastHeight = min(state.toasts.count, max(1, size.height / 12))
        let body = screen.dropFirst(rows: 1).dropLast(rows: 1 + stripHeight + toastHeight)
        self.strip = Rect(x: 0, y: body.maxY, width: size.width, height: stripHeight)
        self.toasts = Rect(x: 0, y: self.strip.maxY, width: size.width, height: toastHeight)
        var listArea: Rect?
        switch (state.zoom, self.isNarrow) {
        case (.lists, _): listArea = body
        case (.main, _): self.main = body
        case (.both, true):
            if state.focus == .main { self.main = body } else { listArea = body }
        case (.both, false):
            let width = max(48, min(96, size.width * 48 / 100))
            listArea = Rect(x: 0, y: body.y, width: width, height: body.height)
            // One line between the two.
            self.main = Rect(x: width - 1, y: body.y, width: size.width - width + 1, height: body.height)
        }
        if let listArea { (self.lists, self.fleet) = Self.split(listArea, state) }
    }

    /// Splits the area into boxes, each as high as its content: instances first, then up to twelve jobs, and
    /// the offers get the rest. If there is not enough room, the focused box comes first.
    ///
    /// While something is rented, the offers are a single line until the user goes to them, and the rest
    /// shows the rented instances.
    private static func split(_ area: Rect, _ state: State) -> ([(Pane, Rect)], fleet: Rect?) {
        let panes: [Pane] = [.instances, .offers, .jobs]
        let isFolded = state.foldsOffers
        // Neighbours share a border.
        let rows = max(0, area.height - panes.count - 1)
        let jobs = min(Self.jobRows, state.jobs.shownCount)
        let wanted = [
            Self.rows(for: state.instances.shownCount, hasBanner: state.banner(of: .instances) != nil)
                // How to begin takes one more.
                + (state.settings.platforms.isEmpty && state.instances.rows.isEmpty ? 1 : 0),
            isFolded
                ? 0 : Self.rows(for: state.offers.shownCount, hasBanner: state.banner(of: .offers) != nil),
            Self.rows(for: jobs, hasBanner: false),
        ]
        // Every list keeps its titles and a row, if there is room for that.
        var heights = wanted.map { min($0, Self.rows(for: 1, hasBanner: false), max(1, rows / panes.count)) }
        let focused = panes.firstIndex(of: state.focus)
        // The focused list comes first; offers can wait.
        let order: [Int] = (focused.map { [$0] } ?? []) + [0, 2, 1].filter { $0 != focused }
        for index in order {
            heights[index] += max(0, min(wanted[index] - heights[index], rows - heights.reduce(0, +)))
        }
        let rest = rows - heights.reduce(0, +)
        var fleet: Rect?
        if isFolded, rest > FleetScreen.leastHeight {
            fleet = Rect(
                x: area.x, y: area.maxY - rest - 1, width: area.width, height: rest + 1)
        } else if isFolded {
            heights[2] += rest
        } else {
            // The market has no end; without offers, the jobs get the rest.
            heights[wanted[1] > wanted[2] || state.jobs.shownCount <= jobs ? 1 : 2] += rest
        }
        var y = area.y
        let lists = zip(panes, heights).map { pane, height in
            defer { y += height + 1 }
            return (pane, Rect(x: area.x, y: y, width: area.width, height: height + 2))
        }
        return (lists, fleet)
    }

    private static let jobRows = 12

    /// Returns the rows for a list with its titles; an empty one explains in two lines why it is empty.
    private static func rows(for count: Int, hasBanner: Bool) -> Int {
        (count > 0 ? count + 1 : 2) + (hasBanner ? 1 : 0)
    }

    public static func == (lhs: Self, rhs: Self) -> Bool {
        lhs.isTooSmall == rhs.isTooSmall && lhs.burn == rhs.burn && lhs.main == rhs.main
            && lhs.fleet == rhs.fleet && lhs.strip == rhs.strip && lhs.toasts == rhs.toasts
            && lhs.hint == rhs.hint && lhs.lists.map(\.0) == rhs.lists.map(\.0)
            && lhs.lists.map(\.1) == rhs.lists.map(\.1)
    }
}

extension State {
    /// `true` while the offers are a single line: a user who has rented something watches that, until
    /// they go to the offers.
    var foldsOffers: Bool {
        self.lastList != .offers && self.instances.rows.contains(where: \.status.holdsGPU)
    }
}

/// The inside of a list: a line for errors or age, column titles, rows.
struct ListFrame {
    var banner: Rect
    var header: Rect
    var rows: Rect

    /// - Parameter count: the number of rows in the list.
    init(area: Rect, hasBanner: Bool, count: Int) {
        var rest = area.inner
        self.banner = rest.row(0)
        if hasBanner, rest.height > 1 {
            rest = rest.dropFirst(rows: 1)
        } else {
            self.banner.height = 0
        }
        self.header = rest.row(0)
        // Titles get a row if three rows are left, or if every row fits beside them.
        if rest.height > 3 || (count > 0 && rest.height > count) {
            rest = rest.dropFirst(rows: 1)
        } else {
            self.header.height = 0
        }
        self.rows = rest
    }
}
