import Foundation
import Glibc
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

/// Where `vp run --create --destroy` stands when a test gets in its way.
enum RunStage: String, CaseIterable, Sendable {
    /// The platform has been asked for offers.
    case offers
    /// The platform has rented, and has not said so yet.
    case create
    case boot
    case upload
    case job
    case download
    /// The job's results are here, and the instance is being looked at before its end.
    case look
    /// That look has found something new, and it is on its way.
    case rest
    /// The platform is about to be asked for the end.
    case destroying
}

/// A `vp run --create --destroy` that is held at a stage until it is let go, with or without a terminal.
final class StagedRun {
    static let project = "project"

    let local: LocalCloud
    let stage: RunStage
    let platform: Market
    private let tools: String
    private let plain: CLIHarness
    private let hold = Hold()
    private var child: ChildVP?
    private var session: PTYSession?
    private var sent: ContinuousClock.Instant?

    private final class Hold: Sendable {
        private let state = Mutex((isReached: false, isOpen: false))
        var isReached: Bool { self.state.withLock(\.isReached) }
        func open() { self.state.withLock { $0.isOpen = true } }
        func wait() async {
            self.state.withLock { $0.isReached = true }
            while !self.state.withLock(\.isOpen), (try? await Task.sleep(for: .milliseconds(5))) != nil {}
        }
    }

    /// - Parameter terminal: with a terminal, or with files in its place.
    static func with(
        _ stage: RunStage, on platform: Market, terminal: Bool, deaf: Bool = false,
        _ body: (StagedRun) async throws -> Void
    ) async throws {
        try await withLoopbackCloud { cloud in
            if stage == .boot { await cloud.inject(try Fault(parsing: "image-never-loads")) }
            let run = try StagedRun(cloud, stage, platform)
            try run.start(terminal: terminal, deaf: deaf)
            do {
                try await run.reach()
                try await body(run)
                run.letGo()
            } catch {
                run.letGo()
                throw error
            }
        }
    }

    private init(_ cloud: LoopbackCloud, _ stage: RunStage, _ platform: Market) throws {
        var environment = CLIHarness.environment(for: cloud)
        let plain = try CLIHarness(environment)
        self.tools = "\((plain.root as NSString).deletingLastPathComponent)/tools"
        environment["PATH"] = "\(self.tools):\(plain.environment["PATH"] ?? "")"
        self.plain = plain
        self.local = LocalCloud(cloud: cloud, harness: try CLIHarness(environment))
        self.stage = stage
        self.platform = platform
        // Waits, where that is asked for, before it moves anything.
        try FileManager.default.createDirectory(atPath: self.tools, withIntermediateDirectories: true)
        try ProgramFile.write(
            """
            #!/bin/sh
            if [ -e '\(self.tools)/hold' ]; then : > '\(self.tools)/held'; fi
            while [ -e '\(self.tools)/hold' ]; do sleep 0.01; done
            exec \(try #require(Programs.path(of: "rsync"))) "$@"

            """, to: "\(self.tools)/rsync")
        try self.local.harness.write("project/input.txt", "input\n")
    }

    private func start(terminal: Bool, deaf: Bool) throws {
        if self.stage == .upload { self.holdTransfers() }
        let (hold, stage) = (self.hold, self.stage)
        self.local.cloud.intercept { request in
            switch (stage, request.method, request.path) {
            case (.offers, _, let path) where path.hasSuffix("/bundles") || path.hasSuffix("/catalog/gpus"):
                await hold.wait()
            case (.create, "PUT", let path) where path.contains("/asks/"):
                return .passThen { await hold.wait() }
            case (.create, "POST", let path) where path.hasSuffix("/pods"):
                return .passThen { await hold.wait() }
            case (.destroying, "DELETE", _): await hold.wait()
            default: break
            }
            return .pass
        }
        let words = [
            "run", "--create", "--platform", self.platform.rawValue, "--destroy", "--",
            "echo begun; : > begun.txt; until [ -e gate ]; do sleep 0.05; done; rm gate; echo result > result.txt",
        ]
        let harness = self.local.harness
        guard terminal else {
            self.child = try harness.start(words)
            return
        }
        var environment = harness.environment
        environment["TERM"] = "xterm"
        let program = CLIHarness.products + "/vp"
        self.session =
            deaf
            ? try PTYSession(
                "/bin/sh", ["-c", "trap '' HUP; exec \"$0\" \"$@\"", program] + words, width: 200, height: 40,
                environment: environment, directory: harness.project)
            : try PTYSession(
                program, words, width: 200, height: 40, environment: environment, directory: harness.project)
    }

    /// Waits until the run stands at its stage.
    private func reach() async throws {
        switch self.stage {
        case .offers, .create: try await self.waitUntil("held") { self.hold.isReached }
        case .boot: try await self.waitUntil("rented") { self.text.contains("loading the image: instance") }
        case .upload: try await self.waitUntil("uploading") { self.isTransferHeld }
        case .job: try await self.waitForJob()
        case .download:
            try await self.waitForJob()
            self.holdTransfers()
            try self.endJob()
            try await self.waitUntil("downloading") { self.isTransferHeld }
        case .look, .rest:
            try await self.waitForJob()
            let hold = self.hold
            self.local.cloud.intercept { request in
                if request.method == "GET",
                    request.path.contains("instances/") || request.path.contains("pods/")
                {
                    await hold.wait()
                }
                return .pass
            }
            try self.endJob()
            try await self.waitUntil("looking") { self.hold.isReached }
            guard self.stage == .rest else { return }
            try Data("late\n".utf8).write(to: URL(fileURLWithPath: try self.workspace() + "/late.txt"))
            self.holdTransfers()
            self.hold.open()
            try await self.waitUntil("bringing the rest") { self.isTransferHeld }
        case .destroying:
            try await self.waitForJob()
            try self.endJob()
            try await self.waitUntil("destroying") { self.hold.isReached }
        }
    }

