import Foundation

/// What was spent in some time, by what it was spent for.
public struct CostAccount: Sendable {
    public var grouping: CostBook.Grouping
    public var start: Date
    public var end: Date
    public var lines: [CostBook.Line]
    public var total: CostBook.Line

    public init(
        grouping: CostBook.Grouping, start: Date, end: Date, lines: [CostBook.Line], total: CostBook.Line
    ) {
        self.grouping = grouping
        self.start = start
        self.end = end
        self.lines = lines
        self.total = total
    }
}
