import Foundation
import LoopbackCloud
import VPTestSupport

/// A dashboard in a project's folder, with an instance that was rented by keys.
struct RentedDashboard {
    let session: PTYSession
    let cloud: LoopbackCloud
    let environment: [String: String]
    let project: String

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(self.project)/\(name)").map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    func write(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(self.project)/\(name)", atomically: true, encoding: .utf8)
    }

    /// No box has the keys: the bar shows those of Instances.
    static func isFree(_ screen: VirtualTerminal) -> Bool { screen.contains("c create ") }

    /// Runs a command of the palette, and closes the box with its answer.
    func palette(_ line: String, answer: String) throws {
        self.session.type(":\(line)\r")
        try self.session.wait(for: answer, seconds: 60)
        try self.session.press("\u{1B}", until: Self.isFree)
    }

    /// A job that makes `file` there and does not end, so that nothing brings its results.
    func leave(_ file: String) throws {
        self.session.type("r")
        try self.session.wait(for: "Run on")
        // What it prints is not what was typed.
        self.session.type("\(file) && echo made $((40 + 2)); sleep 1000\r")
        try self.session.wait(for: "made 42", seconds: 60)
        try self.session.wait("the prompt to close") { !$0.contains("Run on") }
        self.session.type("1")
    }

    /// Goes to a button of the dialog, confirms, and lets the time to take it back pass.
    func destroy(_ button: String, expecting words: String) throws {
        try self.session.destroy(button, expecting: words)
    }

    /// Starts a dashboard in an empty project on a cloud of its own; `configuration` is the user's.
    static func open(
        configuration: String? = nil, options: LoopbackCloud.Options = .init(speed: 100),
        _ body: (RentedDashboard) async throws -> Void
    ) async throws {
        try await TemporaryFolder.with(named: "vp-tui") { folder in
            try await withLoopbackCloud(options) { cloud in
                let project = folder.path + "/project"
                try FileManager.default.createDirectory(atPath: project, withIntermediateDirectories: true)
                let environment = DashboardSession.environment(home: folder.path)
                    .merging(cloud.environment) { $1 }
                if let configuration { try Self.configure(configuration, environment) }
                try await body(try Self.start(cloud, environment, project))
            }
        }
    }

    private static func configure(_ text: String, _ environment: [String: String]) throws {
        let folder = (environment["XDG_CONFIG_HOME"] ?? "") + "/variousplug"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        _ = FileManager.default.createFile(
            atPath: folder + "/config.yaml", contents: Data(text.utf8),
            attributes: [.posixPermissions: 0o600])
    }

    private static func start(
        _ cloud: LoopbackCloud, _ environment: [String: String], _ project: String
    ) throws -> RentedDashboard {
        let session = try PTYSession(
            DashboardSession.program, width: 140, height: 42, environment: environment, directory: project)
        // The title names the GPU too; a row has the platform before it. Once one is rented,
        // the offers are a line.
        try session.wait("an offer or an instance") {
            $0.contains("vast RTX 3060") || ($0.contains("RTX 3060 ") && $0.contains("● running"))
        }
        return RentedDashboard(session: session, cloud: cloud, environment: environment, project: project)
    }

    /// Quits it and starts it anew with another configuration of the user's.
    func reopened(configuration: String) throws -> RentedDashboard {
        self.session.type("q")
        _ = try self.session.waitForEnd()
        try Self.configure(configuration, self.environment)
        return try Self.start(self.cloud, self.environment, self.project)
    }

    /// The same, with the cheapest offer rented by keys.
    static func with(
        configuration: String? = nil, options: LoopbackCloud.Options = .init(speed: 100),
        _ body: (RentedDashboard) async throws -> Void
    ) async throws {
        try await Self.open(configuration: configuration, options: options) { rented in
            try rented.session.rentSelectedOffer()
            try rented.session.wait(for: "is ready", seconds: 90)
            try await body(rented)
        }
    }

    /// Another program of the same user in the same project.
    func start(
        _ program: String, _ arguments: [String] = [], _ variables: [String: String] = [:]
    ) throws -> PTYSession {
        try PTYSession(
            program, arguments, width: 140, height: 42,
            environment: self.environment.merging(variables) { $1 }, directory: self.project)
    }
}
