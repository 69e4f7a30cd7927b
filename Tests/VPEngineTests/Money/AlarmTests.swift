import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// What rings, beside the alarms that the tests of its causes look for.
@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct AlarmTests {
    private func alarms(_ fixture: MoneyFixture, _ kind: Alarm.Kind) throws -> [Alarm] {
        try fixture.engine.moneyReport().alarms.filter { $0.kind == kind }
    }

    @Test(arguments: VPEngine.Platform.allCases)
    func creditThatLastsAFewHoursRings(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with(followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: platform, lease: LeaseTerms(seconds: nil))
            await fixture.engine.refreshBalances()
            _ = await fixture.engine.instances()
            #expect(try self.alarms(fixture, .lowBalance).isEmpty)
            #expect(try fixture.engine.moneyReport().balanceDollars != nil)
            let credit = platform == .vast ? await fixture.cloud.credit : await fixture.cloud.runPodCredit
            await fixture.cloud.advance(by: (credit / instance.price.dollarsPerHour - 2) * 3600)
            // What is known of the balance is old by now, and asked for anew.
            await fixture.engine.refreshBalances()
            _ = await fixture.engine.instances()
            let alarm = try #require(try self.alarms(fixture, .lowBalance).first)
            #expect(alarm.words == "the credit lasts only 2 h", "\(alarm.words)")
        }
    }

    @Test(arguments: VPEngine.Platform.allCases)
    func aLeaseThatEndsSoonRings(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with(followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: platform, lease: LeaseTerms(seconds: 3600))
            _ = await fixture.engine.instances()
            #expect(try self.alarms(fixture, .leaseEnding).isEmpty)
            await fixture.cloud.advance(by: 3000)
            _ = await fixture.engine.instances()
            let alarm = try #require(try self.alarms(fixture, .leaseEnding).first)
            #expect(alarm.instance == instance.id)
            #expect(alarm.words.contains("ends in"), "\(alarm.words)")
        }
    }

    @Test(arguments: VPEngine.Platform.allCases)
    func whatRestsAndIsPaidForRings(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: platform)
            let entry = try #require(try fixture.engine.context.store.ledgerEntry(for: instance.id))
            var lease = try #require(entry.lease)
            for (use, isAlarm) in [
                (InstanceUse.active, false), (.idle(600), false), (.idle(1200), true), (.unknown, false),
            ] {
                lease.use = use
                try fixture.engine.context.store.setLease(lease, of: entry.name)
                _ = await fixture.engine.instances()
                let alarms = try self.alarms(fixture, .idle)
                #expect(alarms.isEmpty != isAlarm, "\(use)")
                let price = String(format: "$%.2f/h", instance.price.dollarsPerHour)
                if isAlarm {
                    #expect(alarms.first?.words.contains("idle for 20 min: you are paying \(price)") == true)
                }
            }
        }
    }

    /// The watchdog is started once ssh answers; until then there is nothing to be told.
    @Test(arguments: VPEngine.Platform.allCases)
    func anInstanceThatHasJustBootedIsNotCalledWeak(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with(followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: platform, lease: LeaseTerms(seconds: 36_000))
            let entry = try #require(try fixture.engine.context.store.ledgerEntry(for: instance.id))
            let fresh = Lease(terms: LeaseTerms(seconds: 36_000), from: fixture.engine.context.now())
            let watch = MoneyWatch(context: fixture.engine.context)
            _ = await fixture.engine.instances()
            try fixture.engine.context.store.setLease(fresh, of: entry.name)
            #expect(try watch.report().alarms.filter { $0.kind == .weakLease }.isEmpty)
            await fixture.cloud.advance(by: 1000)
            #expect(try watch.report().alarms.contains { $0.kind == .weakLease })
            // So it is with a new lease, for a minute.
            var new = Lease(terms: LeaseTerms(seconds: 36_000), from: fixture.engine.context.now())
            new.weakness = Lease.notToldYet
            try fixture.engine.context.store.setLease(new, of: entry.name)
            #expect(try watch.report().alarms.filter { $0.kind == .weakLease }.isEmpty)
            await fixture.cloud.advance(by: 70)
            #expect(try watch.report().alarms.contains { $0.kind == .weakLease })
            // Another weakness is told at once.
            var weak = fresh
            weak.weakness = "the instance has no key of its own"
            try fixture.engine.context.store.setLease(weak, of: entry.name)
            #expect(try watch.report().alarms.contains { $0.kind == .weakLease })
        }
    }
}
