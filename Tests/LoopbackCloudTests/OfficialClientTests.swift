import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// The platforms' own clients, driven against the emulator.
@Suite(
    .requires("sshd", "ssh-keygen", "python3"),
    .enabled(if: OfficialClient.isWanted, "needs vastai and runpod from PyPI"))
struct OfficialClientTests {
    /// RunPod's SDK for Python: it speaks GraphQL, and says what it saw.
    @Test(.loopbackCloud(), .timeLimit(.minutes(15))) func theRunPodSDKDoesItsWork() async throws {
        let cloud = try #require(CloudTrait.current)
        try await TemporaryFolder.with { folder in
            let client = try await OfficialClient(cloud, home: folder.path)
            let outcome = try await client.python(Self.runPodScript)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(
                lines == [
                    "no pods: []", "24 GB", "EXITED sdk-pod", "running on 22", "['sdk-pod']",
                    "no such pod: None",
                    "no capacity: There are no longer any instances available with the requested "
                        + "specifications. Please refresh and try again.",
                    "wrong key: Unauthorized request, please check your API key.",
                ], "\(outcome)")
            #expect(await cloud.instanceCount == 0)
        }
    }

    private static let runPodScript = """
        import os, time
        import runpod
        from runpod.error import AuthenticationError, QueryError
        runpod.api_key = os.environ["RUNPOD_API_KEY"]
        print("no pods:", runpod.get_pods())
        kind = "NVIDIA GeForce RTX 4090"
        print(runpod.get_gpu(kind)["memoryInGb"], "GB")

        def until(pod, wanted):
            end = time.monotonic() + 60
            while time.monotonic() < end:
                seen = runpod.get_pod(pod)
                if wanted(seen):
                    return seen
                time.sleep(0.05)
            raise SystemExit(f"waited in vain: {seen}")

        def ssh(seen):
            ports = (seen["runtime"] or {}).get("ports") or []
            return [p for p in ports if p["privatePort"] == 22 and p["isIpPublic"]]

        pod = runpod.create_pod("sdk-pod", "runpod/pytorch:2.8", kind, ports="22/tcp", volume_in_gb=20,
                                volume_mount_path="/workspace", env={"A": "b"})["id"]
        until(pod, lambda seen: seen["desiredStatus"] == "RUNNING" and ssh(seen))
        runpod.stop_pod(pod)
        seen = until(pod, lambda seen: seen["desiredStatus"] == "EXITED" and not seen["runtime"])
        print(seen["desiredStatus"], seen["name"])
        runpod.resume_pod(pod, 1)
        seen = until(pod, ssh)
        print("running on", ssh(seen)[0]["privatePort"])
        print([each["name"] for each in runpod.get_pods()])
        runpod.terminate_pod(pod)
        print("no such pod:", runpod.get_pod(pod))
        try:
            runpod.create_pod("none", "x:1", kind, gpu_count=16)
        except QueryError as error:
            print("no capacity:", error)
        runpod.api_key = "rpa_WRONG"
        try:
            runpod.get_pods()
        except AuthenticationError as error:
            print("wrong key:", error)
        """

