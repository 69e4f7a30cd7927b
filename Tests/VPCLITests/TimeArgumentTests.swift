import ArgumentParser
import Testing

@testable import vp

/// Every option that takes a length of time reads it the same way.
@Suite struct TimeArgumentTests {
    static let lines: [[String]] = [
        ["lease", "7"], ["create-instance", "--lease"], ["create-instance", "--stop-when-idle"],
        ["create-instance", "--destroy-when-idle"], ["create-instance", "--load-limit"],
        ["run", "--linger"], ["run", "--pull-every"], ["cancel", "--grace"], ["logs", "--since"],
        ["cost", "--since"],
    ]

    /// The words after a time that the verb needs.
    private static func parse(_ line: [String], _ time: String) -> String? {
        let rest =
            line[0] == "run" ? ["--", "true"] : ["logs", "cancel"].contains(line[0]) ? ["train-1"] : []
        do {
            _ = try VP.parseAsRoot(line + [time] + rest)
            return nil
        } catch {
            return VP.message(for: error)
        }
    }

    @Test(arguments: lines) func aNumberAloneIsRefused(line: [String]) {
        let words = Self.parse(line, "90")
        #expect(words?.contains("type 90s, 90m, 90h or 90d") == true, "\(words ?? "accepted")")
    }

    @Test(arguments: lines, ["90s", "30m", "4h", "1h30m"]) func aTimeWithAUnitIsTaken(
        line: [String], time: String
    ) {
        #expect(Self.parse(line, time) == nil)
    }

    @Test(arguments: lines, ["soon", "30 fortnights", "5 weeks"]) func otherWordsAreNoTime(
        line: [String], time: String
    ) {
        #expect(Self.parse(line, time) != nil)
    }

    /// None at all is clear without a unit.
    @Test(arguments: [["run", "--linger"], ["cancel", "--grace"]]) func noneIsZero(line: [String]) {
        #expect(Self.parse(line, "0") == nil)
    }

    @Test func aPointInTimeIsADayOrATime() throws {
        #expect(try SinceArgument.read("2026-11-01") != SinceArgument.read("2026-11-01T01:00:00Z"))
        #expect(try SinceArgument.read("7d") == .ago(7 * 86_400))
        #expect(throws: ValidationError.self) { try SinceArgument.read("yesterday") }
    }
}
