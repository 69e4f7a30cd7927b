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

    public init(values: [Value], failures: [Failure], fetchedAt: Date) {
        self.values = values
        self.failures = failures
        self.fetchedAt = fetchedAt
    }
}

extension PlatformAnswers: Equatable where Value: Equatable {}

/// Results on an instance that are not known to be here.
public struct UnsafeResults: Hashable, Sendable {
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

/// Everything `vp` and `vp-tui` can ask for: the facade over platforms, remote work and history.
///
/// Questions (`instances`, `offers`, …) may be asked from anywhere at any time. Actions go through
/// `ActionQueue`, which keeps those of one instance in order.
public final class Engine: Sendable {
    public let configuration: EngineConfiguration

    /// Opens the history and writes nothing else. Contacts nobody.
    public init(configuration: EngineConfiguration) throws(EngineError) {
        self.configuration = configuration
    }

    /// The instances last seen by `vp` or `vp-tui`, from disk; nil when there is no usable cache.
    public func cachedInstances() -> PlatformAnswers<Instance>? { fatalError() }

    public func cachedOffers() -> PlatformAnswers<Offer>? { fatalError() }

    /// Asks every platform that has a key, side by side, and remembers the answer for the next first paint.
    public func instances(platform: Platform? = nil) async -> PlatformAnswers<Instance> { fatalError() }

    /// Offers of all platforms, sorted by the query's order. Throws `.unknownGPU` before asking anybody, and
    /// `.missingKey` where no platform has one.
    public func offers(_ query: OfferQuery, platform: Platform? = nil) async throws(EngineError)
        -> PlatformAnswers<Offer>
    { fatalError() }

    public func balances() async -> PlatformAnswers<Balance> { fatalError() }

    /// The instance with `id` (a platform id or an instance's name), or, without one, the single running
    /// instance. Throws `.noInstance` or `.ambiguousInstance` with the candidates in `suggestions`.
    public func instance(named id: String?, platform: Platform? = nil) async throws(EngineError) -> Instance {
        fatalError()
    }

    /// Newest first.
    public func jobs(limit: Int = 100) throws(EngineError) -> [Job] { fatalError() }

    /// By id, unique prefix, or `-1` for the newest.
    public func job(named name: String) throws(EngineError) -> Job { fatalError() }

    /// At most `limit` bytes of the local copy of a job's log, from `offset`; empty at its end.
    public func readLog(_ job: JobID, from offset: Int64, limit: Int) throws(EngineError) -> [UInt8] {
        fatalError()
    }

    /// Size of the local copy of a job's log, in bytes.
    public func logSize(_ job: JobID) throws(EngineError) -> Int64 { fatalError() }

    /// The argument vector of an interactive ssh session on `id`, for a front end that owns a terminal.
    public func shellCommand(for id: InstanceID) async throws(EngineError) -> [String] { fatalError() }

    /// Compares the instance's files with the local ones, without moving any.
    public func unsafeResults(on id: InstanceID) async throws(EngineError) -> UnsafeResults { fatalError() }

    /// Does what `action` asks. Reports `progress`, `instanceChanged`, `instanceGone`, `jobChanged` and
    /// `jobOutput`; the queue reports the rest. Throws `.cancelled` when its task was cancelled.
    public func perform(
        _ action: EngineAction, as id: ActionID, report: @escaping @Sendable (EngineEvent) -> Void
    ) async throws(EngineError) -> ActionResult { fatalError() }

    /// Ends the ssh connections that this engine opened.
    public func shutDown() async { fatalError() }
}