    /// vast.ai's command line.
    @Test(.loopbackCloud(), .timeLimit(.minutes(15))) func theVastCommandLineDoesItsWork() async throws {
        let cloud = try #require(CloudTrait.current)
        try await TemporaryFolder.with { folder in
            let client = try await OfficialClient(cloud, home: folder.path)
            let query = "num_gpus=1 gpu_ram>=20 dph<0.9 direct_port_count>=1"
            let found = try await client.json("search", "offers", query, "-o", "dph_total", "--limit", "5")
            let offers = try #require(found as? [[String: Any]])
            #expect(offers.count == 5)
            let ask = try #require(offers[0]["id"] as? Int)

            let made = try await client.json(
                "create", "instance", String(ask), "--image", "pytorch/pytorch:2.4.0", "--disk", "16",
                "--ssh", "--direct",
                "--onstart-cmd", "echo hello from onstart", "--label", "mine")
            let id = try #require((made as? [String: Any])?["new_contract"] as? Int)
            let number = String(id)
            try await wait(for: "running", limit: .seconds(60)) {
                try await client.row(id)?["actual_status"] as? String == "running" ? true : nil
            }
            let shown = try await client.json("show", "instance", number) as? [String: Any]
            #expect(shown?["label"] as? String == "mine")
            let table = try await client.run("show", "instances")
            #expect(table.output.contains(number) && table.output.contains("running"), "\(table)")
            let address = try await client.run("ssh-url", number).output
            #expect(address.hasPrefix("ssh://root@127.0.0.1:"))

            _ = try await client.run("label", "instance", number, "renamed")
            #expect(try await client.row(id)?["label"] as? String == "renamed")
            let log = try await client.run("logs", number, "--tail", "50")
            #expect(log.output.contains("hello from onstart"), "\(log)")
            _ = try await client.run("stop", "instance", number)
            try await wait(for: "the stop", limit: .seconds(60)) {
                try await client.row(id)?["actual_status"] as? String == "exited" ? true : nil
            }
            _ = try await client.run("start", "instance", number)
            try await wait(for: "the start", limit: .seconds(60)) {
                try await client.row(id)?["actual_status"] as? String == "running" ? true : nil
            }
            let user = try await client.json("show", "user") as? [String: Any]
            #expect((user?["credit"] as? Double ?? 0) > 24)
            let keys = try await client.json("show", "ssh-keys") as? [[String: Any]]
            #expect(keys?.count == 1)
            _ = try await client.run("destroy", "instance", number, "-y")
            try await wait(for: "the end", limit: .seconds(60)) {
                try await client.row(id) == nil ? true : nil
            }
            #expect(await cloud.instanceCount == 0)
        }
    }
}

/// `vastai` and `runpod` in a virtual environment that the first test run makes below the package,
/// out of git's sight.
struct OfficialClient {
    private let cloud: LoopbackCloud
    private let home: String

    /// The environment, and whether it may be made: it needs PyPI, which a machine may not reach. In CI it is
    /// made or the test fails.
    static var isWanted: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment["CI"] != nil || FileManager.default.isExecutableFile(atPath: Self.program)
            || environment["VP_TEST_OFFICIAL_CLIENTS"] != nil
    }

    private static let folder: String = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return package.appendingPathComponent(".build-clients").path
    }()
    private static let program = folder + "/bin/vastai"
    /// Named, because a newer `runpod` has made pip choose a `vastai` of years ago beside it,
    /// which asks vast.ai itself for names while it is imported.
    private static let packages = ["runpod==1.11.0", "vastai==1.9.1"]
    private static let installation = Task {
        guard !FileManager.default.isExecutableFile(atPath: Self.program) else { return }
        let made = try await Shell.run("python3", ["-m", "venv", Self.folder])
        guard made.status == 0 else { throw WaitTimeout(description: made.errors) }
        let installed = try await Shell.run(
            Self.folder + "/bin/pip", ["install", "--quiet"] + Self.packages)
        guard installed.status == 0 else { throw WaitTimeout(description: installed.errors) }
    }

    init(_ cloud: LoopbackCloud, home: String) async throws {
        self.cloud = cloud
        self.home = home
        try await Self.installation.value
    }

    func run(_ arguments: String...) async throws -> Shell.Outcome { try await self.run(arguments) }

    private func run(_ arguments: [String]) async throws -> Shell.Outcome {
        try await Shell.run(Self.program, arguments, environment: self.environment)
    }

    /// Runs a script with RunPod's SDK.
    func python(_ script: String) async throws -> Shell.Outcome {
        try await Shell.run(Self.folder + "/bin/python", ["-c", script], environment: self.environment)
    }

    private var environment: [String: String] {
        var environment = self.cloud.environment
        environment["HOME"] = self.home
        environment["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        environment["LANG"] = "C.UTF-8"
        // Its tables drop columns that do not fit.
        environment["COLUMNS"] = "250"
        return environment
    }

    func json(_ arguments: String...) async throws -> Any {
        let outcome = try await self.run(arguments + ["--raw"])
        do {
            return try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        } catch {
            throw WaitTimeout(description: "\(arguments): \(outcome)")
        }
    }

    func row(_ id: Int) async throws -> [String: Any]? {
        (try await self.json("show", "instances") as? [[String: Any]])?.first { $0["id"] as? Int == id }
    }
}
