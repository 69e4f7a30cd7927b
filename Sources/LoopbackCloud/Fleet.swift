import Foundation

/// The market and the account: the stock, the rentals, the money, and the waiting faults.
///
/// It is independent of the platforms' APIs; the routes translate. It owns the clock of the boot stages,
/// which pass `Options.speed` times as fast as on the platforms.
actor Fleet {
    /// The reason why a request is refused.
    enum Refusal: Error {
        case noSuchOffer, offerTaken, noCapacity, noSuchRental, noCredit, gpuUnavailable, noSuchKey
        /// A contract exists all the same: it is stopped, and its disk is billed.
        case bidTooLow(rental: Int)
        case failed(String)
    }

    nonisolated let options: LoopbackCloud.Options
    nonisolated let catalogue: Catalogue
    nonisolated let startedAt: Double
    nonisolated let stock: RunPodStock
    let folder: String
    let programs: HostPrograms
    let clock: @Sendable () -> Double

    var rentals: [Int: Rental] = [:]
    private(set) var accountKeys: [PublicKey] = []
    /// Lines for `authorized_keys` on the RunPod account, which has no ids for them.
    var podKeys: [String] = []
    var networkVolumes: [NetworkVolume] = []
    var registryLogins: [RegistryLogin] = []
    /// The time up to which the volumes are paid.
    private var volumesChargedAt: Double
    var credits: [Market: Double]
    /// APIs that the platforms have switched off, and those that a fault has switched off.
    var retired: Set<Fault.Kind> = [.v0ListRetired, .v1Retired]
    /// Platforms that refuse the account's key.
    var expiredKeys: Set<Market> = []
    var faults = FaultQueue()
    /// The time when searches reopen, in seconds since 1970.
    var searchesReopenAt = 0.0
    var strikes: [Task<Void, any Error>] = []
    /// The lowest accepted bid for an offer since it was outbid, in dollars an hour.
    var bidFloors: [Int: Double] = [:]
    var generator: SeededGenerator
    private var nextID: Int
    private var depletion: Task<Void, Never>?
    private(set) var isClosed = false
    /// The bills; see `book`.
    var books: [BookEntry] = []
    var localVolumes: [LocalVolume] = []

    init(
        options: LoopbackCloud.Options, folder: String, programs: HostPrograms,
        clock: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) {
        self.options = options
        self.folder = folder
        self.programs = programs
        self.clock = clock
        self.startedAt = clock()
        self.volumesChargedAt = self.startedAt
        self.catalogue = Catalogue(seed: options.seed)
        self.stock = RunPodStock(seed: options.seed)
        self.credits = Dictionary(uniqueKeysWithValues: Market.allCases.map { ($0, options.balance) })
        self.generator = SeededGenerator(seed: options.seed)
        self.nextID = 7_800_000 + Int(options.seed % 1000) * 50
    }

    // MARK: Offers

    /// Offers that can be rented now. Offers of one machine share its GPUs.
    func availableOffers() -> Set<Int> {
        var used: [Int: Int] = [:]
        for rental in self.rentals.values where rental.holdsGPU {
            used[rental.offer.machine.id, default: 0] += rental.offer.gpuCount
        }
        return Set(
            self.catalogue.offers.lazy.filter { offer in
                let taken = used[offer.machine.id, default: 0] + offer.machine.gpusTakenByOthers
                return offer.gpuCount <= offer.machine.gpuCount - taken
            }.map(\.id))
    }

    /// Offers that the account is renting.
    func ownOffers() -> Set<Int> { Set(self.rentals.values.map(\.offer.id)) }

    // MARK: Renting

    func rent(offer id: Int, terms: RentalTerms) async throws(Refusal) -> Rental {
        guard let offer = self.catalogue.offers.first(where: { $0.id == id }) else { throw .noSuchOffer }
        guard !self.isClosed else { throw .failed("the cloud is closing") }
        guard self.currentCredit() > 0 else { throw .noCredit }
        guard self.availableOffers().contains(id), !self.ownOffers().contains(id) else { throw .noSuchOffer }
        let event = FaultEvent(.vast, at: offer.machine)
        if self.takeFault(.noCapacity, event) != nil { throw .noCapacity }
        let isTaken = self.takeFault(.offerTaken, event) != nil
        if isTaken, terms.cancelsWhenUnavailable { throw .offerTaken }

        let now = self.clock()
        let isTooLow =
            terms.bid.map { bid in
                bid < self.minimumBid(for: offer) || self.takeFault(.bidTooLow, event) != nil
            } ?? false
        let runs = !isTooLow && !isTaken && !terms.startsStopped
        let number = self.nextNumber()
        let rental = Rental(
            id: number, offer: offer, apiKey: self.generator.hex(64), createdAt: now,
            proxyPort: PortPicker.freePort(),
            instance: LoopbackInstance(
                id: number, folder: "\(self.folder)/instances/\(number)", programs: self.programs,
                offer: offer,
                seed: self.options.seed),
            terms: terms, keys: self.accountKeys, phase: runs ? .provisioning : .exited,
            // If the offer was taken meanwhile, the rental waits for its GPU, and its disk is billed.
            wantsToRun: runs || isTaken, holdsGPU: runs, lastCharge: now)
        self.charge()
        self.rentals[number] = rental
        do {
            try await rental.instance.prepare(onStart: terms.onStart, keys: rental.keys.map(\.text))
        } catch {
            self.rentals[number] = nil
            throw .failed(String(describing: error))
        }
        if runs { self.begin(.boot, number) }
        self.watchCredit()
        if isTooLow { throw .bidTooLow(rental: number) }
        return self.rentals[number] ?? rental
    }

    func nextNumber() -> Int {
        self.nextID += self.generator.int(3...90)
        return self.nextID
    }

    /// The rental with that id. Excludes pods, which vast.ai does not know.
    func rental(_ id: Int) -> Rental? { self.rentals[id].flatMap { $0.pod == nil ? $0 : nil } }

    func rental(withKey apiKey: String) -> Int? {
        self.rentals.values.first { $0.apiKey == apiKey && $0.pod == nil }?.id
    }

    // MARK: Orders to an instance

    func setLabel(_ label: String?, of id: Int) throws(Refusal) {
        try self.check(id)
        self.rentals[id]?.terms.label = label
    }

    func setBid(_ bid: Double?, of id: Int) throws(Refusal) {
        try self.check(id)
        guard let rental = self.rentals[id], rental.terms.bid != nil else { return }
        self.charge()
        let minimum = self.minimumBid(for: rental.offer)
        self.rentals[id]?.terms.bid = bid ?? minimum
        self.watchCredit()
        if !rental.holdsGPU, (bid ?? .infinity) >= minimum { try self.start(id) }
    }

    /// The lowest accepted bid, in dollars an hour.
    func minimumBid(for offer: Offer) -> Double {
        max(offer.minimumBid, self.bidFloors[offer.id] ?? 0)
    }

    func start(_ id: Int) throws(Refusal) {
        try self.check(id)
        guard let rental = self.rentals[id], !rental.isEnding, !rental.wantsToRun else { return }
        guard self.currentCredit() > 0 else { throw .noCredit }
        if !rental.holdsGPU {
            let isFree = self.availableOffers().contains(rental.offer.id)
            let isOutbid = rental.terms.bid.map { $0 < self.minimumBid(for: rental.offer) } ?? false
            let event = FaultEvent(.vast, at: rental.offer.machine)
            if !isFree || isOutbid || self.takeFault(.startRefused, event) != nil { throw .gpuUnavailable }
        }
        self.rentals[id]?.wantsToRun = true
        self.rentals[id]?.holdsGPU = true
        self.begin(.start, id)
    }

    func stop(_ id: Int) throws(Refusal) {
        try self.check(id)
        guard let rental = self.rentals[id], !rental.isEnding, rental.wantsToRun else { return }
        // A pod's price changes with the order, not with its execution.
        self.charge()
        self.rentals[id]?.wantsToRun = false
        self.begin(.stop, id)
    }

    func reboot(_ id: Int) throws(Refusal) {
        try self.check(id)
        if self.rentals[id]?.wantsToRun == true { self.begin(.reboot, id) }
    }

    func recycle(_ id: Int) throws(Refusal) {
        try self.check(id)
        if self.rentals[id]?.wantsToRun == true { self.begin(.recycle, id) }
    }

    /// Starts to end `id`; the row stays until its processes are gone.
    func destroy(_ id: Int) throws(Refusal) {
        try self.check(id)
        guard self.rentals[id]?.isEnding == false else { return }
        self.rentals[id]?.isEnding = true
        self.begin(.destroy, id)
    }

    private func check(_ id: Int) throws(Refusal) {
        guard self.rentals[id] != nil else { throw .noSuchRental }
    }

    /// Removes `id` from the fleet at once; its container has been erased.
    func remove(_ id: Int) {
        self.charge()
        self.rentals[id]?.steps?.cancel()
        self.rentals[id] = nil
        self.watchCredit()
    }

    /// Ends everything and accepts no further order.
    func close() async {
        self.isClosed = true
        self.depletion?.cancel()
        for strike in self.strikes { strike.cancel() }
        for rental in self.rentals.values { rental.steps?.cancel() }
        let instances = self.rentals.values.map(\.instance)
        self.rentals = [:]
        await withTaskGroup { group in
            for instance in instances { group.addTask { await instance.erase() } }
        }
    }

    /// All processes that belong to instances.
    func processIDs() async -> [Int32] {
        var found: [Int32] = []
        for rental in self.rentals.values { found += await rental.instance.processIDs() }
        return found
    }

    // MARK: Keys

    func addAccountKey(_ text: String) -> PublicKey {
        let key = PublicKey(id: self.generator.int(100_000...999_999), text: text, createdAt: self.clock())
        self.accountKeys.append(key)
        return key
    }

    func replaceAccountKey(_ id: Int, with text: String) throws(Refusal) -> PublicKey {
        guard let index = self.accountKeys.firstIndex(where: { $0.id == id }) else { throw .noSuchKey }
        self.accountKeys[index] = PublicKey(id: id, text: text, createdAt: self.accountKeys[index].createdAt)
        return self.accountKeys[index]
    }

    func removeAccountKey(_ id: Int) throws(Refusal) {
        guard self.accountKeys.contains(where: { $0.id == id }) else { throw .noSuchKey }
        self.accountKeys.removeAll { $0.id == id }
    }

    func attachKey(_ text: String, to id: Int) async throws(Refusal) {
        try self.check(id)
        let key = PublicKey(id: self.generator.int(100_000...999_999), text: text, createdAt: self.clock())
        self.rentals[id]?.keys.append(key)
        await self.writeKeys(of: id)
    }

    func detachKey(_ key: Int, from id: Int) async throws(Refusal) {
        try self.check(id)
        guard self.rentals[id]?.keys.contains(where: { $0.id == key }) == true else { throw .noSuchKey }
        self.rentals[id]?.keys.removeAll { $0.id == key }
        await self.writeKeys(of: id)
    }

    private func writeKeys(of id: Int) async {
        guard let rental = self.rentals[id] else { return }
        try? await rental.instance.setKeys(rental.keys.map(\.text))
    }

    // MARK: Money

    /// The account's dollars after everything up to now has been paid.
    func currentCredit(_ market: Market = .vast) -> Double {
        self.charge()
        return self.credits[market, default: 0]
    }

    /// Books the use since the last time. Call it before every change of a price.
    func charge() {
        let now = self.clock()
        for (id, rental) in self.rentals {
            self.credits[rental.market, default: 0] -=
                rental.currentPrice / 3600 * max(0, now - rental.lastCharge)
            self.book(rental, from: rental.lastCharge, to: now)
            self.rentals[id]?.lastCharge = now
        }
        self.credits[.runPod, default: 0] -=
            self.volumePrice / 3600 * max(0, now - self.volumesChargedAt)
        self.volumesChargedAt = now
    }

    /// The price of all network volumes, in dollars an hour.
    private var volumePrice: Double { self.networkVolumes.reduce(0) { $0 + $1.price } }

    /// Sets a timer for the moment when the money runs out and the platform stops everything.
    func watchCredit() {
        self.depletion?.cancel()
        self.charge()
        guard !self.isClosed else { return }
        var nearest: Double?
        for market in Market.allCases {
            let rentals = self.rentals.values.filter { $0.market == market }
            let volumes = market == .runPod ? self.volumePrice : 0
            let burn = rentals.reduce(volumes) { $0 + $1.currentPrice } / 3600
            let credit = self.credits[market, default: 0]
            guard burn > 0 else { continue }
            guard credit > 0 else {
                for rental in rentals where rental.wantsToRun { self.endUnpaid(rental) }
                continue
            }
            nearest = min(nearest ?? 86_400, credit / burn)
        }
        guard let seconds = nearest else { return }
        self.depletion = Task { [weak self] in
            guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
            await self?.watchCredit()
        }
    }

    /// Ends the use of an unpaid rental: vast.ai stops it; RunPod stops pods with a network volume and
    /// terminates all others.
    private func endUnpaid(_ rental: Rental) {
        let isLasting = rental.pod.map { $0.networkVolume != nil } ?? true
        if isLasting { try? self.stop(rental.id) } else { try? self.destroy(rental.id) }
    }
}
