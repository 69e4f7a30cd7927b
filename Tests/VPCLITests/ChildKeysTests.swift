import Foundation
import Testing
import VPTestSupport

/// Programs that `vp` starts have no use for the platforms' keys,
/// and an environment is easily read and passed on.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh", "git"), .timeLimit(.minutes(15))) struct ChildKeysTests
{
    @Test func noProgramGetsTheKeys() async throws {
        let session = try await CloudSession()
        let harness = session.harness
        let programs = ["ssh", "rsync", "git", "ssh-keygen", "docker", "notify-send"]
        for name in programs {
            // No build is made; that it is started with our environment is what counts.
            let real = name == "docker" ? "true" : Programs.path(of: name) ?? "true"
            try harness.writeProgram(
                "tools/\(name)",
                "#!/bin/sh\nenv > \"\(harness.path("seen"))/\(name).$$\"\nexec \(real) \"$@\"\n")
        }
        try harness.write("seen/none", "")
        try harness.write("project/Dockerfile", "FROM scratch\n")
        try harness.write(
            ".config/variousplug/config.yaml",
            "notify: {command: 'env > \(harness.path("seen"))/notify.$$'}\nbudget: {per_day: 100}\n",
            mode: 0o600)
        let environment = [
            "PATH": harness.path("tools") + ":" + (harness.environment["PATH"] ?? ""), "DISPLAY": ":9",
            "RUNPOD_API_KEY": harness.environment["RUNPOD_API_KEY"] ?? "",
        ]
        func vp(_ words: String...) async throws -> CLIHarness.Output {
            try await harness.start(words, environment: environment).output()
        }
        // Enough for git to be asked.
        try harness.write("project/.git/HEAD", "ref: refs/heads/main\n")
        // With no lease it is an alarm, of which the user's own command is told.
        let created = try await vp("create-instance", "--platform", "vast", "-y", "--lease", "none", "--json")
        #expect(created.status == 0, "\(created)")
        let id = try #require(try created.json()["id"] as? String)
        let run = try await vp("run", "--enable-docker", "--notify", "-i", id, "--", "env")
        #expect(run.status == 0, "\(run)")
        let ssh = try await vp("ssh", id, "--", "true")
        #expect(ssh.status == 0, "\(ssh)")
        #expect(try await vp("destroy-instance", id, "-y").status == 0)

        let seen = try FileManager.default.contentsOfDirectory(atPath: harness.path("seen"))
        for name in ["ssh.", "git.", "notify.", "docker."] {
            #expect(seen.contains { $0.hasPrefix(name) }, "\(name) was not started: \(seen)")
        }
        let key = session.apiKey
        for name in seen {
            let text = try harness.read("seen/\(name)")
            #expect(!text.contains(key), "\(name) has the vast.ai key")
            #expect(!text.contains("_API_KEY="), "\(name): \(text)")
        }
        // Nor has the job.
        #expect(!run.stdout.contains(key))
    }
}
