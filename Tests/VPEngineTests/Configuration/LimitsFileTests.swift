import Foundation
import Testing

@testable import VPEngine

@Suite struct LimitsFileTests {
    let home = HomeFolder()

    private func limits(_ yaml: String, _ name: String = "limits.yaml", mode: Int = 0o600) throws -> Limits {
        try self.home.write(name, yaml, mode: mode)
        return LimitsFile.read([self.home.path(name)])
    }

    @Test func aFileIsRead() throws {
        let limits = try self.limits(
            """
            max_price: 0.60
            max_cost: $5
            per_day: 20
            max_instances: 2
            gpus: [RTX 4090, "NVIDIA A100"]
            platforms: [vast]
            verbs: [ls, run]
            """)
        #expect(limits.problem == nil)
        #expect(limits.maximumPrice?.value == 0.6)
        #expect(limits.maximumCost?.value == 5)
        #expect(limits.dollarsPerDay?.value == 20)
        #expect(limits.maximumInstances?.value == 2)
        #expect(limits.gpus.map(\.value) == [["RTX 4090", "NVIDIA A100"]])
        #expect(limits.platforms.map(\.value) == [[.vast]])
        #expect(limits.verbs.map(\.value) == [["ls", "run"]])
        #expect(limits.maximumPrice?.file == self.home.path("limits.yaml"))
    }

    @Test func theStricterOfTwoFilesCounts() throws {
        try self.home.write(
            "a/limits.yaml", "max_price: 0.60\nper_day: 5\ngpus: [RTX 4090, RTX 3090]\n", mode: 0o600)
        try self.home.write(
            "b/limits.yaml", "max_price: 2\nper_day: 3\ngpus: [RTX 3090, A100]\nmax_instances: 1\n")
        let limits = LimitsFile.read([self.home.path("a/limits.yaml"), self.home.path("b/limits.yaml")])
        #expect(limits.maximumPrice == .init(value: 0.6, file: self.home.path("a/limits.yaml")))
        #expect(limits.dollarsPerDay == .init(value: 3, file: self.home.path("b/limits.yaml")))
        #expect(limits.maximumInstances?.value == 1)
        func objection(_ gpu: String) -> String? {
            limits.objection(
                to: .vast, gpu: gpu, memoryBytes: nil, count: 1, price: HourlyPrice(dollarsPerHour: 0.1))
        }
        #expect(objection("RTX 3090") == nil)
        #expect(objection("RTX 4090")?.contains("b/limits.yaml") == true)
        #expect(objection("A100 SXM4")?.contains("a/limits.yaml") == true)
    }

    @Test func filesThatAreNotThereSayNothing() {
        #expect(LimitsFile.read([self.home.path("nowhere/limits.yaml")]).isEmpty)
    }

