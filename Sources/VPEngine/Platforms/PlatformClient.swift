import Foundation

/// What a platform is asked to rent, in its final form.
public struct RentRequest: Hashable, Sendable {
    /// The variable of a container that names those that were given at its rental, separated by blanks.
    package static let namesVariable = "VP_VARIABLES"

    /// What to rent, at its price.
    public var offer: Offer
    /// Unique in the account: the instance is looked for by it when the answer was lost.
    public var name: String
    /// The container's image, as Docker takes it.
    public var image: String
    /// The disk for the workspace; platforms count in whole gigabytes, and RunPod gives at least ten.
    public var diskBytes: Int64
    /// The container's environment variables, by name.
    public var environment: [String: String]
    /// Shell text that is run at every start of the container; nil for none.
    public var onStart: String?
    /// Shell text that is run before `onStart`, where the platform has room for it; see `BootGuard`.
    public var bootGuard: String?
    /// The line of the key we will log in with, for a platform that is told with each rental.
    public var publicKey: String?
    /// What the image needs of the driver, for a platform that chooses the machine itself.
    public var minimumCUDA: Double?

    /// A request for `offer` with nothing to run at a start, no key and no bound on CUDA, unless given.
    public init(
        offer: Offer, name: String, image: String, diskBytes: Int64, environment: [String: String] = [:],
        onStart: String? = nil, bootGuard: String? = nil, publicKey: String? = nil,
        minimumCUDA: Double? = nil
    ) {
        self.offer = offer
        self.name = name
        self.image = image
        self.diskBytes = diskBytes
        self.environment = environment
        self.onStart = onStart
        self.bootGuard = bootGuard
        self.publicKey = publicKey
        self.minimumCUDA = minimumCUDA
    }
}

/// A public key that the account installs on new instances.
public struct AccountKey: Hashable, Sendable {
    /// vast.ai's number; on RunPod, where keys have none, the key itself without its comment.
    public var id: String
    /// The line as in `id_ed25519.pub`.
    public var publicKey: String

    /// A key that the account has.
    public init(id: String, publicKey: String) {
        self.id = id
        self.publicKey = publicKey
    }
}

/// A disk that is rented by itself, and lasts longer than the instances that use it.
public struct Volume: Hashable, Codable, Sendable {
    /// The platform that rents it out.
    public var platform: Platform
    /// The id as the platform writes it.
    public var id: String
    /// The label it was given, if any.
    public var name: String?
    /// What it costs by itself, whether or not an instance uses it.
    public var price: HourlyPrice
    /// True where no instance uses it.
    public var isUnattached: Bool
    /// When it was rented; nil where the platform does not say, as on RunPod.
    public var createdAt: Date?

    /// A volume, as its platform describes it.
    public init(
        platform: Platform, id: String, name: String?, price: HourlyPrice, isUnattached: Bool,
        createdAt: Date? = nil
    ) {
        self.platform = platform
        self.id = id
        self.name = name
        self.price = price
        self.isUnattached = isUnattached
        self.createdAt = createdAt
    }
}

/// One platform's API, in our words.
///
/// Each method makes the requests it needs and returns typed values. A body that cannot be understood throws
/// `.badResponse`; it is never read as an empty list. Nothing that rents is ever repeated by itself.
public protocol PlatformClient: Sendable {
    /// The platform whose API it is.
    var platform: Platform { get }

    /// True where an instance gets the account's keys and no other, so that ours has to be among them.
    var installsOnlyAccountKeys: Bool { get }

    /// What is for rent now, at most `query.limit` rows, in `query.order`.
    /// Throws `.searchQuotaSpent` where no search may be made for `purpose`.
    func offers(_ query: OfferQuery, for purpose: SearchPurpose) async throws(EngineError) -> [Offer]

    /// `request` with what has to be read from the account first. Asks for nothing to be rented,
    /// so that its errors mean that nothing was.
    func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest

    /// Rents `request.offer` and returns the new instance's id.
    ///
    /// Throws `.offerTaken` when the next candidate may be tried, `.insufficientCredit`, `.unauthorized` or
    /// `.missingPermission` when none should be. After `.networkDown`, `.timedOut`, `.platformFailed`,
    /// `.badResponse` or `.cancelled` the instance may exist all the same: look for `request.name` before
    /// anything else. An error whose `leftoverInstance` is set has left an instance that must be destroyed.
    func rent(_ request: RentRequest) async throws(EngineError) -> InstanceID

    /// Every instance of the account; all pages.
    func listing() async throws(EngineError) -> InstanceListing

    /// One instance, or nil when the platform says that it does not exist.
    func instance(_ id: InstanceID) async throws(EngineError) -> Instance?

    /// Asks for the start of `id`. Throws `.instanceNotRunning` where its GPU is not free.
    func start(_ id: InstanceID) async throws(EngineError)

    /// Asks for the stop of `id`, whose disk is still billed. The caller confirms with `instance(_:)`.
    func stop(_ id: InstanceID) async throws(EngineError)

    /// Asks for the end of `id`. An instance that is gone already is no error. The caller confirms with
    /// `instance(_:)`.
    func destroy(_ id: InstanceID) async throws(EngineError)

    /// Gives `id` another label; its container is not restarted.
    func rename(_ id: InstanceID, to name: String) async throws(EngineError)

    /// The public keys that the account installs on new instances.
    func accountKeys() async throws(EngineError) -> [AccountKey]

    /// Adds a public key, a line as in `id_ed25519.pub`, to those of the account.
    func addAccountKey(_ publicKey: String) async throws(EngineError)

    /// What the account can still spend. Throws `.unsupported` or `.endpointRetired` where the platform does
    /// not tell.
    func balance() async throws(EngineError) -> Balance

    /// The platform's last words on the start of an instance, newest last,
    /// where `Instance.statusMessage` does not have them.
    func startMessages(_ id: InstanceID) async throws(EngineError) -> [String]

    /// Disks that are rented by themselves.
    func volumes() async throws(EngineError) -> [Volume]

    /// What was charged for each instance on each of the days from `start`, a midnight UTC, up to `now`.
    func charges(from start: Date, to now: Date) async throws(EngineError) -> [Charge]

    /// The platform's own log of the container's start, newest last.
    func providerLog(_ id: InstanceID, lines: Int) async throws(EngineError) -> String
}

extension PlatformClient {
    /// What is for rent now, for a search that somebody asked for.
    public func offers(_ query: OfferQuery) async throws(EngineError) -> [Offer] {
        try await self.offers(query, for: .asked)
    }

    /// The count of its searches, where the platform allows so many a day.
    package var searches: SearchQuota? { (self as? any SearchCounting)?.quota }

    /// `request` itself, where the platform needs nothing more.
    public func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest { request }
}

/// A platform that allows so many searches a day.
package protocol SearchCounting {
    var quota: SearchQuota { get }
}
