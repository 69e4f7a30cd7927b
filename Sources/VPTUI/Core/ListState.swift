import Foundation
import VPEngine

/// A row that a list can filter and sort.
public protocol ListRow: Identifiable, Equatable, Sendable where ID: Sendable {
    /// Names of the columns one can sort by; the first is the order at the start.
    static var sortColumns: [String] { get }
    /// Whether `self` stands before `other` in the ascending order of column `column`.
    func precedes(_ other: Self, by column: Int) -> Bool
    /// What a filter looks at.
    var searchText: String { get }
    var platform: Platform { get }
}

/// A platform that could not answer, and since when.
public struct SourceFailure: Hashable, Sendable {
    public var platform: Platform
    public var error: EngineError

    public init(platform: Platform, error: EngineError) {
        self.platform = platform
        self.error = error
    }
}

/// A list on screen: rows, what is shown of them, and a selection that follows the row's id.
public struct ListState<Row: ListRow>: Equatable, Sendable {
    /// In the order in which they came.
    public private(set) var rows: [Row] = []
    /// After filter and order.
    public private(set) var shown: [Row] = []
    public private(set) var selection: Row.ID?
    /// The first row on screen.
    public var top = 0
    public private(set) var filter = ""
    public private(set) var sortColumn = 0
    public private(set) var isReversed = false
    /// When the rows were true; nil before anything came.
    public var fetchedAt: Date?
    public var failures: [SourceFailure] = []

    public init() {}

    public var selectedRow: Row? {
        self.selection.flatMap { id in self.shown.first { $0.id == id } }
    }

    public var selectedIndex: Int? {
        self.selection.flatMap { id in self.shown.firstIndex { $0.id == id } }
    }

    public func row(_ id: Row.ID) -> Row? {
        self.rows.first { $0.id == id }
    }

    public mutating func setRows(_ rows: [Row]) {
        guard rows != self.rows else { return }
        self.rows = rows
        self.refresh()
    }

    /// Takes an answer; a platform that failed keeps the rows it had.
    mutating func take(_ rows: [Row], failures: [SourceFailure], at date: Date) {
        let failing = Set(failures.map(\.platform))
        let known = Set(rows.map(\.id))
        let kept = self.rows.filter { failing.contains($0.platform) && !known.contains($0.id) }
        self.failures = failures
        // An answer in which everything failed makes nothing younger.
        if failures.isEmpty || !rows.isEmpty { self.fetchedAt = date }
        self.setRows(rows + kept)
    }

    mutating func upsert(_ row: Row) {
        if let index = self.rows.firstIndex(where: { $0.id == row.id }) {
            var rows = self.rows
            rows[index] = row
            self.setRows(rows)
        } else {
            self.setRows(self.rows + [row])
        }
    }

    mutating func remove(_ id: Row.ID) {
        self.setRows(self.rows.filter { $0.id != id })
    }

    public mutating func setFilter(_ filter: String) {
        self.filter = filter
        self.refresh()
    }

    public mutating func sortByNextColumn() {
        self.sortColumn = (self.sortColumn + 1) % max(1, Row.sortColumns.count)
        self.isReversed = false
        self.refresh()
    }

    public mutating func reverseOrder() {
        self.isReversed.toggle()
        self.refresh()
    }

    public mutating func select(_ id: Row.ID) {
        if self.shown.contains(where: { $0.id == id }) { self.selection = id }
    }

    public mutating func select(index: Int) {
        guard !self.shown.isEmpty else { return }
        self.selection = self.shown[max(0, min(self.shown.count - 1, index))].id
    }

    /// Keeps the selection on a screen of `height` rows.
    mutating func scrollToSelection(height: Int) {
        let height = max(1, height)
        if let index = self.selectedIndex {
            if index < self.top { self.top = index }
            if index >= self.top + height { self.top = index - height + 1 }
        }
        self.top = max(0, min(self.top, self.shown.count - height))
    }

    private mutating func refresh() {
        let oldIndex = self.selectedIndex ?? 0
        let column = self.sortColumn
        let tests = self.filter.split(separator: " ").map { RowTest($0) }
        var shown =
            tests.isEmpty
            ? self.rows
            : self.rows.filter { row in
                let text = row.searchText.lowercased()
                return tests.allSatisfy { $0.accepts(text) }
            }
        // Swift's sort is stable, so that equal rows keep the platform's order.
        let isReversed = self.isReversed
        shown.sort { isReversed ? $1.precedes($0, by: column) : $0.precedes($1, by: column) }
        self.shown = shown
        if self.selectedIndex == nil {
            // The row is gone: its neighbour takes the selection, so that the eye finds it where it looked.
            self.selection = shown.isEmpty ? nil : shown[min(oldIndex, shown.count - 1)].id
        }
    }
}

/// One word of a filter.
private struct RowTest {
    let word: String
    let isNegated: Bool

    init(_ text: Substring) {
        self.isNegated = text.hasPrefix("!") && text.count > 1
        self.word = (self.isNegated ? text.dropFirst() : text).lowercased()
    }

    func accepts(_ text: String) -> Bool { text.contains(self.word) != self.isNegated }
}

extension Instance: ListRow {
    public static let sortColumns = ["newest", "price", "gpu", "status"]
    public var platform: Platform { self.id.platform }
    public var searchText: String {
        "\(self.platform.rawValue) \(self.id.rawValue) \(self.name ?? "") \(self.gpuName) "
            + "\(self.status.rawValue) \(self.location ?? "")"
    }

    public func precedes(_ other: Instance, by column: Int) -> Bool {
        switch column {
        case 1: self.price < other.price
        case 2: self.gpuName < other.gpuName
        case 3: self.status.rawValue < other.status.rawValue
        default:
            (other.createdAt ?? .distantPast, self.id.rawValue)
                < (self.createdAt ?? .distantPast, other.id.rawValue)
        }
    }
}

extension Offer: ListRow {
    public static let sortColumns = ["price", "gpu", "memory", "reliability", "location"]
    public var platform: Platform { self.id.platform }
    public var searchText: String {
        "\(self.platform.rawValue) \(self.id.rawValue) \(self.gpuName) x\(self.gpuCount) "
            + "\(self.location ?? "")"
    }

    public func precedes(_ other: Offer, by column: Int) -> Bool {
        switch column {
        case 1: (self.gpuName, self.gpuCount) < (other.gpuName, other.gpuCount)
        case 2: self.gpuMemoryBytes > other.gpuMemoryBytes
        case 3: (self.reliability ?? 0) > (other.reliability ?? 0)
        case 4: (self.location ?? "~") < (other.location ?? "~")
        default: self.price < other.price
        }
    }
}

extension Job: ListRow {
    public static let sortColumns = ["newest", "state", "cost"]
    public var platform: Platform { self.instance.platform }
    public var searchText: String {
        "\(self.id.rawValue) \(self.command.shellText) \(self.state.rawValue) \(self.instance.rawValue)"
    }

    public func precedes(_ other: Job, by column: Int) -> Bool {
        switch column {
        case 1: self.state.rawValue < other.state.rawValue
        case 2: (self.dollars ?? 0) > (other.dollars ?? 0)
        default: self.createdAt > other.createdAt
        }
    }
}
