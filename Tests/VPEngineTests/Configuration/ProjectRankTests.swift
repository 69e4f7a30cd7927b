import Foundation
import Testing

@testable import VPEngine

/// A project's file may make the user's limits stricter, never looser;
/// and it says nothing that is the user's alone.
@Suite struct ProjectRankTests {
    let home = HomeFolder()
    static let user = ".config/variousplug/config.yaml"
    static let project = "project/.vp/config.yaml"

    private func load(user: String = "", project: String) throws -> EngineConfiguration {
        try self.home.write(Self.user, user, mode: 0o600)
        try self.home.write(Self.project, project)
        return try self.home.load(["VAST_API_KEY": "key", "RUNPOD_API_KEY": "key"])
    }

    // MARK: - Limits

    @Test func aProjectCannotRaiseTheUsersLimits() throws {
        let configuration = try self.load(
            user: """
                budget: {per_day: 5, per_run: 2}
                defaults: {max_price: 0.50}
                lease: {duration: 4h, max: 24h, parked: 2d}
                sync: {limit: 1GB}
                """,
            project: """
                budget: {per_day: 500, per_run: 200}
                defaults: {max_price: 50}
                lease: {duration: 48h, max: 300h, parked: 90d}
                sync: {limit: 900GB}
                """)
        #expect(configuration.money.dollarsPerDay == 5)
        #expect(configuration.money.dollarsPerRun == 2)
        #expect(configuration.defaults.maximumPrice?.dollarsPerHour == 0.5)
        #expect(configuration.money.lease.seconds == 14_400)
        #expect(configuration.money.lease.maximumSeconds == 86_400)
        #expect(configuration.money.parkedSeconds == 172_800)
        #expect(configuration.sync.uploadLimit?.bytes == 1_000_000_000)
        for key in [
            "budget.per_day", "budget.per_run", "defaults.max_price", "lease.duration", "lease.max",
            "lease.parked", "sync.limit",
        ] {
            let said = configuration.warnings.filter { $0.hasPrefix("\(key) in ") }
            #expect(said.count == 1, "\(key): \(configuration.warnings)")
            #expect(said.first?.contains("project/.vp/config.yaml:") == true)
            #expect(said.first?.contains(self.home.path(Self.user)) == true, "it says what to do")
        }
    }

    @Test func aProjectCanLowerThem() throws {
        let configuration = try self.load(
            user: "budget: {per_day: 5, per_run: 2}\ndefaults: {max_price: 0.50}\nlease: {duration: 4h}\n",
            project: "budget: {per_day: 1, per_run: 1}\ndefaults: {max_price: 0.25}\nlease: {duration: 1h}\n")
        #expect(configuration.money.dollarsPerDay == 1)
        #expect(configuration.money.dollarsPerRun == 1)
        #expect(configuration.defaults.maximumPrice?.dollarsPerHour == 0.25)
        #expect(configuration.money.lease.seconds == 3600)
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
    }

    /// What the user left open is no limit of the user's.
    @Test func aBuiltInDefaultIsNoLimit() throws {
        let configuration = try self.load(
            project: "lease: {duration: 48h}\nsync: {limit: 100GB}\ndefaults: {max_price: 3}\n")
        #expect(configuration.money.lease.seconds == 172_800)
        #expect(configuration.sync.uploadLimit?.bytes == 100_000_000_000)
        #expect(configuration.defaults.maximumPrice?.dollarsPerHour == 3)
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
    }

    @Test func theUsersOwnSettingsCountAlone() throws {
        let configuration = try self.load(
            user: "lease: {duration: none, unsafe: discard, max: none}\nbudget: {per_day: 7}\n",
            project: "name: x\n")
        #expect(configuration.money.lease.seconds == nil)
        #expect(configuration.money.lease.maximumSeconds == nil)
        #expect(!configuration.money.lease.keepsUnsafeResults)
        #expect(configuration.money.dollarsPerDay == 7)
        #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
    }

    @Test func aProjectTightensALeaseWithoutEnd() throws {
        let configuration = try self.load(
            user: "lease: {duration: none, unsafe: discard}\n",
            project: "lease: {duration: 2h, unsafe: keep}\n")
        #expect(configuration.money.lease.seconds == 7200)
        #expect(configuration.money.lease.keepsUnsafeResults)
    }

    // MARK: - For the user alone

