import Foundation

/// RunPod's catalogue as offers.
///
/// RunPod rents a kind of GPU, not a machine, so an offer's id contains the parts of a create call: the GPU,
/// and data centers if the query asked for certain countries. Only Secure Cloud is offered:
/// a Community pod gets a public address only by luck, and without one there is no rsync.
enum RunPodOffer {
    /// The price in dollars for each GB and month; a volume costs twice that while its pod is stopped.
    static let storagePrice = 0.10
    /// Space for software that is installed outside the workspace. A stop wipes it.
    static let containerDiskGB = 20
    /// The smallest volume that can be ordered.
    static let smallestVolumeGB = 10

    /// Bytes in RunPod's GB of GPU memory: 1024 of the megabytes that vast.ai counts in, so that one kind of
    /// GPU has one size.
    static let bytesPerGPUGigabyte = 1.024e9

    /// Steps of bids to the dollar.
    private static let bidSteps = 10_000.0

    private static let hoursPerMonth = 720.0

    /// Returns the volume's size for `bytes` of workspace, in GB.
    static func volumeGB(_ bytes: Int64) -> Int {
        max(RunPodOffer.smallestVolumeGB, Int(saturating: (Double(bytes) / 1e9).rounded(.up)))
    }

    static func storageDollarsPerHour(gigabytes: Double, isStopped: Bool = false) -> Double {
        gigabytes * RunPodOffer.storagePrice * (isStopped ? 2 : 1) / RunPodOffer.hoursPerMonth
    }

    /// Returns the bid for one GPU if `lowest` wins it: slightly more, so that rounding never lowers it, and
    /// in steps by which it can be recomputed from the price of an offer.
    static func bid(for lowest: Double) -> Double {
        ((lowest + 1e-6) * RunPodOffer.bidSteps).rounded(.up) / RunPodOffer.bidSteps
    }

    /// Returns the bid for one GPU that is contained in the price of the offer.
    static func bid(of request: RentRequest) -> Double {
        let storage = RunPodOffer.storageDollarsPerHour(workspaceBytes: request.diskBytes)
        let price = (request.offer.price.dollarsPerHour - storage) / Double(max(1, request.offer.gpuCount))
        return (price * RunPodOffer.bidSteps).rounded() / RunPodOffer.bidSteps
    }

    /// Returns the price of the disks of a running pod with room for `workspaceBytes`.
    private static func storageDollarsPerHour(workspaceBytes: Int64) -> Double {
        RunPodOffer.storageDollarsPerHour(
            gigabytes: Double(RunPodOffer.volumeGB(workspaceBytes) + RunPodOffer.containerDiskGB))
    }

    /// Returns the price of a network volume of that size.
    static func networkVolumeDollarsPerHour(_ gigabytes: Double) -> Double {
        gigabytes * (gigabytes < 1000 ? 0.07 : 0.05) / RunPodOffer.hoursPerMonth
    }

    /// Returns the rows of the catalogue that fit `query`, in its order.
    ///
    /// Secure Cloud states no reliability, so a bound on it cannot exclude a row.
    ///
    /// - Parameter bids: the lowest winning bid for one GPU, by its id, if interruptible pods are wanted.
    static func offers(
        _ json: JSONValue, for query: OfferQuery, bids: [String: Double]? = nil
    ) throws(Problem) -> [Offer] {
        guard let rows = json["gpus"].array else {
            throw .damage(WireDamage(words: "the answer has no list of GPUs"))
        }
        let gpus = rows.compactMap(RunPodGPU.init)
        guard rows.isEmpty || !gpus.isEmpty else {
            throw .damage(WireDamage(words: "no row of the list of GPUs can be read"))
        }
        let wanted = try RunPodOffer.wanted(query.gpu, among: gpus)
        let offers = wanted.compactMap { RunPodOffer.offer($0, for: query, bids: bids) }
        let sorted: [Offer] =
            switch query.order {
            case .memory: offers.sorted { $0.gpuMemoryBytes > $1.gpuMemoryBytes }
            case .cost, .price, .reliability, .download: offers.sorted { $0.price < $1.price }
            }
        return Array(sorted.prefix(max(0, query.limit)))
    }

    enum Problem: Error {
        case damage(WireDamage)
        case unknownGPU(suggestions: [String])
    }

    private static func wanted(_ text: String?, among gpus: [RunPodGPU]) throws(Problem) -> [RunPodGPU] {
        guard let text, !text.trimmingSpaces().isEmpty else { return gpus }
        if let selection = GPUName.select(text) {
            return gpus.filter {
                selection.includes(platformName: $0.id, memoryBytes: $0.memoryBytes)
                    || selection.includes(platformName: $0.name, memoryBytes: $0.memoryBytes)
            }
        }
        let name = GPUName.normalize(text)
        let found = gpus.filter { GPUName.normalize($0.id) == name || GPUName.normalize($0.name) == name }
        guard found.isEmpty || name.isEmpty else { return found }
        throw .unknownGPU(suggestions: GPUName.suggestions(for: text, among: gpus.map(\.name)))
    }

