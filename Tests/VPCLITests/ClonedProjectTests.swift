import Foundation
import Testing

/// What a cloned project can do.
@Suite struct ClonedProjectTests {
    static let key = "0123456789abcdef0123456789abcdefdeadbeefcafe"

    /// Without a terminal nothing is asked: it is ignored and said, and `--allow` takes it.
    @Test func aProjectsAddressNeedsConsent() async throws {
        let harness = try CLIHarness()
        try harness.write(
            "project/.vp/config.yaml",
            "platforms:\n  vast:\n    api_key: \(Self.key)\n    url: http://127.0.0.1:9\n")
        let show = try await harness.vp("config-show")
        #expect(show.status == 0, "\(show)")
        #expect(show.stdout.contains("https://console.vast.ai"))
        #expect(show.stderr.contains("--allow platforms.vast.url"))
        let allowed = try await harness.vp("config-show", "--allow", "platforms.vast.url")
        #expect(allowed.stdout.contains("http://127.0.0.1:9"))
        let typo = try await harness.vp("config-show", "--allow", "platform.vast.url")
        #expect(typo.status == 64)
    }

    /// Whatever its name and values are, nothing of them runs or leaves the state folder.
    @Test func aHostileProjectWritesNothingElsewhere() async throws {
        let harness = try CLIHarness(["VAST_API_KEY": Self.key, "VAST_URL": "http://127.0.0.1:9"])
        try harness.write(
            "project/.vp/config.yaml",
            """
            project: {name: "../../x$(touch pwned)", data_dir: "../../"}
            ssh: {identity: "/k\\"\\nProxyCommand touch \(harness.path("pwned"))\\n\\""}
            notify: {command: "touch \(harness.path("pwned"))"}
            """)
        _ = try await harness.vp("ls")
        _ = try await harness.vp("jobs")
        let show = try await harness.vp("config-show", "--json").json()
        #expect(show["ssh_identity"] is NSNull)
        #expect((show["project"] as? [String: Any])?["name"] as? String == "../../x$(touch pwned)")
        #expect(harness.files(below: "", withSuffix: "pwned").isEmpty)
        #expect(!FileManager.default.fileExists(atPath: harness.path("../x")))
    }

    @Test func withoutATerminalInitChoosesNoPlatform() async throws {
        let harness = try CLIHarness()
        #expect(try await harness.vp("--init").status == 0)
        let text = try harness.read("project/.vp/config.yaml")
        #expect(
            !text.split(separator: "\n").contains {
                $0.trimmingCharacters(in: .whitespaces).hasPrefix("default:")
            }, "\(text)")
        #expect(try await harness.vp("config-show").stdout.contains("Default platform   both"))
        // Named, it is written.
        let other = try CLIHarness()
        #expect(try await other.vp("--init", "--default-platform", "runpod").status == 0)
        #expect(try other.read("project/.vp/config.yaml").contains("default: \"runpod\""))
    }

    /// A build reads all of its context.
    @Test(arguments: [
        "docker: {dockerfile: ../Dockerfile}", "docker: {dockerfile: /etc/hostname}",
        "docker: {build_context: ..}",
        "docker: {dockerfile: link}",
    ])
    func aBuildStaysInTheProject(yaml: String) async throws {
        let harness = try CLIHarness(["VAST_API_KEY": Self.key, "VAST_URL": "http://127.0.0.1:9"])
        try harness.writeProgram("bin/docker", "#!/bin/sh\ntouch \(harness.path("built"))\n")
        try harness.write("Dockerfile", "FROM scratch\n")
        try harness.write("project/Dockerfile", "FROM scratch\n")
        symlink("/etc/hostname", harness.path("project/link"))
        try harness.write("project/.vp/config.yaml", yaml + "\n")
        let path = harness.path("bin") + ":" + (harness.environment["PATH"] ?? "")
        let output = try await harness.vp("run", "--enable-docker", "--", "true", environment: ["PATH": path])
        #expect(output.status == 200, "\(output)")
        #expect(output.stderr.contains("is outside the project"), "\(output)")
        #expect(!harness.exists("built"))
    }
}
