import Foundation

/// Something that goes wrong on demand, for tests and rehearsal.
///
/// Faults wait in a queue; each is used up by the first event it fits.
public enum Fault: Hashable, Sendable {
    /// The next `count` requests are answered 429.
    case rateLimited(count: Int)
    /// The next request is answered after this pause.
    case slow(Duration)
    /// The next create rents, and then answers 502.
    case serverErrorAfterCreate
    /// The next create finds its offer gone.
    case offerTaken
    /// The next instance's image is pulled for ever.
    case imageNeverLoads
    /// The next instance's image does not exist.
    case imagePullError
    /// The next instance's sshd listens this much after the instance is said to run.
    case sshdLate(Duration)
    /// Every ssh connection is cut now; what runs in them runs on.
    case connectionCut
    /// The running instances' sshds come back with other host keys now.
    case hostKeyChanged
    /// The newest instance is gone now.
    case vanished
    /// The account is empty now: everything stops, and nothing new can be rented.
    case balanceZero
    /// The next answer is cut in the middle.
    case malformedJSON
    /// The next answer is a proxy's HTML page with status 502.
    case htmlErrorPage
    /// The next start of a stopped instance finds its GPU rented to somebody else.
    case startRefused
    /// RunPod's GraphQL is switched off from now on.
    case graphQLRetired
    /// The whole of RunPod's REST API is switched off from now on.
    case restRetired

    /// A fault by its name on a command line, with an optional value after `=`: `slow=5`, `rate-limited=3`.
    /// Durations are in seconds. Nil when there is none of that name.
    public init?(name: String) {
        let parts = name.split(separator: "=", maxSplits: 1)
        let value = parts.count > 1 ? Double(parts[1]) : nil
        guard let word = parts.first, parts.count == 1 || value != nil else { return nil }
        func duration(_ standard: Double) -> Duration { .milliseconds(Int((value ?? standard) * 1000)) }
        switch word {
        case "rate-limited", "429": self = .rateLimited(count: Int(value ?? 1))
        case "slow": self = .slow(duration(5))
        case "server-error-after-create": self = .serverErrorAfterCreate
        case "offer-taken": self = .offerTaken
        case "image-never-loads": self = .imageNeverLoads
        case "image-pull-error": self = .imagePullError
        case "sshd-late": self = .sshdLate(duration(10))
        case "connection-cut": self = .connectionCut
        case "host-key-changed": self = .hostKeyChanged
        case "vanished": self = .vanished
        case "balance-zero": self = .balanceZero
        case "malformed-json": self = .malformedJSON
        case "html-error-page": self = .htmlErrorPage
        case "start-refused": self = .startRefused
        case "graphql-retired": self = .graphQLRetired
        case "rest-retired": self = .restRetired
        default: return nil
        }
    }

    /// The names `init(name:)` knows, for help texts.
    public static let names = [
        "rate-limited", "slow", "server-error-after-create", "offer-taken", "image-never-loads",
        "image-pull-error",
        "sshd-late", "connection-cut", "host-key-changed", "vanished", "balance-zero", "malformed-json",
        "html-error-page", "start-refused", "graphql-retired", "rest-retired",
    ]
}
