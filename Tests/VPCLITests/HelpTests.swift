import Testing

@Suite struct HelpTests {
    /// Of the root, and of each verb that the parser has: a new one has no golden and fails.
    private static let pages = [""] + VerbPage.all.map(\.words).filter { $0 != "help" }

    /// Help texts are read more often than any document; a change to one shows in review.
    @Test(arguments: Self.pages)
    func help(verb: String) async throws {
        let words = verb.split(separator: " ").map(String.init) + ["--help"]
        let output = try await CLIHarness(["COLUMNS": "80"]).start(words).output()
        #expect(output.status == 0)
        #expect(output.stderr.isEmpty && !output.stdout.isEmpty)
        expectGolden(output.stdout, named: "help-\(verb.isEmpty ? "vp" : verb.replacing(" ", with: "-"))")
    }

    @Test func versionAndHelpNeedNoConfiguration() async throws {
        let harness = try CLIHarness()
        try harness.write("project/.vp/config.yaml", "project: [broken\n")
        #expect(try await harness.vp("--version").stdout == "0.1.0\n")
        #expect(try await harness.vp("--help").status == 0)
        let bare = try await harness.vp()
        #expect(bare.status == 0)
        #expect(bare.stdout.contains("USAGE: vp"))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async throws {
        let output = try await CLIHarness().vp("--generate-completion-script", shell)
        #expect(output.status == 0)
        #expect(output.stdout.contains("destroy-instance"))
    }
}
