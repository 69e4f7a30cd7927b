import Foundation
import VPEngine

/// A platform that failed to answer, and its error.
public struct SourceFailure: Hashable, Sendable {
    public var platform: Platform
    public var error: EngineError

    public init(platform: Platform, error: EngineError) {
        self.platform = platform
        self.error = error
    }
}

/// A change that a key makes to a list of any kind of row.
public enum ListChange: Equatable, Sendable {
    case move(by: Int)
    case select(index: Int)
    case filter(String)
    case nextOrder, reverseOrder
    case toggleMark, toggleRange, clearMarks
}

/// A list on screen: its rows, the ones shown, and a selection and marks that follow the rows' ids.
public struct ListState<Row: ListRow>: Equatable, Sendable {
    /// The rows in the order in which they came.
    public private(set) var rows: [Row] = []
    /// The rows' values, for filters and orders.
    private var columns = ListColumns([Row]())
    /// Indices into `rows`, in the chosen order.
    private var orderedPlaces: [Int32] = []
    /// Whether the filter keeps each row; nil without a filter.
    private var kept: [Bool]?
    /// Indices into `rows`, after filter and order.
    private var shownPlaces: [Int32] = []
    private var places: [Row.ID: Int32] = [:]
    public private(set) var selection: Row.ID?
    /// The selection's index among the shown rows.
    public private(set) var selectedIndex: Int?
    public private(set) var marks: Set<Row.ID> = []
    /// The start of the range of marks, and the marks that existed before it.
    private var rangeStart: Row.ID?
    private var marksBeforeRange: Set<Row.ID> = []
    /// The first row on screen.
    public var top = 0
    public private(set) var filter = ""
    public private(set) var filterProblem: String?
    public private(set) var orderIndex = 0
    public private(set) var isReversed = false
    /// The time at which the rows were current; nil before the first answer.
    public var fetchedAt: Date?
    public var failures: [SourceFailure] = []

    public init() {}

    public var shownCount: Int { self.shownPlaces.count }
    public var shown: [Row] { self.shownPlaces.map { self.rows[Int($0)] } }
    public var isMarkingRange: Bool { self.rangeStart != nil }
    public var order: ListOrder { Row.orders[self.orderIndex] }

    /// Returns at most `count` shown rows, starting with `first`.
    func shown(from first: Int, count: Int) -> [Row] {
        self.shownPlaces.dropFirst(max(0, first)).prefix(max(0, count)).map { self.rows[Int($0)] }
    }

    public var selectedRow: Row? {
        self.selectedIndex.map { self.rows[Int(self.shownPlaces[$0])] }
    }

    public func row(_ id: Row.ID) -> Row? {
        self.places[id].map { self.rows[Int($0)] }
    }

    /// The rows that an action applies to: the marked rows in their order on screen, or the selected one.
    public var targets: [Row] {
        guard !self.marks.isEmpty else { return self.selectedRow.map { [$0] } ?? [] }
        let shown = self.shown.filter { self.marks.contains($0.id) }
        guard shown.count < self.marks.count else { return shown }
        let onScreen = Set(shown.map(\.id))
        return shown + self.rows.filter { self.marks.contains($0.id) && !onScreen.contains($0.id) }
    }