    private static func offer(_ gpu: RunPodGPU, for query: OfferQuery, bids: [String: Double]?) -> Offer? {
        guard gpu.isAvailable, query.gpuCount <= gpu.maximumCount else { return nil }
        if let minimum = query.minimumGPUMemoryBytes, Double(gpu.memoryBytes) < Double(minimum) * 0.93 {
            return nil
        }
        if let minimum = query.minimumCUDA, let newest = gpu.newestCUDA, newest < minimum { return nil }
        let countries = Set(query.countries.map { $0.uppercased() })
        let centers =
            countries.isEmpty
            ? gpu.dataCenters
            : gpu.dataCenters.filter { countries.contains(RunPodOffer.country(ofDataCenter: $0)) }
        guard countries.isEmpty || !centers.isEmpty else { return nil }
        guard let gpuPrice = bids.map({ $0[gpu.id].map(RunPodOffer.bid(for:)) }) ?? gpu.price else {
            return nil
        }
        let storage = RunPodOffer.storageDollarsPerHour(workspaceBytes: query.diskBytes)
        let price = HourlyPrice(dollarsPerHour: gpuPrice * Double(query.gpuCount) + storage)
        if let maximum = query.maximumPrice, price > maximum { return nil }
        let id = RunPodOfferID(gpu: gpu.id, dataCenters: countries.isEmpty ? [] : centers)
        return Offer(
            id: OfferID(platform: .runpod, rawValue: id.text), gpuName: gpu.name, gpuCount: query.gpuCount,
            gpuMemoryBytes: gpu.memoryBytes, price: price,
            storageDollarsPerGBMonth: RunPodOffer.storagePrice, uploadDollarsPerGB: 0,
            downloadDollarsPerGB: 0,
            location: RunPodOffer.location(centers), cudaVersion: gpu.newestCUDA,
            isInterruptible: bids != nil, isVerified: true, places: centers)
    }

    /// Returns the country of a data center: `US-KS-2` is in the US, `EU-RO-1` in Romania, since the country
    /// follows a continent.
    static func country(ofDataCenter id: String) -> String {
        let parts = id.uppercased().split(separator: "-").map(String.init)
        guard let first = parts.first else { return "" }
        return ["EU", "EUR", "AP", "OC", "SA", "AF", "ME"].contains(first) && parts.count > 1
            ? parts[1] : first
    }

    /// Returns the countries, those with most data centers first: a row has room for a few.
    static func location(_ centers: [String]) -> String? {
        let countries = centers.map(RunPodOffer.country)
        let counts = Dictionary(countries.map { ($0, 1) }, uniquingKeysWith: +)
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        guard !sorted.isEmpty else { return nil }
        return sorted.prefix(4).joined(separator: " ") + (sorted.count > 4 ? " …" : "")
    }
}

extension Offer {
    /// Returns the same offer limited to `places`, which are some of its own.
    func placed(in places: [String]) -> Offer {
        var offer = self
        let id = RunPodOfferID(gpu: RunPodOfferID(self.id.rawValue).gpu, dataCenters: places)
        offer.id = OfferID(platform: self.id.platform, rawValue: id.text)
        offer.places = places
        offer.location = RunPodOffer.location(places)
        return offer
    }
}

/// The id of an offer: `NVIDIA GeForce RTX 4090`, or the same with `@US-KS-2,US-TX-3`.
struct RunPodOfferID: Hashable {
    var gpu: String
    var dataCenters: [String]

    init(gpu: String, dataCenters: [String]) {
        self.gpu = gpu
        self.dataCenters = dataCenters
    }

    init(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        self.gpu = String(parts[0])
        self.dataCenters = parts.count > 1 ? parts[1].split(separator: ",").map(String.init) : []
    }

    var text: String {
        self.dataCenters.isEmpty ? self.gpu : self.gpu + "@" + self.dataCenters.joined(separator: ",")
    }
}

/// One row of the catalogue.
private struct RunPodGPU {
    let id: String
    let name: String
    let memoryBytes: Int64
    /// The price of one GPU on Secure Cloud, in dollars an hour.
    let price: Double
    /// The number of GPUs in the largest machine, whether or not they are free.
    let maximumCount: Int
    let isAvailable: Bool
    let dataCenters: [String]
    let newestCUDA: Double?

    /// Nil for a row that lacks a part of an offer, and for the placeholder named `unknown`.
    init?(_ row: JSONValue) {
        guard let id = row["id"].text, id != "unknown", id.utf8.count <= 100,
            let memory = row["memory"].bytes(unit: RunPodOffer.bytesPerGPUGigabyte)
        else { return nil }
        self.id = id
        self.name = row["name"].words(limit: 60) ?? id
        self.memoryBytes = memory
        // A GPU of the Community Cloud alone lists a price of 0 or none for Secure.
        self.price = row["price"]["secure"].hourly ?? 0
        self.maximumCount = row["maxCount"]["secure"].whole(in: .gpus) ?? 1
        // A word that did not exist when this was written does not mean NONE; the create call will tell.
        let availability = row["availability"].text?.uppercased()
        self.isAvailable =
            (row["secure"].bool ?? true) && self.price > 0 && availability != nil && availability != "NONE"
        self.dataCenters = (row["dataCenters"].array ?? []).filter {
            $0["availability"].text?.uppercased() != "NONE"
        }.compactMap { $0["id"].text }
        self.newestCUDA =
            (row["cudaVersions"].array ?? []).filter { $0["available"].bool != false }
            .compactMap { $0["version"].number(in: .version) }.max()
    }
}

extension Instance {
    /// The price of its disk while it is stopped, in dollars a day; nil if it is not known.
    public var stoppedDollarsPerDay: Double? {
        if let price = self.stoppedPrice { return price.dollarsPerDay }
        guard self.id.platform == .runpod, let bytes = self.diskBytes else { return nil }
        let gigabytes = Double(RunPodOffer.volumeGB(bytes))
        return RunPodOffer.storageDollarsPerHour(gigabytes: gigabytes, isStopped: true) * 24
    }
}
