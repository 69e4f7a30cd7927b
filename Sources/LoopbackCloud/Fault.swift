/// A failure on demand, for tests and rehearsal.
///
/// A fault waits for a matching event and applies to it: a request, a create, a boot, a running instance. A
/// fault of running instances applies at once to those that are already running.
public struct Fault: Hashable, Sendable {
    /// The kind of failure. The raw value is its name on a command line.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A request is answered with 429; with `seconds`, it also asks for a pause of that length.
        case rateLimited = "rate-limited"
        /// The account's key is refused from now on, like an expired one; the instances' own keys still work.
        case keyExpired = "key-expired"
        /// A request is refused because the account's key lacks the right to it.
        case permissionMissing = "permission-missing"
        /// vast.ai's daily searches are used up: each search is refused until `seconds` after the first
        /// refusal.
        case searchQuota = "search-quota"
        /// A request is answered after a pause.
        case slow
        /// An answer is truncated in the middle.
        case malformedJSON = "malformed-json"
        /// A request is answered by a proxy's HTML page with status 502, and never reaches the platform.
        case htmlErrorPage = "html-error-page"
        /// A create rents an instance, and is then answered with a server error.
        case serverErrorAfterCreate = "server-error-after-create"
        /// The offer of a create is gone, or the host it was placed on is too small.
        case offerTaken = "offer-taken"
        /// No offer matches a create.
        case noCapacity = "no-capacity"
        /// A bid turns out too low; on vast.ai it leaves a stopped contract.
        case bidTooLow = "bid-too-low"
        /// A boot pulls its image forever.
        case imageNeverLoads = "image-never-loads"
        /// A create gives hardware other than the one requested, at another price: an RTX 3060 for 90 cents.
        case otherHardware = "other-hardware"
        /// A boot ends with an error message of the platform: `boot-error:text=OCI runtime create failed`.
        case bootError = "boot-error"
        /// An instance is placed, but never begins to load its image.
        case neverPlaced = "never-placed"
        /// A boot finds that its image does not exist.
        case imagePullError = "image-pull-error"
        /// sshd starts to listen only some time after the instance is shown as running.
        case sshdLate = "sshd-late"
        /// sshd refuses every key for some time after the instance is shown as running.
        case keyRefused = "key-refused"
        /// sshd comes back with a different host key.
        case hostKeyChanged = "host-key-changed"
        /// Every ssh connection is cut; processes in them keep running.
        case connectionCut = "connection-cut"
        /// The instance's host loses its network for `seconds`: no ssh connection lasts, the platform hears
        /// nothing from it, and processes there keep running.
        case hostOffline = "host-offline"
        /// The instance is gone, and the platform does not know it.
        case vanished
        /// Another bid or customer takes precedence: the instance stops, its disk remains.
        case preempted
        /// The account is empty: everything stops or ends, and nothing can be rented.
        case balanceZero = "balance-zero"
        /// The GPU of a stopped instance has been rented to somebody else when it is started.
        case startRefused = "start-refused"
        /// vast.ai's v0 list of instances is switched off. This fault is active from the start, because the
        /// platform has retired the list.
        case v0ListRetired = "v0-list-retired"
        /// All of vast.ai's v0 API is switched off.
        case v0Retired = "v0-retired"
        /// RunPod's REST v1 is switched off. This fault is active from the start, because the platform has
        /// retired v1.
        case v1Retired = "v1-retired"
        /// RunPod's GraphQL is switched off.
        case graphQLRetired = "graphql-retired"
        /// RunPod's REST v2 is switched off.
        case restRetired = "rest-retired"
    }

    public var kind: Kind
    /// The number of events that the fault applies to before it is used up.
    public var times: Int
    /// The number of matching events that pass first.
    public var skip = 0
    /// The length of the pause; for faults of running instances, the time that they have run by then.
    public var seconds: Double?
    /// The platform that the fault applies to; nil for either.
    public var platform: Market?
    /// Part of the name of the GPU that the fault applies to, in any spelling.
    public var gpu: String?
    /// The number of the machine that the fault applies to.
    public var machine: Int?
    /// Part of the method and path of the requests that the fault applies to: `PUT /api/v0/asks`.
    public var request: String?
    /// The platform's message, for a fault that has one. `IMAGE` stands for the image's name.
    public var text: String?

    public init(_ kind: Kind, times: Int = 1, seconds: Double? = nil) {
        self.kind = kind
        self.times = times
        self.seconds = seconds
    }

    /// A copy that applies to one platform only: requests to the other succeed meanwhile.
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
    /// The reason why a text is not a valid fault.
    public struct Misspelled: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Parses a fault as written on a command line: `NAME`, or `NAME:args` with comma-separated arguments.
    /// `slow:2.5,platform=vast` or `offer-taken:times=2,gpu=RTX 4090`.
    public init(parsing text: String) throws(Misspelled) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let kind = Kind(rawValue: parts[0].trimmingPrefix(while: \.isWhitespace).lowercased()) else {
            let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw Misspelled(description: "There is no fault \"\(parts[0])\". The faults are: \(names).")
        }
        self.init(kind, seconds: kind.usualSeconds)
        guard parts.count > 1 else { return }
        var arguments = parts[1]
        // A message may contain commas, so it is the last argument and takes the rest of the text.
        if let range = arguments.firstRange(of: "text=") {
            self.text = String(arguments[range.upperBound...])
            arguments = arguments[..<range.lowerBound]
        }
        for argument in arguments.split(separator: ",") {
            let pair = argument.split(separator: "=", maxSplits: 1).map {
                String($0.trimmingPrefix(while: \.isWhitespace))
            }
            // A value without a name belongs to the main argument of this kind.
            let name = pair.count > 1 ? pair[0] : kind.takesSeconds ? "seconds" : "times"
            guard let value = pair.last, self.set(name, to: value) else {
                throw Misspelled(
                    description: "\"\(argument)\" is no argument of a fault. Arguments are times=N or "
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
    /// The default duration of a fault that has one.
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

    /// `true` for faults of running instances, `false` for those of requests and boots.
    var strikesInstances: Bool {
        switch self {
        case .hostKeyChanged, .connectionCut, .vanished, .preempted, .balanceZero, .hostOffline: true
        default: false
        }
    }

    /// `true` if the fault of an instance lasts for its seconds; others take effect after them.
    var lastsSeconds: Bool { self == .hostOffline }
}
