import Foundation

/// Finds one platform's API key and address among their possible places.
struct KeyLookup {
    struct Found {
        var key: APIKey
        /// The origin: `VAST_API_KEY`, or the path of a file.
        var origin: String
        /// True for a key in the project's own configuration, which is where the original tool kept it.
        var isInProject: Bool
        /// True for a key in the file that was named on the command line.
        var isExplicit: Bool = false
    }

    let platform: Platform
    let environment: [String: String]
    let home: String
    let projectRoot: String

    static func variable(for platform: Platform) -> String {
        switch platform {
        case .vast: "VAST_API_KEY"
        case .runpod: "RUNPOD_API_KEY"
        }
    }

    /// Returns the first key found in: the environment, a file named on the command line, the user's file,
    /// the project's, the official client's own.
    func find(in sources: ConfigurationSources) throws(EngineError) -> Found? {
        let variable = Self.variable(for: self.platform)
        if let text = self.environment[variable], !APIKey(text).isEmpty {
            return Found(key: APIKey(text), origin: variable, isInProject: false)
        }
        let project = try sources.project.flatMap { file throws(EngineError) in
            try self.key(in: file).map { Found(key: $0, origin: file.path, isInProject: !sources.isExplicit) }
        }
        if sources.isExplicit, var project {
            project.isExplicit = true
            return project
        }
        if let file = sources.user, let key = try self.key(in: file) {
            return Found(key: key, origin: file.path, isInProject: false)
        }
        return project ?? self.keyOfOfficialClient()
    }

    /// Returns the address of the platform's API.
    ///
    /// An address in a project's file is used only with a key from that same file: a cloned project must not
    /// be able to send the user's own key to a stranger's server. Even with a key of its own, a stranger's
    /// server would receive the files and variables of every run, so such an address also needs consent.
    func address(
        in sources: ConfigurationSources, for found: Found, _ consents: inout Consents
    ) throws(EngineError) -> (url: URL, warnings: [String]) {
        let key = "platforms.\(self.platform.rawValue).url"
        var warnings: [String] = []
        if let text = self.environment[self.addressVariable], !text.isEmpty {
            return (try self.url(text, from: self.addressVariable, &warnings), warnings)
        }
        if let file = sources.project, let text = try file.text(key) {
            let place = file.place(of: [key])?.place ?? file.path
            if found.isInProject || found.isExplicit {
                let url = try self.url(text, from: place, &warnings)
                let request = ConsentRequest(
                    name: key, content: url.absoluteString, place: place,
                    words:
                        "use \(url.absoluteString) in place of \(self.platform.displayName), with a key of its own",
                    project: self.projectRoot)
                let otherwise = "set \(self.addressVariable)"
                if sources.isTrusted || consents.allows(request, otherwise: otherwise) {
                    return (url, warnings)
                }
                return (try self.url(self.defaultAddress, from: "built in", &warnings), warnings)
            }
            warnings.append(
                "\(key) in \(file.path) is ignored: your own \(self.platform.displayName) key is never sent to an "
                    + "address from a project's file. Set \(self.addressVariable) if you trust it.")
        }
        if let file = sources.user, let text = try file.text(key) {
            return (try self.url(text, from: file.path, &warnings), warnings)
        }
        return (try self.url(self.defaultAddress, from: "built in", &warnings), warnings)
    }

    /// Returns the address of RunPod's GraphQL if the environment sets one; otherwise it is beside the other
    /// API.
    func graphQLAddress() throws(EngineError) -> URL? {
        let variable = "RUNPOD_GRAPHQL_URL"
        guard self.platform == .runpod, let text = self.environment[variable], !text.isEmpty else {
            return nil
        }
        var warnings: [String] = []
        return try self.url(text, from: variable, &warnings)
    }

    /// Returns proxies and certificates: those of the environment, unless `ca_file` is set for the platform,
    /// or for all, in the user's own file or in one named on the command line. A project that could choose
    /// the trusted authorities could read every request.
    func network(_ ranked: inout RankedSettings) throws(EngineError) -> NetworkSettings {
        var settings = NetworkSettings(environment: self.environment)
        for place in ["platforms.\(self.platform.rawValue).\(Self.authorities)", Self.authorities] {
            let reason = "only you decide which certificates are trusted"
            guard let file = ranked.usersFile(place, reason: reason), let path = try file.text(place) else {
                continue
            }
            let expanded = path.hasPrefix("~/") ? self.home + path.dropFirst() : path
            guard expanded.hasPrefix("/") else {
                throw file.error(place, "ca_file must be an absolute path, or begin with ~/")
            }
            settings.authoritiesFile = .init(expanded, from: "\(place) in \(file.path)")
            settings.authoritiesFolder = nil
            break
        }
        return settings
    }

