import Testing
import VPTestSupport

@testable import VPEngine

/// A platform without an offer at the query's price says how many it has at others.
@Suite("Offers that are all too dear", .requires("sshd", "ssh-keygen"))
struct DearerOffersTests {
    private static func query(_ dollars: Double?) -> OfferQuery {
        OfferQuery(maximumPrice: dollars.map { HourlyPrice(dollarsPerHour: $0) })
    }

    @Test func thoseOfAWholeCatalogueAreCountedByTheSameQuestion() async throws {
        try await EngineFixture.with { fixture in
            let all = try await fixture.engine.offers(Self.query(nil))
            #expect(all.dearer.isEmpty)
            let pods = all.values.filter { $0.id.platform == .runpod }
            let cheapest = try #require(pods.map(\.price.dollarsPerHour).min())
            let asked = fixture.requests.all.count
            let some = try await fixture.engine.offers(Self.query(cheapest - 0.001), for: .watching)
            #expect(Set(some.values.map(\.id.platform)) == [.vast])
            #expect(some.dearer == [.runpod: pods.count])
            #expect(fixture.requests.all.count == asked + 2)
            // Another program reads the answer from the cache, with its reasons.
            let again = try await fixture.engine.recentOffers(Self.query(cheapest - 0.001), maximumAge: 60)
            #expect(again.dearer == [.runpod: pods.count] && fixture.requests.all.count == asked + 2)
            // At the cheapest one's own price it is there, and the limit on rows holds.
            var first = Self.query(cheapest)
            first.limit = 1
            let one = try await fixture.engine.offers(first, platform: .runpod)
            #expect(
                one.values.map(\.id) == [try #require(pods.first { $0.price.dollarsPerHour == cheapest }).id])
            #expect(one.dearer.isEmpty)
        }
    }

    /// Searches are limited by the day: only the user's own question makes another.
    @Test func thoseBehindAQuotaAreCountedWhenSomebodyAsks() async throws {
        try await EngineFixture.with { fixture in
            let watched = try await fixture.engine.offers(
                Self.query(0.0001), platform: .vast, for: .watching)
            #expect(watched.values.isEmpty && watched.dearer.isEmpty)
            #expect(fixture.requests.all.count == 1)
            let asked = try await fixture.engine.offers(Self.query(0.0001), platform: .vast)
            #expect(asked.values.isEmpty && asked.dearer[.vast] ?? 0 > 0)
            #expect(fixture.requests.all.count == 3)
            // What no price would find is not called dear.
            var impossible = Self.query(0.0001)
            impossible.gpuCount = 64
            #expect(try await fixture.engine.offers(impossible, platform: .vast).dearer.isEmpty)
        }
    }
}
