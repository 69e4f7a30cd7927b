import Foundation

/// Proxies and trusted certificates for connections to servers, with the names under which they were set.
public struct NetworkSettings: Hashable, Sendable {
    /// A value and the variable, or the file, that it comes from.
    public struct Named: Hashable, Sendable {
        /// An address or a path, as it was written.
        public var value: String
        /// The name of the variable, or the path of the file.
        public var origin: String

        /// A value that was set under the name `origin`.
        public init(_ value: String, from origin: String) {
            self.value = value
            self.origin = origin
        }
    }

    /// A file with the certificates of trusted authorities; nil for the system's.
    public var authoritiesFile: Named?
    /// A folder with such certificates, prepared by `openssl rehash`; nil for the system's.
    public var authoritiesFolder: Named?
    /// The proxy for addresses that begin with `http:`; nil for none.
    public var httpProxy: Named?
    /// The proxy for addresses that begin with `https:`; nil for none.
    public var httpsProxy: Named?
    /// Hosts that are reached without a proxy, separated by commas; `*` for all.
    public var hostsWithoutProxy: String?

    /// The system's certificates, and no proxy.
    public init() {}

    /// Reads the settings from `environment`, by the names that curl, OpenSSL and Python's clients use.
    public init(environment: [String: String]) {
        func first(_ names: [String]) -> Named? {
            for name in names {
                if let value = environment[name], !value.isEmpty { return Named(value, from: name) }
            }
            return nil
        }
        self.authoritiesFile = first(["CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
        self.authoritiesFolder = first(["SSL_CERT_DIR"])
        // HTTP_PROXY in capitals could be a request's header in a CGI program, which is why no client reads
        // it.
        self.httpProxy = first(["http_proxy", "all_proxy", "ALL_PROXY"])
        self.httpsProxy = first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        self.hostsWithoutProxy = first(["no_proxy", "NO_PROXY"])?.value
    }

    /// Returns the proxy for `scheme` and `host`, so that an error names no proxy that was not asked. Nil for
    /// this machine itself, which no proxy can reach.
    func proxy(scheme: String, host: String) -> Named? {
        if ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host.lowercased()) { return nil }
        guard !self.isExempt(host.lowercased()) else { return nil }
        return scheme == "https" ? self.httpsProxy : self.httpProxy
    }

    /// True if `hostsWithoutProxy` names `host` or a domain that contains it. Only libcurl understands ranges
    /// of addresses.
    private func isExempt(_ host: String) -> Bool {
        for word in (self.hostsWithoutProxy ?? "").lowercased().split(whereSeparator: {
            $0 == "," || $0 == " "
        }) {
            let name = word.drop { $0 == "." }
            if word == "*" || host == name || !name.isEmpty && host.hasSuffix("." + name) { return true }
        }
        return false
    }
}

/// Addresses in a form that may be shown.
package enum ShownAddress {
    /// Returns `text` without the name and password in front of an `@`.
    package static func redacted(_ text: String) -> String {
        guard let scheme = text.range(of: "://") else {
            guard let at = text.lastIndex(of: "@") else { return text }
            return "***" + text[at...]
        }
        let end =
            text[scheme.upperBound...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
        guard let at = text[scheme.upperBound..<end].lastIndex(of: "@") else { return text }
        return text[..<scheme.upperBound] + "***" + text[at...]
    }
}
