import Foundation

/// What each platform answered, and which could not.
public struct PlatformAnswers<Value: Sendable>: Sendable {
    public struct Failure: Hashable, Sendable {
        public var platform: Platform
        public var error: EngineError

        public init(platform: Platform, error: EngineError) {
            self.platform = platform
            self.error = error
        }
    }

    public var values: [Value]
    public var failures: [Failure]
    public var fetchedAt: Date
    /// When each platform's rows were fetched, where that was not at `fetchedAt`.
    public var seenAt: [Platform: Date]

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
    public var files: Int
    public var bytes: Int64
    /// The largest first, at most twenty.
    public var examples: [String]

    public init(files: Int, bytes: Int64, examples: [String] = []) {
        self.files = files
        self.bytes = bytes
        self.examples = examples
    }

    public var isSafe: Bool { self.files == 0 }
}

extension OfferQuery {
    /// Whether `first` stands before `second`; equal ones are told apart by price, then id, so that a list
    /// does not jump between two refreshes.
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
