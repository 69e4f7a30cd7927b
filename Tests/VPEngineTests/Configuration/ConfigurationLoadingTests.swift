import Foundation
import Testing
import VPEngine

@Suite struct ConfigurationLoadingTests {
    let home = HomeFolder()

    // MARK: - Keys

    @Test func noKeyAnywhereIsNoError() throws {
        let configuration = try self.home.load()
        #expect(configuration.endpoints.isEmpty)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.keyOrigins.isEmpty)
    }

    /// Environment, user file, project file, the official client's own: each hides those after it.
    @Test func keysAreLookedUpInOrder() throws {
        try self.home.write(".vast_api_key", "key-of-the-official-client\n")
        #expect(try self.home.load().key(.vast) == "key-of-the-official-client")

        try self.home.write(
            "project/.vp/config.yaml", "platforms:\n  vast:\n    api_key: key-in-the-project\n")
        #expect(try self.home.load().key(.vast) == "key-in-the-project")

        try self.home.write(
            ".config/variousplug/config.yaml", "platforms:\n  vast:\n    api_key: key-of-the-user-file\n",
            mode: 0o600)
        #expect(try self.home.load().key(.vast) == "key-of-the-user-file")

        let configuration = try self.home.load(["VAST_API_KEY": " key-in-environment\n"])
        #expect(configuration.key(.vast) == "key-in-environment")
        #expect(configuration.keyOrigins[.vast] == "VAST_API_KEY")
        #expect(configuration.environment["VAST_API_KEY"] == nil, "children have no use for the key")
    }

    @Test func anEmptyVariableIsNoKey() throws {
        #expect(try self.home.load(["VAST_API_KEY": ""]).endpoints.isEmpty)
    }

    @Test(arguments: [
        "apikey = \"rpa_from_the_go_client\"\n", "[default]\napi_key = \"rpa_from_the_go_client\"\n",
    ])
    func runpodKeyOfEitherOfficialClient(toml: String) throws {
        try self.home.write(".runpod/config.toml", toml)
        #expect(try self.home.load().key(.runpod) == "rpa_from_the_go_client")
    }

    @Test func aUserFileOthersCanReadIsRefused() throws {
        try self.home.write(".config/variousplug/config.yaml", "platforms: {}\n", mode: 0o644)
        let error = #expect(throws: EngineError.self) { try self.home.load() }
        #expect(error?.code == .badConfiguration)
        #expect(error?.detail?.contains("chmod 600") == true)
    }

    // MARK: - Proxies and certificates

    /// Whom to believe is said by the user: in the environment, in the own file, on the command line.
    @Test func authoritiesAreTheUsersToName() throws {
        try self.home.write("project/.vp/config.yaml", "platforms:\n  vast:\n    ca_file: /project/ca.pem\n")
        let keys = ["VAST_API_KEY": "key-in-environment", "RUNPOD_API_KEY": "key-in-environment"]
        #expect(try self.home.load(keys).endpoints.allSatisfy { $0.network == NetworkSettings() })

        let variables = keys.merging(["SSL_CERT_FILE": "/env/ca.pem", "HTTPS_PROXY": "http://proxy:3128"]) {
            $1
        }
        let environment = try self.home.load(variables).endpoints.map(\.network)
        #expect(environment.allSatisfy { $0.authoritiesFile == .init("/env/ca.pem", from: "SSL_CERT_FILE") })
        #expect(environment.allSatisfy { $0.httpsProxy == .init("http://proxy:3128", from: "HTTPS_PROXY") })

        try self.home.write(
            ".config/variousplug/config.yaml", "platforms:\n  vast:\n    ca_file: ~/ca.pem\n", mode: 0o600)
        let endpoints = try self.home.load(variables).endpoints
        let vast = endpoints.first { $0.platform == .vast }?.network.authoritiesFile
        #expect(vast?.value.hasSuffix("/ca.pem") == true && vast?.value.hasPrefix("/") == true)
        #expect(vast?.value != "/env/ca.pem" && vast?.value != "/project/ca.pem")
        #expect(vast?.origin.hasPrefix("platforms.vast.ca_file in ") == true)
        #expect(endpoints.first { $0.platform == .runpod }?.network.authoritiesFile?.value == "/env/ca.pem")
    }

