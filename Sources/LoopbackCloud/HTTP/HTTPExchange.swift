import Foundation

/// A request as passed to the routes.
struct APIRequest: Sendable {
    var method: String
    /// The path, decoded and without empty components: `/api/v0/bundles/` and `/api/v0/bundles` are equal.
    var path: [String]
    var query: [String: String]
    var bearer: String?
    /// Keyed by lower-case name.
    var headers: [String: String]
    /// The address that the caller used, for links back to this server.
    var host: String
    var body: Data

    /// `PUT /api/v0/asks/123`, for faults that select requests by text.
    var line: String { "\(self.method) /\(self.path.joined(separator: "/"))" }

    /// The body as JSON; an empty body is an empty object, nil means that it cannot be parsed.
    var json: JSON? { self.body.isEmpty ? [:] : JSON(parsing: self.body) }

    init(
        method: String, path: String, query: String = "", headers: [String: String] = [:], body: Data = Data()
    ) {
        self.method = method
        self.path = path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
        self.query = Self.parse(query: query)
        let authorization = headers["authorization"] ?? ""
        self.bearer =
            authorization.lowercased().hasPrefix("bearer ") ? String(authorization.dropFirst(7)) : nil
        self.host = headers["host"] ?? "127.0.0.1"
        self.headers = headers
        self.body = body
    }

    /// Parses form encoding: the official client writes a space as `+`.
    private static func parse(query: String) -> [String: String] {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                let text = $0.replacingOccurrences(of: "+", with: " ")
                return text.removingPercentEncoding ?? text
            }
            values[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return values
    }
}

struct APIReply: Sendable {
    var status: Int
    var contentType: String
    var body: Data
    var headers: [String: String] = [:]
    /// Sent in pieces instead of `body`, for as long as the caller listens.
    var stream: AsyncStream<Data>?

    static func json(_ value: JSON, status: Int = 200) -> APIReply {
        // The official client refuses any other spelling of this header, including a charset.
        APIReply(status: status, contentType: "application/json", body: Data(value.serialized.utf8))
    }

    static func text(_ text: String, status: Int = 200) -> APIReply {
        APIReply(status: status, contentType: "text/plain", body: Data(text.utf8))
    }

    static func html(_ text: String, status: Int) -> APIReply {
        APIReply(status: status, contentType: "text/html", body: Data(text.utf8))
    }
}
