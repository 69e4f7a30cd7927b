import Foundation

/// The offers that a create may take, in the order in which they are tried: what the job will cost.
struct RentalCandidates {
    let context: EngineContext
    let request: CreateRequest
    /// What the offers are asked for; a plan that is only shown may be made of what was found a moment ago.
    var purpose = SearchPurpose.renting

    /// How long a machine that failed is left alone. On RunPod it is known by its data center alone, which
    /// mends itself sooner.
    private static func badPeriod(_ platform: Platform) -> TimeInterval {
        switch platform {
        case .vast: 86_400
        case .runpod: 3600
        }
    }

    /// A data center may refuse while its neighbour has the same GPU free; further ones are hardly different.
    private static let placesTried = 3

    /// What may be taken. Never empty.
    struct Found {
        var offers: [Offer]
        var failures: [PlatformAnswers<Offer>.Failure] = []
        /// GPUs whose offers were left out, since the image cannot run there.
        var unfitGPUs: [String] = []
    }

    /// Throws `.imageUnfit`, `.noMatchingOffer` or `.limitRefused` where nothing may be taken,
    /// and the platform's own failure where nobody could say what there is.
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
                detail: "the \(avoided) that would fit failed a short while ago and are left alone")
        }
        return Found(offers: candidates, failures: answers.failures, unfitGPUs: unfit.sorted())
    }

    // MARK: The image

    /// What is rented with `offer`: the one that was named, or ours that fits.
    func image(for offer: Offer) -> String {
        guard self.image == StockImage.auto else { return self.image }
        return StockImage.best(
            on: offer.id.platform, gpu: offer.gpuName, driverCUDA: offer.cudaVersion)
            ?? StockImage.usual(on: offer.id.platform)
    }

    /// Why it cannot run there; nil where nothing is known against it.
    private func imageProblem(on offer: Offer) -> String? {
        guard !self.request.acceptsAnyway else { return nil }
        return ImageFit.problem(
            image: self.image(for: offer), gpu: offer.gpuName, driverCUDA: offer.cudaVersion)
    }

    /// What can be known before anybody is asked.
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

    /// What was seen earlier stands in for a platform that allows no further search today:
    /// one that is taken meanwhile costs a refusal.
    private func addEarlierOffers(to answers: inout PlatformAnswers<Offer>) {
        guard
            answers.failures.contains(where: { $0.platform == .vast && $0.error.code == .searchQuotaSpent }),
            let earlier = self.context.cachedOffers()
        else { return }
        let query = self.query
        let gpus = query.gpu.flatMap(GPUName.select).map(VastSearch.GPUs.known)
        // A name that the table lacks cannot be compared.
        guard gpus != nil || query.gpu?.trimmingSpaces().isEmpty != false else { return }
        let fitting = VastSearch(query: query, gpus: gpus).select(
            earlier.values.filter {
                $0.id.platform == .vast && $0.isInterruptible == query.isInterruptible
            })
        answers.values = (answers.values + fitting).sorted(by: query.precedes)
    }

    /// What is searched for: with the image's CUDA, by the cost of the job, and more than will be tried.
    var query: OfferQuery {
        var query = self.request.query
        query.order = .cost
        query.limit = max(query.limit, 64)
        query.maximumPrice = self.limit
        if let cuda = self.imageCUDA { query.minimumCUDA = max(query.minimumCUDA ?? 0, cuda) }
        return query
    }

    var image: String { self.request.image ?? self.context.configuration.defaults.image }

    /// What the image needs of the driver; nil also where each offer gets an image that fits it.
    private var imageCUDA: Double? { self.request.acceptsAnyway ? nil : ImageCUDA.version(of: self.image) }

    private var limit: HourlyPrice? {
        self.request.query.maximumPrice ?? self.context.configuration.defaults.maximumPrice
    }

    private var activity: EngineError.Activity {
        EngineError.Activity("renting an instance", platform: self.request.platform)
    }

    /// An offer picked from a list is looked up in what is for rent now, or in what was shown.
    private func named(_ id: OfferID) async throws(EngineError) -> Offer {
        var query = self.request.query
        // The one that is wanted need not be among the first.
        query.limit = max(query.limit, 200)
        // Whether it may cost that is judged below, and said.
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

    /// Says why nothing was found: the price, where a higher one would find something, or the image.
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

    /// ` (max_price in FILE)` where the limit is a cap and not the user's own wish.
    private func origin(of limit: HourlyPrice) -> String {
        guard let cap = self.context.configuration.limits.maximumPrice, cap.value <= limit.dollarsPerHour
        else {
            return ""
        }
        return " (max_price in \(cap.file))"
    }

    // MARK: Machines that failed

    /// What is remembered of the machine behind `instance`, which was rented from `offer`; nil where neither
    /// the machine nor its place is known.
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

    /// The ways in which `offer` can be asked for: as it is, then in single places of its own.
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

/// What a create would do.
public struct RentalPlan: Sendable {
    /// In the order in which they would be tried. Never empty.
    public var offers: [Offer]
    /// Platforms that could not say what they have.
    public var failures: [PlatformAnswers<Offer>.Failure]
    /// The image that the first of `offers` would run.
    public var image: String
    /// GPUs whose offers were left out, since the image cannot run there.
    public var unfitGPUs: [String]
    /// What the image needs of the driver, where its name tells.
    public var imageCUDA: Double?
    /// The use for which the cost of each offer is estimated.
    public var job: JobEstimate
}
