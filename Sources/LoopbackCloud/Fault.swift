/// Something that goes wrong on demand, for tests and rehearsal.
///
/// A fault waits until something happens that it fits, and befalls that: a request, a create, a boot, an
/// instance that runs. What is about running instances befalls those that run already at once.
public struct Fault: Hashable, Sendable {
    /// What goes wrong. The raw value is its name on a command line.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A request is answered 429; where `seconds` are given, that asks to be left alone for so long.
        case rateLimited = "rate-limited"
        /// The account's key is refused from now on, as one that has expired;
        /// the instances' own keys are not.
        case keyExpired = "key-expired"
        /// A request is answered as one that the account's key has no right to.
        case permissionMissing = "permission-missing"
        /// vast.ai's searches of the day are used up: each is refused until `seconds` from its first refusal.
        case searchQuota = "search-quota"
        /// A request is answered after a pause.
        case slow
        /// An answer is cut in the middle.
        case malformedJSON = "malformed-json"
        /// A request is answered by a proxy's HTML page with status 502, and reaches nobody.
        case htmlErrorPage = "html-error-page"
        /// A create rents, and is then answered as a server error.
        case serverErrorAfterCreate = "server-error-after-create"
        /// A create finds its offer gone, or the host it was placed on too small.
        case offerTaken = "offer-taken"
        /// A create finds nothing of what it asks for.
        case noCapacity = "no-capacity"
        /// A bid turns out too low; on vast.ai it leaves a stopped contract.
        case bidTooLow = "bid-too-low"
        /// A boot pulls its image for ever.
        case imageNeverLoads = "image-never-loads"
        /// A create gives other hardware than was asked for, at another price: an RTX 3060 for 90 cents.
        case otherHardware = "other-hardware"
        /// A boot ends at a message of the platform: `boot-error:text=OCI runtime create failed`.
        case bootError = "boot-error"
        /// An instance is placed, and never begins to load its image.
        case neverPlaced = "never-placed"
        /// A boot finds that its image does not exist.
        case imagePullError = "image-pull-error"
        /// sshd listens only some time after the instance is said to run.
        case sshdLate = "sshd-late"
        /// sshd knows no key for some time after the instance is said to run.
        case keyRefused = "key-refused"
        /// sshd comes back with another host key.
        case hostKeyChanged = "host-key-changed"
        /// Every ssh connection is cut; what runs in them runs on.
        case connectionCut = "connection-cut"
        /// The instance's host loses its network for `seconds`: no ssh connection lasts,
        /// the platform hears nothing of it, and what runs there runs on.
        case hostOffline = "host-offline"
        /// The instance is gone, and the platform has never heard of it.
        case vanished
        /// Somebody bids more, or is served first: the instance stops, its disk stays.
        case preempted
        /// The account is empty: everything stops or ends, and nothing can be rented.
        case balanceZero = "balance-zero"
        /// A start of a stopped instance finds its GPU rented to somebody else.
        case startRefused = "start-refused"
        /// vast.ai's v0 list of instances is switched off. So it is from the start.
        case v0ListRetired = "v0-list-retired"
        /// All of vast.ai's v0 API is switched off.
        case v0Retired = "v0-retired"
        /// RunPod's REST v1 is switched off. So it is from the start.
        case v1Retired = "v1-retired"
        /// RunPod's GraphQL is switched off.
        case graphQLRetired = "graphql-retired"
        /// RunPod's REST v2 is switched off.
        case restRetired = "rest-retired"
    }

    public var kind: Kind
    /// How many events it befalls before it is used up.
    public var times: Int
    /// How many events that fit are let pass first.
    public var skip = 0
    /// How long the pause is; for what befalls running instances, how long they have run by then.
    public var seconds: Double?
    /// Whom it befalls; nil for either platform.
    public var platform: Market?
    /// Part of the name of the GPU that it befalls, in any spelling.
    public var gpu: String?
    /// The number of the machine that it befalls.
    public var machine: Int?
    /// Part of the method and path of the requests that it befalls: `PUT /api/v0/asks`.
    public var request: String?
    /// What the platform says then, for a fault that is a message. `IMAGE` stands for the image's name.
    public var text: String?

    public init(_ kind: Kind, times: Int = 1, seconds: Double? = nil) {
        self.kind = kind
        self.times = times
        self.seconds = seconds
    }

    /// The same for one platform alone: what is asked of the other meanwhile goes well.
    public func on(_ platform: Market) -> Fault {
        var copy = self
        copy.platform = platform
        return copy
    }
}

