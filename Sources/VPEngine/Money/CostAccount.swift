import Foundation

/// The costs of a period, grouped.
public struct CostAccount: Sendable {
    /// The subject of each line.
    public var grouping: CostBook.Grouping
    /// The first moment that counts.
    public var start: Date
    /// The last moment that counts: when the account was made.
    public var end: Date
    /// One line for each group that cost anything: days in order, all others with the highest first.
    public var lines: [CostBook.Line]
    /// The whole sum. Lines by job can add up to more, since concurrent jobs on an instance each count in
    /// full.
    public var total: CostBook.Line

    /// Creates an account of the time from `start` to `end`.
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
