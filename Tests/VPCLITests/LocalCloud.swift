import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// A loopback cloud inside the test process, whose faults a test can call, and a home whose `vp` uses it.
struct LocalCloud {
    let cloud: LoopbackCloud
    let harness: CLIHarness

    static func with(_ body: (LocalCloud) async throws -> Void) async throws {
        try await withLoopbackCloud { cloud in
            let environment = CLIHarness.withoutFolders(cloud.environment)
            try await body(LocalCloud(cloud: cloud, harness: try CLIHarness(environment)))
        }
    }

    func rent(_ extra: String..., platform: String = "vast") async throws -> String {
        let child = try self.harness.start(
            ["create-instance", "--platform", platform, "--gpu-type", "RTX_3090", "--json"] + extra)
        let output = try await child.output()
        #expect(output.status == 0, "\(output)")
        return try #require(try output.json()["id"] as? String)
    }

    /// The job as `vp jobs JOB --json` tells it.
    func job(_ name: String = "-1") async throws -> [String: Any] {
        try await self.harness.vp("jobs", name, "--json").json()
    }

    func job(_ name: String = "-1", until fits: ([String: Any]) -> Bool) async throws -> [String: Any] {
        var last: [String: Any] = [:]
        for _ in 0..<200 {
            last = try await self.job(name)
            if fits(last) { return last }
        }
        throw WaitTimeout(description: "the job never got there: \(last)")
    }

    /// A file below an instance's home, on this machine's disk.
    func remoteFile(_ name: String) -> String? {
        let files = FileManager.default.enumerator(atPath: self.cloud.folder)
        while let path = files?.nextObject() as? String {
            if path.hasSuffix("/" + name) { return "\(self.cloud.folder)/\(path)" }
        }
        return nil
    }
}

extension LocalCloud {
    func dashboard() throws -> PTYSession {
        var environment = self.harness.environment
        environment["TERM"] = "xterm-256color"
        return try PTYSession(
            CLIHarness.products + "/vp-tui", width: 200, height: 60, environment: environment,
            directory: self.harness.project)
    }

    /// The title of the log of the newest job, or of one that many rows below, says `words` in the dashboard.
    func expectDashboard(shows words: String, rowsBelow: Int = 0) async throws {
        let dashboard = try self.dashboard()
        try await dashboard.see("project-1")
        dashboard.type("3" + String(repeating: "j", count: rowsBelow) + "\r")
        try await dashboard.see(words)
        dashboard.type("q")
        _ = try await dashboard.seeEnd()
    }
}

extension PTYSession {
    /// Waits until the screen holds `text`, and leaves the thread to the cloud meanwhile:
    /// the two share a pool that is as small as the machine.
    func see(_ text: String, limit: Duration = .seconds(60)) async throws {
        do {
            try await VPTestSupport.wait(for: text, limit: limit) {
                _ = self.read(milliseconds: 0)
                return self.screen.text.contains(text) ? true : nil
            }
        } catch {
            throw WaitTimeout(
                description: "waited in vain for “\(text)”; the screen is:\n\(self.screen.text)")
        }
    }

    /// The same for the program's end.
    func seeEnd(limit: Duration = .seconds(60)) async throws -> End {
        try await VPTestSupport.wait(for: "the end of the program", limit: limit) {
            _ = self.read(milliseconds: 0)
            return self.end
        }
    }
}