    public mutating func setRows(_ rows: [Row]) {
        guard rows != self.rows else { return }
        self.rows = rows
        self.columns = ListColumns(rows)
        self.places = Dictionary(
            rows.indices.lazy.map { (rows[$0].id, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        if !self.marks.isEmpty { self.marks = self.marks.filter { self.places[$0] != nil } }
        if !self.marksBeforeRange.isEmpty {
            self.marksBeforeRange = self.marksBeforeRange.filter { self.places[$0] != nil }
        }
        if let start = self.rangeStart, self.places[start] == nil { self.rangeStart = nil }
        self.sort()
        self.applyFilter()
        self.show()
    }

    /// Takes over an answer; a platform that failed keeps its old rows.
    mutating func take(_ rows: [Row], failures: [SourceFailure], at date: Date) {
        let failing = Set(failures.map(\.platform))
        let known = failing.isEmpty ? [] : Set(rows.map(\.id))
        let kept =
            failing.isEmpty
            ? [] : self.rows.filter { failing.contains($0.platform) && !known.contains($0.id) }
        self.failures = failures
        // An answer in which every platform failed does not make the list more recent.
        if failures.isEmpty || !rows.isEmpty { self.fetchedAt = date }
        self.setRows(rows + kept)
    }

    mutating func upsert(_ row: Row) {
        var rows = self.rows
        if let place = self.places[row.id] { rows[Int(place)] = row } else { rows.append(row) }
        self.setRows(rows)
    }

    mutating func remove(_ id: Row.ID) {
        self.setRows(self.rows.filter { $0.id != id })
    }

    public mutating func apply(_ change: ListChange) {
        switch change {
        case .move(let step): self.select(index: (self.selectedIndex ?? 0) + step)
        case .select(let index): self.select(index: index)
        case .filter(let text):
            self.filter = text
            self.applyFilter()
            self.show()
        case .nextOrder:
            self.orderIndex = (self.orderIndex + 1) % Row.orders.count
            self.isReversed = false
            self.sort()
            self.show()
        case .reverseOrder:
            self.isReversed.toggle()
            self.sort()
            self.show()
        case .toggleMark:
            guard let id = self.selection else { return }
            if self.marks.remove(id) == nil { self.marks.insert(id) }
            self.marksBeforeRange = self.marks
            self.rangeStart = nil
            self.select(index: (self.selectedIndex ?? 0) + 1)
        case .toggleRange:
            if self.rangeStart == nil {
                self.marksBeforeRange = self.marks
                self.rangeStart = self.selection
                self.markRange()
            } else {
                self.rangeStart = nil
            }
        case .clearMarks:
            self.marks = []
            self.marksBeforeRange = []
            self.rangeStart = nil
        }
    }

    /// Restores the order and direction of an earlier session.
    mutating func setOrder(named name: String, isReversed: Bool) {
        guard let index = Row.orders.firstIndex(where: { $0.name == name }) else { return }
        self.orderIndex = index
        self.isReversed = isReversed
        self.sort()
        self.show()
    }

    public mutating func select(_ id: Row.ID) {
        guard let place = self.places[id], let index = self.shownPlaces.firstIndex(of: place) else { return }
        self.select(index: index)
    }

    public mutating func select(index: Int) {
        guard !self.shownPlaces.isEmpty else { return }
        let index = max(0, min(self.shownPlaces.count - 1, index))
        self.selectedIndex = index
        self.selection = self.rows[Int(self.shownPlaces[index])].id
        self.markRange()
    }

    /// Marks the rows between the start of the range and the selection.
    private mutating func markRange() {
        guard let start = self.rangeStart, let place = self.places[start],
            let from = self.shownPlaces.firstIndex(of: place), let to = self.selectedIndex
        else { return }
        let range = self.shownPlaces[min(from, to)...max(from, to)]
        self.marks = self.marksBeforeRange.union(range.map { self.rows[Int($0)].id })
    }

    /// Scrolls so that the selection is on a screen of `height` rows.
    mutating func scrollToSelection(height: Int) {
        let height = max(1, height)
        if let index = self.selectedIndex {
            if index < self.top { self.top = index }
            if index >= self.top + height { self.top = index - height + 1 }
        }
        self.top = max(0, min(self.top, self.shownCount - height))
    }

    private mutating func sort() {
        self.orderedPlaces = self.columns.sorted(
            by: self.order.column, falling: self.order.largestFirst != self.isReversed)
    }

    private mutating func applyFilter() {
        let filter = ListFilter(self.filter, columns: Row.columns)
        self.filterProblem = filter.problem
        self.kept = filter.isEmpty ? nil : filter.kept(&self.columns)
    }

    /// Applies filter and order, and updates the selection's index.
    private mutating func show() {
        let oldIndex = self.selectedIndex ?? 0
        if let kept = self.kept {
            self.shownPlaces = self.orderedPlaces.filter { kept[Int($0)] }
        } else {
            self.shownPlaces = self.orderedPlaces
        }
        let place = self.selection.flatMap { self.places[$0] }
        self.selectedIndex = place.flatMap { self.shownPlaces.firstIndex(of: $0) }
        if self.selectedIndex == nil {
            self.selection = nil
            // The selected row is gone: its neighbour takes the selection, so that it stays where the eye is.
            self.select(index: oldIndex)
        }
    }
}