    @Test(arguments: [
        ("lease: {duration: none}", "lease.duration"), ("defaults: {lease: none}", "defaults.lease"),
        ("lease: {max: none}", "lease.max"), ("lease: {unsafe: discard}", "lease.unsafe"),
        ("lease: {parked: none}", "lease.parked"), ("lease: {parked_end: destroy}", "lease.parked_end"),
        ("notify: {command: touch pwned}", "notify.command"),
        ("sync: {accept: ['.vscode/**']}", "sync.accept"),
        ("ca_file: /tmp/ca.pem", "ca_file"),
        ("platforms: {vast: {ca_file: /tmp/ca.pem}}", "platforms.vast.ca_file"),
        ("ssh: {identity: /etc/hostname}", "ssh.identity"),
    ])
    func whatIsForTheUserAloneIsIgnoredInAProject(yaml: String, key: String) throws {
        let configuration = try self.load(project: yaml + "\n")
        let plain = EngineConfiguration.Money()
        #expect(configuration.money == plain)
        #expect(configuration.sync.accept == [])
        #expect(configuration.endpoints.allSatisfy { $0.network.authoritiesFile == nil })
        #expect(configuration.identityFile == nil)
        let said = configuration.warnings.filter { $0.hasPrefix("\(key) in ") }
        #expect(said.count == 1, "\(configuration.warnings)")
    }

    @Test func theUsersFileSaysIt() throws {
        try self.home.write("keys/mine", "")
        let configuration = try self.load(
            user: """
                ssh: {identity: ~/keys/mine}
                sync: {accept: [".vscode/**"]}
                ca_file: ~/ca.pem
                lease: {parked_end: destroy}
                notify: {command: "true"}
                """, project: "ssh: {identity: /etc/hostname}\n")
        #expect(configuration.identityFile == self.home.path("keys/mine"))
        #expect(configuration.sync.accept == [".vscode/**"])
        #expect(configuration.endpoints.count == 2)
        for endpoint in configuration.endpoints {
            #expect(endpoint.network.authoritiesFile?.value == self.home.path("ca.pem"))
        }
        #expect(configuration.money.destroysParked)
        #expect(configuration.money.notifyCommand == "true")
    }

    /// A file that was named on the command line is the user's own word, unless it came with the project.
    @Test func aNamedFileCountsAsTheUsersOnlyOutsideTheProject() throws {
        try self.home.write("keys/mine", "")
        try self.home.write("mine.yaml", "ssh: {identity: ~/keys/mine}\nlease: {unsafe: discard}\n")
        try self.home.write("project/theirs.yaml", "ssh: {identity: ~/keys/mine}\nlease: {unsafe: discard}\n")
        let mine = try self.home.load(configurationFile: "../mine.yaml")
        #expect(mine.identityFile == self.home.path("keys/mine"))
        #expect(!mine.money.lease.keepsUnsafeResults)
        let theirs = try self.home.load(configurationFile: "theirs.yaml")
        #expect(theirs.identityFile == nil)
        #expect(theirs.money.lease.keepsUnsafeResults)
        // Nor does a link from the project make a file the user's.
        symlink(self.home.path("mine.yaml"), self.home.path("project/link.yaml"))
        #expect(try self.home.load(configurationFile: "link.yaml").identityFile == nil)
    }

    // MARK: - Values that go elsewhere

