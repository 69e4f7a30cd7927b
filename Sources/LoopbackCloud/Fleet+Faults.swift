import Foundation

/// Faults on demand.
extension Fleet {
    /// Applies `fault` to the newest matching instances, if it is a fault of running instances and there are
    /// any; otherwise it waits for a matching event. Returns when the immediate effects have happened.
    func inject(_ fault: Fault) async {
        switch fault.kind {
        case .v0ListRetired, .v0Retired, .v1Retired, .graphQLRetired, .restRetired:
            self.retired.insert(fault.kind)
        case .keyExpired:
            for market in Market.allCases where fault.platform == nil || fault.platform == market {
                self.expiredKeys.insert(market)
            }
        case .balanceZero where fault.seconds == nil:
            self.emptyAccounts(of: fault.platform)
        case _ where fault.kind.strikesInstances:
            self.faults.add(fault)
            let newestFirst = self.rentals.values.sorted { $0.createdAt > $1.createdAt }
            let struck = newestFirst.filter { $0.phase == .running || fault.kind == .vanished }
                .compactMap { self.strike($0, fault.kind, usualSeconds: 0) }
            if (fault.seconds ?? 0) == 0 || fault.kind.lastsSeconds {
                for strike in struck { _ = await strike.result }
            }
        default:
            self.faults.add(fault)
        }
    }

    /// The time until which searches are refused, in seconds since 1970.
    func searchesClosedUntil() -> Double? {
        let now = Date().timeIntervalSince1970
        if let fault = self.takeFault(.searchQuota, FaultEvent(.vast)) {
            self.searchesReopenAt = now + (fault.seconds ?? 3600)
        }
        return self.searchesReopenAt > now ? self.searchesReopenAt : nil
    }

    func isRetired(_ kind: Fault.Kind) -> Bool { self.retired.contains(kind) }

    /// Uses up the first waiting fault of `kind` that fits `event`.
    func takeFault(_ kind: Fault.Kind, _ event: FaultEvent) -> Fault? { self.faults.take(kind, event) }

    /// Applies waiting faults of running instances to `id`, some time from now.
    func strikeNewcomer(_ id: Int) {
        guard let rental = self.rentals[id] else { return }
        for kind in Fault.Kind.allCases where kind.strikesInstances {
            // The delay is long enough for its owner to have seen it running.
            _ = self.strike(rental, kind, usualSeconds: 5)
        }
    }

    private func strike(_ rental: Rental, _ kind: Fault.Kind, usualSeconds: Double) -> Task<Void, any Error>?
    {
        let event = FaultEvent(rental.market, at: rental.offer.machine)
        guard let fault = self.takeFault(kind, event) else { return nil }
        let seconds = kind.lastsSeconds ? usualSeconds : fault.seconds ?? usualSeconds
        let strike = Task { [weak self] in
            if seconds > 0 { try await Task.sleep(for: .seconds(seconds)) }
            await self?.befall(kind, rental.id, for: fault.seconds ?? 0)
        }
        self.strikes.append(strike)
        return strike
    }

    private func befall(_ kind: Fault.Kind, _ id: Int, for seconds: Double) async {
        guard let rental = self.rentals[id], !self.isClosed else { return }
        switch kind {
        case .hostOffline:
            self.rentals[id]?.isOffline = true
            await rental.instance.cutConnections()
            self.strikes.append(Task { [weak self] in try await self?.keepOffline(id, for: seconds) })
        case .connectionCut: await rental.instance.cutConnections()
        case .hostKeyChanged:
            try? await rental.instance.makeHostKey()
            if self.rentals[id]?.phase == .running { self.begin(.restartContainer, id) }
        case .vanished:
            await rental.instance.erase()
            self.remove(id)
        case .preempted:
            // The competing bid was a quarter higher; the same bid does not bring the instance back.
            if let bid = rental.terms.bid { self.bidFloors[rental.offer.id] = bid * 1.25 }
            try? self.stop(id)
            self.rentals[id]?.holdsGPU = false
        case .balanceZero: self.emptyAccounts(of: rental.market)
        default: break
        }
    }

    /// Cuts all connections repeatedly until the time is over: this emulates an unreachable host.
    private func keepOffline(_ id: Int, for seconds: Double) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end, let rental = self.rentals[id], !self.isClosed {
            await rental.instance.cutConnections()
            try await Task.sleep(for: .milliseconds(30))
        }
        self.rentals[id]?.isOffline = false
    }

    private func emptyAccounts(of platform: Market?) {
        self.charge()
        for each in Market.allCases where platform == nil || platform == each { self.credits[each] = 0 }
        self.watchCredit()
    }
}
