import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// Nothing of a cloud outlives its host process.
@Suite(.requires("sshd", "ssh", "ssh-keygen", "bwrap"))
struct LifelineTests {
    private static let fileVariable = "VP_LOOPBACK_SERVE"

    /// Starts this very test program a second time as the cloud's host, rents there, and kills the host.
    ///
    /// With `VP_LOOPBACK_SERVE=FILE` set the test *is* that host:
    /// it writes the cloud's environment to FILE as lines for a shell and serves until it is killed. That is
    /// also how to try a cloud by hand: `VP_LOOPBACK_SERVE=/tmp/cloud.env swift test --filter
    /// nothingSurvivesAKilledHost`.
    @Test func nothingSurvivesAKilledHost() async throws {
        if let file = ProcessInfo.processInfo.environment[Self.fileVariable] {
            return try await Self.serve(file)
        }
        try await TemporaryFolder.with(named: "vp-lifeline") { folder in
            var environment = ProcessInfo.processInfo.environment
            environment[Self.fileVariable] = folder.path + "/cloud.env"
            environment["TMPDIR"] = folder.path
            let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
            let host = try ChildProcess.spawn(
                [program, "--testing-library", "swift-testing", "--filter", "nothingSurvivesAKilledHost"],
                environment: environment)
            var isKilled = false
            defer { if !isKilled { kill(host, SIGKILL) } }

            let settings = try await wait(for: "the host's cloud") { () -> [String: String]? in
                guard folder.exists("cloud.env") else { return nil }
                return Self.parse(try folder.read("cloud.env"))
            }
            let url = try #require(settings["VAST_URL"].flatMap { URL(string: $0) })
            var client = TestClient(base: url)
            client.key = settings["VAST_API_KEY"]
            for position in 0..<3 { _ = try await client.running(try await client.rent(position * 2)) }
            let cloudFolder = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).first {
                    $0.hasPrefix("vp-cloud-")
                })
            let before = Self.processes(mentioning: folder.path)
            #expect(before.count >= 6, "\(before)")

            kill(host, SIGKILL)
            isKilled = true
            #expect(await ChildProcess.wait(for: host) == 128 + SIGKILL)
            try await wait(for: "the end of everything", limit: .seconds(10)) {
                let left = Self.processes(mentioning: folder.path)
                return left.isEmpty && !folder.exists(cloudFolder) ? true : nil
            }
        }
    }

    /// Ends everything and can be called twice.
    @Test func stoppingLeavesNothing() async throws {
        let cloud = try await LoopbackCloud.start(options: .init(speed: 100))
        let client = TestClient(cloud)
        _ = try await client.running(try await client.rent())
        // A second one is stopped in the middle of its boot.
        _ = try await client.rent(2)
        let processes = await cloud.processIDs
        #expect(!processes.isEmpty)
        await cloud.stop()
        await cloud.stop()
        #expect(InstanceTests.alive(processes).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: cloud.folder))
        await #expect(throws: (any Error).self) { try await client.get("/api/v0/users/current") }
    }

    private static func serve(_ file: String) async throws {
        let cloud = try await LoopbackCloud.start()
        let lines = cloud.environment.sorted { $0.key < $1.key }.map { "export \($0.key)='\($0.value)'\n" }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        print("A loopback cloud serves until this is killed. In another shell: . \(file)")
        while !Task.isCancelled { try await Task.sleep(for: .seconds(3600)) }
        await cloud.stop()
    }

    private static func parse(_ text: String) -> [String: String] {
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            settings[String(parts[0])] = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "'"))
        }
        return settings
    }

    /// Command lines of processes that work in `folder`, our own helpers of this moment aside.
    private static func processes(mentioning folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int32($0) != nil }.compactMap { name in
            let bytes = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            let line = String(decoding: bytes.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            return line.contains(folder) && line.contains("vp-cloud-") ? line : nil
        }
    }
}
