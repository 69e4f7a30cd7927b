import ArgumentParser
import Foundation
import VPEngine

/// Lengths of time on the command line. `TimeSpan` defines their syntax and words their errors,
/// for every verb.
enum TimeArgument {
    /// Returns the length in seconds.
    static func span(_ text: String) throws -> Double {
        do {
            return try TimeSpan.seconds(text)
        } catch {
            throw ValidationError("\(Terminal.printable(error.sentence)).")
        }
    }

    /// Returns the length in seconds, or 0 for `0` in any unit.
    static func spanOrNone(_ text: String) throws -> Double {
        let isNone = ["0", "0s", "0m", "0h"].contains(text)
        return isNone ? 0 : try Self.span(text)
    }

    /// Reads `4h`, `30m`, `2d` or `none`.
    static func lease(_ text: String) throws -> LeaseArgument {
        text == "none" ? LeaseArgument(seconds: nil) : LeaseArgument(seconds: try Self.span(text))
    }
}

/// A lease on the command line.
struct LeaseArgument: Hashable {
    /// The length in seconds; nil for a lease without end.
    var seconds: Double?
}

/// A point in time on the command line: `2026-11-01`, `2026-11-24T12:00:00Z`,
/// or an age such as `7d` or `12h`.
enum SinceArgument: Hashable {
    case date(Date)
    /// An age in seconds.
    case ago(Double)

    static func read(_ text: String) throws -> SinceArgument {
        if let day = try? Date.ISO8601FormatStyle().year().month().day().parse(text), text.count == 10 {
            return .date(day)
        }
        if let date = try? Date(text, strategy: .iso8601) { return .date(date) }
        return .ago(try TimeArgument.span(text))
    }

    func date(now: Date) -> Date {
        switch self {
        case .date(let date): date
        case .ago(let seconds): now.addingTimeInterval(-seconds)
        }
    }
}
