import Foundation
import Testing

@Suite struct ConfigCommandTests {
    static let key = "0123456789abcdef0123456789abcdefdeadbeefcafe"
    let file = ".config/variousplug/config.yaml"

    @Test func aKeyIsSetFromStandardInputAndShownMasked() async throws {
        let harness = try CLIHarness()
        let set = try await harness.vp("config-set", "--vast-api-key", "-", input: Self.key + "\n")
        #expect(set.status == 0, "\(set)")
        #expect(!(set.stdout + set.stderr).contains("beef"))
        let mode = try FileManager.default.attributesOfItem(atPath: harness.path(self.file))[
            .posixPermissions]
        #expect(mode as? Int == 0o600)

        let show = try await harness.vp("config-show")
        #expect(show.status == 0)
        #expect(show.stdout.contains("****cafe"))
        #expect(!show.stdout.contains("beefcafe"))
        let json = try await harness.vp("config-show", "--json")
        #expect(!json.stdout.contains("beefcafe"))
        #expect(try json.json()["platforms"] != nil)
        #expect(try harness.files(containing: Self.key) == [self.file])
    }

    @Test func theOriginalsFormWorksAndSaysWhatIsBetter() async throws {
        let harness = try CLIHarness()
        let set = try await harness.vp(
            "config-set", "--vast-api-key", Self.key, "--runpod-api-key", "rpa_\(Self.key)",
            "--default-platform",
            "vast")
        #expect(set.status == 0, "\(set)")
        #expect(set.stderr.contains("next time give -"))
        #expect(!(set.stdout + set.stderr).contains("beefcafe"))
        let show = try await harness.vp("config-show")
        #expect(show.stdout.contains("Default platform   vast.ai"))
    }

