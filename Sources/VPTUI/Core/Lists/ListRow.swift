import Foundation
import VPEngine

/// A row's value, as filters and orders see it.
public enum ListValue: Equatable, Sendable {
    case text(String)
    case number(Double)
    case nothing
}

/// An order in which a list can be sorted.
public struct ListOrder: Equatable, Sendable {
    public var name: String
    /// The number of the column to sort by.
    public var column: Int
    public var largestFirst: Bool

    init(_ name: String, _ column: Int, largestFirst: Bool = false) {
        self.name = name
        self.column = column
        self.largestFirst = largestFirst
    }
}

/// A row that a list can filter and sort.
public protocol ListRow: Identifiable, Equatable, Sendable where ID: Sendable {
    /// The names of the values in filters.
    static var columns: [String] { get }
    /// The available orders; the first is the default.
    static var orders: [ListOrder] { get }
    func value(_ column: Int) -> ListValue
    var platform: Platform { get }
}

extension ListValue {
    static func optional(_ text: String?) -> ListValue { text.map { .text($0) } ?? .nothing }
    static func optional(_ number: Double?) -> ListValue { number.map { .number($0) } ?? .nothing }
    static func optional(_ date: Date?) -> ListValue {
        date.map { .number($0.timeIntervalSinceReferenceDate) } ?? .nothing
    }
    static func gigabytes(_ bytes: Int64?) -> ListValue {
        bytes.map { .number(Double($0) / 1e9) } ?? .nothing
    }
}

extension Platform {
    /// The names by which rows of it are found: the one in the list as well.
    fileprivate var filterText: String { "\(self.rawValue) \(StatusWords.platform(self).text)" }
}

extension Instance: ListRow {
    public static let columns = ["platform", "id", "name", "gpu", "status", "where", "price", "created"]
    public static let orders = [
        ListOrder("newest", 7, largestFirst: true), ListOrder("price", 6), ListOrder("gpu", 3),
        ListOrder("status", 4), ListOrder("name", 2),
    ]
    public var platform: Platform { self.id.platform }

    public func value(_ column: Int) -> ListValue {
        switch column {
        case 0: .text(self.platform.filterText)
        case 1: .text(self.id.rawValue)
        case 2: .optional(self.name)
        case 3: .text(self.gpuName)
        case 4: .text(self.status.rawValue)
        case 5: .optional(self.location)
        case 6: .number(self.price.dollarsPerHour)
        default: .optional(self.createdAt)
        }
    }
}

extension Offer: ListRow {
    public static let columns = [
        "platform", "id", "gpu", "x", "where", "price", "mem", "rel", "down", "up", "cuda", "cpu", "ram",
        "disk", "count",
    ]
    public static let orders = [
        ListOrder("price", 5), ListOrder("gpu", 2), ListOrder("memory", 6, largestFirst: true),
        ListOrder("reliability", 7, largestFirst: true), ListOrder("location", 4),
        ListOrder("download", 8, largestFirst: true),
    ]
    public var platform: Platform { self.id.platform }

    public func value(_ column: Int) -> ListValue {
        switch column {
        case 0: .text(self.platform.filterText)
        case 1: .text(self.id.rawValue)
        case 2: .text(self.gpuName)
        case 3: .text("x\(self.gpuCount)")
        case 4: .optional(self.location)
        case 5: .number(self.price.dollarsPerHour)
        case 6: .gigabytes(self.gpuMemoryBytes)
        case 7: .optional(self.reliability)
        case 8: .optional(self.downloadMbps)
        case 9: .optional(self.uploadMbps)
        case 10: .optional(self.cudaVersion)
        case 11: .optional(self.cpuCores)
        case 12: .gigabytes(self.memoryBytes)
        case 13: .gigabytes(self.diskBytes)
        default: .number(Double(self.gpuCount))
        }
    }
}

extension Job: ListRow {
    public static let columns = ["id", "command", "state", "on", "cost", "created", "exit"]
    public static let orders = [
        ListOrder("newest", 5, largestFirst: true), ListOrder("state", 2),
        ListOrder("cost", 4, largestFirst: true), ListOrder("on", 3),
    ]
    public var platform: Platform { self.instance.platform }

    public func value(_ column: Int) -> ListValue {
        switch column {
        case 0: .text(self.id.rawValue)
        case 1: .text(self.command.shellText)
        case 2: .text(self.state.rawValue)
        case 3: .text(self.instance.rawValue)
        case 4: .optional(self.dollars)
        case 5: .number(self.createdAt.timeIntervalSinceReferenceDate)
        default: .optional(self.outcome.map { Double($0.exitStatus) })
        }
    }
}
