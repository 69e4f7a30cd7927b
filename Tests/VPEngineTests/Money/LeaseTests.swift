import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// Instances that end by themselves, with nothing of ours running any more.
@Suite(.requires("sshd"), .requires("bwrap"), .requires("rsync"), .timeLimit(.minutes(15)))
struct LeaseTests {
    @Test(arguments: VPEngine.Platform.allCases)
    func anInstanceThatNobodyUsesEndsByItself(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(
                on: platform, lease: LeaseTerms(seconds: 6, maximumSeconds: nil))
            let lease = try #require(instance.lease)
            #expect(lease.guardian == .instance, "\(lease.weakness ?? "")")
            #expect(lease.endsAt.map { $0.timeIntervalSinceNow < 7 } == true)
            // The laptop is shut: no connection, no process, no question.
            await fixture.engine.shutDown()
            try await waitUntil("the instance to end itself") { await fixture.cloud.instanceCount == 0 }
            #expect(await fixture.engine.instances().values.isEmpty)
        }
    }

    @Test(arguments: VPEngine.Platform.allCases)
    func aJobRenewsTheLeaseUpToTheHardLimit(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(
                on: platform, lease: LeaseTerms(seconds: 4, maximumSeconds: 16))
            let began = ContinuousClock.now
            let running = Task { try await fixture.run("echo on; sleep 1000", on: instance) }
            await fixture.events.wait { if case .jobOutput = $0 { true } else { false } }
            try await waitUntil("a word of the GPU") {
                try await fixture.engine.lease(of: instance.id)?.gpuRest?.seconds ?? 0 > 0
            }
            running.cancel()
            _ = await running.result
            await fixture.engine.shutDown()
            try await waitUntil("the instance to end itself") { await fixture.cloud.instanceCount == 0 }
            let lasted = (ContinuousClock.now - began) / .seconds(1)
            #expect(lasted > 10, "the job must have renewed a lease of 4 s; it lasted \(lasted) s")
        }
    }

    /// What is nowhere else is worth its disk.
    @Test(arguments: VPEngine.Platform.allCases)
    func resultsThatAreNotHereTurnADestroyIntoAStop(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(
                on: platform, lease: LeaseTerms(seconds: 6, maximumSeconds: nil))
            _ = try await fixture.run("echo precious > model.bin", on: instance)
            await fixture.engine.shutDown()
            try await waitUntil("the instance to stop itself") {
                await fixture.engine.instances().values.map(\.status) == [.stopped]
            }
            #expect(await fixture.cloud.instanceCount == 1)
        }
    }

    @Test func resultsThatAreHereDoNotKeepAnInstance() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            let summary = try await fixture.run("echo precious > model.bin", on: instance, sync: true)
            #expect(summary.download?.transferredFiles == 1)
            // Only now: a busy machine may take longer than a short lease to bring the results.
            _ = try await fixture.engine.setLease(of: instance.id, seconds: 4)
            await fixture.engine.shutDown()
            try await waitUntil("the instance to destroy itself") {
                await fixture.cloud.instanceCount == 0
            }
        }
    }

    @Test func theJobIsToldInItsLog() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(
                on: .vast, lease: LeaseTerms(seconds: 4, maximumSeconds: 8, ending: .stop))
            let summary = try await fixture.run(
                "trap 'echo saving; exit 3' TERM; echo on; sleep 1000 & wait", on: instance)
            #expect(summary.job?.outcome == .exited(3))
            #expect(summary.job?.cause == "lease expired: ended with the instance")
            let log = String(
                decoding: try fixture.engine.readLog(
                    fixture.engine.job(named: "-1").id, from: 0, limit: 1 << 20), as: UTF8.self)
            #expect(log.hasPrefix("on\n"))
            #expect(log.contains("vp: the hard limit of the lease is reached; this job is being ended."))
            #expect(log.contains("saving"))
        }
    }

    /// A job whose instance was stopped by somebody else is unknown until that runs again,
    /// and no dearer for it.
    @Test func aJobOnAStoppedInstanceCostsNoMore() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            let request = RunRequest(command: .shell("echo on; sleep 1000"), isDetached: true)
            _ = try await fixture.perform(.run(instance.id, request))
            try await fixture.engine.context.clients[.vast]!.stop(instance.id)
            try await waitUntil("the stop") {
                await fixture.engine.instances().values.map(\.status) == [.stopped]
            }
            var dollars: [Double] = []
            for _ in 0..<2 {
                try await fixture.engine.lookAtJobs()
                let job = try fixture.engine.job(named: "-1")
                #expect(job.state == .unknown && job.endedAt == nil)
                dollars.append(try #require(job.dollars))
            }
            #expect(dollars[0] == dollars[1])
        }
    }

    @Test func aLeaseCanBeSetAndTakenAway() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            let engine = fixture.engine
            let longer = try await engine.setLease(of: instance.id, seconds: 7200)
            #expect(longer.guardian == .instance)
            #expect(longer.endsAt.map { abs($0.timeIntervalSinceNow - 7200) < 5 } == true)
            #expect(await engine.instances().values[0].leaseEndsAt == longer.endsAt)
            await #expect {
                _ = try await engine.setLease(of: instance.id, seconds: 1e7)
            } throws: { ($0 as? EngineError)?.code == .limitRefused }
            let none = try await engine.setLease(of: instance.id, seconds: nil)
            #expect(none.guardian == .none)
            #expect(none.endsAt == nil)
            #expect(try engine.moneyReport().alarms.map(\.kind) == [.noLease])
        }
    }

    @Test func vastRunsTheWatchdogAtEveryStart() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            _ = try await fixture.perform(.stop(instance.id))
            // From the platform's own page: nothing of ours touches the instance.
            try await fixture.engine.context.clients[.vast]!.start(instance.id)
            try await waitUntil("a new address") {
                try await fixture.engine.context.freshInstance(instance.id).status == .running
            }
            await fixture.engine.context.connections.close(instance.id)
            try await waitUntil("the watchdog") {
                (try? await fixture.remote("kill -0 $(cat ~/.vp/lease/pid) && echo runs", on: instance))
                    == "runs\n"
            }
        }
    }

    /// A pod that is started has new files and no watchdog: it must not be unguarded until somebody looks.
    @Test(arguments: Platform.allCases) func aStartGuardsTheInstanceAgain(platform: Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            _ = try await fixture.perform(.stop(instance.id))
            _ = try await fixture.perform(.start(instance.id))
            let lease = try fixture.engine.context.store.ledgerEntry(for: instance.id)?.lease
            #expect(lease?.weakness == nil && lease?.guardian == .instance)
            #expect(
                try await fixture.remote("kill -0 $(cat ~/.vp/lease/pid) && echo runs", on: instance)
                    == "runs\n")
            #expect(try fixture.engine.moneyReport().alarms.map(\.kind) == [])
        }
    }

    @Test func withoutUseAnInstanceEndsEarly() async throws {
        try await MoneyFixture.with { fixture in
            var terms = LeaseTerms()
            terms.idleSeconds = 4
            terms.idleEnding = .stop
            let instance = try await fixture.create(on: .vast, lease: terms)
            // A process that hangs is no use of a GPU.
            let running = Task { try await fixture.run("echo on; sleep 1000", on: instance) }
            await fixture.events.wait { if case .jobOutput = $0 { true } else { false } }
            running.cancel()
            _ = await running.result
            await fixture.engine.shutDown()
            try await waitUntil("the instance to stop itself") {
                await fixture.engine.instances().values.map(\.status) == [.stopped]
            }
        }
    }

    @Test func whatCannotBeSeenCountsAsUse() async throws {
        try await MoneyFixture.with { fixture in
            var terms = LeaseTerms()
            terms.idleSeconds = 2
            let instance = try await fixture.create(on: .vast, lease: terms)
            // A driver that answers nothing.
            _ = try await fixture.remote(
                "mkdir -p ~/bin; printf '#!/bin/sh\\nexit 9\\n' > ~/bin/nvidia-smi; chmod +x ~/bin/nvidia-smi;"
                    + " kill $(cat ~/.vp/lease/pid);"
                    + " PATH=$HOME/bin:$PATH setsid sh ~/.vp/lease/watchdog ~/.vp/lease </dev/null >/dev/null 2>&1 &",
                on: instance)
            try await waitUntil("the watchdog to say so") {
                try await fixture.engine.lease(of: instance.id)?.use == .unknown
            }
            _ = await fixture.engine.instances()
            #expect(
                try fixture.engine.moneyReport().alarms.contains { $0.words.contains("cannot tell whether") })
            #expect(await fixture.engine.instances().values.map(\.status) == [.running])
        }
    }

    /// The account's key is in no file, no environment and no command line there;
    /// the instance's own is not in any file of ours either.
    @Test(arguments: VPEngine.Platform.allCases)
    func theAccountsKeyIsNowhereOnTheInstance(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            let running = Task { try await fixture.run("echo on; sleep 1000", on: instance, sync: true) }
            await fixture.events.wait { if case .jobOutput = $0 { true } else { false } }
            let key = platform == .vast ? fixture.cloud.vastAPIKey : fixture.cloud.runPodAPIKey
            // Halved, so that the search does not find itself.
            let script = """
                key=\(key.prefix(20))''\(key.dropFirst(20))
                for file in $(find / -xdev -type f -size -2000k 2>/dev/null | grep -v '^/\\(proc\\|sys\\|usr\\|lib\\)'); do
                grep -qsF "$key" "$file" && echo "file $file"
                done
                for process in /proc/[0-9]*; do
                [ "$process" != "/proc/$$" ] || continue
                grep -qsaF "$key" "$process/environ" && echo "environment $process"
                grep -qsaF "$key" "$process/cmdline" && echo "arguments $process"
                done
                true
                """
            #expect(try await fixture.remote(script, on: instance) == "")
            running.cancel()
            _ = await running.result
            // From outside as well, where nothing can hide.
            let processes = await fixture.cloud.processIDs
            #expect(!processes.isEmpty)
            let left = processes.filter { process in
                ["environ", "cmdline"].contains { name in
                    FileManager.default.contents(atPath: "/proc/\(process)/\(name)")?
                        .range(of: Data(key.utf8)) != nil
                }
            }
            #expect(left.isEmpty)
        }
    }

    /// Without a key of its own an instance cannot end itself: then we do, as long as we run.
    @Test func theWeakerGuardStopsWhatOutlivesItsLease() async throws {
        try await MoneyFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(
                on: .vast, lease: LeaseTerms(seconds: 3, maximumSeconds: nil))
            let lease = try #require(instance.lease)
            #expect(lease.guardian == .local)
            #expect(lease.weakness == "the instance has no key of its own")
            _ = await fixture.engine.instances()
            #expect(try fixture.engine.moneyReport().alarms.contains { $0.kind == .weakLease })
            try await waitUntil("our own guard to stop it") {
                await fixture.engine.instances().values.map(\.status) == [.stopped]
            }
        }
    }
}