    /// Everything that it has said, as far as a terminal still shows it.
    var text: String {
        guard let session = self.session else { return self.child!.text + self.child!.errorText }
        session.read(milliseconds: 0)
        return session.screen.text
    }

    private var isOver: Bool {
        guard let session = self.session else { return !self.child!.isRunning }
        session.read(milliseconds: 0)
        return session.end != nil
    }

    func waitUntil(_ what: String, limit: Duration = .seconds(60), _ condition: () throws -> Bool)
        async throws
    {
        do {
            try await VPTestSupport.wait(for: what, limit: limit) {
                // A terminal that nobody reads would hold the program up.
                self.session?.read(milliseconds: 0)
                return try condition() ? true : nil
            }
        } catch let timeout as WaitTimeout {
            throw WaitTimeout(description: "\(self.stage), \(timeout.description):\n\(self.text)")
        }
    }

    /// Sends `signal`, which Ctrl-C does at a terminal, and waits for the first words about it.
    func send(_ signal: Int32) async throws {
        let before = self.text
        self.sent = .now
        if signal == SIGINT, let session = self.session { session.type("\u{3}") } else { self.kill(signal) }
        let words = ["interrupted", "terminated", "was closed", "detach", "[d]etach"]
        try await self.waitUntil("an answer to signal \(signal)", limit: .seconds(20)) {
            words.contains { word in
                self.text.components(separatedBy: word).count > before.components(separatedBy: word).count
            }
        }
        let took = ContinuousClock.now - self.sent!
        // The promise is a second. A machine full of clouds may owe a process its turn;
        // what would be waited for instead, a platform or an instance, takes far longer.
        #expect(took < .seconds(3), "\(self.stage): answered after \(took):\n\(self.text)")
    }

    func kill(_ signal: Int32) {
        if let session = self.session {
            Glibc.kill(session.processID, signal)
        } else {
            self.child!.send(signal)
        }
    }

    func hangUp() { self.session!.hangUp() }

    func see(_ text: String) async throws { try await self.waitUntil(text) { self.text.contains(text) } }

    /// Waits for its end, with the answers that somebody at the terminal gives, and returns its status.
    func end(limit: Duration = .seconds(30)) async throws -> Int32 {
        var isAnswered = false
        try await self.waitUntil("the end of vp", limit: limit) {
            if !isAnswered, let session = self.session {
                if self.text.contains("[d]estroy it or") {
                    session.type("d\r")
                    isAnswered = true
                } else if self.text.contains("[d]etach") {
                    session.type("d")
                    isAnswered = true
                }
            }
            return self.isOver
        }
        guard let session = self.session else { return try await self.child!.status() }
        guard case .exited(let status)? = session.end else { return -1 }
        return status
    }

    /// Lets everything go that is held.
    func letGo() {
        self.local.cloud.intercept(nil)
        self.hold.open()
        try? FileManager.default.removeItem(atPath: self.tools + "/hold")
    }

    /// Nothing is forgotten: it is gone, or any later `vp ls` ends it,
    /// with all that was written there brought here.
    func judge() async throws {
        let isLeft = await self.local.cloud.instanceCount > 0
        // What a hung-up terminal would have shown, nobody has seen.
        if isLeft, self.session == nil {
            #expect(self.text.contains("`vp ls`"), "\(self.text)")
        }
        self.letGo()
        if self.stage == .job, isLeft {
            #expect(try await self.local.job("project-1")["state"] as? String == "running")
            #expect(try await self.local.harness.vp("ls").status == 0)
            #expect(await self.local.cloud.instanceCount == 1, "ended under its job")
            try self.endJob()
        }
        var last = ""
        for _ in 0..<100 where await self.local.cloud.instanceCount > 0 {
            last = String(describing: try await self.local.harness.vp("ls"))
        }
        #expect(await self.local.cloud.instanceCount == 0, "\(self.stage): \(self.text)\n\(last)")
        #expect(try await self.local.harness.vp("ls").stdout.contains("No instances."))
        if [.job, .download, .look, .rest, .destroying].contains(self.stage) {
            #expect(try self.local.harness.read("project/result.txt") == "result\n")
        }
        if self.stage == .rest { #expect(try self.local.harness.read("project/late.txt") == "late\n") }
    }

    // MARK: The instance

    private func waitForJob() async throws {
        try await self.waitUntil("the job") { self.local.remoteFile("begun.txt") != nil }
    }

    private func workspace() throws -> String {
        (try #require(self.local.remoteFile("begun.txt")) as NSString).deletingLastPathComponent
    }

    private func endJob() throws {
        #expect(FileManager.default.createFile(atPath: try self.workspace() + "/gate", contents: nil))
    }

    private func holdTransfers() {
        _ = FileManager.default.createFile(atPath: self.tools + "/hold", contents: nil)
    }

    private var isTransferHeld: Bool { FileManager.default.fileExists(atPath: self.tools + "/held") }
}
