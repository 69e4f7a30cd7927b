import Foundation

/// The offers that a create may take, in the order in which they are tried: by the cost of the job.
struct RentalCandidates {
    let context: EngineContext
    let request: CreateRequest
    /// The purpose of the search; a plan that is only shown may use offers that were found a moment ago.
    var purpose = SearchPurpose.renting

    /// How long a machine that failed is avoided. On RunPod only its data center is known, which recovers
    /// sooner.
    private static func badPeriod(_ platform: Platform) -> TimeInterval {
        switch platform {
        case .vast: 86_400
        case .runpod: 3600
        }
    }

    /// The number of single data centers that are tried: one may refuse while its neighbour has the same GPU
    /// free; further ones hardly differ.
    private static let placesTried = 3

    /// The result of a search. Never without offers.
    struct Found {
        var offers: [Offer]
        var failures: [PlatformAnswers<Offer>.Failure] = []
        /// GPUs whose offers were omitted because the image cannot run on them.
        var unfitGPUs: [String] = []
    }

    /// Throws `.imageUnfit`, `.noMatchingOffer` or `.limitRefused` if no offer may be taken, and the
    /// platform's own failure if no platform could list its offers.
    func find() async throws(EngineError) -> Found {
        try self.checkImage()
        if let id = self.request.offer { return Found(offers: [try await self.named(id)]) }
        var answers = try await self.search(self.query, platform: self.request.platform)
        self.addEarlierOffers(to: &answers)
        if answers.values.isEmpty, let failure = answers.failures.first { throw failure.error }
        if answers.values.isEmpty { throw try await self.nothing() }
        let limits = self.context.configuration.limits
        let allowed = answers.values.filter { limits.objection(to: $0) == nil }
        if allowed.isEmpty, let objection = limits.objection(to: answers.values[0]) {
            throw Limits.refusal(objection)
        }
        let fitting = allowed.filter { self.imageProblem(on: $0) == nil }
        if fitting.isEmpty { throw self.unfit(on: allowed[0]) }
        let unfit = Set(allowed.map(\.gpuName)).subtracting(fitting.map(\.gpuName))
        var candidates: [Offer] = []
        var avoided = 0
        let bad = try self.badMachines()
        for offer in fitting {
            let parts = Self.parts(of: offer, avoiding: bad[offer.id.platform] ?? [])
            if parts.isEmpty { avoided += 1 }
            candidates += parts
        }
        guard !candidates.isEmpty else {
            throw EngineError(
                .noMatchingOffer, self.activity,
                detail: "the \(avoided) matching machines failed recently and are not tried again yet")
        }
        return Found(offers: candidates, failures: answers.failures, unfitGPUs: unfit.sorted())
    }

    // MARK: The image

    /// The image that runs on `offer`: the one that was named, or the best fitting one of ours.
    func image(for offer: Offer) -> String {
        guard self.image == StockImage.auto else { return self.image }
        return StockImage.best(
            on: offer.id.platform, gpu: offer.gpuName, driverCUDA: offer.cudaVersion)
            ?? StockImage.usual(on: offer.id.platform)
    }

    /// The reason why the image cannot run there, or nil if none is known.
    private func imageProblem(on offer: Offer) -> String? {
        guard !self.request.acceptsAnyway else { return nil }
        return ImageFit.problem(
            image: self.image(for: offer), gpu: offer.gpuName, driverCUDA: offer.cudaVersion)
    }

    /// Checks the image as far as possible before any platform is asked.
    private func checkImage() throws(EngineError) {
        let platforms = self.request.platform.map { [$0] } ?? Platform.allCases
        guard self.image != StockImage.auto else {
            guard !self.request.acceptsAnyway, let gpu = self.request.query.gpu,
                platforms.allSatisfy({ StockImage.best(on: $0, gpu: gpu, driverCUDA: nil) == nil }),
                let problem = ImageFit.problem(
                    image: StockImage.usual(on: platforms[0]), gpu: gpu, driverCUDA: nil)
            else { return }
            throw self.unfit(problem, suggestion: platforms, gpu, driver: nil)
        }
        if let problem = ImageName.problem(self.image) {
            let name = self.image.singleLine(limit: 80) ?? ""
            throw EngineError(
                .badConfiguration, self.activity,
                detail: "No image can be called \"\(name)\": \(problem)")
        }
        guard !self.request.acceptsAnyway, let gpu = self.request.query.gpu else { return }
        if let problem = ImageFit.problem(image: self.image, gpu: gpu, driverCUDA: nil) {
            throw self.unfit(
                problem, suggestion: platforms, gpu, driver: nil)
        }
    }

