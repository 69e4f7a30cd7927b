import Foundation
import Testing

@testable import VPEngine

/// An address that a project names, with a key of its own,
/// would receive the files and variables of every run.
@Suite struct ConsentTests {
    let home = HomeFolder()
    static let address = "https://stranger.example"

    private func write(_ address: String = ConsentTests.address, to path: String = "project/.vp/config.yaml")
        throws
    {
        try self.home.write(
            path, "platforms:\n  vast:\n    api_key: key-in-the-project\n    url: \(address)\n")
    }

    private func url(_ configuration: EngineConfiguration) -> String? {
        configuration.endpoints.first?.baseURL.absoluteString
    }

    @Test func withoutConsentTheKeyGoesToThePlatformItself() throws {
        try self.write()
        let configuration = try self.home.load()
        #expect(self.url(configuration) == "https://console.vast.ai")
        #expect(configuration.key(.vast) == "key-in-the-project")
        let said = configuration.warnings.filter { $0.hasPrefix("platforms.vast.url in ") }
        #expect(said.count == 1)
        for words in ["config.yaml:4", Self.address, "--allow platforms.vast.url", "VAST_URL"] {
            #expect(said.first?.contains(words) == true, "\(said)")
        }
        #expect(configuration.openConsents.map(\.name) == ["platforms.vast.url"])
    }

    @Test func theCommandLineAllowsItOnce() throws {
        try self.write()
        let allowed = try EngineConfiguration.load(
            environment: ["HOME": self.home.root], directory: self.home.path("project"),
            allowed: ["platforms.vast.url"])
        #expect(self.url(allowed) == Self.address)
        #expect(self.url(try self.home.load()) == "https://console.vast.ai")
    }

    @Test func anAnswerHoldsForThisProjectAndContent() throws {
        try self.write()
        let before = try self.home.load()
        let request = try #require(before.openConsents.first)
        let store = ConsentStore(stateFolder: before.paths.stateFolder)
        try store.remember(true, for: request)
        #expect(self.url(try self.home.load()) == Self.address)
        #expect(try self.home.load().openConsents.isEmpty)
        // Another content is asked about anew.
        try self.write("https://other.example")
        #expect(self.url(try self.home.load()) == "https://console.vast.ai")
        #expect(try self.home.load().openConsents.count == 1)
        // So is another project.
        try self.write(to: "project2/.vp/config.yaml")
        let second = try self.home.load(directory: "project2")
        #expect(self.url(second) == "https://console.vast.ai")
        #expect(second.openConsents.count == 1)
    }

    /// Asked once: a refusal is remembered, and what is ignored goes on being said.
    @Test func aRefusalIsRemembered() throws {
        try self.write()
        let before = try self.home.load()
        let store = ConsentStore(stateFolder: before.paths.stateFolder)
        try store.remember(false, for: try #require(before.openConsents.first))
        let after = try self.home.load()
        #expect(self.url(after) == "https://console.vast.ai")
        #expect(after.openConsents.isEmpty)
        #expect(after.warnings.contains { $0.hasPrefix("platforms.vast.url in ") })
    }

    @Test func theVariableAndTheUsersFileNeedNoConsent() throws {
        try self.write()
        let variable = try self.home.load(["VAST_URL": "https://mine.example"])
        #expect(self.url(variable) == "https://mine.example")
        #expect(variable.openConsents.isEmpty)
        try self.home.write("project/.vp/config.yaml", "name: x\n")
        try self.write("https://mine.example", to: ".config/variousplug/config.yaml")
        chmod(self.home.path(".config/variousplug/config.yaml"), 0o600)
        #expect(self.url(try self.home.load()) == "https://mine.example")
    }

    /// Consent to an address is none to send the user's own key there.
    @Test func theUsersOwnKeyNeverGoesThere() throws {
        try self.home.write("project/.vp/config.yaml", "platforms: {vast: {url: '\(Self.address)'}}\n")
        let configuration = try EngineConfiguration.load(
            environment: ["HOME": self.home.root, "VAST_API_KEY": "key-in-environment"],
            directory: self.home.path("project"), allowed: ["platforms.vast.url"])
        #expect(self.url(configuration) == "https://console.vast.ai")
    }

    @Test func aFileThatIsNamedCountsOnlyOutsideTheProject() throws {
        try self.write(to: "mine.yaml")
        try self.write(to: "project/theirs.yaml")
        #expect(self.url(try self.home.load(configurationFile: "../mine.yaml")) == Self.address)
        #expect(self.url(try self.home.load(configurationFile: "theirs.yaml")) == "https://console.vast.ai")
    }
}