    private static let authorities = "ca_file"

    private var addressVariable: String {
        switch self.platform {
        case .vast: "VAST_URL"
        case .runpod: "RUNPOD_REST_V2_URL"
        }
    }

    private var defaultAddress: String {
        switch self.platform {
        case .vast: "https://console.vast.ai"
        case .runpod: "https://api.runpod.io/v2"
        }
    }

    private func url(
        _ text: String, from origin: String, _ warnings: inout [String]
    ) throws(EngineError) -> URL {
        var trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        // A password in the address would be shown wherever the address is, and sent to instances with it;
        // only the key authorises a call.
        if let start = trimmed.range(of: "//")?.upperBound,
            let at = trimmed[start...].prefix(while: { !"/?#".contains($0) }).lastIndex(of: "@")
        {
            trimmed.removeSubrange(start...at)
            warnings.append(
                "The user name and password in \(origin) are not used: only \(self.platform.displayName)'s key "
                    + "logs in. Remove them from the address.")
        }
        let shown = ShownAddress.redacted(text)
        guard let url = URL(string: trimmed), let scheme = url.scheme, let host = url.host(), !host.isEmpty,
            scheme == "https" || scheme == "http"
        else {
            throw ConfigurationFile.error("\(origin): `\(shown)` is not an http(s) address")
        }
        // A key must not cross a network in clear text; tests and the demo stay on this machine.
        guard scheme == "https" || ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host) else {
            throw ConfigurationFile.error("\(origin): `\(shown)` would send the key unencrypted; use https")
        }
        return url
    }

    /// The possible places of the platform's key in a configuration file, as dotted paths.
    static func places(for platform: Platform) -> [String] {
        let name = platform.rawValue
        return ["platforms.\(name).api_key", "platforms.\(name).key", "\(name).api_key", "\(name)_api_key"]
    }

    private func key(in file: ConfigurationFile) throws(EngineError) -> APIKey? {
        let name = self.platform.rawValue
        var text: String?
        for place in Self.places(for: self.platform) where text == nil { text = try file.text(place) }
        guard let text else { return nil }
        // The original wrote `enabled: false` beside platforms without a key, so the flag is meaningful only
        // beside a key.
        if try file.flag("platforms.\(name).enabled") == false { return nil }
        return APIKey(text)
    }

    private func keyOfOfficialClient() -> Found? {
        switch self.platform {
        case .vast:
            let folder = UserFolders.configurationFolder(self.environment, home: self.home)
            let places = [
                "\(folder)/vastai/vast_api_key",
                "\(self.home)/.vast_api_key",
            ]
            for place in places {
                guard let text = try? ConfigurationFile.contents(of: place) else { continue }
                let key = APIKey(text)
                if !key.isEmpty { return Found(key: key, origin: place, isInProject: false) }
            }
            return nil
        case .runpod:
            let place = "\(self.home)/.runpod/config.toml"
            guard let text = try? ConfigurationFile.contents(of: place), let key = Self.runpodKey(in: text)
            else {
                return nil
            }
            return Found(key: key, origin: place, isInProject: false)
        }
    }

    /// runpodctl writes `apikey = "…"` at the top, the Python SDK `api_key = "…"` under `[default]`. Both are
    /// one plain string on one line, which does not justify the dependency of a whole TOML reader.
    static func runpodKey(in toml: String) -> APIKey? {
        for line in toml.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let name = parts[0].trimmingCharacters(in: .whitespaces).lowercased()
            guard name == "apikey" || name == "api_key" else { continue }
            let value = parts[1].trimmingCharacters(in: .whitespaces)
            guard let quote = value.first, quote == "\"" || quote == "'" else { continue }
            let key = APIKey(String(value.dropFirst().prefix { $0 != quote }))
            if !key.isEmpty { return key }
        }
        return nil
    }
}