    /// `HOME` and `XDG_CONFIG_HOME` add a file at most; they cannot hide the account's own.
    @Test func theEnvironmentCannotHideAFile() {
        for environment in [
            ["HOME": "/tmp/elsewhere"], ["HOME": "/tmp/elsewhere", "XDG_CONFIG_HOME": "/tmp/else"], [:],
        ] {
            let places = LimitsFile.places(environment: environment, accountHome: "/home/me")
            #expect(places.first == "/home/me/.config/variousplug/limits.yaml")
            #expect(places.last == "/etc/variousplug/limits.yaml")
        }
        #expect(
            LimitsFile.places(environment: ["HOME": "/x", "XDG_CONFIG_HOME": "/y"], accountHome: "/home/me")
                == [
                    "/home/me/.config/variousplug/limits.yaml", "/y/variousplug/limits.yaml",
                    "/etc/variousplug/limits.yaml",
                ])
        #expect(LimitsFile.accountHome()?.hasPrefix("/") == true)
    }

    @Test(arguments: [
        ("max_prize: 1", ":1: there is no limit “max_prize”; did you mean max_price?"),
        ("per_day: 5\nbudget: 2", ":2: there is no limit “budget”; the limits are"),
        ("max_price: cheap", ":1: max_price must be an amount"), ("max_price: -1", ":1: max_price must"),
        ("max_price: .nan", ":1: max_price must"), ("max_price: 1e300", ":1: max_price must"),
        ("max_instances: 1.5", ":1: max_instances must be a whole number"),
        ("gpus: [RTX 9999]", "no GPU is called “RTX 9999”"), ("platforms: [azure]", "no platform is called"),
        ("- a", ":1: expected"), ("a: [", "is not valid YAML"), ("verbs: {a: b}", "verbs must be a list"),
    ])
    func whatCannotBeReadStopsAllThatCosts(yaml: String, problem: String) throws {
        let limits = try self.limits(yaml + "\n")
        #expect(limits.problem?.contains(self.home.path("limits.yaml")) == true)
        #expect(limits.problem?.contains(problem) == true, "\(limits.problem ?? "")")
        let error = #expect(throws: EngineError.self) { try limits.requireUsable() }
        #expect(error?.code == .limitRefused)
    }

    @Test(arguments: [0o666, 0o622, 0o620])
    func aFileThatOthersCanWriteIsNotBelieved(mode: Int) throws {
        #expect(
            try self.limits("max_price: 1\n", mode: mode).problem?.contains("can be written by others")
                == true)
    }

    @Test func norIsOneInAFolderThatOthersCanWrite() throws {
        try self.home.write("open/limits.yaml", "max_price: 1\n", mode: 0o600)
        chmod(self.home.path("open"), 0o777)
        #expect(LimitsFile.read([self.home.path("open/limits.yaml")]).problem?.contains("its folder") == true)
        // Nor one behind a link into such a folder.
        try self.home.write("closed/x", "", mode: 0o600)
        symlink(self.home.path("open/limits.yaml"), self.home.path("closed/limits.yaml"))
        #expect(
            LimitsFile.read([self.home.path("closed/limits.yaml")]).problem?.contains("its folder") == true)
    }

    @Test func whatIsNoFileIsNotBelieved() throws {
        mkfifo(self.home.path("pipe"), 0o600)
        #expect(LimitsFile.read([self.home.path("pipe")]).problem?.contains("is not a file") == true)
        #expect(LimitsFile.read([self.home.path("project")]).problem != nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away"))
    func aFileOfSomebodyElseIsNotBelieved() throws {
        try self.home.write("limits.yaml", "max_price: 1\n", mode: 0o600)
        chown(self.home.path("limits.yaml"), 12_345, 12_345)
        #expect(LimitsFile.read([self.home.path("limits.yaml")]).problem?.contains("another user") == true)
    }

    @Test func verbsAreRefusedByName() throws {
        let limits = try self.limits("verbs: [ls, run]\n")
        try limits.require(anyOf: "run")
        let error = #expect(throws: EngineError.self) { try limits.require(anyOf: "destroy-instance") }
        #expect(error?.code == .limitRefused)
        #expect(error?.detail?.contains("destroy-instance is not among verbs (ls, run) in ") == true)
    }

    @Test func requestsAreCutToTheCaps() throws {
        let limits = try self.limits("max_price: 0.60\nmax_cost: 2\n")
        var create = CreateRequest(
            query: OfferQuery(maximumPrice: HourlyPrice(dollarsPerHour: 5)), maximumCost: 50)
        var cut = limits.tightened(create, .init())
        #expect(cut.query.maximumPrice?.dollarsPerHour == 0.6)
        #expect(cut.maximumCost == 2)
        create = CreateRequest(
            query: OfferQuery(maximumPrice: HourlyPrice(dollarsPerHour: 0.2)), maximumCost: 1)
        cut = limits.tightened(create, .init())
        #expect(cut.query.maximumPrice?.dollarsPerHour == 0.2)
        #expect(cut.maximumCost == 1)
        // What nobody named is capped as well, and the lower of setting and cap holds.
        #expect(limits.tightened(CreateRequest(), .init()).maximumCost == 2)
        #expect(limits.tightened(RunRequest(command: nil), .init()).maximumCost == 2)
        #expect(limits.tightened(RunRequest(command: nil), .init(dollarsPerRun: 1)).maximumCost == 1)
        #expect(limits.tightened(RunRequest(command: nil, maximumCost: 3), .init()).maximumCost == 2)
    }
}
