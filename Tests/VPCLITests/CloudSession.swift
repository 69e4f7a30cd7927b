import Foundation
import Testing

/// A `vp demo serve` in a process of its own, as a user would start it, and a home whose `vp` uses it.
final class CloudSession: Sendable {
    let server: ChildVP
    let harness: CLIHarness
    let apiKey: String
    /// The cloud's own folder.
    let folder: String

    init(seed: Int = 1, faults: [String] = []) async throws {
        let serverHarness = try CLIHarness()
        self.server = try serverHarness.start(
            ["demo", "serve", "--json", "--with-parent", "--speed", "100", "--seed", "\(seed)"]
                + faults.flatMap { ["--fault", $0] })
        try await self.server.waitForOutput("\n", limit: .seconds(30))
        let line = Data(self.server.text.utf8)
        let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
        let vast = try #require(object["vast"] as? [String: String])
        #expect(object.keys.contains("runpod"))
        self.apiKey = try #require(vast["api_key"])
        let environment = try #require(object["env"] as? [String: String])
        #expect(environment["VAST_URL"] == vast["url"])
        let state = try #require(environment["XDG_STATE_HOME"])
        self.folder = (state as NSString).deletingLastPathComponent
        self.harness = try CLIHarness(CLIHarness.withoutFolders(environment))
    }

    deinit { self.server.send(SIGKILL) }

    /// Ends the cloud as Ctrl-C would.
    func end() async throws {
        self.server.send(SIGINT)
        let output = try await self.server.output(limit: .seconds(30))
        #expect(output.status == 0, "\(output)")
        #expect(!FileManager.default.fileExists(atPath: self.folder))
    }

    /// Rents the cheapest instance of one kind and returns its id.
    func rent(_ platform: String = "auto") async throws -> String {
        let output = try await self.harness.vp(
            "create-instance", "--gpu-type", "RTX_3090", "--platform", platform, "--json")
        #expect(output.status == 0, "\(output)")
        return try #require(try output.json()["id"] as? String)
    }
}
