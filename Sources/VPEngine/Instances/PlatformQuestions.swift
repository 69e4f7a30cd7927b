import Foundation
import Synchronization

/// Asks the platforms for their instances, offers and balances, reconciles the ledger, and caches the answers
/// for the next first paint.
struct PlatformQuestions {
    let context: EngineContext

    /// Asks every platform that has a key, concurrently. Sorted with the newest first.
    func instances(platform: Platform? = nil) async -> PlatformAnswers<Instance> {
        let refusals = Mutex<[PlatformAnswers<Instance>.Failure]>([])
        var answers = await self.context.ask(platform, "listing instances") {
            client async throws(EngineError) in
            let listing = try await client.listing()
            let known = try await Reconciler(context: self.context, client: client).settle(listing)
            if let refusal = listing.refusal {
                refusals.withLock { $0.append(.init(platform: client.platform, error: refusal)) }
            }
            return known
        }
        answers.failures += refusals.withLock(\.self)
        answers.values.sort {
            ($0.createdAt ?? .distantPast, $0.id.rawValue) > ($1.createdAt ?? .distantPast, $1.id.rawValue)
        }
        self.context.connections.note(answers.values)
        self.context.untrusted.note(answers.failures, of: self.context.askedPlatforms(platform))
        if platform == nil {
            self.context.cache.save(answers, as: .instances) { $0.id.platform }
            await MoneyWatch(context: self.context).note()
        }
        return answers
    }

    /// Returns a complete list, or throws: nothing is rented on a platform that does not say which instances
    /// exist.
    func trustedInstances(on platform: Platform) async throws(EngineError) -> [Instance] {
        let answers = await self.instances(platform: platform)
        if let failure = answers.failures.first { throw failure.error }
        return answers.values
    }

    /// See `Engine.offers`.
    func offers(
        _ query: OfferQuery, platform: Platform?, for purpose: SearchPurpose
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        // A platform sorts by the hourly price; the cheapest offer for the job may be further down.
        var wider = query
        if query.order == .cost { wider.limit = max(query.limit, 64) }
        let asked = self.context.askedPlatforms(platform).count
        let dearer = Mutex<[Platform: Int]>([:])
        var answers = await self.context.ask(platform, "listing offers") {
            [wider] client async throws(EngineError) in
            let found = try await Self.search(client, wider, for: purpose)
            if found.dearer > 0 { dearer.withLock { $0[client.platform] = found.dearer } }
            return found.offers
        }
        answers.dearer = dearer.withLock(\.self)
        if let unknown = answers.failures.first(where: { $0.error.code == .unknownGPU }),
            answers.failures.count == asked,
            answers.failures.allSatisfy({ $0.error.code == .unknownGPU })
        {
            throw unknown.error
        }
        if let missing = answers.failures.first(where: { $0.error.code == .missingKey }),
            answers.values.isEmpty,
            answers.failures.allSatisfy({ $0.error.code == .missingKey })
        {
            throw missing.error
        }
        // If one platform has no such GPU or kind of offer, that is no failure while another one answers.
        if answers.failures.count < asked {
            answers.failures.removeAll { $0.error.code == .unknownGPU || $0.error.code == .unsupported }
        }
        answers.values.sort(by: query.precedes)
        // An answer that lacks a platform is not reused for the same query: the failure must be reported
        // again.
        let answered = answers.failures.isEmpty ? query : nil
        self.context.cache.save(answers, as: .offers, answering: answered, of: platform) { $0.id.platform }
        return answers
    }

    /// Searches one platform. If nothing fits, counts the offers that fit except for the price.
    private static func search(
        _ client: any PlatformClient, _ query: OfferQuery, for purpose: SearchPurpose
    ) async throws(EngineError) -> (offers: [Offer], dearer: Int) {
        guard let limit = query.maximumPrice else {
            return (try await client.offers(query, for: purpose), 0)
        }
        var unlimited = query
        unlimited.maximumPrice = nil
        guard client.searches == nil else {
            let found = try await client.offers(query, for: purpose)
            // Searches are limited by the day: a second one is made only for a question of the user's own.
            guard found.isEmpty, purpose == .asked else { return (found, 0) }
            return ([], (try? await client.offers(unlimited, for: purpose))?.count ?? 0)
        }
        // Without a quota the platform sends its whole catalogue, whatever its price.
        unlimited.limit = .max
        let all = try await client.offers(unlimited, for: purpose)
        let found = all.filter { $0.price <= limit }
        return (Array(found.prefix(max(0, query.limit))), found.isEmpty ? all.count : 0)
    }

    /// Omits platforms that do not report a balance.
    func balances() async -> PlatformAnswers<Balance> {
        var answers = await self.context.ask(nil, "reading the balance") {
            client async throws(EngineError) in
            [try await client.balance()]
        }
        // A platform that no longer reports its balance must not cause a warning every time.
        answers.failures.removeAll { $0.error.code == .endpointRetired || $0.error.code == .unsupported }
        self.context.cache.save(answers, as: .balances) { $0.platform }
        return answers
    }

    /// Asks for the balances if the cached ones are no longer fresh.
    func refreshBalances() async {
        let age =
            self.context.cachedBalances().map { self.context.now().timeIntervalSince($0.fetchedAt) }
            ?? .infinity
        // The age is negative after the clock was set back.
        guard !(0..<300).contains(age) else { return }
        _ = await self.balances()
        await MoneyWatch(context: self.context).note()
    }
}

/// Answers that several processes of one user share through the cache. If several find them stale at once,
/// only one asks.
extension PlatformQuestions {
    func recentInstances(maximumAge: Double) async -> PlatformAnswers<Instance> {
        await self.recent(.instances, maximumAge, cached: self.context.cachedInstances) {
            await self.instances()
        }
    }

    func recentBalances(maximumAge: Double) async -> PlatformAnswers<Balance> {
        await self.recent(.balances, maximumAge, cached: self.context.cachedBalances) {
            await self.balances()
        }
    }

    /// See `Engine.recentOffers`.
    func recentOffers(
        _ query: OfferQuery, platform: Platform?, maximumAge: Double, for purpose: SearchPurpose
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        let cached = {
            self.context.cache.load(.offers, of: Offer.self, answering: query, of: platform)
        }
        let isSpared =
            purpose == .watching
            && self.context.clients.values.contains { $0.searches?.mayWatch() == false }
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
                (0..<maximumAge).contains(self.context.now().timeIntervalSince(answers.fetchedAt))
                    ? answers : nil
            }
        }
        if let answers = recent() { return answers }
        let turn = await self.context.cache.turn(subject)
        defer { withExtendedLifetime(turn) {} }
        // The process that had the turn before may have asked meanwhile.
        if let answers = recent() { return answers }
        return try await ask()
    }
}
