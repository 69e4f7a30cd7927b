import Foundation
import Glibc
import Testing
import VPTestSupport

@Suite(.startsCloud, .requires("sshd", "rsync", "ssh", "python3")) struct DemoTests {
    @Test func theDemoWalksTheMainJobAndLeavesNothing() async throws {
        let harness = try CLIHarness()
        let output = try await harness.start(["demo", "--epochs", "2", "--speed", "100"]).output()
        #expect(output.status == 0, "\(output)")
        for name in ["model.json", "metrics.csv", "loss.svg", "decision.png"] {
            #expect(harness.exists("project/variousplug-demo/outputs/\(name)"))
        }
        #expect(output.stdout.contains("Epoch 2/2: 100%"))
        #expect(output.stdout.contains("of play money"))

        let again = try await harness.start(["demo", "--epochs", "1", "--speed", "100"]).output()
        #expect(again.status == 0, "its own folder is used again: \(again)")
    }

    /// Where bubblewrap is not allowed, as in most containers, the demo works all the same.
    @Test func theDemoWorksWithoutSandboxes() async throws {
        let harness = try CLIHarness()
        let output = try await harness.start(["demo", "--epochs", "1", "--speed", "100", "--no-sandbox"])
            .output()
        #expect(output.status == 0, "\(output)")
        #expect(harness.exists("project/variousplug-demo/outputs/model.json"))
    }

    @Test func aFolderWithSomethingElseIsLeftAlone() async throws {
        let harness = try CLIHarness()
        try harness.write("project/mine/train.py", "mine")
        let output = try await harness.start(["demo", "--folder", "mine"]).output()
        #expect(output.status == 200)
        #expect(output.stderr.contains("--folder"))
        #expect(try harness.read("project/mine/train.py") == "mine")
        #expect(!harness.exists("project/mine/.vp"))
    }

    /// Nothing outlives the cloud, however it ends.
    @Test(arguments: [SIGKILL, SIGTERM, SIGINT, SIGHUP])
    func nothingOutlivesAServedCloud(signal: Int32) async throws {
        let session = try await CloudSession(seed: 20 + Int(signal))
        _ = try await session.rent()
        let job = try session.harness.start(["run", "--", "sh", "-c", "echo begun; sleep 600"])
        try await job.waitForOutput("begun")
        #expect(try !processes(mentioning: session.folder).isEmpty)

        session.server.send(signal)
        try await waitUntil("the cloud's folder and processes to go") {
            try !FileManager.default.fileExists(atPath: session.folder)
                && processes(mentioning: session.folder).isEmpty
        }
        job.send(SIGINT)
        _ = try await job.output()
    }

    @Test func servePrintsLinesForAShell() async throws {
        let harness = try CLIHarness()
        let server = try harness.start(["demo", "serve"])
        try await server.waitForOutput("export XDG_STATE_HOME=")
        try await server.waitForOutput("export VAST_API_KEY=")
        server.send(SIGTERM)
        #expect(try await server.output().status == 0)
    }

    /// Command lines of all processes that name `text`, tests' own children of `vp` left out.
    private func processes(mentioning text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
            guard let process = Int32(name), process != getpid(),
                let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
            else { return nil }
            let words = String(decoding: line, as: UTF8.self).replacing("\0", with: " ")
            // Clients have the key's path in their own configuration, not on their command line.
            return words.contains(text) ? words : nil
        }
    }
}
