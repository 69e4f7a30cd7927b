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
    ///
    /// A list on screen (`.watching`) stays as it is, whatever its age, while its share of the searches is used up.
    public func recentOffers(
        _ query: OfferQuery, platform: Platform? = nil, maximumAge: Double,
        for purpose: SearchPurpose = .asked
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        let cached = { self.cache.load(.offers, of: Offer.self, answering: query, of: platform) }
        let isSpared =
            purpose == .watching && self.clients.values.contains { $0.searches?.mayWatch() == false }
        if isSpared, let answers = cached() { return answers }
        return try await self.recent(.offers, maximumAge, cached: cached) {
            () async throws(EngineError) in
            try await self.offers(query, platform: platform, for: purpose)
        }
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
