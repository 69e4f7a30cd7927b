import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// The platforms' own clients, and those of tools that rent there, driven against the emulator.
@Suite(
    .requires("sshd", "ssh-keygen", "python3"),
    .enabled(if: OfficialClient.isWanted, "needs clients from PyPI"))
struct OfficialClientTests {
    /// Scripts ask again at once; the limits have tests of their own.
    private static let free = LoopbackCloud.Options(speed: 100, enforcesRateLimits: false)

    /// RunPod's SDK for Python: it speaks GraphQL, and says what it saw.
    @Test(.loopbackCloud(), .timeLimit(.minutes(15))) func theRunPodSDKDoesItsWork() async throws {
        try await Self.expect(
            OfficialClientScripts.runPod,
            [
                "no pods: []", "24 GB", "EXITED sdk-pod", "running on 22", "['sdk-pod']",
                "no such pod: None", "login mine True",
                "no capacity: There are no longer any instances available with the requested "
                    + "specifications. Please refresh and try again.",
                "wrong key: Unauthorized request, please check your API key.",
            ])
    }

    /// vast.ai's SDK, which also goes by the name of its older package.
    @Test(.loopbackCloud(free), .timeLimit(.minutes(15))) func theVastSDKDoesItsWork() async throws {
        try await Self.expect(
            OfficialClientScripts.vast,
            ["credit True 1", "3 offers", "True", "['renamed']", "True", "True", "True", "True"])
    }

    /// SkyPilot's provision layer makes, finds, counts and ends its instances.
    @Test(.loopbackCloud(free), .timeLimit(.minutes(15))) func skyPilotProvisionsOnRunPod() async throws {
        let once = ["1 True", "[] ['UP']", "127.0.0.1", "[]"]
        try await Self.expect(OfficialClientScripts.skyPilotOnRunPod, once + once)
    }

    @Test(.loopbackCloud(free), .timeLimit(.minutes(15))) func skyPilotProvisionsOnVast() async throws {
        try await Self.expect(
            OfficialClientScripts.skyPilotOnVast, ["1 ['UP']", "127.0.0.1", "[] ['UP']"])
    }

    /// dstack's clients of both platforms: a pod with all that it sends, private images, volumes,
    /// bids over GraphQL, and an instance of vast.ai.
    @Test(.loopbackCloud(free), .timeLimit(.minutes(15))) func dstackProvisions() async throws {
        try await Self.expect(
            OfficialClientScripts.dstack,
            [
                "True False", "['mine']", "True True", "True False None", "400 Bad Request", "10 True",
                "True", "True", "True", "d 127.0.0.1 True",
            ])
    }

    /// Runs `script`, which prints `lines` and leaves nothing rented.
    private static func expect(_ script: String, _ lines: [String]) async throws {
        let cloud = try #require(CloudTrait.current)
        try await TemporaryFolder.with { folder in
            let client = try await OfficialClient(cloud, home: folder.path)
            let outcome = try await client.python(script)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.split(separator: "\n").map(String.init) == lines, "\(outcome)")
            #expect(await cloud.instanceCount == 0)
        }
    }

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

/// The clients in a virtual environment that the first test run makes below the package,
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
    private static let clients = [
        "runpod==1.12.0", "vastai==1.9.1", "vastai-sdk==1.9.1", "skypilot==0.14.1", "dstack==0.22.5",
        "gpuhunt==0.1.34",
    ]
    /// The packages that their calls import, and no more: with all declared requirements,
    /// which contradict each other (`cryptography`), an installation takes a minute.
    private static let requirements = [
        "aiohappyeyeballs==2.7.1", "aiohttp==3.14.5", "aiohttp-retry==2.9.1", "aiosignal==1.4.0",
        "annotated-types==0.8.0", "anyio==4.16.0", "attrs==26.1.0", "backoff==2.2.1", "bcrypt==5.0.0",
        "certifi==2026.10.19.post1", "cffi==2.1.1", "charset-normalizer==3.5.3", "colorama==0.4.6",
        "cryptography==50.0.2", "frozenlist==1.8.0", "h11==0.16.0", "httpcore==1.0.9", "httpx==0.28.1",
        "idna==3.20", "multidict==7.2.1", "packaging==26.4", "paramiko==5.1.0", "propcache==0.5.4",
        "py-cpuinfo==9.0.0", "pydantic==2.14.4", "pydantic_core==2.50.5", "PyNaCl==1.6.2",
        "pyparsing==3.3.3", "python-dateutil==4.0.0", "requests==2.34.2", "rich==15.0.0", "six==1.17.0",
        "sniffio==1.3.1", "tomli==2.5.0", "tomlkit==0.15.2", "tqdm==4.70.1", "tqdm-loggable==0.4.1",
        "typing-inspection==0.4.5", "typing_extensions==4.16.0", "urllib3==2.8.0", "xdg==6.0.0",
        "yarl==1.25.1",
    ]
    private static let installation = Task {
        // An environment with other versions is made again.
        let (list, stamp) = (
            (Self.clients + Self.requirements).joined(separator: "\n"), "\(Self.folder)/list"
        )
        guard (try? String(contentsOfFile: stamp, encoding: .utf8)) != list else { return }
        let made = try await Shell.run("python3", ["-m", "venv", "--clear", Self.folder])
        guard made.status == 0 else { throw WaitTimeout(description: made.errors) }
        let installed = try await Shell.run(
            Self.folder + "/bin/pip",
            ["install", "--quiet", "--no-deps", "--no-compile"] + Self.clients + Self.requirements)
        guard installed.status == 0 else { throw WaitTimeout(description: installed.errors) }
        try list.write(toFile: stamp, atomically: true, encoding: .utf8)
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

    func python(_ script: String) async throws -> Shell.Outcome {
        try await Shell.run(
            Self.folder + "/bin/python", ["-W", "ignore", "-c", script], environment: self.environment)
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
