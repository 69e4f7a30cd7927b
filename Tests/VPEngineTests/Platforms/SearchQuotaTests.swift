import Foundation
import LoopbackCloud
import Synchronization
import Testing
import VPTestSupport

@testable import VPEngine

/// The searches of a day: how many there are, and that nobody searches where there are none.
@Suite struct SearchQuotaTests {
    private static let activity = EngineError.Activity("searching offers", platform: .vast)
    /// Ten in the morning, UTC.
    private static let morning =
        1_796_032_800.0 + 36_000 - 1_796_032_800.0.truncatingRemainder(dividingBy: 86_400)

    // MARK: The book

    /// A list that is asked for each minute, all day, makes sixty searches.
    @Test func watchingHasSixtyADay() {
        var book = SearchBook()
        let made = (0..<1440).count { book.admit(.watching, at: Self.morning + Double($0) * 60) == nil }
        #expect((55...60).contains(made))
        let next = (1440..<2880).count { book.admit(.watching, at: Self.morning + Double($0) * 60) == nil }
        #expect((35...41).contains(next), "what was not spared is not there")
    }

    @Test func whatIsAskedForIsNotHeldBackByLists() {
        var book = SearchBook()
        while book.admit(.watching, at: Self.morning) == nil {}
        #expect(book.refusal(of: .watching, at: Self.morning)?.reason == .watched)
        #expect(book.admit(.asked, at: Self.morning) == nil && book.admit(.renting, at: Self.morning) == nil)
        #expect(book.report(at: Self.morning).count == 22)
        // An hour is more than one search.
        #expect(book.admit(.watching, at: Self.morning + 3600) == nil)
    }

    @Test(arguments: SearchPurpose.allCases) func afterARefusalNobodyAsks(purpose: SearchPurpose) {
        var book = SearchBook()
        let reset = Self.morning + 14 * 3600
        book.close(until: reset, serverNow: nil, at: Self.morning)
        #expect(book.admit(purpose, at: Self.morning) == .init(reason: .spent, until: reset))
        #expect(book.admit(purpose, at: reset - 1)?.reason == .spent)
        #expect(book.admit(purpose, at: reset + 1) == nil)
        #expect(book.report(at: reset + 1).count == 1)
    }

    /// The server's clock counts, whatever ours shows.
    @Test func aWrongClockChangesNothing() {
        var book = SearchBook()
        let theirs = Self.morning + 5_000_000
        book.close(until: theirs + 7200, serverNow: theirs, at: Self.morning)
        #expect(book.report(at: Self.morning).closedUntil == Self.morning + 7200)
        // Set back by a day while it is closed: it lasts as long again, not a day longer.
        let back = Self.morning - 86_400
        #expect(book.refusal(of: .renting, at: back)?.until == back + 7200)
        #expect(book.admit(.renting, at: back + 7201) == nil)
        // Set forward by a year: it is over.
        book.close(until: theirs + 7200, serverNow: theirs, at: Self.morning)
        #expect(book.admit(.renting, at: Self.morning + 31_536_000) == nil)
    }

    @Test(arguments: [nil, 0, -5, Double.infinity, .nan, 1e300])
    func withoutAUsableTimeItIsMidnight(reset: Double?) {
        var book = SearchBook()
        book.close(until: reset, serverNow: Self.morning, at: Self.morning)
        let until = book.report(at: Self.morning).closedUntil ?? 0
        let midnight = Self.morning + 14 * 3600
        #expect(until == midnight || (reset == 1e300 && until == Self.morning + 93_600))
    }

