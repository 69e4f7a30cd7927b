import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// What stands before an end: the past of an instance, its results, other jobs.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct EndsTests {
    // MARK: Whether anything is there

    private static let absences: [InstanceStatus] = [.pending, .loading, .failed, .lost, .unknown]

    /// What an instance does now says nothing of what is on it.
    @Test(arguments: VPEngine.Platform.allCases, Self.absences)
    func anInstanceThatWasUpIsNeverTakenForEmpty(
        platform: VPEngine.Platform, status: InstanceStatus
    ) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            try await fixture.there("echo precious > model.bin", on: instance)
            let client = fixture.clients[platform]!
            client.alter { $0.status = status }
            for action in [
                EngineAction.destroy(instance.id, DestroyRequest()), .destroy(instance.id, DestroyRequest()),
            ] {
                #expect(try await fixture.failure(of: action).code == .unsafeResults)
            }
            #expect(!client.calls.contains("destroy"))
            #expect(await fixture.cloud.instanceCount == 1)
            // It waits for the user, and says what that costs.
            #expect(try fixture.entry(of: instance).order?.stage == .waiting)
            _ = await fixture.engine.instances()
            let alarm = try #require(
                try fixture.engine.moneyReport().alarms.first { $0.kind == .waiting })
            #expect(alarm.instance == instance.id)
            #expect(alarm.words.contains("$"), "\(alarm.words)")
            // It is what it was: the end comes with its results.
            client.alter { $0.status = nil }
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(fixture.here("model.bin") == "precious\n")
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    @Test(arguments: VPEngine.Platform.allCases, [InstanceStatus.pending, .loading, .failed])
    func whatNeverCameUpIsEmpty(platform: VPEngine.Platform, status: InstanceStatus) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform, waits: false)
            fixture.clients[platform]!.alter { $0.status = status }
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// Each of them is enough to doubt.
    @Test(arguments: ["answered", "ran", "foreign"]) func whatMayHoldSomethingIsNotEmpty(past: String)
        async throws
    {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast, waits: false)
            let history = fixture.engine.context.store
            switch past {
            case "answered":
                let target = SSHTarget(
                    instance: instance.id, address: SSHAddress(host: "", port: 0), identityFile: nil,
                    paths: fixture.engine.configuration.paths)
                try PrivateFolder.make((target.knownHostsFile as NSString).deletingLastPathComponent)
                try PrivateFolder.write(Array("a key\n".utf8), to: target.knownHostsFile)
            case "ran":
                _ = try history.insertJob(workspaceName: "x") { id in
                    Job(
                        id: id, instance: instance.id, command: .shell("true"), state: .unknown,
                        createdAt: Date(), workspacePath: fixture.project,
                        logPath: fixture.engine.logs.path(id)
                    )
                }
            default: break
            }
            var configuration = fixture.engine.configuration
            // Another machine's ledger knows nothing of it.
            if past == "foreign" { configuration.paths.stateFolder += "-elsewhere" }
            let engine = try Engine(
                configuration: configuration, clients: [fixture.clients[.vast]!],
                runner: SystemProcessRunner())
            fixture.clients[.vast]!.alter { $0.status = .loading }
            await #expect {
                _ = try await engine.perform(.destroy(instance.id, DestroyRequest()), as: ActionID()) { _ in }
            } throws: { ($0 as? EngineError)?.code == .unsafeResults }
            await engine.shutDown()
            #expect(await fixture.cloud.instanceCount == 1)
        }
    }

    // MARK: The disk here

    /// What came down is on the disk before the platform is asked.
    @Test(arguments: VPEngine.Platform.allCases)
    func theDiskIsWrittenBeforeTheEndIsAskedFor(platform: VPEngine.Platform) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            try await fixture.there("echo precious > model.bin", on: instance)
            let client = fixture.clients[platform]!
            let before = client.calls.count
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            let calls = client.calls.dropFirst(before)
            let order = try #require(calls.firstIndex(of: "destroy"))
            #expect(calls[..<order].contains("flush"), "\(calls)")
        }
    }

    /// A disk that says that something is lost has lost it.
    @Test func whatTheDiskDidNotTakeIsNotHere() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there("echo precious > model.bin", on: instance)
            let client = fixture.clients[.vast]!
            let engine = try Engine(
                configuration: fixture.engine.configuration, clients: [client],
                runner: SystemProcessRunner(),
                flush: { folder throws(EngineError) in
                    throw EngineError(.fileSystem, .init("writing"), detail: "Input/output error")
                })
            await #expect {
                _ = try await engine.perform(
                    .destroy(instance.id, DestroyRequest()), as: ActionID()
                ) { _ in }
            } throws: { ($0 as? EngineError)?.code == .unsafeResults }
            await engine.shutDown()
            #expect(!client.calls.contains("destroy"))
        }
    }

    // MARK: Other jobs

    @Test(arguments: VPEngine.Platform.allCases) func otherJobsAreNamedAndNotEnded(
        platform: VPEngine.Platform
    ) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            let request = RunRequest(
                command: .shell("while [ ! -e stop ]; do sleep 0.1; done; echo made > late.txt"),
                syncsUp: false,
                isDetached: true)
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)),
                let job = summary.job
            else { throw EngineFixture.WrongResult() }
            for action in [
                EngineAction.stop(instance.id), .destroy(instance.id, DestroyRequest()),
                .destroy(instance.id, DestroyRequest(discardsResults: true)),
                .destroy(instance.id, DestroyRequest(waitsForJobs: true)),
            ] {
                let error = try await fixture.failure(of: action)
                #expect(error.code == .jobsRunning, "\(error)")
                #expect(error.suggestions.first?.hasPrefix("\(job.id), running for ") == true, "\(error)")
            }
            let calls = fixture.clients[platform]!.calls
            #expect(!calls.contains("destroy") && !calls.contains("stop"))
            // The last of them has left its order, which nobody carries out while the job runs …
            #expect(try fixture.entry(of: instance).order?.stage == .afterJobs)
            await fixture.engine.takeUpEnds()
            #expect(await fixture.cloud.instanceCount == 1)
            // … and whoever looks after its end does, with its results.
            try await fixture.there("touch stop", on: instance)
            try await waitUntil("the instance to be destroyed") {
                await fixture.engine.takeUpEnds()
                return await fixture.cloud.instanceCount == 0
            }
            #expect(fixture.here("late.txt") == "made\n")
            let entry = try fixture.entry(of: instance)
            #expect(entry.state == .gone)
        }
    }

    @Test func jobsAreEndedWhereThatWasAllowed() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            let request = RunRequest(command: .shell("sleep 1000"), syncsUp: false, isDetached: true)
            _ = try await fixture.perform(.run(instance.id, request))
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(endsJobs: true)))
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// Who has started the jobs.
    enum Owner: String, CaseIterable { case ours, theirs }

    private static let endings: [(VPEngine.Platform, verb: String, Owner)] = [
        (.vast, "destroy", .ours), (.runpod, "destroy", .ours), (.vast, "stop", .ours),
        (.vast, "destroy", .theirs),
    ]

    /// What a job saves when it is told to end comes down before the instance stops or goes,
    /// also where another machine has started it. What waits for it does not begin.
    @Test(arguments: Self.endings) func whatJobsSaveAtTheirEndComes(
        platform: VPEngine.Platform, verb: String, owner: Owner
    ) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            var configuration = fixture.engine.configuration
            if owner == .theirs { configuration.paths.stateFolder += "-elsewhere" }
            let engine = try Engine(
                configuration: configuration, clients: [fixture.clients[platform]!],
                runner: SystemProcessRunner())
            let save = "trap \"sleep 1; echo saved > saved.txt; exit 0\" TERM"
            var request = RunRequest(
                command: .shell(
                    "sh -c '\(save); : > up; while :; do sleep 0.1; done' 2>&1 | tee copy.txt"),
                syncsUp: false, isDetached: true)
            for turn in [RunRequest.Turn.now, .last] {
                request.turn = turn
                if turn != .now { request.command = .shell("echo begun > second.txt") }
                _ = try await engine.perform(.run(instance.id, request), as: ActionID()) { _ in }
            }
            try await waitUntil("the job to be at work") {
                (try? await fixture.there("[ -e up ]", on: instance)) != nil
            }
            await engine.shutDown()
            if verb == "stop" {
                _ = try await fixture.perform(.stop(instance.id, StopRequest(endsJobs: true)))
            } else {
                _ = try await fixture.perform(.destroy(instance.id, DestroyRequest(endsJobs: true)))
            }
            #expect(fixture.here("saved.txt") == "saved\n")
            #expect(fixture.here("second.txt") == nil)
            #expect(await fixture.cloud.instanceCount == (verb == "stop" ? 1 : 0))
            guard owner == .ours else { return }
            #expect(try fixture.engine.jobs().filter { $0.state != .cancelled } == [])
        }
    }

    // MARK: Pursuit

    enum Hiccup: String, CaseIterable {
        case lookFails, listFails, firewall, keyRefusedOnce, lockedThrice
    }

    @Test(arguments: VPEngine.Platform.allCases, Hiccup.allCases)
    func anEndIsPursuedAcrossHiccups(platform: VPEngine.Platform, hiccup: Hiccup) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            try await fixture.there("echo precious > model.bin", on: instance)
            let left = Mutex(hiccup == .lockedThrice ? 3 : 1)
            let takes: @Sendable () -> Bool = {
                left.withLock { left in
                    left -= 1
                    return left >= 0
                }
            }
            if hiccup == .firewall {
                fixture.cloud.intercept { request in
                    guard request.method == "DELETE", takes() else { return .pass }
                    return .answer(status: 403, body: "<html>Access denied</html>", type: "text/html")
                }
            }
            fixture.clients[platform]!.alter { rules in
                rules.failure = { call in
                    switch (hiccup, call) {
                    case (.lookFails, "instance"): takes() ? .platformFailed : nil
                    case (.listFails, "instances"): takes() ? .networkDown : nil
                    case (.keyRefusedOnce, "destroy"): takes() ? .unauthorized : nil
                    case (.lockedThrice, "destroy"): takes() ? .badRequest : nil
                    default: nil
                    }
                }
            }
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(fixture.here("model.bin") == "precious\n")
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    /// A way to the instance that is cut for longer than a transfer tries again leaves nothing behind.
    @Test(arguments: [("rsync", 5, "destroy"), ("ssh", 6, "destroy"), ("rsync", 5, "stop")])
    func anEndIsPursuedWhileTheInstanceIsAway(program: String, times: Int, verb: String) async throws {
        let runner = CutRunner()
        try await EndsFixture.with(usesSandboxes: false, runner: runner) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there("echo precious > model.bin", on: instance)
            await fixture.engine.context.connections.close(instance.id)
            runner.cut(program, times: times)
            if verb == "stop" {
                guard case .stopped(_, let unsafe) = try await fixture.perform(.stop(instance.id)) else {
                    throw EngineFixture.WrongResult()
                }
                #expect(unsafe == nil)
            } else {
                _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
                #expect(await fixture.cloud.instanceCount == 0)
            }
            #expect(runner.left == 0)
            #expect(fixture.here("model.bin") == "precious\n")
        }
    }

    /// What may go on costing money is told with its price, and pursued by the next start.
    @Test(arguments: [EngineError.Code.unauthorized, .platformFailed, .badRequest, .networkDown])
    func whatCannotBeEndedIsUnconfirmed(code: EngineError.Code) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            fixture.clients[.vast]!.alter { $0.failure = { $0 == "destroy" ? code : nil } }
            let error = try await fixture.failure(of: .destroy(instance.id, DestroyRequest()))
            #expect(error.code == .destroyUnconfirmed)
            #expect(error.activity.subject == instance.id.rawValue)
            #expect(error.detail?.contains("still shows the instance \(instance.id)") == true, "\(error)")
            #expect(error.detail?.contains("an hour") == true, "\(error)")
            fixture.clients[.vast]!.alter { $0.failure = nil }
            try await waitUntil("a later look to end it") {
                _ = await fixture.engine.instances()
                return await fixture.cloud.instanceCount == 0
            }
        }
    }

    /// With a key of its own the instance ends itself, when nobody here may.
    @Test(.requires("bwrap"), arguments: VPEngine.Platform.allCases)
    func theInstancesOwnWatchdogHasTheOrder(platform: VPEngine.Platform) async throws {
        try await EndsFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            try await fixture.there("echo precious > model.bin", on: instance)
            fixture.clients[platform]!.alter { $0.failure = { _ in .unauthorized } }
            let error = try await fixture.failure(of: .destroy(instance.id, DestroyRequest()))
            #expect(error.code == .destroyUnconfirmed, "\(error)")
            #expect(fixture.here("model.bin") == "precious\n")
            try await waitUntil("the instance to end itself") { await fixture.cloud.instanceCount == 0 }
        }
    }

    /// What a killed program was at is carried out by the next.
    @Test func anOrderThatNobodyHoldsIsTakenUp() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there("echo precious > model.bin", on: instance)
            let entry = try fixture.entry(of: instance)
            var order = EndOrder(.pursued, at: Date())
            // Somebody who lives is at it.
            order.holder = ProcessIdentity.current.text
            try fixture.engine.context.store.setOrder(order, of: entry.name)
            await fixture.engine.takeUpEnds()
            #expect(await fixture.cloud.instanceCount == 1)
            order.holder = "1 0 another start of this machine"
            try fixture.engine.context.store.setOrder(order, of: entry.name)
            await fixture.engine.takeUpEnds()
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(fixture.here("model.bin") == "precious\n")
        }
    }

    // MARK: Stopped

    /// What was verified when it was stopped needs no second look, for as long as nobody starts it.
    @Test func aStoppedInstanceThatWasVerifiedIsSafe() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            try await fixture.there("echo precious > model.bin", on: instance)
            _ = try await fixture.perform(.stop(instance.id))
            _ = try await fixture.perform(.start(instance.id))
            try await fixture.engine.context.clients[.vast]!.stop(instance.id)
            try await waitUntil("the instance to be stopped") {
                try await fixture.engine.context.freshInstance(instance.id).status == .stopped
            }
            #expect(
                try await fixture.failure(of: .destroy(instance.id, DestroyRequest())).code == .unsafeResults)
            _ = try await fixture.perform(.start(instance.id))
            _ = try await fixture.perform(.stop(instance.id))
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(fixture.here("model.bin") == "precious\n")
        }
    }

    /// Without anybody to ask, what is refused costs its disk alone; where that is wiped by a stop,
    /// it goes on.
    @Test(arguments: VPEngine.Platform.allCases) func aRefusedEndStopsWhereThatLosesNothing(
        platform: VPEngine.Platform
    ) async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: platform)
            try await fixture.there("echo precious > model.bin", on: instance)
            let client = fixture.clients[platform]!
            let engine = try Engine(
                configuration: fixture.engine.configuration, clients: [client],
                runner: SystemProcessRunner(),
                flush: { folder throws(EngineError) in
                    throw EngineError(.fileSystem, .init("writing"), detail: "Input/output error")
                })
            await #expect {
                let request = DestroyRequest(stopsWhenRefused: true)
                _ = try await engine.perform(.destroy(instance.id, request), as: ActionID()) { _ in }
            } throws: { ($0 as? EngineError)?.code == .unsafeResults }
            let isStopped = try await engine.context.freshInstance(instance.id).status == .stopped
            await engine.shutDown()
            // The workspace of this cloud lies beside a pod's volume.
            #expect(isStopped == (platform == .vast))
            #expect(!client.calls.contains("destroy"))
        }
    }
}
