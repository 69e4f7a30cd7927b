import Foundation
import Glibc
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

/// `kill -9` at every step of create, run and destroy.
///
/// A step is every request that the cloud sees, once before it is carried out and once when it is done and
/// nobody has been told yet, and every start of ssh or rsync.
/// Between two of them lie the writes of the ledger, so that every order of ledger and world comes up. After
/// each kill a `vp` that is started anew must know and show what is there, must not rent a second one, and
/// must bring it to an end.
@Suite(.startsCloud, .requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct KillTests {
    @Test(arguments: [Market.vast, .runPod])
    func everyStepOfACreate(platform: Market) async throws {
        try await Walk.with(platform) { walk in
            let create = ["create-instance", "-p", platform.rawValue]
            let steps = try await walk.steps(of: create)
            #expect(steps > 8)
            try await walk.endAll()
            for step in 1...steps {
                let kill = try await walk.run(create, killAt: step)
                try await walk.checkThatAllIsKnown("create, step \(step) (\(kill))", atMost: 1)
                // With fewer questions than the first time, it was at its end before this step.
                if kill.isEmpty {
                    try await walk.endAll()
                    continue
                }
                // Asked for again, it goes on with what is there.
                let output = try await walk.harness.vp("create-instance", "-p", platform.rawValue, "--json")
                #expect(output.status == 0, "create after step \(step) (\(kill)): \(output)")
                let count = await walk.cloud.instanceCount
                if count != 1 {
                    let list = try await walk.harness.vp("ls", "--json")
                    Issue.record("\(count) after step \(step) (\(kill)): \(output) \(list)")
                }
                try await walk.endAll()
            }
        }
    }

    @Test(arguments: [Market.vast, .runPod])
    func everyStepOfARun(platform: Market) async throws {
        try await Walk.with(platform) { walk in
            let run = ["run", "--", "sh", "-c", "echo result > result.txt"]
            try await walk.rent()
            let steps = try await walk.steps(of: run)
            #expect(steps > 2)
            for step in 1...steps {
                try walk.harness.write("project/input-\(step).txt", "new")
                // Without a connection that is open already, as from a machine that was off.
                try await walk.closeConnections()
                let kill = try await walk.run(run, killAt: step)
                try await walk.checkThatAllIsKnown("run, step \(step) (\(kill))", atMost: 1)
                #expect(await walk.cloud.instanceCount == 1, "destroyed by a run, step \(step) (\(kill))")
            }
            // The instance takes new work as if nothing had been.
            let output = try await walk.harness.vp("run", "--", "cat", "result.txt")
            #expect(output.status == 0, "\(output)")
            #expect(output.stdout == "result\n")
            try await walk.endAll()
        }
    }

    @Test(arguments: [Market.vast, .runPod])
    func everyStepOfADestroy(platform: Market) async throws {
        try await Walk.with(platform) { walk in
            func destroy(_ id: String) -> [String] { ["destroy-instance", id] }
            let steps = try await walk.steps(of: destroy(try await walk.rent()))
            #expect(steps > 4)
            for step in 1...steps {
                let id = try await walk.rent()
                let kill = try await walk.run(destroy(id), killAt: step)
                let isGone = await walk.cloud.instanceCount == 0
                try await walk.checkThatAllIsKnown("destroy, step \(step) (\(kill))", atMost: 1)
                // Whether it had come to the order or not, it ends by asking again.
                let output = try await walk.harness.vp("destroy-instance", id)
                let mayBeGone = isGone || output.stderr.contains("no instance") || output.status == 201
                #expect(output.status == 0 || mayBeGone, "destroy after step \(step) (\(kill)): \(output)")
                #expect(await walk.cloud.instanceCount == 0, "step \(step) (\(kill))")
                try await walk.endAll()
            }
        }
    }
}

/// A cloud, a home, and a count of what `vp` does.
private final class Walk: Sendable {
    let cloud: LoopbackCloud
    let harness: CLIHarness
    let platform: Market
    private struct State {
        var step = 0
        var killAt = 0
        var child: Int32?
        var kill = ""
        /// Requests that the cloud is answering.
        var requests = 0
    }
    private let state = Mutex(State())
    private let counter: String

    static func with(_ platform: Market, _ body: (Walk) async throws -> Void) async throws {
        try await withLoopbackCloud(LoopbackCloud.Options(speed: 200)) { cloud in
            let walk = try Walk(cloud, platform)
            do { try await body(walk) } catch {
                try? await walk.closeConnections()
                throw error
            }
            try await walk.closeConnections()
        }
    }

    private init(_ cloud: LoopbackCloud, _ platform: Market) throws {
        self.cloud = cloud
        self.platform = platform
        var environment = CLIHarness.environment(for: cloud)
        // The other platform has nothing to say here.
        environment[platform == .vast ? "RUNPOD_API_KEY" : "VAST_API_KEY"] = nil
        let plain = try CLIHarness(environment)
        let tools = "\((plain.root as NSString).deletingLastPathComponent)/tools"
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        self.counter = "\(tools)/steps"
        environment["PATH"] = "\(tools):\(plain.environment["PATH"] ?? "")"
        for name in ["ssh", "rsync"] {
            let real = try #require(Programs.path(of: name))
            // Says that it starts, and waits until it is told to go on.
            let script = """
                #!/bin/sh
                if [ -e '\(tools)/counts' ]; then
                echo "$$ \(name)" >> '\(tools)/steps'
                while [ ! -e '\(tools)/go' ] && [ ! -e "\(tools)/go-$$" ]; do sleep 0.005; done
                fi
                exec \(real) "$@"

                """
            try ProgramFile.write(script, to: "\(tools)/\(name)")
        }
        self.tools = tools
        self.plain = plain
        self.harness = try CLIHarness(environment)
        try self.harness.write("project/train.py", "print('x')\n")
        cloud.intercept { [weak self] request in
            guard let self else { return .pass }
            let words = "\(request.method) \(request.path)"
            self.state.withLock { $0.requests += 1 }
            await self.passed("before \(words)")
            return .passThen {
                await self.passed("after \(words)")
                self.state.withLock { $0.requests -= 1 }
            }
        }
    }

    private let tools: String
    /// Keeps the folder of the tools.
    private let plain: CLIHarness

    /// Counts a step, and ends the `vp` that is under way when it is the one to be ended at.
    private func passed(_ what: String) async {
        let victim = self.state.withLock { state -> Int32? in
            guard let child = state.child else { return nil }
            state.step += 1
            guard state.step == state.killAt else { return nil }
            state.kill = what
            return child
        }
        guard let victim else { return }
        kill(victim, SIGKILL)
        // The answer must not reach a process that is on its way out.
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, Self.isAlive(victim) {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private static func isAlive(_ process: Int32) -> Bool {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return false }
        let text = String(decoding: data, as: UTF8.self)
        return text[(text.lastIndex(of: ")") ?? text.startIndex)...].dropFirst(2).first != "Z"
    }

    /// How many steps `arguments` take when nobody interferes.
    func steps(of arguments: [String]) async throws -> Int {
        _ = try await self.run(arguments, killAt: .max)
        return self.state.withLock(\.step)
    }

    /// Runs `vp`, kills it at step `number`, and says what that was.
    func run(_ arguments: [String], killAt number: Int) async throws -> String {
        try? FileManager.default.removeItem(atPath: self.counter)
        try? FileManager.default.removeItem(atPath: self.tools + "/go")
        _ = FileManager.default.createFile(atPath: self.tools + "/counts", contents: nil)
        defer {
            _ = FileManager.default.createFile(atPath: self.tools + "/go", contents: nil)
            try? FileManager.default.removeItem(atPath: self.tools + "/counts")
        }
        let child = try self.harness.start(arguments)
        self.state.withLock {
            $0 = State(step: 0, killAt: number, child: child.processID, requests: $0.requests)
        }
        defer { self.state.withLock { $0.child = nil } }
        var started = 0
        let deadline = ContinuousClock.now + .seconds(60)
        while child.isRunning {
            let lines =
                (try? String(contentsOfFile: self.counter, encoding: .utf8))?
                .split(separator: "\n") ?? []
            while started < lines.count {
                let words = lines[started].split(separator: " ")
                started += 1
                guard words.count == 2 else { continue }
                await self.passed("start of \(words[1])")
                _ = FileManager.default.createFile(atPath: "\(self.tools)/go-\(words[0])", contents: nil)
            }
            guard ContinuousClock.now < deadline else { throw WaitTimeout(description: "vp did not end") }
            try await Task.sleep(for: .milliseconds(2))
        }
        let output = try await child.output()
        if number == .max { #expect(output.status == 0, "\(output)") }
        // The cloud does what it was asked, whether or not anybody waits for the answer.
        try await waitUntil("the cloud to be done") { self.state.withLock { $0.requests == 0 } }
        return self.state.withLock(\.kill)
    }

    /// A `vp` that is started anew shows all that the cloud has, and knows all of it as its own.
    func checkThatAllIsKnown(_ when: String, atMost most: Int) async throws {
        let there = await self.cloud.instanceCount
        #expect(there <= most, "\(when)")
        let list = try await self.harness.vp("ls", "--json")
        #expect(list.status == 0, "\(when): \(list)")
        let shown = try list.json()["instances"] as? [[String: Any]] ?? []
        // One that was being destroyed may end meanwhile.
        let after = await self.cloud.instanceCount
        #expect(shown.count <= there && shown.count >= after, "\(when): \(list)")
        let reap = try await self.harness.vp("reap", "--json")
        #expect(reap.status == 0, "\(when): \(reap)")
        #expect((try reap.json()["instances"] as? [Any])?.isEmpty == true, "\(when): \(reap)")
    }

    @discardableResult
    func rent() async throws -> String {
        let output = try await self.harness.vp("create-instance", "-p", self.platform.rawValue, "--json")
        #expect(output.status == 0, "\(output)")
        return try #require(try output.json()["id"] as? String)
    }

    /// Destroys what is there.
    func endAll() async throws {
        let list = try await self.harness.vp("ls", "--json")
        for instance in try list.json()["instances"] as? [[String: Any]] ?? [] {
            let id = try #require(instance["id"] as? String)
            _ = try await self.harness.vp("destroy-instance", id, "--discard-results", "--end-jobs", "--yes")
        }
        #expect(await self.cloud.instanceCount == 0)
    }

    /// Ends the shared connections that killed programs left open.
    func closeConnections() async throws {
        for process in try Self.masters(below: self.harness.root) { kill(process, SIGTERM) }
    }

    /// ssh masters of this home, found by their own configuration file.
    private static func masters(below home: String) throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init).filter { id in
            guard let data = FileManager.default.contents(atPath: "/proc/\(id)/environ") else { return false }
            let name = FileManager.default.contents(atPath: "/proc/\(id)/comm") ?? Data()
            return String(decoding: name, as: UTF8.self) == "ssh\n"
                && data.range(of: Data("HOME=\(home)\0".utf8)) != nil
        }
    }
}