    /// The size of the quota is learned when it ends, and the rest of the next day is left to who rents.
    @Test func aReserveIsKeptForRenting() {
        var book = SearchBook()
        for _ in 0..<100 { #expect(book.admit(.asked, at: Self.morning) == nil) }
        book.close(until: nil, serverNow: nil, at: Self.morning)
        let tomorrow = Self.morning + 86_400
        let made = (0..<100).count { _ in book.admit(.asked, at: tomorrow) == nil }
        #expect(made == 90)
        #expect(book.refusal(of: .asked, at: tomorrow)?.reason == .reserved)
        #expect(book.refusal(of: .watching, at: tomorrow)?.reason == .reserved)
        #expect(book.admit(.renting, at: tomorrow) == nil)
    }

    @Test func aNewDayBeginsAtMidnightAndNotWhenAClockIsSetBack() {
        var book = SearchBook()
        for _ in 0..<7 { _ = book.admit(.asked, at: Self.morning) }
        #expect(book.report(at: Self.morning - 86_400).count == 7)
        #expect(book.report(at: Self.morning + 14 * 3600).count == 0)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"count":-1,"tokens":1e300,"date":"x"}"#, #"{"count":1e300,"closedUntil":1e300}"#,
        #"{"closedAt":5,"closedUntil":99999999999}"#, #"{"tokensAt":99999999999}"#, "\u{0}",
    ])
    func aDamagedFileClosesNothing(text: String) async throws {
        try await TemporaryFolder.with { folder in
            let quota = SearchQuota(folder: folder.path, account: "a")
            try quota.admit(.asked, Self.activity)
            for file in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where file.hasSuffix(".json") {
                try folder.write(text, to: file)
            }
            try quota.admit(.renting, Self.activity)
            #expect(quota.mayWatch())
        }
    }

    // MARK: Between programs

    @Test func programsShareOneCount() async throws {
        try await TemporaryFolder.with { folder in
            let time = Mutex(Self.morning)
            let now: @Sendable () -> Date = { Date(timeIntervalSince1970: time.withLock(\.self)) }
            let quotas = (0..<3).map { _ in SearchQuota(folder: folder.path, account: "key", now: now) }
            for quota in quotas { try quota.admit(.asked, Self.activity) }
            #expect(quotas.allSatisfy { $0.report().count == 3 })
            _ = quotas[0].close(until: Self.morning + 60 * 60, serverNow: nil, Self.activity)
            let error = #expect(throws: EngineError.self) { try quotas[1].admit(.renting, Self.activity) }
            #expect(error?.code == .searchQuotaSpent)
            #expect(error?.detail?.contains("11:00 UTC") == true, "\(error?.detail ?? "")")
            // Another account has its own.
            try SearchQuota(folder: folder.path, account: "other", now: now).admit(.watching, Self.activity)
            time.withLock { $0 += 3601 }
            try quotas[2].admit(.renting, Self.activity)
            // No key in a name or a file.
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!names.contains { $0.contains("key") })
        }
    }

    /// One request, no second: it would be refused as well, and may be counted.
    @Test func theRefusalIsNeverRepeated() async throws {
        let refused = ScriptedTransport.Step.json(
            429, #"{"success":false,"error":"search_quota_exceeded","msg":"used up"}"#)
        let bench = VastBench([refused, .ok(#"{"offers":[]}"#)])
        for _ in 0..<3 {
            let error = await failure { () async throws(EngineError) in
                _ = try await bench.client.offers(OfferQuery(), for: .renting)
            }
            #expect(error?.code == .searchQuotaSpent)
        }
        #expect(bench.lines == ["POST /api/v0/bundles/"])
    }
}

/// The same on the loopback cloud, with the head's time.
@Suite(.requires("sshd"), .timeLimit(.minutes(5))) struct SearchQuotaCloudTests {
    @Test func theOtherPlatformAndEarlierOffersAreLeft() async throws {
        try await EngineFixture.with { fixture in
            let shared = try Engine(configuration: fixture.engine.configuration)
            let query = OfferQuery(gpu: "rtx 4090", diskBytes: 20_000_000_000)
            let before = try await shared.offers(query)
            #expect(before.values.contains { $0.id.platform == .vast })
            await fixture.cloud.inject(.searchQuota(.seconds(3600)))
            let answers = try await shared.offers(query)
            #expect(answers.failures.map(\.error.code) == [.searchQuotaSpent])
            #expect(Set(answers.values.map(\.id.platform)) == [.runpod])
            // Another program knows without asking, until when.
            let calls = RequestLog()
            let other = try Engine(configuration: fixture.engine.configuration) { calls.add($0) }
            let error = try await other.offers(query, platform: .vast).failures.first?.error
            #expect(error?.code == .searchQuotaSpent && error?.detail?.contains("UTC") == true)
            #expect(!calls.all.contains { $0.path.contains("bundles") })
            // What was seen before can still be rented.
            let plan = try await other.rentalPlan(CreateRequest(query: query, platform: .vast))
            #expect(plan.offers.allSatisfy { $0.id.platform == .vast })
            await shared.shutDown()
            await other.shutDown()
        }
    }
}
