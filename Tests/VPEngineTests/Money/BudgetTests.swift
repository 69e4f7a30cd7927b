import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

@testable import VPEngine

@Suite(.requires("sshd"), .requires("rsync"), .timeLimit(.minutes(15)))
struct BudgetTests {
    @Test func whatIsDearerThanTheLimitIsNotRented() async throws {
        try await MoneyFixture.with { fixture in
            let offers = try await fixture.engine.offers(OfferQuery(), platform: .vast).values
            let dear = try #require(offers.last)
            var configuration = fixture.engine.configuration
            configuration.defaults.maximumPrice = HourlyPrice(dollarsPerHour: 0.01)
            let engine = try Engine(configuration: configuration)
            for request in [CreateRequest(offer: dear.id), CreateRequest(platform: .vast)] {
                await Self.expectRefusal(containing: "$0.010/h") {
                    _ = try await engine.perform(.create(request), as: ActionID()) { _ in }
                }
            }
            #expect(await fixture.cloud.instanceCount == 0)
            #expect(try fixture.engine.context.store.openLedgerEntries().isEmpty)
        }
    }

    @Test func whatBuysNoMoreThanTheBootIsNotRented() async throws {
        try await MoneyFixture.with { fixture in
            await Self.expectRefusal(containing: "--max-cost $0.0010 buys") {
                _ = try await fixture.perform(.create(CreateRequest(platform: .vast, maximumCost: 0.001)))
            }
            #expect(await fixture.cloud.instanceCount == 0)
        }
    }

    @Test func aCostLimitCutsTheLease() async throws {
        try await MoneyFixture.with { fixture in
            guard
                case .created(let instance) = try await fixture.perform(
                    .create(CreateRequest(platform: .vast, maximumCost: 1)))
            else { throw EngineFixture.WrongResult() }
            let lasts = 1 / instance.price.dollarsPerHour * 3600
            let cap = try #require(instance.lease?.capEndsAt)
            // It counts from the watchdog's start, a moment ago.
            #expect(abs(cap.timeIntervalSinceNow - min(lasts, 259_200)) < 60)
        }
    }

    @Test func theDaysLimitCountsWhatWasSpent() async throws {
        try await MoneyFixture.with(money: .init(dollarsPerDay: 0.5), followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: .vast)
            let hours = 0.47 / instance.price.dollarsPerHour
            // Not over midnight, where a new day begins with nothing spent.
            let midnight = UTCDay.midnight(fixture.cloud.now).addingTimeInterval(UTCDay.seconds + 60)
            await fixture.cloud.advance(by: midnight.timeIntervalSince(fixture.cloud.now))
            _ = await fixture.engine.instances()
            try #require(hours < 23)
            await fixture.cloud.advance(by: hours * 3600)
            _ = await fixture.engine.instances()
            await Self.expectRefusal(containing: "limit is $0.50 a day") {
                _ = try await fixture.create(on: .vast)
            }
            #expect(await fixture.cloud.instanceCount == 1)
            #expect(try fixture.engine.moneyReport().alarms.contains { $0.kind == .budget })
            // Nor is what was stopped meanwhile started again.
            _ = try await fixture.perform(.stop(instance.id))
            await Self.expectRefusal(containing: "limit is $0.50 a day") {
                _ = try await fixture.perform(.start(instance.id))
            }
            #expect(await fixture.engine.instances().values.map(\.status) == [.stopped])
        }
    }

    @Test func aRunThatHasCostWhatItMayIsEnded() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            // What three seconds cost.
            let limit = instance.price.cost(of: 3)
            let request = RunRequest(
                command: .shell("echo partial > result.txt; sleep 1000"), maximumCost: limit)
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            #expect(summary.job?.state == .cancelled)
            #expect(summary.job?.limitRefusal?.code == .limitRefused)
            #expect(summary.job?.limitRefusal?.detail?.contains("for this run (--max-cost)") == true)
            // What it had made is here.
            #expect(summary.download?.transferredFiles == 1)
            let alarms = fixture.events.all.compactMap { event in
                if case .alarm(let alarm) = event { alarm.kind } else { nil }
            }
            #expect(alarms == [.budget])
        }
    }

    /// Nobody follows it, and the machine that started it is off.
    @Test func aDetachedRunKeepsToItsLimit() async throws {
        try await MoneyFixture.with { fixture in
            let instance = try await fixture.create(on: .vast)
            let limit = instance.price.cost(of: 2)
            let request = RunRequest(
                command: .shell("echo partial > result.txt; sleep 1000"), isDetached: true, maximumCost: limit
            )
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            let id = try #require(summary.job?.id)
            await fixture.engine.shutDown()
            let status = "cat ~/.vp/jobs/\(id)/status 2>/dev/null"
            let restarted = try fixture.restarted()
            try await waitUntil("the instance to end it") {
                try await !restarted.context.shell(for: instance.id).run(status).output.isEmpty
            }
            _ = try await restarted.lookAtJobs()
            let job = try restarted.job(named: id.rawValue)
            #expect(job.state == .cancelled)
            #expect(job.limitRefusal?.code == .limitRefused)
            #expect(job.cause?.contains("for this run (--max-cost) is reached") == true, "\(job)")
            #expect((job.dollars ?? 0) < limit * 3)
            await restarted.shutDown()
        }
    }

    /// Also by who only joins a job that somebody else has started.
    @Test func theDaysLimitEndsAJobThatIsFollowed() async throws {
        try await MoneyFixture.with(money: .init(dollarsPerDay: 1), followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: .vast)
            let midnight = UTCDay.midnight(fixture.cloud.now).addingTimeInterval(UTCDay.seconds + 60)
            await fixture.cloud.advance(by: midnight.timeIntervalSince(fixture.cloud.now))
            let request = RunRequest(command: .shell("echo on; sleep 1000"), isDetached: true)
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            let id = try #require(summary.job?.id)
            _ = await fixture.engine.instances()
            // Within the same day, or nothing would be spent of the next.
            let hours = 1.1 / instance.price.dollarsPerHour
            try #require(hours < 23)
            await fixture.cloud.advance(by: hours * 3600)
            _ = await fixture.engine.instances()
            guard case .attached(let end) = try await fixture.perform(.attach(id, on: instance.id)) else {
                throw EngineFixture.WrongResult()
            }
            let job = try #require(end.job)
            #expect(job.state == .cancelled)
            #expect(job.cause == "the limit of $1.00 for today (budget.per_day) is reached", "\(job)")
            #expect(job.limitRefusal != nil)
        }
    }

    @Test func aNewAlarmIsToldOnce() async throws {
        try await TemporaryFolder.with { place in
            let command = "echo \"$VP_ALARM_KIND $VP_ALARM_INSTANCE\" >> \(place.path)/told"
            try await MoneyFixture.with(money: .init(notifyCommand: command)) { fixture in
                let instance = try await fixture.create(on: .vast)
                _ = try await fixture.engine.setLease(of: instance.id, seconds: nil)
                for _ in 0..<3 { _ = await fixture.engine.instances() }
                try await waitUntil("the command to be run") { place.exists("told") }
                _ = await fixture.engine.instances()
                #expect(try place.read("told") == "noLease \(instance.id)\n")
            }
        }
    }

    private static func expectRefusal(
        containing words: String, _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            Issue.record("it was not refused")
        } catch {
            let error = error as? EngineError
            #expect(error?.code == .limitRefused)
            #expect(error?.detail?.contains(words) == true, "\(error?.detail ?? "")")
        }
    }
}
