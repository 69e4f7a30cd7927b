import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

/// Whether a lease was over, where two clocks count it.
struct LeaseEndTests {
    /// What stands in the ledger, and whether the instance's absence is the lease's doing.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var endsIn: Double?
        var capIn: Double?
        /// Seconds since the instance was heard of.
        var heard = 10.0
        var isByLease: Bool
    }

    private static let cases: [Case] = [
        Case(testDescription: "ended a while ago", endsIn: -60, isByLease: true),
        // Both ends are whole seconds of the instance's clock.
        Case(testDescription: "ends within the second", endsIn: 0.9, isByLease: true),
        Case(testDescription: "ends within two seconds", endsIn: 1.9, isByLease: true),
        Case(testDescription: "has a minute left", endsIn: 60, isByLease: false),
        Case(testDescription: "was heard of half a day ago", endsIn: 30, heard: 43_200, isByLease: true),
        Case(
            testDescription: "has an hour left after half a day", endsIn: 3600, heard: 43_200,
            isByLease: false),
        Case(testDescription: "reaches its cap within the second", endsIn: 600, capIn: 0.9, isByLease: true),
        Case(testDescription: "never ends", endsIn: nil, isByLease: false),
    ]

    private func lease(_ wanted: Case, at now: Date, ending: Lease.Ending = .destroy) -> Lease {
        var lease = Lease(
            terms: LeaseTerms(seconds: wanted.endsIn == nil ? nil : 43_200, ending: ending), from: now)
        lease.endsAt = wanted.endsIn.map { now.addingTimeInterval($0) }
        lease.capEndsAt = wanted.capIn.map { now.addingTimeInterval($0) }
        lease.heardAt = now.addingTimeInterval(-wanted.heard)
        return lease
    }

    @Test(arguments: Self.cases) private func theInstanceCountsByItsOwnClock(wanted: Case) {
        let now = Date()
        let lease = self.lease(wanted, at: now)
        #expect(lease.mayHaveRunOut(by: now) == wanted.isByLease)
        var instance = Instance(
            id: InstanceID(platform: .vast, rawValue: "1"), status: .stopped, gpuName: "RTX 4090",
            price: HourlyPrice(dollarsPerHour: 1))
        instance.lease = lease
        #expect(instance.wordsForItsEnd(at: now)?.hasPrefix("its lease ran out") == wanted.isByLease)
        #expect(
            Instance?.some(instance).wordsForItsAbsence(at: now).hasPrefix("its lease ran out")
                == wanted.isByLease)
    }

    /// The same by a whole look at the platform, with a job that the ledger believes to run and without.
    @Test(.requires("sshd"), arguments: [(0.9, false), (-5, false), (60, false), (-5, true)])
    func theLedgerSaysWhyAnInstanceIsGone(endsIn: Double, isBusy: Bool) async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            let history = fixture.engine.context.store
            let entry = try #require(try history.ledgerEntry(for: instance.id))
            let now = Date()
            // Rented long enough ago for a list to be believed.
            try await waitUntil("the instance to be old enough") {
                Date().timeIntervalSince(entry.createdAt) > 1
            }
            let wanted = Case(testDescription: "", endsIn: endsIn, isByLease: true)
            if isBusy {
                _ = try history.insertJob(workspaceName: "x") { id in
                    Job(
                        id: id, instance: instance.id, command: .shell("true"), state: .running,
                        createdAt: now, workspacePath: fixture.folder,
                        logPath: fixture.engine.logs.path(id))
                }
            }
            await fixture.cloud.inject(.vanished)
            try history.setLease(self.lease(wanted, at: Date()), of: entry.name)
            _ = await fixture.engine.instances()
            let isByLease = endsIn < 2 && !isBusy
            #expect(
                try history.ledgerSteps(of: entry.name).last
                    == "gone: \(isByLease ? LedgerEntry.EndReason.lease.words : LedgerEntry.EndReason.lost.words)"
            )
            #expect(
                try fixture.engine.moneyReport().alarms.contains { $0.kind == .instanceLost } != isByLease)
        }
    }
}
