import Foundation

/// A marketplace that rents GPU instances.
public enum Platform: String, CaseIterable, Codable, Hashable, Sendable {
    /// vast.ai, where many owners offer single machines.
    case vast
    /// RunPod, which offers kinds of GPU. Only its Secure Cloud is used.
    case runpod

    /// The name people know the platform by.
    public var displayName: String {
        switch self {
        case .vast: "vast.ai"
        case .runpod: "RunPod"
        }
    }
}

/// A secret that authorises calls to one platform.
///
/// Printing, interpolating or encoding it shows the last four characters at most, so that a key cannot reach
/// a log or an error by accident. `reveal()` is the single way to the text.
public struct APIKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    private let secret: String

    /// Drops surrounding white space: keys are pasted, and files end in a newline.
    public init(_ secret: String) {
        self.secret = secret.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// True if the text held nothing but white space. Calls with such a key throw `.missingKey`.
    public var isEmpty: Bool { self.secret.isEmpty }

    /// `****abcd`; a key too short to spare four characters shows none.
    public var description: String {
        self.secret.count >= 12 ? "****" + self.secret.suffix(4) : "****"
    }

    /// The same as `description`: a debugger and a failed test show no more.
    public var debugDescription: String { self.description }

    /// The key itself, for a request header and for nothing else.
    package func reveal() -> String { self.secret }
}

/// The address of one platform's API, and the key for it.
public struct PlatformEndpoint: Hashable, Sendable {
    /// The platform whose API it is.
    public var platform: Platform
    /// The address to which paths of calls are appended; a slash at its end makes no difference.
    public var baseURL: URL
    /// The key that authorises every call; without it none is made.
    public var key: APIKey
    /// The address of RunPod's second API; nil for the usual one beside `baseURL`, and on other platforms.
    public var graphQLURL: URL?
    /// Proxies and certificates on the way there.
    public var network: NetworkSettings

    /// An endpoint that is reached without a proxy and checked by the system's certificates, unless `network`
    /// says otherwise.
    public init(
        platform: Platform, baseURL: URL, key: APIKey, graphQLURL: URL? = nil,
        network: NetworkSettings = NetworkSettings()
    ) {
        self.platform = platform
        self.baseURL = baseURL
        self.key = key
        self.graphQLURL = graphQLURL
        self.network = network
    }

    /// `baseURL` for a script: without a slash at its end.
    var apiBase: String {
        var text = self.baseURL.absoluteString
        while text.hasSuffix("/") { text.removeLast() }
        return text
    }
}
