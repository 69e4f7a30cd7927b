import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// The whole path against real sshd, rsync and SQLite; only the platform's HTTP API is emulated.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct MainJobTests {
    @Test func aProjectGoesThereRunsAndComesBack() async throws {
        try await withEngine { fixture in
            try fixture.write("print('hello', open('data/in.txt').read())", to: "train.py")
            try fixture.write("42", to: "data/in.txt")
            try fixture.write("secret", to: ".env")
            let instance = try await fixture.create(gpu: "rtx 4090")
            #expect(instance.status == .running)
            #expect(instance.gpuName == "RTX 4090")

            let script = "python3 train.py && mkdir -p out && echo model > out/model.bin && ls -A"
            let summary = try await fixture.run([script], on: instance)
            #expect(summary.job?.outcome == .exited(0))
            #expect(summary.upload?.transferredFiles == 2)
            let output = try fixture.output(of: summary)
            #expect(output.hasPrefix("hello 42\n"))
            #expect(!output.contains(".env"))
            #expect(fixture.read("out/model.bin") == "model\n")
            #expect(summary.download?.missing == [])

            guard
                case .destroyed(let receipt) = try await fixture.perform(
                    .destroy(instance.id, DestroyRequest()))
            else { throw EngineFixture.WrongResult() }
            #expect(receipt.instance == instance.id)
            #expect(await fixture.engine.instances().values == [])
            #expect(try fixture.engine.context.store.openLedgerEntries() == [])
        }
    }

    @Test(arguments: [
        ("exit 7", Job.Outcome.exited(7)), ("true", .exited(0)), ("no-such-command", .exited(127)),
        ("kill -9 $$", .signalled(9)), ("kill -SEGV $$", .signalled(11)),
    ])
    func theJobsOwnEndIsTold(command: String, outcome: Job.Outcome) async throws {
        try await withSharedInstance { fixture, instance in
            let summary = try await fixture.run([command], on: instance, sync: false)
            #expect(summary.job?.outcome == outcome)
            #expect(summary.job?.state == (outcome == .exited(0) ? .succeeded : .failed))
            let kept = try fixture.engine.job(named: summary.job!.id.rawValue)
            #expect(kept.outcome == outcome)
        }
    }

    @Test func argumentsArriveAsTheyWereGiven() async throws {
        try await withSharedInstance { fixture, instance in
            let words = ["printf", "[%s]", "a b", "it's", "$HOME", "*", "", "é\n日本"]
            let summary = try await fixture.run(words, on: instance, sync: false)
            #expect(try fixture.output(of: summary) == "[a b][it's][$HOME][*][][é\n日本]")
        }
    }

    @Test func outputAppearsWhileTheCommandRuns() async throws {
        try await withSharedInstance { fixture, instance in
            // The command ends only after the first line has been seen here.
            let flag = "/tmp/seen-\(UUID().uuidString)"
            let command = "echo first; while [ ! -e \(flag) ]; do sleep 0.05; done; echo second"
            async let summary = fixture.run([command], on: instance, sync: false)
            await fixture.events.wait { event in
                if case .jobOutput(_, _, let bytes) = event {
                    String(decoding: bytes, as: UTF8.self).contains("first")
                } else {
                    false
                }
            }
            _ = try await fixture.run(["touch \(flag)"], on: instance, sync: false)
            #expect(try await fixture.output(of: summary) == "first\nsecond\n")
        }
    }

    @Test func bytesOfEveryKindComeThroughWhole() async throws {
        try await withSharedInstance { fixture, instance in
            let program = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4096)"
            let summary = try await fixture.run(["python3", "-c", program], on: instance, sync: false)
            let bytes = try fixture.engine.readLog(summary.job!.id, from: 0, limit: 1 << 24)
            #expect(bytes == Array(repeating: Array(0...255), count: 4096).flatMap { $0 })
        }
    }

    @Test func nothingChangedStartsNoRsync() async throws {
        try await withEngine { fixture in
            try fixture.write("x", to: "a.txt")
            let instance = try await fixture.create()
            _ = try await fixture.perform(.sync(instance.id))
            let before = fixture.events.stages.count
            guard case .synced(let summary) = try await fixture.perform(.sync(instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            #expect(summary.transferredFiles == 0)
            #expect(summary.unchangedFiles == 1)
            #expect(fixture.events.stages[before...] == [.scanning])
        }
    }

    @Test func editsOnBothSidesLoseNeither() async throws {
        try await withEngine { fixture in
            try fixture.write("base", to: "notes.txt")
            try fixture.write("base", to: "gone.txt")
            let instance = try await fixture.create()
            _ = try await fixture.perform(.sync(instance.id))
            _ = try await fixture.run(
                ["echo theirs > notes.txt; echo born > born.txt"], on: instance, sync: false)
            try fixture.write("mine, longer", to: "notes.txt")
            try FileManager.default.removeItem(atPath: "\(fixture.project)/gone.txt")

            guard case .synced(let up) = try await fixture.perform(.sync(instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            #expect(up.conflicts == ["notes.txt"])
            #expect(up.deletedFiles == 1)
            guard case .downloaded(let down) = try await fixture.perform(.download(instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            #expect(down.conflicts == ["notes.txt"])
            #expect(fixture.read("notes.txt") == "mine, longer")
            #expect(fixture.read("notes.txt.remote-\(instance.id.rawValue)") == "theirs\n")
            #expect(fixture.read("born.txt") == "born\n")
            #expect(fixture.read("gone.txt") == nil)
        }
    }

    @Test func namesOfEveryKindTravelBothWays() async throws {
        try await withEngine { fixture in
            let names = [
                "a b.txt", "new\nline.txt", "ünï 日本 🚀.txt", "-dash", "quote's\".txt", "sub dir/*.txt",
            ]
            for name in names { try fixture.write(name, to: name) }
            let instance = try await fixture.create()
            _ = try await fixture.perform(.sync(instance.id))
            let summary = try await fixture.run(
                ["mkdir -p out && for f in *.txt -dash; do cp -- \"$f\" \"out/$f\"; done"], on: instance)
            #expect(summary.job?.outcome == .exited(0))
            for name in names.dropLast() { #expect(fixture.read("out/\(name)") == name) }
        }
    }

    @Test func unsafeResultsAreCountedAndDestroyBringsThem() async throws {
        try await withEngine { fixture in
            try fixture.write("x", to: "a.txt")
            let instance = try await fixture.create()
            _ = try await fixture.run(["echo 12345 > result.bin"], on: instance, sync: false)
            let unsafe = try await fixture.engine.unsafeResults(on: instance.id)
            #expect(unsafe == UnsafeResults(files: 1, bytes: 6, examples: ["result.bin"]))
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(fixture.read("result.bin") == "12345\n")
        }
    }

    @Test func aJobOutlivesTheOneWhoWatchesIt() async throws {
        try await withSharedInstance { fixture, instance in
            let marker = "/tmp/done-\(UUID().uuidString)"
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let command = "echo up; while [ ! -e \(gate) ]; do sleep 0.05; done; touch \(marker)"
            let watching = Task { try await fixture.run([command], on: instance, sync: false) }
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            watching.cancel()
            await #expect(throws: EngineError.self) { try await watching.value }
            let check = "touch \(gate); while [ ! -e \(marker) ]; do sleep 0.05; done; echo survived"
            let summary = try await fixture.run([check], on: instance, sync: false)
            #expect(try fixture.output(of: summary) == "survived\n")
        }
    }

    /// Whoever watches is killed; another takes over where the local log ends, and the log is whole.
    @Test func attachingGoesOnWhereTheLogEnds() async throws {
        try await withSharedInstance { fixture, instance in
            let gate = "/tmp/gate-\(UUID().uuidString)"
            let command = "echo first; while [ ! -e \(gate) ]; do sleep 0.05; done; echo second; exit 3"
            let watching = Task { try await fixture.run([command], on: instance, sync: false) }
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            watching.cancel()
            _ = await watching.result
            let id = try fixture.engine.job(named: "-1").id
            async let attached = fixture.perform(.attach(id, on: instance.id))
            // A second watcher reads what the first brings.
            async let second = fixture.perform(.attach(id, on: instance.id))
            _ = try await fixture.run(["touch \(gate)"], on: instance, sync: false)
            for result in [try await attached, try await second] {
                guard case .attached(let summary) = result else { throw EngineFixture.WrongResult() }
                #expect(summary.job?.outcome == .exited(3))
            }
            #expect(try fixture.engine.readLog(id, from: 0, limit: 100) == Array("first\nsecond\n".utf8))
        }
    }

    @Test func aJobWhoseInstanceIsDestroyedIsLost() async throws {
        try await withSharedInstance { fixture, instance in
            let watching = Task { try await fixture.run(["echo up; sleep 1000"], on: instance, sync: false) }
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            watching.cancel()
            _ = await watching.result
            // Where results are given up, nobody waits for jobs to end.
            let request = DestroyRequest(discardsResults: true, endsJobs: true)
            _ = try await fixture.perform(.destroy(instance.id, request))
            let job = try fixture.engine.job(named: "-1")
            #expect(job.state == .lost)
            #expect(job.cause == "its instance was destroyed")
        }
    }

    /// The platform may drop it before the `vp` that destroys it has said so to whoever follows the job.
    @Test func aJobIsLostToTheDestroyingThatIsUnderWay() async throws {
        try await withSharedInstance { fixture, instance in
            let engine = fixture.engine
            let watching = Task { try await fixture.run(["echo up; sleep 1000"], on: instance, sync: false) }
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            let entry = try #require(try engine.context.store.ledgerEntry(for: instance.id))
            try engine.context.store.update(entry.name, state: .destroying)
            await fixture.cloud.inject(.vanished)
            await #expect(throws: EngineError.self) { try await watching.value }
            let job = try engine.job(named: "-1")
            #expect(job.state == .lost)
            #expect(job.cause == "its instance was destroyed")
        }
    }

    /// Somebody stops the instance. While that takes its time, it neither answers nor is it over.
    @Test func aJobIsLostToTheStoppingThatTakesItsTime() async throws {
        try await withEngine { fixture in
            let (engine, cloud) = (fixture.engine, fixture.cloud)
            let instance = try await fixture.create(platform: .vast)
            let watching = Task { try await fixture.run(["echo up; sleep 1000"], on: instance, sync: false) }
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            let path = "/api/v0/instances/\(instance.id.rawValue)"
            let endpoint = try #require(engine.configuration.endpoints.first { $0.platform == .vast })
            let running = try await CurlTransport().send(
                HTTPRequest(
                    method: .get, url: try #require(URL(string: "\(endpoint.apiBase)\(path)/?owner=me")),
                    headers: ["Authorization": "Bearer \(endpoint.key.reveal())"], activity: .init("looking"))
            )
            let stopping = String(decoding: running.body, as: UTF8.self).replacingOccurrences(
                of: #""intended_status": "running""#, with: #""intended_status": "stopped""#)
            let isChanged = Array(stopping.utf8) != running.body
            #expect(isChanged)
            let wasSeen = Mutex(false)
            cloud.intercept { request in
                guard request.method == "GET", request.path == path else { return .pass }
                let isFirst = wasSeen.withLock { wasSeen in
                    defer { wasSeen = true }
                    return !wasSeen
                }
                return isFirst ? .answer(status: 200, body: stopping) : .pass
            }
            try await engine.context.client(.vast, "stopping").stop(instance.id)
            await #expect {
                _ = try await watching.value
            } throws: { error in
                (error as? EngineError)?.code == .instanceLost
            }
            #expect(wasSeen.withLock { $0 })
            let job = try engine.job(named: "-1")
            #expect(job.state == .lost)
            #expect(job.cause?.hasPrefix("the instance is stopped") == true, "\(job)")
        }
    }

    /// Children that ignore TERM, move to another session or are adopted by init are the job's all the same.
    /// What it saves when it is told to end comes down with the run that watches it.
    @Test(arguments: ["", " 2>&1 | tee copy.txt", " & wait"])
    func whatIsSavedOnTERMComesDownWithTheRun(rest: String) async throws {
        try await withSharedInstance { fixture, instance in
            let name = "saved-\(rest.count).txt"
            let save = "trap \"sleep 1; echo saved > \(name); exit 0\" TERM"
            let command = "sh -c '\(save); echo ready; while :; do sleep 0.1; done'\(rest)"
            async let watched = fixture.run([command], on: instance)
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            let job = try fixture.engine.job(named: "-1")
            _ = try await fixture.perform(.cancel(job.id, on: instance.id, CancelRequest()))
            #expect(try await watched.job?.state == .cancelled)
            #expect(fixture.read(name) == "saved\n")
        }
    }

    @Test func cancellingEndsTheWholeTree() async throws {
        try await withSharedInstance { fixture, instance in
            let command = """
                trap '' TERM
                setsid sleep 1001 &
                (sh -c 'trap "" TERM; sleep 1002' &)
                python3 -c 'import os,signal; signal.signal(15, signal.SIG_IGN); os.fork() or os.setsid(); signal.pause()' &
                echo ready
                sleep 1003
                sleep 1004
                """
            async let watched = fixture.run([command], on: instance, sync: false)
            await fixture.events.wait { event in
                if case .jobOutput = event { true } else { false }
            }
            let job = try fixture.engine.job(named: "-1")
            guard
                case .cancelled(let ended) = try await fixture.perform(
                    .cancel(job.id, on: instance.id, CancelRequest(grace: 1)))
            else { throw EngineFixture.WrongResult() }
            #expect(ended.state == .cancelled)
            #expect(try await watched.job?.state == .cancelled)
            let list = "ps -eo args | grep -E 'sleep 100[1-4]|signal.pause' | grep -v grep; true"
            let left = try await fixture.run([list], on: instance, sync: false)
            #expect(try fixture.output(of: left) == "")
        }
    }

    @Test func aChangedHostKeyIsRefused() async throws {
        try await withEngine { fixture in
            let instance = try await fixture.create()
            await fixture.engine.shutDown()
            let target = SSHTarget(
                instance: instance.id, address: instance.addresses[0], identityFile: nil,
                paths: fixture.engine.configuration.paths)
            let alias = target.alias
            let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJCM4ydmxTFUaNkKzd+vBFbLXGMbJjGNYNFP4rSKxDu3"
            try Data("\(alias) \(other)\n".utf8).write(to: URL(fileURLWithPath: target.knownHostsFile))
            await #expect { try await fixture.run(["true"], on: instance, sync: false) } throws: { error in
                (error as? EngineError)?.code == .hostKeyChanged
            }
        }
    }

    @Test func aWrongKeyIsUnauthorizedAndNotAnEmptyList() async throws {
        try await withEngine { fixture in
            var configuration = fixture.engine.configuration
            configuration.endpoints[0].key = APIKey("0123456789abcdef-wrong")
            let engine = try Engine(configuration: configuration)
            let answers = await engine.instances()
            #expect(answers.values.isEmpty)
            #expect(answers.failures.map(\.error.code) == [.unauthorized])
        }
    }

    // MARK: Set-up

    private func withEngine(_ body: (EngineFixture) async throws -> Void) async throws {
        try await EngineFixture.with(body)
    }

    private func withSharedInstance(_ body: (EngineFixture, Instance) async throws -> Void) async throws {
        try await self.withEngine { fixture in
            try await body(fixture, try await fixture.create())
        }
    }
}
