import Foundation

/// The answers of all platforms that were asked, and the failures among them.
public struct PlatformAnswers<Value: Sendable>: Sendable {
    /// A platform whose answer is missing or not complete.
    public struct Failure: Hashable, Sendable {
        /// The platform that was asked.
        public var platform: Platform
        /// The reason that prevents a complete answer.
        public var error: EngineError

        /// The failure of `platform`.
        public init(platform: Platform, error: EngineError) {
            self.platform = platform
            self.error = error
        }
    }

    /// The answers of all platforms, in one list.
    public var values: [Value]
    /// The failures; empty if every platform that was asked has answered completely.
    public var failures: [Failure]
    /// When the platforms were asked, by this machine's clock.
    public var fetchedAt: Date
    /// When each platform's rows were fetched, if that was not at `fetchedAt`.
    public var seenAt: [Platform: Date]
    /// For platforms whose offers are all dearer than the query allows: how many fit except for the price.
    public var dearer: [Platform: Int] = [:]

    /// Answers that were all fetched at `fetchedAt`, unless `seenAt` says otherwise.
    public init(values: [Value], failures: [Failure], fetchedAt: Date, seenAt: [Platform: Date] = [:]) {
        self.values = values
        self.failures = failures
        self.fetchedAt = fetchedAt
        self.seenAt = seenAt
    }
}

extension PlatformAnswers where Value == Offer {
    /// Puts the offers of all platforms in the query's order, and keeps no more than its limit.
    public mutating func rank(by query: OfferQuery) {
        self.values = Array(self.values.sorted(by: query.precedes).prefix(max(0, query.limit)))
    }
}

extension PlatformAnswers: Equatable where Value: Equatable {}

/// Results on an instance that are not known to be here.
public struct UnsafeResults: Hashable, Codable, Sendable {
    /// The number of files and links.
    public var files: Int
    /// Their total size.
    public var bytes: Int64
    /// Paths of the largest, at most twenty.
    public var examples: [String]

    /// A number of results; `examples` may name some of them.
    public init(files: Int, bytes: Int64, examples: [String] = []) {
        self.files = files
        self.bytes = bytes
        self.examples = examples
    }

    /// True if a destroy would lose nothing.
    public var isSafe: Bool { self.files == 0 }

    /// Adds the results of another workspace.
    mutating func add(_ other: UnsafeResults) {
        self.files += other.files
        self.bytes = self.bytes.addingSaturated(other.bytes)
        self.examples = Array((self.examples + other.examples).prefix(20))
    }
}

extension OfferQuery {
    /// True if `first` comes before `second`; equal offers are ordered by price, then id, so that a list does
    /// not jump between two refreshes.
    public func precedes(_ first: Offer, _ second: Offer) -> Bool {
        let keys: (Double, Double) =
            switch self.order {
            case .cost: (first.dollars(for: self.job), second.dollars(for: self.job))
            case .price: (0, 0)
            case .memory:
                (
                    -Double(first.gpuMemoryBytes) * Double(first.gpuCount),
                    -Double(second.gpuMemoryBytes) * Double(second.gpuCount)
                )
            case .reliability: (-(first.reliability ?? 0), -(second.reliability ?? 0))
            case .download: (-(first.downloadMbps ?? 0), -(second.downloadMbps ?? 0))
            }
        if keys.0 != keys.1 { return keys.0 < keys.1 }
        return (first.price.dollarsPerHour, first.id.rawValue) < (
            second.price.dollarsPerHour, second.id.rawValue
        )
    }
}