    @Test func aRelativeAuthoritiesFileIsRefused() throws {
        try self.home.write(
            ".config/variousplug/config.yaml", "platforms:\n  vast:\n    ca_file: ca.pem\n", mode: 0o600)
        let error = #expect(throws: EngineError.self) { try self.home.load(["VAST_API_KEY": "key"]) }
        #expect(error?.detail?.contains("absolute path") == true)
    }

    /// A name and a password in an address are for the server alone.
    @Test(arguments: ["http://user:secret@vast.test", "https://user:secret@", "ftp://user:secret@vast.test"])
    func aPasswordInAnAddressIsNotShown(address: String) throws {
        let error = #expect(throws: EngineError.self) {
            try self.home.load(["VAST_API_KEY": "key", "VAST_URL": address])
        }
        #expect(error?.detail?.contains("secret") == false)
    }

    // MARK: - The original's file

    @Test func theOriginalsFileIsReadAsItIs() throws {
        try self.home.write(
            "project/.vp/config.yaml",
            """
            docker:
              build_args: {}
              build_context: .
              dockerfile: Dockerfile.gpu
            platforms:
              default: vast
              runpod:
                api_key: null
                enabled: false
              vast:
                api_key: 0123456789abcdef
                enabled: true
            project:
              base_image: python:3.11-slim
              data_dir: data
              name: my-ml-project
              working_dir: /workspace/sub
            sync:
              exclude_patterns:
              - .git/
              - '*.pyc'
              include_patterns:
              - '*'
            """)
        let configuration = try self.home.load()
        #expect(configuration.key(.vast) == "0123456789abcdef")
        #expect(configuration.endpoints.map(\.platform) == [.vast])
        #expect(configuration.defaults.platform == .vast)
        #expect(configuration.defaults.image == "python:3.11-slim")
        #expect(configuration.docker.dockerfile == "Dockerfile.gpu")
        #expect(configuration.workspace.name == "my-ml-project")
        #expect(configuration.workspace.remoteRoot == "/workspace/sub")
        #expect(configuration.workspace.extraIgnores == [".git/", "*.pyc"])
        #expect(configuration.workspace.dataFolder == "data")
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings.first?.contains("--move-keys") == true)
        #expect(configuration.warnings.first?.contains("0123456789") == false, "a warning never holds a key")
    }

    @Test func flatFormsAreUnderstoodAndUnknownKeysIgnored() throws {
        try self.home.write(
            "project/.vp/config.yaml",
            """
            name: flat
            working_dir: /data
            vast_api_key: flat-key-0123456789
            default_platform: vast
            exclude: "*.tmp"
            something_new: [1, {2: 3}]
            """)
        let configuration = try self.home.load()
        #expect(configuration.workspace.name == "flat")
        #expect(configuration.workspace.remoteRoot == "/data")
        #expect(configuration.key(.vast) == "flat-key-0123456789")
        #expect(configuration.workspace.extraIgnores == ["*.tmp"])
    }

    /// The project's word counts before the user's, `auto` as well as a platform's name.
    @Test(
        arguments: [
            ("vast", "auto", nil), ("vast", "AUTO", nil), ("vast", nil, Platform.vast),
            ("auto", "vast", .vast),
            ("vast", "runpod", .runpod), (nil, "auto", nil), (nil, "runpod", .runpod), ("auto", nil, nil),
        ] as [(String?, String?, VPEngine.Platform?)])
    func theDefaultPlatformIsTheProjects(
        _ user: String?, _ project: String?, _ expected: VPEngine.Platform?
    ) throws {
        if let user {
            try self.home.write(
                ".config/variousplug/config.yaml", "platforms: {default: \(user)}\n", mode: 0o600)
        }
        if let project { try self.home.write("project/.vp/config.yaml", "default_platform: \(project)\n") }
        #expect(try self.home.load().defaults.platform == expected)
    }

    @Test func aDisabledPlatformsKeyIsNotUsed() throws {
        try self.home.write(
            "project/.vp/config.yaml",
            "platforms:\n  vast:\n    api_key: key-in-the-project\n    enabled: false\n")
        #expect(try self.home.load().endpoints.isEmpty)
        #expect(try self.home.load(["VAST_API_KEY": "key-in-environment"]).endpoints.count == 1)
    }

    // MARK: - Addresses

    @Test func addressesComeFromTheEnvironmentTheUserOrAreBuiltIn() throws {
        let key = ["VAST_API_KEY": "key-in-environment"]
        #expect(try self.home.load(key).endpoints.first?.baseURL.absoluteString == "https://console.vast.ai")
        try self.home.write(
            ".config/variousplug/config.yaml", "platforms: {vast: {url: 'https://vast.example/'}}",
            mode: 0o600)
        #expect(try self.home.load(key).endpoints.first?.baseURL.absoluteString == "https://vast.example")
        let loopback = try self.home.load(key.merging(["VAST_URL": "http://127.0.0.1:8123"]) { $1 })
        #expect(loopback.endpoints.first?.baseURL.absoluteString == "http://127.0.0.1:8123")
    }

    /// Otherwise a cloned project could collect keys.
    @Test func aProjectCannotSendTheUsersKeyElsewhere() throws {
        try self.home.write("project/.vp/config.yaml", "platforms: {vast: {url: 'https://stranger.example'}}")
        let configuration = try self.home.load(["VAST_API_KEY": "key-in-environment"])
        #expect(configuration.endpoints.first?.baseURL.absoluteString == "https://console.vast.ai")
        #expect(configuration.warnings.first?.contains("platforms.vast.url") == true)
    }

    @Test(arguments: ["not an address", "ftp://vast.example", "http://vast.example"])
    func anAddressThatCannotBeUsedIsAnError(address: String) throws {
        let error = #expect(throws: EngineError.self) {
            try self.home.load(["VAST_API_KEY": "key-in-environment", "VAST_URL": address])
        }
        #expect(error?.code == .badConfiguration)
        #expect(error?.detail?.contains("VAST_URL") == true)
    }

    // MARK: - Errors

    @Test(arguments: [
        ("project:\n  name: [a, b]\n", ":2: project.name must be one value"),
        ("project:\n  name: a\n bad\n", ":3: "),
        ("platforms:\n  default: azure\n", ":2: no platform is called azure"),
        ("defaults:\n  gpu: CPU\n", ":2: defaults.gpu CPU: vp rents only instances with a GPU"),
        ("defaults:\n  gpu_type: '--'\n", ":2: defaults.gpu_type is empty"),
        ("defaults:\n  max_price: cheap\n", ":2: defaults.max_price must be an amount in dollars"),
        ("defaults:\n\n  disk: lots\n", ":3: defaults.disk must be a size"),
        ("project:\n  working_dir: here\n", ":2: working_dir must be an absolute path"),
        ("- a\n- b\n", ":1: expected `key: value` lines"),
        ("name: a\nname: b\n", "occurs twice"),
        ("vast_api_key: 'secret-0123456789\nname: x\n", "found unexpected end of stream"),
    ])
    func problemsNameFileAndLine(yaml: String, expected: String) throws {
        try self.home.write("project/.vp/config.yaml", yaml)
        let error = #expect(throws: EngineError.self) { try self.home.load() }
        #expect(error?.code == .badConfiguration)
        let detail = try #require(error?.detail)
        #expect(detail.contains("project/.vp/config.yaml"))
        #expect(detail.contains(expected), "\(detail)")
        #expect(!detail.contains("secret"), "an error never quotes a line that may hold a key")
    }

    // MARK: - Folders

    @Test func theProjectIsFoundUpwards() throws {
        try self.home.write("project/.vp/config.yaml", "name: above\n")
        try self.home.write("project/src/deep/file", "")
        let configuration = try self.home.load(directory: "project/src/deep")
        #expect(configuration.workspace.name == "above")
        #expect(configuration.workspace.localRoot == self.home.path("project"))
    }

    @Test func aHomeFolderIsNeverFoundUpwards() throws {
        try self.home.write(".vp/jobs/x", "")
        try self.home.write("My Code 🚀/file", "")
        let configuration = try self.home.load(directory: "My Code 🚀")
        #expect(configuration.workspace.localRoot == self.home.path("My Code 🚀"))
        #expect(configuration.workspace.name == "my-code")
    }

    /// As git does not take a repository that somebody else put into `/tmp`.
    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func aProjectThatAnotherUserPlantedAboveIsNotFound() throws {
        try self.home.write("shared/.vp/config.yaml", "name: planted\n")
        try self.home.write("shared/mine/file", "")
        #expect(try self.home.load(directory: "shared/mine").workspace.name == "planted")
        chown(self.home.path("shared/.vp"), 12_345, 12_345)
        // A colleague's project in a folder of the colleague's own is one that was chosen.
        #expect(try self.home.load(directory: "shared/mine").workspace.name == "planted")
        chmod(self.home.path("shared"), 0o1777)
        #expect(
            try self.home.load(directory: "shared/mine").workspace.localRoot == self.home.path("shared/mine"))
    }

    @Test func foldersFollowXDGAndRelativeValuesAreIgnored() throws {
        let plain = try self.home.load(["XDG_CACHE_HOME": "relative"]).paths
        #expect(plain.stateFolder == self.home.path(".local/state/variousplug"))
        #expect(plain.cacheFolder == self.home.path(".cache/variousplug"))
        #expect(
            try self.home.load(["XDG_STATE_HOME": "/elsewhere"]).paths.stateFolder == "/elsewhere/variousplug"
        )
    }

    @Test func aFileNamedOnTheCommandLineReplacesTheProjects() throws {
        try self.home.write("project/.vp/config.yaml", "name: usual\n")
        try self.home.write("project/other.yaml", "name: other\n")
        let configuration = try self.home.load(configurationFile: "other.yaml")
        #expect(configuration.workspace.name == "other")
        #expect(configuration.workspace.localRoot == self.home.path("project"))
        #expect(throws: EngineError.self) { try self.home.load(configurationFile: "missing.yaml") }
    }

    @Test func theIdentityIsTheNamedOneElseTheUsualOnes() throws {
        #expect(try self.home.load().identityFile == nil)
        try self.home.write(".ssh/id_rsa", "")
        #expect(try self.home.load().identityFile == self.home.path(".ssh/id_rsa"))
        try self.home.write(".ssh/id_ed25519", "")
        #expect(try self.home.load().identityFile == self.home.path(".ssh/id_ed25519"))
        try self.home.write("keys/mine", "")
        try self.home.write(
            ".config/variousplug/config.yaml", "ssh: {identity: ~/keys/mine}\n", mode: 0o600)
        #expect(try self.home.load().identityFile == self.home.path("keys/mine"))
        let error = #expect(throws: EngineError.self) {
            try self.home.load(["VP_SSH_IDENTITY": "/nowhere/key"])
        }
        #expect(error?.code == .missingIdentity)
    }
}

/// A throw-away home folder with a project in it.
final class HomeFolder: Sendable {
    let root: String

    init() {
        let base = URL(fileURLWithPath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
        self.root = "\(base)/vp-home-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(
            atPath: "\(self.root)/project", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: self.root) }

    func path(_ name: String) -> String { "\(self.root)/\(name)" }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        let path = self.path(name)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    func load(
        _ environment: [String: String] = [:], directory: String = "project", configurationFile: String? = nil
    ) throws -> EngineConfiguration {
        try EngineConfiguration.load(
            environment: ["HOME": self.root].merging(environment) { $1 }, directory: self.path(directory),
            configurationFile: configurationFile)
    }
}

extension EngineConfiguration {
    func key(_ platform: Platform) -> String? {
        self.endpoints.first { $0.platform == platform }?.key.reveal()
    }
}
