import Foundation
import Testing
import VPTestSupport

@Suite struct LimitsCommandTests {
    static let file = ".config/variousplug/limits.yaml"
    static let key = ["VAST_API_KEY": "0123456789abcdef0123456789abcdef", "VAST_URL": "http://127.0.0.1:9"]

    @Test func theCapsAndWhatTheyLeaveAreShown() async throws {
        let harness = try CLIHarness()
        #expect(try await harness.vp("limits").stdout.contains("No limits are set."))
        try harness.write(
            Self.file, "per_day: 5\nmax_price: 0.6\nmax_instances: 2\ngpus: [RTX 4090]\n", mode: 0o600)
        let shown = try await harness.vp("limits")
        #expect(shown.status == 0, "\(shown)")
        for words in ["$5.00", "left", "limits.yaml", "RTX 4090", "2, 0 rented, 2 left"] {
            #expect(shown.stdout.contains(words), "\(shown.stdout)")
        }
        let json = try await harness.vp("limits", "--json").json()
        #expect((json["limits"] as? [String: Any])?["max_price"] as? Double == 0.6)
        #expect((json["today"] as? [String: Any])?["left_dollars"] as? Double == 5)
        #expect((json["instances"] as? [String: Any])?["left"] as? Int == 2)
    }

    /// The user's own day limit stands there as well, where it is the lower one.
    @Test func theLowerDayLimitCounts() async throws {
        let harness = try CLIHarness()
        try harness.write(".config/variousplug/config.yaml", "budget: {per_day: 3}\n", mode: 0o600)
        try harness.write(Self.file, "per_day: 5\n", mode: 0o600)
        let json = try await harness.vp("limits", "--json").json()
        let today = json["today"] as? [String: Any]
        #expect(today?["limit_dollars"] as? Double == 3)
        #expect(today?["limit_from"] as? String == "budget.per_day")
    }

    @Test(arguments: [
        ["create-instance", "-y"], ["run", "--create", "-y", "--", "true"], ["create-instance", "--dry-run"],
    ])
    func aFileThatCannotBeUsedStopsAllThatCosts(words: [String]) async throws {
        let harness = try CLIHarness(Self.key)
        try harness.write(Self.file, "per_dya: 5\n", mode: 0o600)
        let output = try await harness.start(words).output()
        #expect(output.status == 208, "\(output)")
        #expect(
            output.stderr.contains("limits.yaml:1: there is no limit “per_dya”; did you mean per_day?"),
            "\(output)")
        let limits = try await harness.vp("limits")
        #expect(limits.status == 208)
        #expect(limits.stderr.contains("per_dya"))
    }

    @Test func aVerbThatIsNotAmongThoseIsRefused() async throws {
        let harness = try CLIHarness(Self.key)
        try harness.write(Self.file, "verbs: [list-instances, jobs]\n", mode: 0o600)
        for words in [
            ["destroy-instance", "1"], ["true"], ["cost"], ["ssh", "1"],
            ["config-set", "--default-platform", "vast"],
        ] {
            let output = try await harness.start(words).output()
            #expect(output.status == 208, "\(words): \(output)")
            #expect(output.stderr.contains("is not among verbs (list-instances, jobs)"), "\(output)")
        }
        #expect(try await harness.vp("jobs").status == 0)
        #expect(try await harness.vp("limits").status == 0)
        // The other name of a verb is that verb.
        #expect(try await harness.vp("ls").status != 208)
    }
}
