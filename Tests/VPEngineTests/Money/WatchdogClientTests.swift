import Foundation
import Testing
import VPScripts
import VPTestSupport

@testable import VPEngine

/// The orders that an instance gives about itself, by each program that an image may have for it,
/// in each shell.
@Suite(
    .requires("bwrap"), .requires("dash"), .requires("bash"), .requires("busybox"), .requires("curl"),
    .requires("wget"), .requires("python3"), .timeLimit(.minutes(15)))
struct WatchdogClientTests {
    private static let shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"]]
    private static let key = "0123456789abcdef0123456789abcdef"

    private static func terms(of server: URL, _ platform: VPEngine.Platform = .vast) -> String {
        let terms = PlatformOrders.Terms(platform, apiBase: server.absoluteString)
        let look = terms.lookStart + "7" + terms.lookEnd
        return ScriptFile.assignments([
            "platform_call": ScriptFile.platformCall.text, "variable": terms.variable, "look": look,
            "stop_method": terms.stopMethod, "stop_url": look + terms.stopPath, "stop_body": terms.stopBody,
        ])
    }

    /// Runs `words` in a container whose first process knows the key, and that has no client but `client`.
    private static func run(
        _ words: String, by client: String?, in shell: [String], knowsKey: Bool = true,
        server: URL, _ folder: TemporaryFolder
    ) async throws -> String {
        let bin = folder.path + "/bin"
        let runner = SystemProcessRunner()
        let ours = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        for name in ["grep", "head", "rm", "sed", "tail", "tr"] + [client].compactMap(\.self) {
            var program = try #require(Programs.path(of: name))
            if name == "python3" {
                // What is found may be a script that chooses one.
                let words = ["-c", "import sys; print(sys.executable, end=\"\")"]
                let found = try await runner.run(ProcessCommand(program, words, environment: ours))
                program = String(decoding: found.output, as: UTF8.self)
            }
            try FileManager.default.createSymbolicLink(
                atPath: "\(bin)/\(name)", withDestinationPath: program)
        }
        let lease = folder.path + "/lease"
        try FileManager.default.createDirectory(atPath: lease, withIntermediateDirectories: true)
        let script = """
            lease=\(lease) agent=test-agent
            \(Self.terms(of: server))
            \(ScriptFile.platformOrders.text)
            \(words)
            """
        // The instance's own key comes from its container: programs that we start are given none.
        let ownKey = knowsKey ? ["--setenv", "CONTAINER_API_KEY", Self.key] : []
        let sandbox =
            [
                "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--proc", "/proc",
                "--die-with-parent",
            ] + ownKey + ["--"]
        let shellWords = [try #require(Programs.path(of: shell[0]))] + shell.dropFirst() + ["-c", script]
        let environment = ["PATH": bin, "HOME": folder.path]
        let result = try await runner.run(
            ProcessCommand(
                try #require(Programs.path(of: "bwrap")), sandbox + shellWords, environment: environment))
        let left = try FileManager.default.contentsOfDirectory(atPath: lease)
        #expect(left.isEmpty, "the key stays in no file")
        return String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(arguments: ["curl", "python3", "wget"], Self.shells)
    func everyClientGivesTheOrders(client: String, shell: [String]) async throws {
        let server = try LoopbackServer { request in
            request.line.hasPrefix("DELETE") ? .response("403 Forbidden", "no") : .response("200 OK", "{}")
        }
        try await TemporaryFolder.with { folder in
            let answers = try await Self.run(
                """
                echo $(call GET "$look" '') $(call "$stop_method" "$stop_url" "$stop_body") $(call DELETE "$look" '{}')
                """, by: client, in: shell, server: server.url, folder)
            #expect(answers == "200 200 403")
        }
        let path = "/api/v0/instances/7/"
        let requests = server.requests
        #expect(
            requests.map(\.line) == ["GET", "PUT", "DELETE"].map { "\($0) \(path) HTTP/1.1" })
        #expect(
            requests.map { String(decoding: $0.body, as: UTF8.self) } == ["", #"{"state":"stopped"}"#, "{}"])
        for request in requests {
            #expect(request.header("authorization") == "Bearer \(Self.key)")
            #expect(request.header("content-type") == "application/json")
            #expect(request.header("user-agent") == "test-agent")
        }
    }

    /// How long the platform wants to be left alone is told with its refusal, whichever client hears it.
    @Test(arguments: ["curl", "python3", "wget"], Self.shells)
    func aTimeToWaitIsHeard(client: String, shell: [String]) async throws {
        let waits = [
            "GET": "Retry-After: 37", "PUT": "retry-after:5",
            "DELETE": "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT",
        ]
        let server = try LoopbackServer { request in
            let method = String(request.line.prefix { $0 != " " })
            return .response("429 Too Many Requests", "no", headers: waits[method].map { [$0] } ?? [])
        }
        try await TemporaryFolder.with { folder in
            let answers = try await Self.run(
                """
                for method in GET PUT DELETE POST; do
                answer=$(call $method "$look" '{}'); sleep() { echo "$1"; }; rest "$answer" 10; done
                """, by: client, in: shell, server: server.url, folder)
            #expect(answers.split(separator: "\n") == ["37", "10", "10", "10"], "\(answers)")
        }
        try await TemporaryFolder.with { folder in
            let words = try await Self.run(
                "sleep() { echo \"$1\"; }; for a in '429 9999' 200 000 '' 'no key of its own'; do rest \"$a\" 10; done",
                by: client, in: shell, server: server.url, folder)
            #expect(words.split(separator: "\n") == ["3600", "10", "10", "10", "10"], "\(words)")
        }
    }

    /// The watchdog itself and what a rental carries along leave a platform alone for as long as it asks for.
    @Test(arguments: VPEngine.Platform.allCases, [true, false])
    func anEndIsAskedForWhenThePlatformIsReady(platform: VPEngine.Platform, isWatchdog: Bool) async throws {
        let server = try LoopbackServer { request in
            .response("429 Too Many Requests", "no", headers: ["Retry-After: 137"])
        }
        try await TemporaryFolder.with { folder in
            let lease = try folder.write("", to: "lease/log")
            let settings = WatchdogScript.Settings(
                platform: platform, instance: "7", apiBase: server.url.absoluteString, workspace: folder.path,
                seconds: 60, capSeconds: 0, ending: .destroy, keepsUnsafeResults: false)
            try folder.write(settings.text, to: "lease/settings")
            let guardian = BootGuard.text(
                LeaseTerms(seconds: 1), on: platform, apiBase: server.url.absoluteString,
                workspace: folder.path)
            try folder.write(isWatchdog ? WatchdogScript.watchdog : try #require(guardian), to: "script")
            // The fifth pause ends it.
            let log = folder.path + "/pauses"
            try folder.writeProgram(
                "#!/bin/sh\necho \"$1\" >>\(log)\n[ $(wc -l <\(log)) -lt 4 ] || kill -9 $PPID\n",
                to: "bin/sleep")
            let terms = PlatformOrders.Terms(platform, apiBase: "")
            let path = "\(folder.path)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
            let program =
                "sh \(folder.path)/script \(isWatchdog ? (lease as NSString).deletingLastPathComponent : "") order"
            _ = try await SystemProcessRunner().run(
                ProcessCommand(
                    try #require(Programs.path(of: "bwrap")),
                    [
                        "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--proc", "/proc",
                        "--die-with-parent",
                        "--setenv", terms.variable, Self.key, "--setenv", terms.idVariable, "7", "--",
                        // What a rental carries along runs in the background; the first process waits for it.
                        "/bin/sh", "-c",
                        "\(program); wait; while [ ! -s \(log) ] || [ $(wc -l <\(log)) -lt 4 ]; do /bin/sleep 0.05; done",
                    ], environment: ["PATH": path, "HOME": isWatchdog ? folder.path : folder.path + "/home"]))
            let pauses = try folder.read("pauses").split(separator: "\n")
            #expect(pauses == [isWatchdog ? "3" : "1", "137", "137", "137"])
        }
        #expect(server.requests.count >= 3)
    }

    /// A platform that is away is no answer, whichever way the client says so.
    @Test(arguments: ["curl", "python3", "wget"], Self.shells)
    func nobodyThereIsNoAnswer(client: String, shell: [String]) async throws {
        // Given back at once, so that nobody listens there.
        let port = try LoopbackServer { _ in .whole("") }.port
        let url = try #require(URL(string: "http://127.0.0.1:\(port)"))
        try await TemporaryFolder.with { folder in
            let answer = try await Self.run(
                "call DELETE \"$look\" '{}'", by: client, in: shell, server: url, folder)
            #expect(["", "000"].contains(answer), "\(answer)")
        }
    }

    @Test(arguments: Self.shells)
    func withoutAKeyOrAClientItSaysSo(shell: [String]) async throws {
        let server = try LoopbackServer { _ in .response("200 OK", "{}") }
        try await TemporaryFolder.with { folder in
            let keyless = try await Self.run(
                "call GET \"$look\" ''", by: nil, in: shell, knowsKey: false, server: server.url, folder)
            #expect(keyless == "no key of its own")
        }
        try await TemporaryFolder.with { folder in
            let bare = try await Self.run(
                "call GET \"$look\" ''", by: nil, in: shell, server: server.url, folder)
            // Its shell may be a busybox that has a wget of its own, which knows GET and POST alone.
            #expect(bare == "no curl, python3 or wget")
        }
        #expect(server.requests.isEmpty)
    }
}