extension Fault {
    public static let offerTaken = Fault(.offerTaken)
    public static let noCapacity = Fault(.noCapacity)
    public static let bidTooLow = Fault(.bidTooLow)
    public static let serverErrorAfterCreate = Fault(.serverErrorAfterCreate)
    public static let imageNeverLoads = Fault(.imageNeverLoads)
    public static let imagePullError = Fault(.imagePullError)
    public static let connectionCut = Fault(.connectionCut)
    public static let hostKeyChanged = Fault(.hostKeyChanged)
    public static let vanished = Fault(.vanished)
    public static let preempted = Fault(.preempted)
    public static let balanceZero = Fault(.balanceZero)
    public static let malformedJSON = Fault(.malformedJSON)
    public static let htmlErrorPage = Fault(.htmlErrorPage)
    public static let startRefused = Fault(.startRefused)
    public static let v0Retired = Fault(.v0Retired)
    public static let graphQLRetired = Fault(.graphQLRetired)
    public static let restRetired = Fault(.restRetired)

    public static func searchQuota(_ time: Duration) -> Fault {
        Fault(.searchQuota, seconds: time / .seconds(1))
    }
    public static let otherHardware = Fault(.otherHardware)
    public static let neverPlaced = Fault(.neverPlaced)
    public static let keyExpired = Fault(.keyExpired)
    public static let permissionMissing = Fault(.permissionMissing)

    public static func hostOffline(_ time: Duration) -> Fault {
        Fault(.hostOffline, seconds: time / .seconds(1))
    }

    public static func bootError(_ text: String, times: Int = 1) -> Fault {
        var fault = Fault(.bootError, times: times)
        fault.text = text
        return fault
    }

    public static func rateLimited(count: Int) -> Fault { Fault(.rateLimited, times: count) }
    public static func slow(_ pause: Duration) -> Fault { Fault(.slow, seconds: pause / .seconds(1)) }
    public static func sshdLate(_ delay: Duration) -> Fault { Fault(.sshdLate, seconds: delay / .seconds(1)) }
    public static func keyRefused(_ time: Duration) -> Fault {
        Fault(.keyRefused, seconds: time / .seconds(1))
    }
}

// MARK: Text

extension Fault {
    /// Why a text names no fault.
    public struct Misspelled: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// A fault as it is written on a command line: `NAME`, or `NAME:args` with the arguments separated by
    /// commas. `slow:2.5,platform=vast` or `offer-taken:times=2,gpu=RTX 4090`.
    public init(parsing text: String) throws(Misspelled) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = Kind(rawValue: parts[0].trimmingPrefix(while: \.isWhitespace).lowercased()) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Misspelled(description: "There is no fault \"\(parts[0])\". There are: \(names).")
        }
        self.init(kind, seconds: kind.usualSeconds)
        guard parts.count > 1 else { return }
        var arguments = parts[1]
        // A message may hold commas, so that it is the last and takes all that follows.
        if let range = arguments.firstRange(of: "text=") {
            self.text = String(arguments[range.upperBound...])
            arguments = arguments[..<range.lowerBound]
        }
        for argument in arguments.split(separator: ",") {
            let pair = argument.split(separator: "=", maxSplits: 1).map {
                String($0.trimmingPrefix(while: \.isWhitespace))
            }
            // A value without a name is the one that this kind of fault is about.
            let name = pair.count > 1 ? pair[0] : kind.takesSeconds ? "seconds" : "times"
            guard let value = pair.last, self.set(name, to: value) else {
                throw Misspelled(
                    description: "\"\(argument)\" says nothing about a fault. Arguments are times=N or "
                        + "times=all, skip=N, seconds=S, platform=vast or runpod, gpu=NAME, machine=N, "
                        + "request=TEXT, and at the end text=TEXT.")
            }
        }
    }

    private mutating func set(_ name: String, to value: String) -> Bool {
        switch name {
        case "times":
            guard let count = value == "all" ? .max : Int(value), count > 0 else { return false }
            self.times = count
        case "skip":
            guard let count = Int(value), count >= 0 else { return false }
            self.skip = count
        case "seconds":
            guard let seconds = Double(value), (0...86_400).contains(seconds) else { return false }
            self.seconds = seconds
        case "platform":
            guard let platform = Market(rawValue: value.lowercased()) else { return false }
            self.platform = platform
        case "machine":
            guard let machine = Int(value) else { return false }
            self.machine = machine
        case "gpu": self.gpu = value
        case "request": self.request = value
        default: return false
        }
        return true
    }
}

extension Fault.Kind {
    /// Of a fault that is a pause, where none is given.
    fileprivate var usualSeconds: Double? {
        switch self {
        case .slow: 5
        case .sshdLate, .keyRefused: 10
        case .searchQuota: 3600
        case .hostOffline: 30
        default: nil
        }
    }

    fileprivate var takesSeconds: Bool { self.usualSeconds != nil || self.strikesInstances }

    /// Whether it befalls instances that run, rather than something that is asked or on its way.
    var strikesInstances: Bool {
        switch self {
        case .hostKeyChanged, .connectionCut, .vanished, .preempted, .balanceZero, .hostOffline: true
        default: false
        }
    }

    /// Whether what befalls an instance lasts for the fault's seconds, and does not come after them.
    var lastsSeconds: Bool { self == .hostOffline }
}