    @Test func whatIsThereIsKept() async throws {
        let harness = try CLIHarness()
        try harness.write(self.file, "# mine\nssh:\n  identity: ~/k\nother: 1\n", mode: 0o600)
        try harness.write("k", "")
        #expect(try await harness.vp("config-set", "--default-platform", "vast").status == 0)
        #expect(
            try harness.read(self.file)
                == "# mine\nssh:\n  identity: ~/k\nother: 1\nplatforms:\n  default: \"vast\"\n")
    }

    /// Both platforms can be had back, for oneself and for a project.
    @Test func aDefaultPlatformIsTakenBack() async throws {
        let harness = try CLIHarness()
        #expect(try await harness.vp("config-set", "--default-platform", "vast").status == 0)
        #expect(try await harness.vp("config-show").stdout.contains("Default platform   vast.ai"))
        #expect(try await harness.vp("--init", "--default-platform", "auto").status == 0)
        #expect(try harness.read("project/.vp/config.yaml").contains("default: \"auto\""))
        #expect(try await harness.vp("config-show").stdout.contains("Default platform   both"))
        let set = try await harness.vp("config-set", "--default-platform", "auto")
        #expect(set.status == 0 && !set.stderr.contains("counts more"), "\(set)")
        #expect(try harness.read(self.file).contains("default: \"auto\""))
    }

    @Test(arguments: ["", " \n", "two words\n"])
    func whatIsNoKeyIsRefused(input: String) async throws {
        let harness = try CLIHarness()
        let set = try await harness.vp("config-set", "--vast-api-key", "-", input: input)
        #expect(set.status == 64)
        #expect(!harness.exists(self.file))
    }

    @Test func keysMoveOutOfTheProject() async throws {
        let harness = try CLIHarness()
        try harness.write(
            "project/.vp/config.yaml",
            "project:\n  name: old\nplatforms:\n  vast:\n    api_key: \(Self.key)\n    enabled: true\n")
        let before = try await harness.vp("config-show")
        #expect(before.stderr.contains("--move-keys"))
        #expect(before.stdout.contains("****cafe"))
        let move = try await harness.vp("config-set", "--move-keys")
        #expect(move.status == 0, "\(move)")
        #expect(try harness.files(containing: Self.key) == [self.file])
        #expect(try harness.read("project/.vp/config.yaml").contains("name: old"))
        let after = try await harness.vp("config-show")
        #expect(after.stderr.isEmpty)
        #expect(after.stdout.contains("****cafe"))
    }

    /// A key that is not used is a key all the same.
    @Test func aDisabledPlatformsKeyMovesAndStaysOff() async throws {
        let harness = try CLIHarness()
        try harness.write(
            "project/.vp/config.yaml",
            "platforms:\n  vast:\n    api_key: \(Self.key)\n    enabled: false\n  runpod:\n    api_key: rpa_\(Self.key)\n"
        )
        let move = try await harness.vp("config-set", "--move-keys")
        #expect(move.status == 0, "\(move)")
        #expect(move.stdout.contains("vast.ai and RunPod"))
        #expect(try harness.files(containing: Self.key) == [self.file])
        let show = try await harness.vp("config-show", "--json").json()
        let platforms = try #require(show["platforms"] as? [[String: Any]])
        #expect(platforms.map { $0["key"] is NSNull } == [true, false])
    }

    /// Of two different keys none is lost.
    @Test func aKeyThatTheUserHasAnotherOfStays() async throws {
        let harness = try CLIHarness()
        try harness.write("project/.vp/config.yaml", "vast_api_key: \(Self.key)\n")
        try harness.write(self.file, "vast_api_key: other-0123456789abcdef\n", mode: 0o600)
        let move = try await harness.vp("config-set", "--move-keys")
        #expect(move.status == 0, "\(move)")
        #expect(move.stdout.contains("stays unused"))
        #expect(try harness.files(containing: Self.key) == ["project/.vp/config.yaml"])
        #expect(try harness.read(self.file).contains("other-0123456789abcdef"))
    }

    @Test func aSharedUserFileIsRefused() async throws {
        let harness = try CLIHarness()
        try harness.write(self.file, "platforms: {}\n", mode: 0o644)
        let show = try await harness.vp("config-show")
        #expect(show.status == 200)
        #expect(show.stderr.contains("chmod 600"))
    }

    @Test func initWritesBothFilesAndReplacesNothing() async throws {
        let harness = try CLIHarness()
        let first = try await harness.vp("--init", "--name", "my \"project\"")
        #expect(first.status == 0, "\(first)")
        #expect(try harness.read("project/.vp/config.yaml").contains(#"name: "my \"project\"""#))
        #expect(harness.exists("project/.vpignore"))
        #expect(try await harness.vp("config-show").stdout.contains("my \"project\""))

        try harness.write("project/.vp/config.yaml", "name: mine\n")
        try harness.write("project/.vpignore", "mine\n")
        let second = try await harness.vp("--init", "--name", "other")
        #expect(second.status == 0)
        #expect(second.stdout.contains("is not changed"))
        #expect(try harness.read("project/.vp/config.yaml") == "name: mine\n")
        #expect(try harness.read("project/.vpignore") == "mine\n")
    }

    /// With keys for both, both are looked at: a project that was set up by a program names neither.
    @Test func initWithoutATerminalNamesNoPlatform() async throws {
        let harness = try CLIHarness(["VAST_API_KEY": Self.key, "RUNPOD_API_KEY": Self.key + "x"])
        #expect(try await harness.vp("--init").status == 0)
        let file = try harness.read("project/.vp/config.yaml")
        #expect(
            !file.split(separator: "\n").contains {
                $0.trimmingCharacters(in: .whitespaces).hasPrefix("default:")
            })
        let shown = try await harness.vp("config-show", "--json").json()
        #expect((shown["defaults"] as? [String: Any])?["platform"] is NSNull, "\(shown)")
    }

    /// The original put keys into the project's file, which is shared and committed.
    @Test func initKeepsKeysOutOfTheProject() async throws {
        let harness = try CLIHarness()
        let output = try await harness.vp("--init", "--vast-api-key", "-", input: Self.key)
        #expect(output.status == 0, "\(output)")
        #expect(try harness.files(containing: Self.key) == [self.file])
    }
}
