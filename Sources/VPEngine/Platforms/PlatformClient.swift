import Foundation

/// An order for an instance, in its final form.
public struct RentRequest: Hashable, Sendable {
    /// The variable of a container that lists the names of those given at its rental, separated by blanks.
    package static let namesVariable = "VP_VARIABLES"

    /// The offer to rent, at its price.
    public var offer: Offer
    /// The label, unique in the account: it identifies the instance if the answer is lost.
    public var name: String
    /// The container's image, in Docker's form.
    public var image: String
    /// The disk for the workspace; platforms count in whole gigabytes, and RunPod gives at least ten.
    public var diskBytes: Int64
    /// The container's environment variables, by name.
    public var environment: [String: String]
    /// Shell text that runs at every start of the container; nil for none.
    public var onStart: String?
    /// Shell text that runs before `onStart`, if the platform has room for it; see `BootGuard`.
    public var bootGuard: String?
    /// The line of the key that we will log in with, for a platform that needs it with each rental.
    public var publicKey: String?
    /// The CUDA version that the image needs of the driver, for a platform that chooses the machine itself.
    public var minimumCUDA: Double?

    /// A request for `offer` without start commands, key or bound on CUDA, unless given.
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
    /// vast.ai's number; on RunPod, whose keys have none, the key itself without its comment.
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
    /// The price of the volume by itself, whether or not an instance uses it.
    public var price: HourlyPrice
    /// True if no instance uses it.
    public var isUnattached: Bool
    /// When it was rented; nil if the platform does not say, as on RunPod.
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

    /// True if an instance gets only the account's keys, so that ours has to be among them.
    var installsOnlyAccountKeys: Bool { get }

    /// Returns current offers, at most `query.limit` rows, in `query.order`. Throws `.searchQuotaSpent` if no
    /// search may be made for `purpose`.
    func offers(_ query: OfferQuery, for purpose: SearchPurpose) async throws(EngineError) -> [Offer]

    /// Returns `request` completed with facts that have to be read from the account. It orders nothing, so
    /// that its errors mean that nothing was rented.
    func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest

    /// Rents `request.offer` and returns the new instance's id.
    ///
    /// Throws `.offerTaken` if the next candidate may be tried, and `.insufficientCredit`, `.unauthorized` or
    /// `.missingPermission` if none should be. After `.networkDown`, `.timedOut`, `.platformFailed`,
    /// `.badResponse` or `.cancelled` the instance may exist all the same: look for `request.name` before
    /// anything else. An error whose `leftoverInstance` is set has left an instance that must be destroyed.
    func rent(_ request: RentRequest) async throws(EngineError) -> InstanceID

    /// Returns every instance of the account, from all pages.
    func listing() async throws(EngineError) -> InstanceListing

    /// Returns one instance, or nil if the platform says that it does not exist.
    func instance(_ id: InstanceID) async throws(EngineError) -> Instance?

    /// Asks the platform to start `id`. Throws `.instanceNotRunning` if its GPU is not free.
    func start(_ id: InstanceID) async throws(EngineError)

    /// Asks the platform to stop `id`, whose disk is still billed. The caller confirms with `instance(_:)`.
    func stop(_ id: InstanceID) async throws(EngineError)

    /// Asks the platform to destroy `id`. An instance that is already gone is no error. The caller confirms
    /// with `instance(_:)`.
    func destroy(_ id: InstanceID) async throws(EngineError)

    /// Gives `id` another label; its container is not restarted.
    func rename(_ id: InstanceID, to name: String) async throws(EngineError)

    /// Returns the public keys that the account installs on new instances.
    func accountKeys() async throws(EngineError) -> [AccountKey]

    /// Adds a public key, a line as in `id_ed25519.pub`, to those of the account.
    func addAccountKey(_ publicKey: String) async throws(EngineError)

    /// Returns the money that the account can still spend. Throws `.unsupported` or `.endpointRetired` if the
    /// platform does not report it.
    func balance() async throws(EngineError) -> Balance

    /// Returns the platform's last messages about the start of an instance, newest last, if
    /// `Instance.statusMessage` lacks them.
    func startMessages(_ id: InstanceID) async throws(EngineError) -> [String]

    /// Returns the disks that are rented by themselves.
    func volumes() async throws(EngineError) -> [Volume]

    /// Returns the charge for each instance on each day from `start`, a midnight UTC, up to `now`.
    func charges(from start: Date, to now: Date) async throws(EngineError) -> [Charge]

    /// Returns the platform's own log of the container's start, newest last.
    func providerLog(_ id: InstanceID, lines: Int) async throws(EngineError) -> String
}

extension PlatformClient {
    /// Returns current offers, for a search that somebody asked for.
    public func offers(_ query: OfferQuery) async throws(EngineError) -> [Offer] {
        try await self.offers(query, for: .asked)
    }

    /// The count of its searches, if the platform limits searches by the day.
    package var searches: SearchQuota? { (self as? any SearchCounting)?.quota }

    /// Returns `request` itself, for a platform that needs nothing more.
    public func prepared(_ request: RentRequest) async throws(EngineError) -> RentRequest { request }
}

/// A platform that limits searches by the day.
package protocol SearchCounting {
    var quota: SearchQuota { get }
}
