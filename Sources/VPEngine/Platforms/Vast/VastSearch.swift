/// A search for offers in vast.ai's words.
struct VastSearch {
    /// The GPUs to ask for.
    enum GPUs {
        case known(GPUSelection)
        /// Names that vast.ai lists and our table lacks.
        case listed([String])
    }

    /// The server's limit on rows, whatever the request says.
    static let rowLimit = 64
    /// Searches are limited to ten a minute; a list of this many pages leaves some to spare.
    static let pageLimit = 6

    let query: OfferQuery
    let gpus: GPUs?

    init(query: OfferQuery, gpus: GPUs?) {
        self.query = query
        self.gpus = gpus
    }

    /// - Parameter pricedFrom: the lowest price, for the pages after the first.
    func body(pricedFrom: Double? = nil) -> JSONValue {
        var body: [String: JSONValue] = [
            "verified": ["eq": true], "external": ["eq": false], "rentable": ["eq": true],
            "rented": ["eq": false], "direct_port_count": ["gte": 1],
            "num_gpus": ["eq": .number(Double(self.query.gpuCount))],
            "disk_space": ["gte": .number(self.diskGB)], "allocated_storage": .number(self.diskGB),
            "type": self.query.isInterruptible ? "bid" : "on-demand",
            "limit": .number(Double(max(1, self.query.limit))), "order": [self.order],
        ]
        switch self.gpus {
        case .known(let selection):
            body["gpu_name"] = ["in": .array(selection.models.flatMap(\.vastNames).map(JSONValue.string))]
        case .listed(let names): body["gpu_name"] = ["in": .array(names.map(JSONValue.string))]
        case nil: break
        }
        if let bytes = self.minimumMemoryBytes {
            body["gpu_ram"] = ["gte": .number((bytes / 1e6).rounded(.down))]
        }
        if let reliability = self.query.minimumReliability {
            body["reliability"] = ["gte": .number(reliability)]
        }
        if let cuda = self.query.minimumCUDA { body["cuda_max_good"] = ["gte": .number(cuda)] }
        if !self.query.countries.isEmpty {
            body["geolocation"] = ["in": .array(self.query.countries.map { .string($0.uppercased()) })]
        }
        var price: [String: JSONValue] = [:]
        if let maximum = self.query.maximumPrice { price["lte"] = .number(maximum.dollarsPerHour) }
        if let pricedFrom { price["gte"] = .number(pricedFrom) }
        if !price.isEmpty { body["dph_total"] = .object(price) }
        return .object(body)
    }

    /// True if the server cut its answer short and we want the rest.
    func wantsMore(afterPageOf count: Int, total: Int) -> Bool {
        count == VastSearch.rowLimit && total < self.query.limit
    }

    /// Returns the offers that fit, in order. The server does not always apply every filter, so all are
    /// applied here too.
    func select(_ offers: [Offer]) -> [Offer] {
        let fitting = offers.filter(self.fits)
        let sorted: [Offer] =
            switch self.query.order {
            case .cost, .price: fitting.sorted(by: self.query.precedes)
            case .memory: fitting.sorted { $0.gpuMemoryBytes > $1.gpuMemoryBytes }
            case .reliability: fitting.sorted { ($0.reliability ?? 0) > ($1.reliability ?? 0) }
            case .download: fitting.sorted { ($0.downloadMbps ?? 0) > ($1.downloadMbps ?? 0) }
            }
        return Array(sorted.prefix(max(0, self.query.limit)))
    }

    private func fits(_ offer: Offer) -> Bool {
        guard offer.gpuCount == self.query.gpuCount, offer.isVerified else { return false }
        if let maximum = self.query.maximumPrice, offer.price > maximum { return false }
        if let minimum = self.query.minimumReliability, offer.reliability ?? 0 < minimum { return false }
        // A driver that the offer does not state is checked once the instance exists.
        if let minimum = self.query.minimumCUDA, let driver = offer.cudaVersion, driver < minimum {
            return false
        }
        if let bytes = self.minimumMemoryBytes, Double(offer.gpuMemoryBytes) < bytes.rounded(.down) {
            return false
        }
        if let disk = offer.diskBytes, disk < self.query.diskBytes { return false }
        if !self.query.countries.isEmpty {
            let country = offer.location?.trimmingSpaces().suffix(2).uppercased()
            guard self.query.countries.contains(where: { $0.uppercased() == country }) else { return false }
        }
        switch self.gpus {
        case .known(let selection):
            return selection.includes(platformName: offer.gpuName, memoryBytes: offer.gpuMemoryBytes)
        case .listed(let names):
            return names.contains { GPUName.normalize($0) == GPUName.normalize(offer.gpuName) }
        case nil:
            return true
        }
    }

    /// The memory to ask for: a 24 GB card offers a few per cent less than that; an L4 only 22.5.
    private var minimumMemoryBytes: Double? {
        var minimum = self.query.minimumGPUMemoryBytes.map { Double($0) * 0.93 }
        if case .known(let selection) = self.gpus, let size = selection.memoryGB {
            minimum = max(minimum ?? 0, Double(size) * 1e9 * 0.93)
        }
        return minimum
    }

    private var diskGB: Double { (Double(self.query.diskBytes) / 1e9).rounded(.up) }

    /// The order to ask for: pages are cut by price, so a list of several pages is requested in that order
    /// and sorted here.
    private var order: JSONValue {
        guard self.query.limit <= VastSearch.rowLimit else { return ["dph_total", "asc"] }
        return switch self.query.order {
        case .cost, .price: ["dph_total", "asc"]
        case .memory: ["gpu_ram", "desc"]
        case .reliability: ["reliability", "desc"]
        case .download: ["inet_down", "desc"]
        }
    }
}