    @Test(arguments: [
        "/workspace/$(touch x)", "/workspace/`id`", "/workspace/../../etc", "/work;reboot", "/a\\nb", "/a'b",
        "/a\\\"b",
        "/a|b", "/a*", "/a\\u2028b",
    ])
    func aRemoteFolderThatIsMoreThanAFolderIsRefused(folder: String) throws {
        let error = #expect(throws: EngineError.self) {
            try self.load(project: "working_dir: \"\(folder)\"\n")
        }
        #expect(error?.code == .badConfiguration)
        #expect(error?.detail?.contains("config.yaml:1: working_dir ") == true, "\(error?.detail ?? "")")
    }

    @Test(arguments: ["/workspace", "/workspace/sub", "/data/my project", "/home/käthe/w"])
    func usualRemoteFoldersAreTaken(folder: String) throws {
        #expect(try self.load(project: "working_dir: \(folder)\n").workspace.remoteRoot == folder)
    }

    @Test(arguments: ["../../", "/etc", "~/secrets", "a/../../b", "-rf"])
    func aDataFolderOutsideTheProjectIsIgnored(folder: String) throws {
        let configuration = try self.load(project: "project:\n  data_dir: \"\(folder)\"\n")
        #expect(configuration.workspace.dataFolder == nil)
        #expect(configuration.warnings.contains { $0.hasPrefix("project.data_dir in ") })
    }

    @Test(arguments: ["a b", "-v/:/host", "$(id)", "a;b", "a\\nb", "--privileged", "img'"])
    func anImageThatIsMoreThanANameIsRefused(image: String) throws {
        let error = #expect(throws: EngineError.self) {
            try self.load(project: "project:\n  base_image: \"\(image)\"\n")
        }
        #expect(error?.detail?.contains(":2: the image ") == true, "\(error?.detail ?? "")")
    }

    @Test(arguments: [
        "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime", "localhost:5000/a/b@sha256:0123456789abcdef",
        "nvcr.io/nvidia/pytorch:24.05-py3", "python",
    ])
    func usualImagesAreTaken(image: String) throws {
        #expect(try self.load(project: "base_image: \(image)\n").defaults.image == image)
    }

    @Test func aBuildArgumentIsAVariable() throws {
        #expect(throws: EngineError.self) {
            try self.load(project: "docker: {build_args: {'A B': x}}\n")
        }
        #expect(
            try self.load(project: "docker: {build_args: {A_B: x}}\n").docker.buildArguments == ["A_B": "x"])
    }

    // MARK: - The name

    @Test(arguments: [
        ("../../x", "x"), ("$(touch x)", "touch-x"), ("a/b", "a-b"), ("..", "project"), (".", "project"),
        ("-rf", "rf"), ("my project 🚀", "my-project"), ("a\nb", "a-b"), ("", "project"),
        ("ok_1.2-x", "ok_1.2-x"),
        (".hidden", "hidden"), ("x.", "x"), ("`id`;&|", "id"), ("Ünï", "n"),
        (String(repeating: "ab", count: 40), String(repeating: "ab", count: 20)),
    ])
    func aNameIsUsedAsASlug(name: String, slug: String) {
        #expect(Slug.of(name) == slug)
    }

    /// Of any name at all: what comes out is one plain word.
    @Test func everyNameMakesASlug() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let scalars = (0..<Int.random(in: 0...60, using: &generator)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2FF, using: &generator))
            }
            let slug = Slug.of(String(String.UnicodeScalarView(scalars)))
            let isPlain = slug.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                    || "._-".utf8.contains(byte)
            }
            #expect(
                isPlain && (1...40).contains(slug.count) && slug.first != "-" && slug.first != ".", "\(slug)")
        }
    }

    /// Ids that an earlier version kept.
    @Test(arguments: [
        ("train-7", "train-7"), ("../../x-1", "_._.._x-1"), ("$(id)-2", "__id_-2"), ("a\nb-3", "a_b-3"),
    ])
    func anIdFromBeforeIsOnePartOfAPath(id: String, component: String) {
        let part = JobID(id).pathComponent
        #expect(part == component)
        #expect(!part.contains("/") && !part.hasPrefix("."))
    }

    // MARK: - Misspelt settings

    @Test(
        arguments: [
            ("budget: {perday: 5}", "`budget.perday`", "`budget.per_day`"),
            ("bugdet: {per_day: 5}", "`bugdet`", "`budget`"),
            ("defalts: {gpu: RTX 4090}", "`defalts`", "`defaults`"),
            ("Platform: {vast: {}}", "`Platform`", "`platforms`"),
            ("defaults: {max_prize: 1}", "`defaults.max_prize`", "`defaults.max_price`"),
            ("max_price: 1", "`max_price`", "`defaults.max_price`"),
            ("platforms: {vast: {apikey: x}}", "`platforms.vast.apikey`", "`platforms.vast.api_key`"),
            ("something_new: [1, {2: 3}]", "`something_new`", nil),
        ] as [(String, String, String?)])
    func aSettingThatIsNoneIsNamedWithTheNearest(yaml: String, name: String, nearest: String?) throws {
        for warnings in [
            try self.load(project: yaml + "\n").warnings,
            try self.load(user: yaml + "\n", project: "").warnings,
        ] {
            #expect(warnings.count == 1, "\(warnings)")
            #expect(
                warnings.first?.contains("config.yaml:1: \(name) is not a setting") == true, "\(warnings)")
            if let nearest {
                #expect(warnings.first?.contains("Did you mean \(nearest)?") == true, "\(warnings)")
            }
        }
    }

    /// What is named in an address is shown nowhere.
    @Test(arguments: [
        "https://u:secretword@vast.example", "https://secretword@vast.example/",
        "https://u:p@secretword@h.example",
    ])
    func aPasswordInAnAddressIsNotTaken(address: String) throws {
        let key = ["VAST_API_KEY": "key-in-environment"]
        let configuration = try self.home.load(key.merging(["VAST_URL": address]) { $1 })
        #expect(!"\(configuration.endpoints)".contains("secretword"))
        #expect(configuration.warnings.contains { $0.contains("VAST_URL") })
        #expect(!"\(configuration.warnings)".contains("secretword"))
        let error = #expect(throws: EngineError.self) {
            try self.home.load(key.merging(["VAST_URL": "ftp://u:secretword@vast.example"]) { $1 })
        }
        #expect(!"\(error!)".contains("secretword"))
    }
}
