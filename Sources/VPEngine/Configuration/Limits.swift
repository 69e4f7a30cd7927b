import Foundation

/// Caps that no setting and no option can raise, from `limits.yaml` beside the user's configuration and in
/// `/etc/variousplug`. If several files set a cap, the stricter one counts.
public struct Limits: Hashable, Sendable {
    /// A value, and the file that sets it.
    public struct Cap<Value: Hashable & Sendable>: Hashable, Sendable {
        /// The highest permitted number, or the names of everything that is permitted.
        public var value: Value
        /// The path of the file.
        public var file: String

        /// A cap that is set in `file`.
        public init(value: Value, file: String) {
            self.value = value
            self.file = file
        }
    }

    /// The highest price in dollars an hour.
    public var maximumPrice: Cap<Double>?
    /// The highest cost in dollars of one run or one rental.
    public var maximumCost: Cap<Double>?
    /// The highest spending in dollars a day, UTC, over all accounts.
    public var dollarsPerDay: Cap<Double>?
    /// The largest number of simultaneous instances, over all accounts.
    public var maximumInstances: Cap<Int>?
    /// The largest number of GPUs of one instance.
    public var maximumGPUs: Cap<Int>?
    /// Kinds of GPU that may be rented; a GPU has to be on every list.
    public var gpus: [Cap<[String]>]
    /// Platforms that may be used; a platform has to be on every list.
    public var platforms: [Cap<[Platform]>]
    /// Verbs of `vp` that may be used.
    public var verbs: [Cap<[String]>]
    /// The files that were read.
    public var files: [String]
    /// The reason why a file cannot be used, with its path. Until that is fixed, nothing that costs money is
    /// done.
    public var problem: String?

    /// A set without caps, for the case that there is no limits file.
    public init() {
        self.gpus = []
        self.platforms = []
        self.verbs = []
        self.files = []
    }

    /// True if there is no limits file.
    public var isEmpty: Bool { self.files.isEmpty && self.problem == nil }

    /// Takes over the caps of `other` that are stricter.
    mutating func tighten(by other: Limits) {
        func lower<Value: Comparable>(_ mine: Cap<Value>?, _ theirs: Cap<Value>?) -> Cap<Value>? {
            guard let mine, let theirs else { return mine ?? theirs }
            return theirs.value < mine.value ? theirs : mine
        }
        self.maximumPrice = lower(self.maximumPrice, other.maximumPrice)
        self.maximumCost = lower(self.maximumCost, other.maximumCost)
        self.dollarsPerDay = lower(self.dollarsPerDay, other.dollarsPerDay)
        self.maximumInstances = lower(self.maximumInstances, other.maximumInstances)
        self.maximumGPUs = lower(self.maximumGPUs, other.maximumGPUs)
        self.gpus += other.gpus
        self.platforms += other.platforms
        self.verbs += other.verbs
        self.files += other.files
        self.problem = self.problem ?? other.problem
    }

    // MARK: Refusals

    /// Throws `.limitRefused` if a limits file cannot be used.
    package func requireUsable() throws(EngineError) {
        if let problem = self.problem { throw Self.refusal("the limits cannot be used, \(problem)") }
    }

    /// Throws `.limitRefused` if none of `verbs` may be used.
    public func require(anyOf verbs: String...) throws(EngineError) {
        for cap in self.verbs where !verbs.contains(where: cap.value.contains) {
            throw Self.refusal(
                "\(verbs[0]) is not among verbs (\(cap.value.joined(separator: ", "))) in \(cap.file)")
        }
    }

    /// Returns why hardware of that kind may not be rented or started; nil if it may.
    func objection(
        to platform: Platform, gpu: String, memoryBytes: Int64?, count: Int, price: HourlyPrice
    ) -> String? {
        for cap in self.platforms where !cap.value.contains(platform) {
            let names = cap.value.map(\.displayName).joined(separator: ", ")
            return "\(platform.displayName) is not among platforms (\(names)) in \(cap.file)"
        }
        for cap in self.gpus {
            let isAllowed = cap.value.contains { name in
                if let selection = GPUName.select(name) {
                    return selection.includes(platformName: gpu, memoryBytes: memoryBytes)
                }
                return GPUName.normalize(name) == GPUName.normalize(gpu)
            }
            if !isAllowed {
                return "\(gpu) is not among gpus (\(cap.value.joined(separator: ", "))) in \(cap.file)"
            }
        }
        if let cap = self.maximumGPUs, count > cap.value {
            return "it has \(count) GPUs, but gpus in \(cap.file) is \(cap.value)"
        }
        if let cap = self.maximumPrice, price.dollarsPerHour > cap.value {
            return "it costs \(Figures.dollars(price.dollarsPerHour, 3))/h, but max_price"
                + Self.words(cap, "/h")
        }
        return nil
    }

    package func objection(to offer: Offer) -> String? {
        self.objection(
            to: offer.id.platform, gpu: offer.gpuName, memoryBytes: offer.gpuMemoryBytes,
            count: offer.gpuCount,
            price: offer.price)
    }

    /// Returns the end of a sentence: ` in FILE is $0.50/h`.
    private static func words(_ cap: Cap<Double>, _ unit: String) -> String {
        " in \(cap.file) is \(Figures.dollars(cap.value, 3))\(unit)"
    }

    static func refusal(_ words: String) -> EngineError {
        EngineError(.limitRefused, .init("keeping to the limits"), detail: words)
    }

    // MARK: Reductions

    /// Returns `request` with everything reduced to the caps.
    package func tightened(_ request: CreateRequest, _ defaults: EngineConfiguration.Defaults)
        -> CreateRequest
    {
        var request = request
        if let cap = self.maximumPrice {
            let wanted = (request.query.maximumPrice ?? defaults.maximumPrice)?.dollarsPerHour ?? .infinity
            request.query.maximumPrice = HourlyPrice(dollarsPerHour: min(wanted, cap.value))
        }
        if let cap = self.maximumCost {
            request.maximumCost = min(request.maximumCost ?? .infinity, cap.value)
        }
        return request
    }

    package func tightened(_ request: RunRequest, _ money: EngineConfiguration.Money) -> RunRequest {
        var request = request
        if let cap = self.maximumCost {
            request.maximumCost = min(request.maximumCost ?? money.dollarsPerRun ?? .infinity, cap.value)
        }
        return request
    }
}

extension EngineConfiguration {
    /// The daily limit on spending, and its origin: the lower of the setting and the caps.
    public var dayLimit: (dollars: Double, origin: String)? {
        let own = self.money.dollarsPerDay.map { ($0, "budget.per_day") }
        guard let cap = self.limits.dollarsPerDay else { return own }
        if let own, own.0 <= cap.value { return own }
        return (cap.value, "per_day in \(cap.file)")
    }
}
