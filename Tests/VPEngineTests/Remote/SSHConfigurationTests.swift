import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// The file that ssh gets from us says what we mean and nothing else, whatever the values are.
@Suite(.requires("ssh")) struct SSHConfigurationTests {
    private func target(
        _ folder: TemporaryFolder, host: String = "127.0.0.1", port: Int = 22, user: String = "root",
        identity: String? = nil, state: String = "state", sockets: String = "s"
    ) -> SSHTarget {
        var address = SSHAddress(host: host, port: port)
        address.user = user
        return SSHTarget(
            instance: InstanceID(platform: .vast, rawValue: "1"), address: address, identityFile: identity,
            paths: .init(
                userConfigurationFile: "\(folder.path)/c", stateFolder: "\(folder.path)/\(state)",
                cacheFolder: "\(folder.path)/cache", socketFolder: "\(folder.path)/\(sockets)"))
    }

    /// What ssh itself reads in our file.
    private func settings(_ target: SSHTarget) async throws -> [String: String] {
        let command = ProcessCommand(
            "ssh", ["-G", "-F", target.configurationFile, target.alias],
            environment: [
                "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/",
            ])
        let result = try await SystemProcessRunner().run(command)
        #expect(result.isSuccess)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        return Dictionary(
            lines.compactMap { line in
                let parts = line.split(separator: " ", maxSplits: 1)
                return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
            }
        ) { first, _ in first }
    }

    @Test func usualValuesArriveAsTheyAre() async throws {
        try await TemporaryFolder.with { folder in
            let target = self.target(
                folder, host: "ssh4.vast.ai", port: 31_415, user: "pod-1_a.b",
                identity: "\(folder.path)/my keys/id ü")
            try target.prepare()
            let settings = try await self.settings(target)
            #expect(settings["hostname"] == "ssh4.vast.ai")
            #expect(settings["port"] == "31415")
            #expect(settings["user"] == "pod-1_a.b")
            #expect(settings["identityfile"] == "\(folder.path)/my keys/id ü")
            #expect(
                settings["userknownhostsfile"]?.contains("\(folder.path)/state/known_hosts/vast-1") == true)
            #expect(settings["proxycommand"] == nil)
        }
    }

    /// Each would be a second setting, a token or an option to ssh.
    static let hostile = [
        "/k\"\nProxyCommand touch /tmp/pwned\n\"", "/k\"\r\nProxyCommand x", "/k\" ProxyCommand=x",
        "/k\nMatch exec x",
        "/%d/k", "/k%h", "/${HOME}/k", "/k\\", "/k`id`", "-oProxyCommand=x", "", "/k\u{2028}ProxyCommand x",
        "/k\u{0}x",
        "/k\u{1b}[31m", "relative/key",
    ]

    @Test(arguments: SSHConfigurationTests.hostile)
    func aHostileKeyNameIsRefused(path: String) async throws {
        try await TemporaryFolder.with { folder in
            let target = self.target(folder, identity: path)
            let error = #expect(throws: EngineError.self) { try target.prepare() }
            #expect(error?.code == .badConfiguration)
            #expect(error?.detail?.contains("ssh.identity") == true)
            #expect(error?.detail?.contains { $0.isNewline || $0 == "\u{1b}" } == false)
            #expect(access(target.configurationFile, F_OK) != 0)
        }
    }

    @Test(arguments: [
        "h\nProxyCommand touch /tmp/pwned", "h\" x", "-oProxyCommand=x", "", "h h", "%h", "${HOME}", "h;id",
        "h\u{0}",
        String(repeating: "h", count: 300),
    ])
    func aHostileHostOrUserIsRefused(text: String) async throws {
        try await TemporaryFolder.with { folder in
            for target in [self.target(folder, host: text), self.target(folder, user: text)] {
                let error = #expect(throws: EngineError.self) { try target.prepare() }
                #expect(error?.code == .badResponse)
                #expect(access(target.configurationFile, F_OK) != 0)
            }
        }
    }

    @Test(arguments: [0, -1, 65_536, Int.max])
    func aPortThatIsNoneIsRefused(port: Int) async throws {
        try await TemporaryFolder.with { folder in
            _ = #expect(throws: EngineError.self) { try self.target(folder, port: port).prepare() }
        }
    }

    /// Folders that come from the environment.
    @Test(arguments: ["st\"ate\nProxyCommand x\n", "st%ate", "st${HOME}", "st\\"])
    func aHostileFolderIsRefused(name: String) async throws {
        try await TemporaryFolder.with { folder in
            for target in [self.target(folder, state: name), self.target(folder, sockets: name)] {
                #expect(throws: EngineError.self) { try target.prepare() }
            }
        }
    }

    /// The whole way: a project's file that once made ssh run a command.
    @Test func aPlantedProjectFileNeverGivesACommand() async throws {
        let home = HomeFolder()
        let planted = "\(home.root)/k\"\nProxyCommand touch pwned\n#\""
        try Data().write(to: URL(fileURLWithPath: planted))
        for yaml in [
            "ssh:\n  identity: \(Self.yaml(planted))\n",
            "ssh: {identity: \(Self.yaml("/k\"\nProxyCommand x"))}\n",
        ] {
            try home.write("project/.vp/config.yaml", yaml)
            let configuration = try home.load()
            #expect(configuration.identityFile == nil)
            let target = SSHTarget(
                instance: InstanceID(platform: .vast, rawValue: "1"),
                address: SSHAddress(host: "127.0.0.1", port: 9),
                identityFile: configuration.identityFile,
                paths: .init(
                    userConfigurationFile: "", stateFolder: home.path("state"),
                    cacheFolder: home.path("cache"),
                    socketFolder: home.path("s")))
            try target.prepare()
            #expect(try await self.settings(target)["proxycommand"] == nil)
        }
        // In the user's own file, and by the variable, it is refused.
        try home.write("project/.vp/config.yaml", "name: x\n")
        #expect(throws: EngineError.self) { try home.load(["VP_SSH_IDENTITY": planted]) }
        try home.write(
            ".config/variousplug/config.yaml", "ssh:\n  identity: \(Self.yaml(planted))\n", mode: 0o600)
        #expect(throws: EngineError.self) { try home.load() }
        #expect(access("\(home.root)/pwned", F_OK) != 0)
    }

    private static func yaml(_ text: String) -> String {
        "\""
            + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n") + "\""
    }
}