    private func unfit(on offer: Offer) -> EngineError {
        self.unfit(
            self.imageProblem(on: offer) ?? "", suggestion: [offer.id.platform], offer.gpuName,
            driver: offer.cudaVersion)
    }

    private func unfit(
        _ problem: String, suggestion platforms: [Platform], _ gpu: String, driver: Double?
    ) -> EngineError {
        let best = platforms.first.flatMap { StockImage.best(on: $0, gpu: gpu, driverCUDA: driver) }
        return EngineError(
            .imageUnfit,
            .init("renting an instance", platform: self.request.platform, subject: self.image),
            detail: problem,
            suggestions: best.map { [$0] } ?? [])
    }

    private func search(
        _ query: OfferQuery, platform: Platform?
    ) async throws(EngineError) -> PlatformAnswers<Offer> {
        guard self.purpose != .renting else {
            return try await PlatformQuestions(context: self.context).offers(
                query, platform: platform, for: .renting)
        }
        return try await PlatformQuestions(context: self.context).recentOffers(
            query, platform: platform, maximumAge: 60, for: self.purpose)
    }

    /// Adds earlier offers of a platform that allows no further search today: an offer that was taken
    /// meanwhile costs only a refusal.
    private func addEarlierOffers(to answers: inout PlatformAnswers<Offer>) {
        guard
            answers.failures.contains(where: { $0.platform == .vast && $0.error.code == .searchQuotaSpent }),
            let earlier = self.context.cachedOffers()
        else { return }
        let query = self.query
        let gpus = query.gpu.flatMap(GPUName.select).map(VastSearch.GPUs.known)
        // A GPU name that the table lacks cannot be compared.
        guard gpus != nil || query.gpu?.trimmingSpaces().isEmpty != false else { return }
        let fitting = VastSearch(query: query, gpus: gpus).select(
            earlier.values.filter {
                $0.id.platform == .vast && $0.isInterruptible == query.isInterruptible
            })
        answers.values = (answers.values + fitting).sorted(by: query.precedes)
    }

    /// The search query: it includes the image's CUDA version, sorts by the cost of the job, and asks for
    /// more offers than will be tried.
    var query: OfferQuery {
        var query = self.request.query
        query.order = .cost
        query.limit = max(query.limit, 64)
        query.maximumPrice = self.limit
        if let cuda = self.imageCUDA { query.minimumCUDA = max(query.minimumCUDA ?? 0, cuda) }
        return query
    }

    var image: String { self.request.image ?? self.context.configuration.defaults.image }

    /// The CUDA version that the image needs; nil also if each offer gets an image that fits it.
    private var imageCUDA: Double? { self.request.acceptsAnyway ? nil : ImageCUDA.version(of: self.image) }

    private var limit: HourlyPrice? {
        self.request.query.maximumPrice ?? self.context.configuration.defaults.maximumPrice
    }

    private var activity: EngineError.Activity {
        EngineError.Activity("renting an instance", platform: self.request.platform)
    }

    /// Finds an offer that was picked from a list, among the current offers and those that were shown.
    private func named(_ id: OfferID) async throws(EngineError) -> Offer {
        var query = self.request.query
        // The wanted offer need not be among the first.
        query.limit = max(query.limit, 200)
        // The price is checked below, where a refusal can be explained.
        query.maximumPrice = nil
        let answers = try await self.search(query, platform: id.platform)
        let offers = answers.values + (self.context.cachedOffers()?.values ?? [])
        guard let offer = offers.first(where: { $0.id == id }) else {
            if let failure = answers.failures.first { throw failure.error }
            throw EngineError(
                .offerTaken, .init("renting offer \(id)", platform: id.platform, subject: id.rawValue),
                detail: "it is no longer listed")
        }
        if self.imageProblem(on: offer) != nil { throw self.unfit(on: offer) }
        if let objection = self.context.configuration.limits.objection(to: offer) {
            throw Limits.refusal(objection)
        }
        if let limit = self.limit, offer.price > limit { throw self.tooDear(offer, limit) }
        return offer
    }

