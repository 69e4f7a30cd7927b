/// The reason why a transfer failed, in our words: which party did what, and how that is known.
struct CurlFailure {
    let code: Int32
    /// libcurl's own words about this transfer; they may name hosts and files.
    let text: String
    /// OpenSSL's verdict on the certificate; 0 if it gave none.
    let verification: Int
    /// The status with which a proxy answered the request for a connection; 0 if none was asked.
    let proxyStatus: Int
    let host: String
    let proxy: NetworkSettings.Named?
    let settings: NetworkSettings

    func error(for request: HTTPRequest) -> EngineError {
        let detail = request.withoutSecrets(self.words)
        return EngineError(self.engineCode, request.activity, detail: detail)
    }

    private var engineCode: EngineError.Code {
        switch self.code {
        case CurlResult.untrusted: .insecureConnection
        case CurlResult.certificateFile, CurlResult.malformedURL, CurlResult.unsupportedProtocol:
            self.isStrange ? .networkDown : .badConfiguration
        case CurlResult.timedOut: .timedOut
        default: .networkDown
        }
    }

    /// True for HTTP/0.9, which libcurl reports as an unsupported protocol, like an address that begins with
    /// `ftp`.
    private var isStrange: Bool {
        self.code == CurlResult.unsupportedProtocol && self.text.contains("HTTP/")
    }

    private var words: String {
        switch self.code {
        case CurlResult.hostNotFound:
            return "cannot find the host \(self.host)"
        case CurlResult.proxyNotFound:
            return "cannot find the proxy \(self.proxyName)"
        case CurlResult.cannotConnect:
            guard self.proxy != nil else { return "cannot connect to \(self.host)" }
            return "cannot connect to \(self.host) through the proxy \(self.proxyName)"
        case CurlResult.timedOut:
            return self.proxy == nil
                ? "no connection to \(self.host) in time"
                : "no connection to \(self.host) through the proxy \(self.proxyName) in time"
        case CurlResult.untrusted:
            return self.certificateWords
        case CurlResult.certificateFile:
            return self.authoritiesWords
        case CurlResult.tlsConnect:
            return "no secure connection to \(self.host)\(self.byProxy)\(self.said)"
        case CurlResult.proxyHandshake:
            return "the proxy \(self.proxyName) does not connect to \(self.host)\(self.said)"
        case CurlResult.receive where self.proxyStatus >= 300, CurlResult.send where self.proxyStatus >= 300:
            return
                "the proxy \(self.proxyName) refuses to connect to \(self.host) (status \(self.proxyStatus))"
        case CurlResult.partial, CurlResult.nothing, CurlResult.send, CurlResult.receive:
            return "\(self.host)\(self.byProxy) closed the connection"
        case CurlResult.strangeReply:
            return "\(self.host)\(self.byProxy) did not answer in HTTP"
        case CurlResult.unsupportedProtocol where self.isStrange:
            return "\(self.host)\(self.byProxy) did not answer in HTTP"
        default:
            return "no answer from \(self.host)\(self.byProxy)\(self.said)"
        }
    }

    private var proxyName: String {
        guard let proxy = self.proxy else { return "in between" }
        return "\(ShownAddress.redacted(proxy.value)) (\(proxy.origin))"
    }

    private var byProxy: String { self.proxy == nil ? "" : " through the proxy \(self.proxyName)" }

    private var said: String { self.text.isEmpty ? "" : ": \(self.text)" }

    /// OpenSSL gives the reason by number; GnuTLS only in words.
    private var certificateWords: String {
        let text = self.text.lowercased()
        let whose = "the certificate of \(self.host)\(self.byProxy)"
        switch self.verification {
        case 9: return "\(whose) is not valid yet; check this machine's clock"
        case 10: return "\(whose) has expired"
        case 23: return "\(whose) was revoked"
        case 62: return "\(whose) is for another host name"
        default: break
        }
        if text.contains("does not match") || text.contains("subject name matches")
            || text.contains("no alternative certificate")
        {
            return "\(whose) is for another host name"
        }
        if text.contains("expired") { return "\(whose) has expired" }
        if text.contains("not yet") || text.contains("not activated") {
            return "\(whose) is not valid yet; check this machine's clock"
        }
        return "\(whose) is not trusted: it is not signed by an authority that this machine knows"
            + (self.settings.authoritiesFile.map { " (known: those in \($0.value), from \($0.origin))" } ?? "")
    }

    private var authoritiesWords: String {
        guard let file = self.settings.authoritiesFile ?? self.settings.authoritiesFolder else {
            return "the system's certificates cannot be read; Debian's package is ca-certificates"
        }
        return "\(file.value), which \(file.origin) names, contains no readable certificates"
    }
}

extension HTTPRequest {
    /// Returns `text` on one line, without the key that this request carries.
    func withoutSecrets(_ text: String) -> String? {
        var text = text
        if let value = self.headers["Authorization"] {
            let key = value.split(separator: " ").last.map(String.init) ?? value
            if key.count >= 4 { text = text.replacing(key, with: "****") }
        }
        return text.singleLine(limit: 300)
    }
}
