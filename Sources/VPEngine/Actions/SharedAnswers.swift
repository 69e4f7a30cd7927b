import Foundation

/// Answers that several programs of one user share: whoever asked last has left them in the cache, and of those that
/// find them too old at once, one asks.
extension Engine {
    /// The instances as they were at most `maximumAge` seconds ago.
    public func recentInstances(maximumAge: Double) async -> PlatformAnswers<Instance> {
        await self.recent(.instances, maximumAge, cached: self.cachedInstances) { await self.instances() }
    }

    public func recentBalances(maximumAge: Double) async -> PlatformAnswers<Balance> {
        await self.recent(.balances, maximumAge, cached: self.cachedBalances) { await self.balances() }
    }

    /// What answers `query`; a list that was asked for otherwise is none.
    public func recentOffers(_ query: OfferQuery, maximumAge: Double) async throws(EngineError)
        -> PlatformAnswers<Offer>
    {
        try await self.recent(
            .offers, maximumAge, cached: { self.cache.load(.offers, of: Offer.self, answering: query) }
        ) { () async throws(EngineError) in try await self.offers(query) }
    }

    private func recent<Value, Failure>(
        _ subject: PlatformCache.Subject, _ maximumAge: Double, cached: () -> PlatformAnswers<Value>?,
        ask: () async throws(Failure) -> PlatformAnswers<Value>
    ) async throws(Failure) -> PlatformAnswers<Value> {
        func recent() -> PlatformAnswers<Value>? {
            cached().flatMap { answers in
                (0..<maximumAge).contains(self.now().timeIntervalSince(answers.fetchedAt)) ? answers : nil
            }
        }
        if let answers = recent() { return answers }
        let turn = await self.cache.turn(subject)
        defer { withExtendedLifetime(turn) {} }
        // Whoever had the turn before has asked meanwhile.
        if let answers = recent() { return answers }
        return try await ask()
    }
}