    /// The error for an empty search: it names the price, if a higher one would find an offer, or the image.
    private func nothing() async throws(EngineError) -> EngineError {
        if let limit = self.limit {
            var query = self.query
            query.maximumPrice = nil
            query.order = .price
            let dearer = try? await self.search(query, platform: self.request.platform)
            if let cheapest = dearer?.values.first { return self.tooDear(cheapest, limit) }
        }
        var detail = self.request.query.gpu
        if let cuda = self.imageCUDA, self.request.query.minimumCUDA == nil {
            let words = "with CUDA \(Figures.fixed(cuda, 1)) for the image"
            detail = detail.map { "\($0) \(words)" } ?? words
        }
        return EngineError(.noMatchingOffer, self.activity, detail: detail)
    }

    private func tooDear(_ offer: Offer, _ limit: HourlyPrice) -> EngineError {
        EngineError(
            .limitRefused, self.activity,
            detail:
                "the cheapest offer costs \(Figures.dollars(offer.price.dollarsPerHour, 3))/h and the limit is "
                + "\(Figures.dollars(limit.dollarsPerHour, 3))/h" + self.origin(of: limit))
    }

    /// ` (max_price in FILE)` if the limit is a cap, or what else may have set it.
    private func origin(of limit: HourlyPrice) -> String {
        guard let cap = self.context.configuration.limits.maximumPrice, cap.value <= limit.dollarsPerHour
        else {
            return " (--max-price or defaults.max_price)"
        }
        return " (max_price in \(cap.file))"
    }

    // MARK: Machines that failed

    /// The identifier under which a failure of the machine behind `instance`, rented from `offer`, is
    /// remembered; nil if neither the machine nor its place is known.
    static func machine(of offer: Offer, _ instance: Instance) -> String? {
        if offer.places.isEmpty { return offer.machineID ?? instance.machineID }
        return instance.location.map { offer.placed(in: [$0]).id.rawValue }
    }

    private func badMachines() throws(EngineError) -> [Platform: Set<String>] {
        var bad: [Platform: Set<String>] = [:]
        for platform in Platform.allCases {
            let since = Date(timeIntervalSinceNow: -Self.badPeriod(platform))
            bad[platform] = try self.context.store.badMachines(on: platform, since: since)
        }
        return bad
    }

    /// The requests that `offer` can be split into: the whole offer, then single places of it.
    static func parts(of offer: Offer, avoiding bad: Set<String>) -> [Offer] {
        guard !offer.places.isEmpty else {
            return offer.machineID.map(bad.contains) == true ? [] : [offer]
        }
        let good = offer.places.filter { !bad.contains(offer.placed(in: [$0]).id.rawValue) }
        guard !good.isEmpty else { return [] }
        let whole = good.count == offer.places.count ? offer : offer.placed(in: good)
        guard good.count > 1 else { return [whole] }
        return [whole] + good.prefix(Self.placesTried).map { offer.placed(in: [$0]) }
    }
}

/// The plan of a create.
public struct RentalPlan: Sendable {
    /// The offers in the order in which they would be tried. Never empty.
    public var offers: [Offer]
    /// The failures of platforms that could not list their offers.
    public var failures: [PlatformAnswers<Offer>.Failure]
    /// The image that the first of `offers` would run.
    public var image: String
    /// GPUs whose offers were omitted because the image cannot run on them.
    public var unfitGPUs: [String]
    /// The CUDA version that the image needs, if its name tells.
    public var imageCUDA: Double?
    /// The use for which the cost of each offer is estimated.
    public var job: JobEstimate
}
