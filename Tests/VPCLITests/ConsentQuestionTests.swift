import Foundation
import Testing
import VPTestSupport

/// What a project asks for is asked about on a terminal, once.
@Suite(.ownThread) struct ConsentQuestionTests {
    private func project() throws -> CLIHarness {
        let harness = try CLIHarness()
        try harness.write(
            "project/.vp/config.yaml",
            "platforms:\n  vast:\n    api_key: \(ConfigCommandTests.key)\n    url: http://127.0.0.1:9\n")
        return harness
    }

    private func show(_ harness: CLIHarness) throws -> PTYSession {
        try PTYSession(
            CLIHarness.products + "/vp", ["config-show"], width: 200, environment: harness.environment,
            directory: harness.project)
    }

    @Test(arguments: [
        ("y\r", "http://127.0.0.1:9"), ("n\r", "https://console.vast.ai"), ("\r", "https://console.vast.ai"),
    ])
    func theAnswerHolds(answer: String, address: String) async throws {
        let harness = try self.project()
        let first = try self.show(harness)
        try first.wait(for: "Allow it for this project")
        #expect(first.screen.contains("use http://127.0.0.1:9 in place of vast.ai"))
        first.type(answer)
        _ = try first.waitForEnd()
        #expect(first.screen.contains("address          \(address)"), "\(first.screen.text)")
        // The second time nothing is asked, with and without a terminal.
        let second = try self.show(harness)
        _ = try second.waitForEnd()
        #expect(!second.screen.contains("Allow it"), "\(second.screen.text)")
        #expect(second.screen.contains("address          \(address)"), "\(second.screen.text)")
        #expect(try await harness.vp("config-show").stdout.contains(address))
        // Another content is asked about.
        try harness.write(
            "project/.vp/config.yaml",
            "platforms:\n  vast:\n    api_key: \(ConfigCommandTests.key)\n    url: http://127.0.0.1:10\n")
        let third = try self.show(harness)
        try third.wait(for: "Allow it for this project")
        third.type("n\r")
        _ = try third.waitForEnd()
    }
}
