import Foundation
import Testing
import VPTestSupport

@testable import LoopbackCloud
@testable import VPEngine

/// A day of mixed use, passed by the cloud's clock, and what the cloud itself has booked at its end.
@Suite(.requires("sshd"), .timeLimit(.minutes(15)))
struct DayOfCostsTests {
    @Test func costsAgreeWithTheCloudsOwnBooks() async throws {
        // A busy machine may hold up a step for half a minute, which is a third of a percent of a day then.
        try await MoneyFixture.with(speed: 10, followsCloudClock: true) { fixture in
            let engine = fixture.engine
            let start = fixture.cloud.now
            /// A dashboard that looks every ten minutes.
            func pass(minutes: Int) async throws {
                for _ in 0..<(minutes / 10) {
                    await fixture.cloud.advance(by: 600)
                    _ = await engine.instances()
                }
            }
            let first = try await fixture.create(on: .vast, lease: LeaseTerms(seconds: nil))
            try await pass(minutes: 90)
            let pod = try await fixture.create(on: .runpod, lease: LeaseTerms(seconds: nil))
            try await pass(minutes: 200)
            _ = try await fixture.perform(.stop(first.id))
            try await pass(minutes: 340)
            _ = try await fixture.perform(.start(first.id))
            _ = try await fixture.perform(.stop(pod.id))
            try await pass(minutes: 260)
            // The laptop sleeps; meanwhile somebody stops it from the platform's page.
            await fixture.cloud.advance(by: 7200)
            try await engine.context.clients[.vast]!.stop(first.id)
            await fixture.cloud.advance(by: 7200)
            _ = await engine.instances()
            _ = try await fixture.perform(.destroy(pod.id, DestroyRequest(discardsResults: true)))
            try await pass(minutes: 200)
            _ = try await fixture.perform(.destroy(first.id, DestroyRequest(discardsResults: true)))
            try await pass(minutes: 110)

            let books = [
                await fixture.cloud.accounts(.vast), await fixture.cloud.accounts(.runPod),
            ].flatMap(\.values)
            let booked = books.reduce(0, +)
            #expect(books.count == 2)
            #expect(booked > 0.5)
            #expect(fixture.cloud.now.timeIntervalSince(start) > 86_000)

            let seen = try engine.costs(by: .day, since: start.addingTimeInterval(-60)).total
            #expect(seen.chargedDollars == 0)
            let seenError = abs(seen.dollars - booked) / booked
            // Half a percent on a quiet machine; a step that a busy one holds up for a minute adds up to a
            // percent.
            #expect(seenError < 0.04, "seen \(seen.dollars), booked \(booked)")

            #expect(await engine.fetchCharges(since: start).isEmpty)
            let corrected = try engine.costs(by: .day, since: start.addingTimeInterval(-60)).total
            let correctedError = abs(corrected.dollars - booked) / booked
            #expect(correctedError < 0.001, "corrected \(corrected.dollars), booked \(booked)")
            #expect(corrected.chargedDollars > booked * 0.9)
            let byGPU = try engine.costs(by: .gpu, since: start.addingTimeInterval(-60))
            #expect(abs(byGPU.lines.reduce(0) { $0 + $1.dollars } - corrected.dollars) < 1e-6)
            // What the account lost is what was booked.
            let spent = 50 - (await fixture.cloud.credit) - (await fixture.cloud.runPodCredit)
            #expect(abs(spent - booked) < 0.001)
        }
    }

    /// What was used before an order is paid at the price of before,
    /// whenever the books were last looked into.
    @Test(arguments: VPEngine.Platform.allCases)
    func anOrderIsPaidFromItsMomentOn(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with(followsCloudClock: true) { fixture in
            let instance = try await fixture.create(on: platform, lease: LeaseTerms(seconds: nil))
            let started = await fixture.cloud.accounts(platform.market).values.reduce(0, +)
            let from = fixture.cloud.now
            // Nobody looks into the books between the two.
            fixture.cloud.advanceUnseen(by: 3600)
            try await fixture.engine.context.clients[platform]!.stop(instance.id)
            let hours = fixture.cloud.now.timeIntervalSince(from) / 3600
            let booked = await fixture.cloud.accounts(platform.market).values.reduce(0, +) - started
            let expected = instance.price.dollarsPerHour * hours
            #expect(abs(booked - expected) < expected * 0.02, "booked \(booked), expected \(expected)")
        }
    }

    /// The platforms' bills in their own dialects, against the cloud's books.
    @Test(arguments: VPEngine.Platform.allCases)
    func chargesAreRead(platform: VPEngine.Platform) async throws {
        try await MoneyFixture.with(followsCloudClock: true) { fixture in
            let start = UTCDay.midnight(fixture.cloud.now)
            let instance = try await fixture.create(on: platform)
            for _ in 0..<3 { await fixture.cloud.advance(by: 86_400) }
            let client = try #require(fixture.engine.context.clients[platform])
            let charges = try await client.charges(from: start, to: fixture.cloud.now)
            #expect(charges.map(\.instance) == Array(repeating: instance.id, count: 4))
            #expect(
                charges.map(\.day).sorted() == (0..<4).map { start.addingTimeInterval(Double($0) * 86_400) })
            let booked = await fixture.cloud.accounts(platform.market).values.reduce(0, +)
            #expect(abs(charges.reduce(0) { $0 + $1.dollars } - booked) < 0.001)
        }
    }
}
