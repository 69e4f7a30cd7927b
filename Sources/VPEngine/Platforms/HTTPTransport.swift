import Foundation

/// One HTTP request, together with what the caller was doing, so that a failure can name it.
package struct HTTPRequest: Hashable, Sendable {
    package enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// The consequences of sending a request again.
    package enum Repetition: Hashable, Sendable {
        /// The request only reads and may be repeated at any time.
        case harmless
        /// The request is idempotent. It is repeated if a server says that it was not carried out; if its
        /// answer is lost, the result is looked for instead.
        case afterRefusal
        /// The request is not idempotent: it rents, or adds.
        case never
    }

    package var method: Method
    package var url: URL
    package var headers: [String: String]
    package var body: [UInt8]?
    /// The time from the start to the last byte of the answer.
    package var timeout: Duration
    /// The pause that ends an answer which never ends by itself, such as a live log: the answer counts as
    /// complete once it has begun and nothing more came for this long, or at the timeout.
    package var quietEnd: Duration?
    package var repetition: Repetition
    package var activity: EngineError.Activity

    /// - Parameter repetition: nil makes a `GET` `.harmless`, and all else `.never`.
    package init(
        method: Method, url: URL, headers: [String: String] = [:], body: [UInt8]? = nil,
        timeout: Duration = .seconds(30), quietEnd: Duration? = nil, repetition: Repetition? = nil,
        activity: EngineError.Activity
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.quietEnd = quietEnd
        self.repetition = repetition ?? (method == .get ? .harmless : .never)
        self.activity = activity
    }

    /// True for a request that goes out on a connection of its own. A connection that was used before may be
    /// closed by the server at that moment, and nobody could tell whether the request arrived.
    package var changesSomething: Bool { self.repetition != .harmless }
}

/// A server's answer, whatever its status.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// The headers, with their names in lower case.
    package var headers: [String: String]
    package var body: [UInt8]

    package init(status: Int, headers: [String: String] = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(self.status) }
}

/// Carries requests to a server. It repeats nothing and judges nothing: an answer of any status is a
/// response.
///
/// A redirect is not followed: it is `.badResponse`, as is an answer over the limits or with an encoding that
/// was not requested. Other failures are `.networkDown`, `.timedOut`, `.insecureConnection`, `.cancelled`, or
/// `.badConfiguration` for settings with which no request can be made.
package protocol HTTPTransport: Sendable {
    func send(_ request: HTTPRequest) async throws(EngineError) -> HTTPResponse
}
